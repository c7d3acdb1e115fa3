//! Where a code lies in the picture, and which way to move the camera so that it lies well.
//!
//! For whoever mounts a gate: the camera stands well when a code that is held where people hold it fills a third to
//! two thirds of the picture's height and lies about its middle. Apart from the reader, which reads a code wherever
//! it lies. Invariant: the advice for a code is one thing to do, the most useful first, and none once it is good.

use super::detector::{Appearance, Found, Point};
use super::frame::Frame;

/// A code that was seen, read or not: an upright rectangle around it, in pixels of the frame; it may reach outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Its left edge.
    pub left: f32,
    /// Its upper edge.
    pub top: f32,
    /// Its right edge.
    pub right: f32,
    /// Its lower edge.
    pub bottom: f32,
    /// Pixels a module.
    pub module_px: f32,
}

impl Seen {
    /// Where a code is that was just read.
    pub(crate) fn around(code: &Found) -> Self {
        let Found { finders: [corner, right, below], module_px, .. } = *code;
        let corners = [corner, right, below, right + below - corner];
        // From the centre of a finder pattern to the edge of the code there are 3.5 modules.
        let reach = 3.5 * module_px;
        let ends = |of: fn(Point) -> f32| {
            let along = corners.map(of).into_iter();
            let (least, most) = (along.clone().reduce(f32::min), along.reduce(f32::max));
            (least.unwrap_or(0.0) - reach, most.unwrap_or(0.0) + reach)
        };
        let ((left, right), (top, bottom)) = (ends(|point| point.x), ends(|point| point.y));
        Self { left, top, right, bottom, module_px }
    }
}

impl From<Appearance> for Seen {
    /// Of a code that was not read, without its quiet zone, 4 modules wide.
    fn from(code: Appearance) -> Self {
        let quiet = 4.0 * code.module_px;
        Self {
            left: code.from.x + quiet,
            top: code.from.y + quiet,
            right: code.to.x - quiet,
            bottom: code.to.y - quiet,
            module_px: code.module_px,
        }
    }
}

/// What to do with the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// The code is too small: camera nearer.
    Closer,
    /// The code is too large, or cut off on both sides: camera farther away.
    Farther,
    /// The code lies to the left in the picture: turn the camera to that side.
    Left,
    /// To the right.
    Right,
    /// Above the middle.
    Up,
    /// Below the middle.
    Down,
    /// It stands well.
    Good,
}

/// A code whose modules are smaller reads in good light only.
const LEAST_MODULE_PX: f32 = 3.0;
/// Of the picture's height, what a code fills.
const LEAST_HEIGHT: f32 = 0.3;
const MOST_HEIGHT: f32 = 0.75;
/// How far from the middle its centre may be, of the picture's width or height.
const MOST_ASIDE: f32 = 0.17;

impl Framing {
    /// Every word.
    pub const ALL: [Self; 7] = [Self::Closer, Self::Farther, Self::Left, Self::Right, Self::Up, Self::Down, Self::Good];

    /// The name that scripts and language files know; it never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closer => "closer",
            Self::Farther => "farther",
            Self::Left => "left",
            Self::Right => "right",
            Self::Up => "up",
            Self::Down => "down",
            Self::Good => "good",
        }
    }

    /// What helps most where a code is seen like this. Aside comes first: a code at the edge is cut off when nearer.
    pub fn of(seen: &Seen, frame: &Frame) -> Self {
        let (width, height) = (frame.width() as f32, frame.height() as f32);
        let aside_x = (seen.left + seen.right) / (2.0 * width) - 0.5;
        let aside_y = (seen.top + seen.bottom) / (2.0 * height) - 0.5;
        let tall = (seen.bottom - seen.top) / height;
        if tall > MOST_HEIGHT {
            Self::Farther
        } else if aside_x.abs().max(aside_y.abs()) > MOST_ASIDE {
            match (aside_x.abs() > aside_y.abs(), aside_x > 0.0, aside_y > 0.0) {
                (true, false, _) => Self::Left,
                (true, true, _) => Self::Right,
                (false, _, false) => Self::Up,
                (false, _, true) => Self::Down,
            }
        } else if tall < LEAST_HEIGHT || seen.module_px < LEAST_MODULE_PX {
            Self::Closer
        } else {
            Self::Good
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;

    /// A code of this side at this place of a frame of 1280×720.
    fn advice(x: f32, y: f32, side: f32, module_px: f32) -> Framing {
        let frame = Frame::new(1280, 720, vec![0; 1280 * 720]).unwrap();
        let half = side / 2.0;
        Framing::of(&Seen { left: x - half, top: y - half, right: x + half, bottom: y + half, module_px }, &frame)
    }

    #[test]
    fn the_advice_is_the_way_to_where_the_code_lies() {
        for (x, y, side, module_px, expected) in [
            (640.0, 360.0, 360.0, 7.0, Framing::Good),
            (640.0, 360.0, 150.0, 4.0, Framing::Closer),
            (640.0, 360.0, 300.0, 2.5, Framing::Closer),
            (640.0, 360.0, 650.0, 12.0, Framing::Farther),
            (250.0, 360.0, 300.0, 7.0, Framing::Left),
            (1000.0, 400.0, 300.0, 7.0, Framing::Right),
            (640.0, 150.0, 260.0, 7.0, Framing::Up),
            (700.0, 600.0, 260.0, 7.0, Framing::Down),
            (1200.0, 360.0, 100.0, 3.0, Framing::Right),
        ] {
            assert_eq!(advice(x, y, side, module_px), expected, "{x} {y} {side} {module_px}");
        }
    }
}
