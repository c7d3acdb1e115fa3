//! A part of a frame, cut out to be looked at by itself.
//!
//! A code that was read is most likely read again near where it was, and a second engine needs to see no more than the
//! code. Separate from the reader, which decides when a part is enough. Invariant: a region lies inside the frame it was
//! made for, and is cut from a frame of the same size only.

use super::detector::{Plane, Point};
use super::framing::Seen;

/// An upright rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Region {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    /// The size of the frame it belongs to.
    frame: (usize, usize),
}

/// How far a code may have moved since the last frame, as a share of its size; its quiet zone lies within.
const MOVED: f32 = 0.35;

impl Region {
    /// What lies between two corners, as far as it is inside `plane`; `None` when nothing does.
    pub(crate) fn between(from: Point, to: Point, plane: Plane<'_>) -> Option<Self> {
        let within = |at: f32, len: usize| (at.max(0.0) as usize).min(len);
        let (left, right) = (within(from.x, plane.width), within(to.x, plane.width));
        let (top, bottom) = (within(from.y, plane.height), within(to.y, plane.height));
        let (width, height) = (right.checked_sub(left)?, bottom.checked_sub(top)?);
        let frame = (plane.width, plane.height);
        (width > 0 && height > 0).then_some(Self { left, top, width, height, frame })
    }

    /// Where a code will be in the next frame; `None` when looking at the whole frame takes little longer.
    pub(crate) fn around(seen: &Seen, plane: Plane<'_>) -> Option<Self> {
        let by = MOVED * (seen.right - seen.left).max(seen.bottom - seen.top);
        let from = Point::new(seen.left - by, seen.top - by);
        let to = Point::new(seen.right + by, seen.bottom + by);
        Self::between(from, to, plane).filter(|region| 2 * region.width * region.height < plane.width * plane.height)
    }

    /// Its top left corner.
    pub(crate) fn origin(self) -> Point {
        Point::new(self.left as f32, self.top as f32)
    }

    /// Its pixels, in a buffer that is given; `None` when `plane` has another size than the frame it was made for.
    pub(crate) fn cut<'a>(self, plane: Plane<'_>, pixels: &'a mut Vec<u8>) -> Option<Plane<'a>> {
        pixels.clear();
        if self.frame != (plane.width, plane.height) {
            return None;
        }
        (self.top..self.top + self.height)
            .for_each(|y| pixels.extend_from_slice(&plane.row(y)[self.left..self.left + self.width]));
        Plane::new(pixels, self.width, self.height)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_cut_where_it_lies_and_never_beyond_the_frame() {
        let luma: Vec<u8> = (0..60).collect();
        let plane = Plane::new(&luma, 10, 6).unwrap();
        let region = Region::between(Point::new(-3.0, 2.5), Point::new(3.0, 99.0), plane).unwrap();
        let mut pixels = Vec::new();
        let cut = region.cut(plane, &mut pixels).unwrap();
        assert_eq!((cut.width, cut.height, cut.pixel(0, 0), cut.pixel(2, 3)), (3, 4, 20, 52));
        assert_eq!(Region::between(Point::new(12.0, 0.0), Point::new(20.0, 5.0), plane), None);
        let other = Plane::new(&luma, 6, 10).unwrap();
        assert!(region.cut(other, &mut pixels).is_none());
    }

    #[test]
    fn a_code_that_fills_the_frame_has_no_region() {
        let luma = vec![0; 100 * 100];
        let plane = Plane::new(&luma, 100, 100).unwrap();
        let seen = |side: f32| Seen { left: 10.0, top: 10.0, right: 10.0 + side, bottom: 10.0 + side, module_px: 2.0 };
        assert!(Region::around(&seen(60.0), plane).is_none());
        assert!(Region::around(&seen(30.0), plane).is_some());
    }
}
