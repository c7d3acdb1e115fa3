//! Verdicts without their colours: a screen that shows only black and white, or eyes that do not tell red from green.

use super::gallery;
use crate::display::scene::Thing;
use crate::display::{Canvas, lay_out, luma};
use crate::words::Lang;

/// The sign of a screen in black and white, row by row, on a grid of 48 × 48: whether it is lighter or darker than what is
/// around the sign.
fn shape(name: &str) -> Vec<bool> {
    let case = gallery::all().into_iter().find(|case| case.name == name).expect("it is in the gallery");
    let mut canvas = Canvas::new(800, 480);
    let scene = lay_out(&case.state(&gallery::info(), Lang::default()), 800, 480);
    scene.paint(&mut canvas, None);
    let sign = scene.bands[1].marks.iter().find(|mark| matches!(mark.thing, Thing::Sign(..))).expect("there is a sign");
    let at = |x: f64, y: f64| luma(canvas.pixels()[y as usize * 800 + x as usize]);
    let ground = at(sign.area.x0 - 4.0, sign.area.y0 - 4.0);
    let grid = (0..48).flat_map(|y| (0..48).map(move |x| (x, y)));
    let step = sign.area.width() / 48.0;
    let place =
        |(x, y): (i32, i32)| (sign.area.x0 + (f64::from(x) + 0.5) * step, sign.area.y0 + (f64::from(y) + 0.5) * step);
    grid.map(place).map(|(x, y)| at(x, y).abs_diff(ground) > 60).collect()
}

/// Which part of the grid differs, in percent.
fn differ(a: &[bool], b: &[bool]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a != b).count() * 100 / a.len()
}

#[test]
fn verdicts_are_told_apart_by_shape_alone() {
    let [admit, refer, refuse] = ["admit", "reason-yellow", "reason-red"].map(shape);
    for (a, b) in [(&admit, &refer), (&admit, &refuse), (&refer, &refuse)] {
        assert!(differ(a, b) >= 8, "{} %", differ(a, b));
    }
}

#[test]
fn every_verdict_of_one_kind_has_the_same_shape() {
    assert_eq!(differ(&shape("admit"), &shape("reason-trust_ageing")), 0);
    assert!(differ(&shape("reason-red"), &shape("reason-expired")) <= 2);
}

#[test]
fn hints_and_what_is_asked_are_told_apart_by_their_drawings() {
    let names = [
        "hint-hold_still",
        "hint-come_closer",
        "hint-more_light",
        "hint-dim",
        "hint-tilt",
        "hint-show_whole",
        "ask_reading",
        "measure_again",
    ];
    let shapes = names.map(shape);
    for (at, a) in shapes.iter().enumerate() {
        for (other, b) in shapes.iter().enumerate().skip(at + 1) {
            assert!(differ(a, b) >= 2, "{} and {}: {} %", names[at], names[other], differ(a, b));
        }
    }
}
