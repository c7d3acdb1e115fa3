//! The drawings: verdicts, what to do, and the parts of the device.
//!
//! They are those of the panel's page, element by element (`panel/assets/index.html`; a test holds them together), so that
//! who knows one screen knows the other. Verdicts are told apart by shape before colour: a circle with a tick, a diamond
//! with a bang, an octagon with a cross.

use super::canvas::Canvas;
use super::curve::{self, Line};
use embedded_graphics::pixelcolor::Rgb888;
use kurbo::{Affine, BezPath, Circle, Rect, Shape};

/// The dark of every drawing.
const DARK: Rgb888 = Rgb888::new(0x10, 0x26, 0x3b);
const WHITE: Rgb888 = Rgb888::new(0xff, 0xff, 0xff);
/// The colour of a face mask.
const MASK: Rgb888 = Rgb888::new(0xbf, 0xe0, 0xf5);
/// How wide and high signs are drawn, and icons.
const SIGN_SIDE: f64 = 200.0;
const ICON_SIDE: f64 = 24.0;

/// In which colours a sign is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inks {
    pub(super) ink: Rgb888,
    pub(super) plate: Rgb888,
    pub(super) mark: Rgb888,
}

/// What an element is of a drawing, as the page's style sheet has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Plate,
    Mark,
    Dot,
    Body,
    Line,
    Thin,
    Dashed,
    Solid,
    Mask,
}

/// An element of a drawing.
#[derive(Clone, Copy, Debug)]
enum Part {
    Path(Class, &'static str),
    Circle(Class, f64, f64, f64),
    /// Left, top, width, height, radius of the corners.
    Rect(Class, f64, f64, f64, f64, f64),
    /// Another drawing at a place, so wide.
    Use(&'static str, f64, f64, f64),
    /// The same, turned by degrees about a point.
    Turned(&'static str, f64, f64, f64, (f64, f64, f64)),
}

use Class::{Body, Dashed, Dot, Mark, Mask, Plate, Solid, Thin};
use Part::{Circle as C, Path as P, Rect as R, Turned, Use};

/// A drawing: its name, how wide and high it is, its elements.
type Drawing = (&'static str, f64, &'static [Part]);

#[rustfmt::skip]
const DRAWINGS: &[Drawing] = &[
    ("sign-admit", SIGN_SIDE, &[C(Plate, 100.0, 100.0, 94.0), P(Mark, "M54 104l32 33 62-72")]),
    ("sign-refer", SIGN_SIDE, &[
        P(Plate, "M89 11q11-9 22 0l78 78q9 11 0 22l-78 78q-11 9-22 0l-78-78q-9-11 0-22z"),
        P(Mark, "M100 56v56"), C(Dot, 100.0, 144.0, 13.0),
    ]),
    ("sign-refuse", SIGN_SIDE, &[
        P(Plate, "M62 6h76l56 56v76l-56 56H62L6 138V62z"), P(Mark, "M66 66l68 68M134 66l-68 68"),
    ]),
    ("phone", SIGN_SIDE, &[
        R(Body, 52.0, 14.0, 96.0, 172.0, 16.0), P(Thin, "M90 30h20"),
        P(Class::Line, "M68 62h24v24H68zM108 62h24v24h-24zM68 102h24v24H68z"),
        P(Solid, "M77 71h6v6h-6zM117 71h6v6h-6zM77 111h6v6h-6zM106 100h10v10h-10zM120 104h12v8h-12zM106 116h8v12h-8zM120 118h12v10h-12z"),
        P(Thin, "M88 166h24"),
    ]),
    ("sign-idle", SIGN_SIDE, &[
        Use("phone", -44.0, 0.0, 200.0),
        P(Class::Line, "M122 74a38 38 0 0 1 0 52M141 57a62 62 0 0 1 0 86M160 40a86 86 0 0 1 0 120"),
    ]),
    ("sign-hold_still", SIGN_SIDE, &[
        Use("phone", 30.0, 30.0, 140.0), P(Class::Line, "M14 56V14h42M144 14h42v42M186 144v42h-42M56 186H14v-42"),
    ]),
    ("sign-come_closer", SIGN_SIDE, &[
        Use("phone", -24.0, 52.0, 96.0), P(Class::Line, "M66 100h46M94 80l20 20-20 20"),
        C(Body, 160.0, 100.0, 36.0), C(Solid, 160.0, 100.0, 18.0),
    ]),
    ("sun", 80.0, &[
        C(Class::Line, 40.0, 40.0, 15.0),
        P(Class::Line, "M40 5v9M40 66v9M5 40h9M66 40h9M15 15l7 7M58 58l7 7M65 15l-7 7M22 58l-7 7"),
    ]),
    ("sign-more_light", SIGN_SIDE, &[
        Use("phone", -46.0, 12.0, 180.0), Use("sun", 104.0, 8.0, 92.0), P(Class::Line, "M150 184v-58M126 148l24-24 24 24"),
    ]),
    ("sign-dim", SIGN_SIDE, &[
        Use("phone", -46.0, 12.0, 180.0), P(Class::Line, "M164 76a36 36 0 1 1-20-62 30 30 0 0 0 20 62z"),
        P(Class::Line, "M150 118v58M126 154l24 24 24-24"),
    ]),
    ("sign-tilt", SIGN_SIDE, &[
        Turned("phone", 26.0, 34.0, 148.0, (24.0, 100.0, 108.0)),
        P(Class::Line, "M40 92A66 66 0 0 1 92 24M66 16l28 8-10 27"),
    ]),
    ("code", 80.0, &[
        R(Body, 3.0, 3.0, 74.0, 74.0, 5.0), P(Thin, "M15 15h18v18H15zM47 15h18v18H47zM15 47h18v18H15z"),
        P(Solid, "M44 44h8v8h-8zM56 44h10v6H56zM46 58h6v8h-6zM56 56h10v10H56z"),
    ]),
    ("sign-show_whole", SIGN_SIDE, &[
        P(Class::Line, "M60 50V14h36M150 14h36v36M186 150v36h-36M96 186H60v-36"),
        Use("code", 2.0, 52.0, 96.0), P(Class::Line, "M112 100h50M142 80l20 20-20 20"),
    ]),
    ("face", SIGN_SIDE, &[
        C(Body, 84.0, 112.0, 68.0), C(Solid, 58.0, 98.0, 8.0), C(Solid, 106.0, 98.0, 8.0),
        P(Mask, "M32 122q52-20 104 0v20q-52 56-104 0z"), P(Thin, "M32 124l-13-9M136 124l13-9M52 134q32 14 64 0"),
    ]),
    ("sign-ask_reading", SIGN_SIDE, &[
        Use("face", 0.0, 0.0, 200.0), P(Dashed, "M146 44l-42 16"),
        R(Body, 150.0, 8.0, 42.0, 62.0, 10.0), P(Thin, "M162 24h18M162 36h18"),
    ]),
    ("sign-measure_again", SIGN_SIDE, &[
        Use("sign-ask_reading", 0.0, 0.0, 200.0), C(Body, 156.0, 156.0, 38.0),
        P(Class::Line, "M176 148a22 22 0 1 0 0 18M178 130v19h-19"),
    ]),
    ("sign-lost", SIGN_SIDE, &[
        P(Class::Line, "M30 86a100 100 0 0 1 140 0M58 116a60 60 0 0 1 84 0"), C(Solid, 100.0, 150.0, 12.0),
        P(Class::Line, "M34 30l132 146"),
    ]),
    ("sign-alarm", SIGN_SIDE, &[
        P(Class::Line, "M20 186V20h78v166M98 30l66 22v114l-66 20"), C(Solid, 116.0, 106.0, 7.0),
        P(Class::Line, "M128 106h58M166 84l22 22-22 22"),
    ]),
    ("sign-starting", SIGN_SIDE, &[C(Solid, 50.0, 100.0, 14.0), C(Solid, 100.0, 100.0, 14.0), C(Solid, 150.0, 100.0, 14.0)]),
    ("stick", SIGN_SIDE, &[
        R(Body, 62.0, 14.0, 56.0, 52.0, 6.0), P(Solid, "M74 30h10v14H74zM96 30h10v14H96z"),
        R(Body, 46.0, 62.0, 88.0, 126.0, 16.0), P(Thin, "M76 84h28"),
    ]),
    ("sign-stick_importing", SIGN_SIDE, &[
        Use("stick", 0.0, 0.0, 200.0), C(Body, 140.0, 140.0, 46.0),
        C(Solid, 118.0, 140.0, 8.0), C(Solid, 140.0, 140.0, 8.0), C(Solid, 162.0, 140.0, 8.0),
    ]),
    ("sign-stick_imported", SIGN_SIDE, &[
        Use("stick", 0.0, 0.0, 200.0), C(Body, 140.0, 140.0, 46.0), P(Class::Line, "M118 142l16 16 30-34"),
    ]),
    ("sign-stick_unchanged", SIGN_SIDE, &[
        Use("stick", 0.0, 0.0, 200.0), C(Body, 140.0, 140.0, 46.0), P(Class::Line, "M120 130h40M120 152h40"),
    ]),
    ("sign-stick_refused", SIGN_SIDE, &[
        Use("stick", 0.0, 0.0, 200.0), C(Body, 140.0, 140.0, 46.0), P(Class::Line, "M122 122l36 36M158 122l-36 36"),
    ]),
    ("icon-clock", ICON_SIDE, &[C(Thin, 12.0, 12.0, 9.0), P(Thin, "M12 7v5l4 2")]),
    ("icon-trust", ICON_SIDE, &[P(Thin, "M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6zM8 12l3 3 5-6")]),
    ("icon-backlog", ICON_SIDE, &[P(Thin, "M12 15V4M7 8l5-5 5 5M4 14v6h16v-6")]),
    ("icon-camera", ICON_SIDE, &[P(Thin, "M3 7h4l2-3h6l2 3h4v13H3z"), C(Thin, 12.0, 13.0, 4.0)]),
    ("icon-thermometer", ICON_SIDE, &[P(Thin, "M10 14V5a2 2 0 0 1 4 0v9a4 4 0 1 1-4 0zM12 9v8")]),
    ("icon-journal", ICON_SIDE, &[P(Thin, "M5 3h14v18H5zM9 8h6M9 12h6M9 16h3")]),
    ("icon-stick", ICON_SIDE, &[P(Thin, "M9 3h6v5H9zM7 8h10v13H7zM11 12h2")]),
    ("icon-inputs", ICON_SIDE, &[R(Thin, 3.0, 11.0, 18.0, 9.0, 0.0), P(Thin, "M8 11V7h8v4M12 3v4")]),
    ("icon-neighbours", ICON_SIDE, &[P(Thin, "M3 20V9h6v11M15 20V9h6v11M9 14h6M2 20h20")]),
    ("icon-rules", ICON_SIDE, &[P(Thin, "M5 3h14v18H5zM9 8l1.5 1.5L13 7M9 14l1.5 1.5L13 13M15 9h1M15 15h1")]),
    ("icon-display", ICON_SIDE, &[P(Thin, "M3 5h18v12H3zM8 21h8M12 17v4")]),
    ("icon-hub", ICON_SIDE, &[P(Thin, "M7 18a4 4 0 0 1 0-8 6 6 0 0 1 11-1 4.5 4.5 0 0 1 0 9zM12 20v-7M9 15l3-3 3 3")]),
];

fn drawing(name: &str) -> Option<&'static Drawing> {
    DRAWINGS.iter().find(|(known, ..)| *known == name)
}

/// Whether there is a drawing of this name.
#[cfg(test)]
fn has(name: &str) -> bool {
    drawing(name).is_some()
}

/// Draws the sign of a name into a square; nothing where there is no such sign.
pub(super) fn sign(canvas: &mut Canvas, name: &str, area: Rect, inks: Inks) {
    let shrink = area.width().min(area.height());
    let at = Affine::translate(area.center().to_vec2() - kurbo::Vec2::new(shrink, shrink) / 2.0);
    // A few drawings are lines and dots on the ground, without a body.
    let is_bare = matches!(name, "sign-lost" | "sign-starting");
    draw(canvas, name, at * Affine::scale(shrink / SIGN_SIDE), inks, if is_bare { inks.ink } else { DARK });
}

/// Draws an icon of a part of the device into a square, in lines of one colour.
pub(super) fn icon(canvas: &mut Canvas, name: &str, area: Rect, ink: Rgb888) {
    let Some((_, side, parts)) = drawing(name) else { return };
    let at = Affine::translate(area.origin().to_vec2()) * Affine::scale(area.width() / side);
    let line = Line { width: 2.0, dash: None };
    parts.iter().filter_map(outline).for_each(|path| curve::stroke(canvas, &path, line, at, ink));
}

fn draw(canvas: &mut Canvas, name: &str, at: Affine, inks: Inks, solid: Rgb888) {
    let Some((_, _, parts)) = drawing(name) else { return };
    // Lines on something white are dark; lines on the ground are the ground's ink.
    let mut on_body = false;
    for part in *parts {
        match *part {
            Use(other, x, y, width) => {
                let scale = width / drawing(other).map_or(SIGN_SIDE, |(_, side, _)| *side);
                draw(canvas, other, at * Affine::translate((x, y)) * Affine::scale(scale), inks, solid);
            }
            Turned(other, x, y, width, (degrees, about_x, about_y)) => {
                let turn = Affine::rotate_about(degrees.to_radians(), kurbo::Point::new(about_x, about_y));
                let inner = Affine::translate((x, y)) * Affine::scale(width / SIGN_SIDE);
                draw(canvas, other, at * turn * inner, inks, solid);
            }
            P(class, _) | C(class, ..) | R(class, ..) => {
                if let Some(path) = outline(part) {
                    let line_ink = if on_body { DARK } else { inks.ink };
                    lay(canvas, class, &path, at, Inks { ink: line_ink, ..inks }, solid);
                }
                on_body |= matches!(class, Body | Mask);
            }
        }
    }
}

/// Lays one element, as the page's style sheet has it.
fn lay(canvas: &mut Canvas, class: Class, path: &BezPath, at: Affine, inks: Inks, solid: Rgb888) {
    let mut line = |width: f64, dash: Option<(f64, f64)>, ink: Rgb888| {
        curve::stroke(canvas, path, Line { width, dash }, at, ink);
    };
    match class {
        Plate => curve::fill(canvas, path, at, inks.plate),
        Dot => curve::fill(canvas, path, at, inks.mark),
        Solid => curve::fill(canvas, path, at, solid),
        Mark => line(22.0, None, inks.mark),
        Class::Line => line(9.0, None, inks.ink),
        Thin => line(5.0, None, inks.ink),
        Dashed => line(9.0, Some((2.0, 13.0)), inks.ink),
        Body | Mask => {
            let (inside, width) = if class == Body { (WHITE, 6.0) } else { (MASK, 5.0) };
            curve::fill(canvas, path, at, inside);
            curve::stroke(canvas, path, Line { width, dash: None }, at, DARK);
        }
    }
}

/// The outline of an element that is no other drawing.
fn outline(part: &Part) -> Option<BezPath> {
    const FINE: f64 = 0.02;
    match *part {
        P(_, path) => BezPath::from_svg(path).ok(),
        C(_, x, y, radius) => Some(Circle::new((x, y), radius).to_path(FINE)),
        R(_, x, y, width, height, radius) => {
            Some(Rect::new(x, y, x + width, y + height).to_rounded_rect(radius).to_path(FINE))
        }
        Use(..) | Turned(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../panel/assets/index.html");

    /// The elements of a drawing in the page.
    fn in_page(name: &str) -> Option<&'static str> {
        let (_, after) = PAGE.split_once(&format!("<symbol id=\"{name}\""))?;
        after.split_once("</symbol>").map(|(inside, _)| inside)
    }

    #[test]
    fn the_drawings_are_those_of_the_page() {
        for (name, side, parts) in DRAWINGS {
            let page = in_page(name).unwrap_or_else(|| panic!("the page has no {name}"));
            assert!(page.starts_with(&format!(" viewBox=\"0 0 {side} {side}\"")), "{name}");
            let elements = ["<path", "<circle", "<rect", "<use"].map(|tag| page.matches(tag).count());
            assert_eq!(elements.iter().sum::<usize>(), parts.len(), "{name}");
            for part in *parts {
                let element = match part {
                    P(_, path) => format!("d=\"{path}\""),
                    C(_, x, y, radius) => format!("cx=\"{x}\" cy=\"{y}\" r=\"{radius}\""),
                    R(_, x, y, width, height, _) => {
                        format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"")
                    }
                    Use(other, ..) | Turned(other, ..) => format!("href=\"#{other}\""),
                };
                assert!(page.contains(&element), "{name}: {element}");
            }
        }
        // Nobody unlocks a screen that nobody can touch.
        let known = DRAWINGS.len() + PAGE.matches("<symbol id=\"sign-locked\"").count();
        assert_eq!(PAGE.matches("<symbol ").count(), known, "the page has a drawing that the screen lacks");
    }

    #[test]
    fn every_path_can_be_read() {
        for (name, _, parts) in DRAWINGS {
            for part in *parts {
                match part {
                    Use(other, ..) | Turned(other, ..) => assert!(has(other), "{name}"),
                    _ => assert!(outline(part).is_some(), "{name}: {part:?}"),
                }
            }
        }
    }
}
