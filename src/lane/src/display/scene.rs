//! What is drawn where: three bands of marks that can be compared, and laid on a picture.
//!
//! A scene is made of texts before anything is painted, so that a screen that did not change costs no painting, and a
//! test can see that nothing lies over anything else and nothing is cut off without a sign.

use super::canvas::Canvas;
use super::curve;
use super::face::{Set, Weight};
use super::signs::{self, Inks};
use super::told::Look;
use crate::ports::Area;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{Drawable, Point, Primitive, Size};
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use kurbo::Rect;
use menshen_core::decide::Verdict;
use menshen_core::pass::Colour;

/// A colour as it is written in the page's style sheet.
pub(super) const fn rgb(hex: u32) -> Rgb888 {
    Rgb888::new((hex >> 16 & 0xff) as u8, (hex >> 8 & 0xff) as u8, (hex & 0xff) as u8)
}

/// The colours of a screen. Ink on ground and on strip has a contrast of at least 4.5 (WCAG AA).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Theme {
    pub(super) ground: Rgb888,
    pub(super) ink: Rgb888,
    pub(super) plate: Rgb888,
    pub(super) mark: Rgb888,
    pub(super) strip: Rgb888,
}

impl Theme {
    /// Those of the page.
    pub(super) fn of(look: Look) -> Theme {
        let theme = |ground, ink, plate, mark, strip| Theme {
            ground: rgb(ground),
            ink: rgb(ink),
            plate: rgb(plate),
            mark: rgb(mark),
            strip: rgb(strip),
        };
        match look {
            Look::Calm => theme(0xeef4fa, 0x10263b, 0xffffff, 0x10263b, 0xdde8f2),
            Look::Ask => theme(0x0b4a8f, 0xffffff, 0xffffff, 0x0b3a70, 0x083a72),
            Look::Gone => theme(0x2b2f36, 0xffffff, 0xffffff, 0x2b2f36, 0x1b1e23),
            Look::Alarm | Look::Verdict(Verdict::Admit) => theme(0x0a6b31, 0xffffff, 0xffffff, 0x0a6b31, 0x07522a),
            Look::Verdict(Verdict::Refer) => theme(0xffb81c, 0x1a1200, 0x1a1200, 0xffb81c, 0xffd678),
            Look::Verdict(Verdict::Refuse) => theme(0xa8121f, 0xffffff, 0xffffff, 0xa8121f, 0x7e0b16),
        }
    }

    pub(super) const fn inks(self) -> Inks {
        Inks { ink: self.ink, plate: self.plate, mark: self.mark }
    }
}

/// A text in its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Text {
    pub(super) lines: Vec<String>,
    pub(super) em: f32,
    /// How high a line is, in pixels.
    pub(super) line: f32,
    pub(super) weight: Weight,
    pub(super) ink: Rgb888,
    pub(super) centred: bool,
}

/// Something that is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Thing {
    /// A ground with round corners, for what lies on it.
    Plate(f64, Rgb888),
    Text(Text),
    Sign(String, Inks),
    Icon(String, Rgb888),
    /// The dot beside the name of a colour.
    Dot(Colour),
}

/// Something that is drawn, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    /// What it is for.
    pub(super) role: &'static str,
    pub(super) area: Rect,
    pub(super) thing: Thing,
}

/// A part of the screen that is painted at once.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Band {
    pub(super) area: Area,
    pub(super) ground: Rgb888,
    pub(super) marks: Vec<Mark>,
}

/// A whole screen: head, middle and bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub(super) bands: [Band; 3],
}

impl Scene {
    /// Paints what differs from the scene before; all of it without one.
    pub fn paint(&self, canvas: &mut Canvas, before: Option<&Scene>) {
        for (at, band) in self.bands.iter().enumerate() {
            if before.is_none_or(|before| before.bands[at] != *band) {
                band.paint(canvas);
            }
        }
    }
}

impl Band {
    fn paint(&self, canvas: &mut Canvas) {
        let Area { x, y, width, height } = self.area;
        // A screen is no larger than an i32 can say.
        let ground = Rectangle::new(Point::new(x as i32, y as i32), Size::new(width, height));
        let Ok(()) = ground.into_styled(PrimitiveStyle::with_fill(self.ground)).draw(canvas);
        self.marks.iter().for_each(|mark| mark.paint(canvas));
    }
}

impl Mark {
    fn paint(&self, canvas: &mut Canvas) {
        match &self.thing {
            Thing::Plate(radius, ink) => curve::plate(canvas, self.area, *radius, *ink),
            Thing::Text(text) => text.paint(canvas, self.area),
            Thing::Sign(name, inks) => signs::sign(canvas, name, self.area, *inks),
            Thing::Icon(name, ink) => signs::icon(canvas, name, self.area, *ink),
            Thing::Dot(colour) => dot(canvas, self.area, *colour),
        }
    }
}

impl Text {
    fn paint(&self, canvas: &mut Canvas, area: Rect) {
        let mut y = area.y0 as f32;
        for line in &self.lines {
            let slack = area.width() as f32 - super::face::width_em(line, self.weight) * self.em;
            let x = area.x0 as f32 + if self.centred { (slack / 2.0).max(0.0).round() } else { 0.0 };
            let Text { em, line: height, weight, ink, .. } = *self;
            Set { text: line, x, y, height, em, weight, ink }.lay(canvas);
            y += self.line;
        }
    }
}

/// A dot in a colour, with a white and a dark ring, so that it is seen on every ground.
fn dot(canvas: &mut Canvas, area: Rect, colour: Colour) {
    let inside = match colour {
        Colour::Green => rgb(0x12a150),
        Colour::Yellow => rgb(0xffd21c),
        Colour::Red => rgb(0xe0202f),
    };
    let ring = (area.width() * 0.09).max(1.0);
    for (inset, ink) in [(0.0, rgb(0x1a1200)), (ring, rgb(0xffffff)), (2.6 * ring, inside)] {
        let area = area.inset(-inset);
        curve::plate(canvas, area, area.width() / 2.0, ink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::prelude::RgbColor;

    const LOOKS: [Look; 7] = [
        Look::Calm,
        Look::Ask,
        Look::Gone,
        Look::Alarm,
        Look::Verdict(Verdict::Admit),
        Look::Verdict(Verdict::Refer),
        Look::Verdict(Verdict::Refuse),
    ];

    fn hex(colour: Rgb888) -> String {
        format!("#{:02x}{:02x}{:02x}", colour.r(), colour.g(), colour.b())
    }

    /// As WCAG 2.1 has it.
    fn luminance(colour: Rgb888) -> f64 {
        let part = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(colour.r()) + 0.7152 * part(colour.g()) + 0.0722 * part(colour.b())
    }

    #[test]
    fn the_colours_are_those_of_the_page_and_can_be_read() {
        let page = include_str!("../panel/assets/panel.css");
        for look in LOOKS {
            let Theme { ground, ink, plate, mark, strip } = Theme::of(look);
            for (name, colour) in [("ground", ground), ("ink", ink), ("plate", plate), ("mark", mark), ("strip", strip)]
            {
                let said = format!("--{name}: {};", hex(colour));
                assert!(page.contains(&said), "{look:?}: {said}");
            }
            for under in [ground, strip] {
                let (dark, light) = (luminance(under).min(luminance(ink)), luminance(under).max(luminance(ink)));
                assert!((light + 0.05) / (dark + 0.05) >= 4.5, "{look:?}");
            }
        }
    }
}
