//! Where everything is, on screens of many sizes: inside, apart, and whole.

use super::gallery;
use crate::display::lay_out;
use crate::display::scene::{Mark, Scene, Thing};
use crate::display::told;
use crate::words::Lang;
use kurbo::Rect;

const SIZES: [(u32, u32); 8] =
    [(800, 480), (480, 800), (1024, 600), (600, 1024), (1280, 720), (1920, 1080), (1080, 1920), (320, 240)];

/// What carries meaning, so that nothing may lie over it; plates carry it.
fn solid(mark: &Mark) -> bool {
    !matches!(mark.thing, Thing::Plate(..))
}

fn inside(inner: Rect, outer: Rect) -> bool {
    // Half a pixel is rounding.
    inner.x0 >= outer.x0 - 0.5 && inner.y0 >= outer.y0 - 0.5 && inner.x1 <= outer.x1 + 0.5 && inner.y1 <= outer.y1 + 0.5
}

fn apart(a: Rect, b: Rect) -> bool {
    let common = a.intersect(b);
    common.width() <= 0.5 || common.height() <= 0.5
}

fn each(mut check: impl FnMut(&str, (u32, u32), &Scene)) {
    for (width, height) in SIZES {
        for case in gallery::all() {
            for lang in gallery::langs() {
                let scene = lay_out(&case.state(&gallery::info(), lang), width, height);
                let name = format!("{} in {} at {width} × {height}", case.name, lang.name());
                check(&name, (width, height), &scene);
            }
        }
    }
}

#[test]
fn nothing_is_outside_of_its_band_and_nothing_lies_over_anything() {
    each(|name, (width, height), scene| {
        let mut below = 0;
        for band in &scene.bands {
            assert_eq!((band.area.x, band.area.y, band.area.width), (0, below, width), "{name}: bands touch");
            below += band.area.height;
            let area = band.area;
            let (x, y) = (f64::from(area.x), f64::from(area.y));
            let outer = Rect::new(x, y, x + f64::from(area.width), y + f64::from(area.height));
            for mark in &band.marks {
                assert!(inside(mark.area, outer), "{name}: {} at {:?} is outside of {outer:?}", mark.role, mark.area);
            }
            let solid: Vec<&Mark> = band.marks.iter().filter(|mark| solid(mark)).collect();
            for (at, mark) in solid.iter().enumerate() {
                for other in &solid[at + 1..] {
                    let both = (mark.role, mark.area, other.role, other.area);
                    assert!(apart(mark.area, other.area), "{name}: {both:?} lie over each other");
                }
            }
        }
        assert_eq!(below, height, "{name}: bands fill the screen");
    });
}

#[test]
fn what_a_person_must_read_is_there_whole_and_large_enough() {
    each(|name, (width, height), scene| {
        let texts = scene.bands[1].marks.iter().filter_map(|mark| match &mark.thing {
            Thing::Text(text) => Some((mark.role, text)),
            _ => None,
        });
        for (role, text) in texts {
            let said = text.lines.concat();
            if matches!(role, "word" | "other" | "title" | "say" | "remedy") {
                assert!(!said.contains('…'), "{name}: {role} is cut: {said}");
            }
            let least = if width.min(height) < 400 { 10.5 } else { 11.0 };
            assert!(text.em >= least, "{name}: {role} has an em of {}", text.em);
            let (word, small) = (height.min(width) as f32 / 12.0, width.min(height) < 400);
            let word = if name.contains("stick") || small { word * 0.75 } else { word };
            assert!(role != "word" || text.em >= word, "{name}: the word has an em of {}", text.em);
        }
        let roles: Vec<&str> = scene.bands[1].marks.iter().map(|mark| mark.role).collect();
        assert!(roles.contains(&"word") && roles.contains(&"sign"), "{name}");
        if name.starts_with("reason") {
            assert!(roles.contains(&"title") && roles.contains(&"say"), "{name}");
        }
    });
}

#[test]
fn a_screen_for_a_gate_leaves_out_nothing_of_what_helps_the_volunteer() {
    for case in gallery::reasons() {
        for lang in gallery::langs() {
            let info = gallery::info();
            let state = case.state(&info, lang);
            let told = crate::display::told::told(&state);
            for (width, height) in [(800, 480), (480, 800), (1024, 600), (1920, 1080)] {
                let scene = lay_out(&state, width, height);
                let name = format!("{} in {} at {width} × {height}", case.name, lang.name());
                let has = |role| scene.bands[1].marks.iter().any(|mark| mark.role == role);
                assert_eq!(has("volunteer"), told.volunteer.is_some(), "{name}");
                assert_eq!(has("also"), told.also.is_some(), "{name}");
                assert_eq!(has("dot"), told.facts.iter().any(|fact| fact.name == "colour"), "{name}");
            }
        }
    }
}

#[test]
fn a_picture_that_hides_the_person_says_the_verdict_and_what_to_do_and_nothing_about_them() {
    for case in gallery::reasons() {
        for lang in gallery::langs() {
            let info = gallery::info();
            let state = crate::display::State { hides_person: true, ..case.state(&info, lang) };
            let (told, whole) = (told::told(&state), told::told(&case.state(&info, lang)));
            let texts =
                |told: &told::Told| (told.word.clone(), told.title.clone(), told.say.clone(), told.remedy.clone());
            assert_eq!(texts(&told), texts(&whole), "{}", case.name);
            let left: Vec<&str> = told.facts.iter().map(|fact| fact.name).collect();
            assert!(left.iter().all(|name| ["cause", "rests"].contains(name)), "{}: {left:?}", case.name);
            let said = format!("{:?}", lay_out(&state, 800, 480));
            for person in ["张*三", "123X", "℃", "浙江健康码", "Zhejiang Health Code"] {
                assert!(!said.contains(person), "{}: {person}", case.name);
            }
        }
    }
}

#[test]
fn a_device_in_trouble_says_so_in_the_bar_also_on_the_smallest_screen() {
    let case = gallery::others().into_iter().find(|case| case.name == "faults").expect("it is in the gallery");
    for (width, height) in SIZES {
        let scene = lay_out(&case.state(&gallery::info(), Lang::default()), width, height);
        let marks = &scene.bands[2].marks;
        let icons: Vec<&str> = marks
            .iter()
            .filter_map(|mark| match &mark.thing {
                Thing::Icon(name, _) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        for part in ["icon-clock", "icon-camera", "icon-thermometer"] {
            assert!(icons.contains(&part), "{part} at {width} × {height}: {icons:?}");
        }
        let warned =
            marks.iter().filter(|mark| matches!(&mark.thing, Thing::Text(text) if text.lines[0].starts_with("! ")));
        assert!(warned.count() >= 3, "at {width} × {height}");
    }
}
