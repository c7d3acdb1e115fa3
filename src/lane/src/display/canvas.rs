//! A picture in memory, 32 bits a pixel, that `embedded-graphics` draws on and type and curves are laid over smoothly.
//!
//! A display's own memory can often not be read back (a panel on SPI) and is slow where it can, so smooth edges, which need
//! to know what is under them, are made here, and only what changed goes out.

use crate::ports::Area;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::pixelcolor::raw::RawU24;
use embedded_graphics::prelude::{DrawTarget, OriginDimensions, Pixel, RawData, RgbColor, Size};
use embedded_graphics::primitives::Rectangle;
use std::convert::Infallible;

/// Rows that changed and are no farther apart go out together.
const ROWS_TOGETHER: u32 = 4;

/// A picture in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    width: u32,
    height: u32,
    /// `0x00RRGGBB`, row by row.
    pixels: Vec<u32>,
}

impl Canvas {
    /// A black picture.
    pub fn new(width: u32, height: u32) -> Canvas {
        Canvas { width, height, pixels: vec![0; width as usize * height as usize] }
    }

    /// How wide it is.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// How high it is.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// All of it.
    pub fn area(&self) -> Area {
        Area { x: 0, y: 0, width: self.width, height: self.height }
    }

    /// Its pixels row by row, each `0x00RRGGBB`.
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// Lays a colour over a pixel, as densely as `cover` says, from 0 to 1; outside of the picture it does nothing.
    pub(super) fn blend(&mut self, x: i32, y: i32, colour: Rgb888, cover: f32) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
        if x >= self.width || y >= self.height || cover <= 0.0 {
            return;
        }
        let pixel = &mut self.pixels[y as usize * self.width as usize + x as usize];
        let over = packed(colour);
        if cover >= 1.0 {
            *pixel = over;
            return;
        }
        let mixed = |shift: u32| {
            let (below, above) = ((*pixel >> shift & 0xFF) as f32, (over >> shift & 0xFF) as f32);
            // Between the two, so within a byte.
            ((below + (above - below) * cover).round() as u32) << shift
        };
        *pixel = mixed(16) | mixed(8) | mixed(0);
    }

    /// Where it differs from another one of the same size: rectangles of rows that changed.
    pub fn changes(&self, before: &Canvas) -> Vec<Area> {
        let width = self.width.max(1) as usize;
        let rows = self.pixels.chunks(width).zip(before.pixels.chunks(width)).zip(0_u32..);
        let mut areas: Vec<Area> = Vec::new();
        for ((new, old), y) in rows {
            let Some(first) = new.iter().zip(old).position(|(new, old)| new != old) else { continue };
            let last = new.iter().zip(old).rposition(|(new, old)| new != old).unwrap_or(first);
            // Both are within the width, which is 32 bits.
            let (first, end) = (first as u32, last as u32 + 1);
            match areas.last_mut() {
                Some(area) if y - (area.y + area.height) < ROWS_TOGETHER => {
                    let right = end.max(area.x + area.width);
                    area.x = area.x.min(first);
                    area.width = right - area.x;
                    area.height = y + 1 - area.y;
                }
                _ => areas.push(Area { x: first, y, width: end - first, height: 1 }),
            }
        }
        areas
    }

    /// Takes over what another one of the same size has in an area.
    pub(super) fn copy_from(&mut self, other: &Canvas, area: Area) {
        let width = self.width as usize;
        for y in area.y..area.y + area.height {
            let from = y as usize * width + area.x as usize;
            let range = from..from + area.width as usize;
            self.pixels[range.clone()].copy_from_slice(&other.pixels[range]);
        }
    }
}

fn packed(colour: Rgb888) -> u32 {
    RawU24::from(colour).into_inner()
}

/// A colour of the picture.
pub(super) fn unpacked(pixel: u32) -> Rgb888 {
    Rgb888::from(RawU24::new(pixel))
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        pixels.into_iter().for_each(|Pixel(at, colour)| self.blend(at.x, at.y, colour, 1.0));
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, colour: Rgb888) -> Result<(), Infallible> {
        let whole = Rectangle::new(embedded_graphics::prelude::Point::zero(), self.size());
        let area = area.intersection(&whole);
        let (width, colour) = (self.width as usize, packed(colour));
        // The intersection begins at 0 or later.
        let (left, top) = (area.top_left.x.max(0) as usize, area.top_left.y.max(0) as usize);
        for y in top..top + area.size.height as usize {
            let from = y * width + left;
            self.pixels[from..from + area.size.width as usize].fill(colour);
        }
        Ok(())
    }
}

/// How bright a colour is to the eye, from 0 to 255, as a screen without colours shows it.
pub fn luma(pixel: u32) -> u8 {
    let colour = unpacked(pixel);
    let [red, green, blue] = [colour.r(), colour.g(), colour.b()].map(u32::from);
    // ITU-R BT.601; the weights sum to 1000, so this is a byte.
    ((299 * red + 587 * green + 114 * blue) / 1000) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::prelude::{Drawable, Point, Primitive};
    use embedded_graphics::primitives::PrimitiveStyle;

    #[test]
    fn what_embedded_graphics_draws_is_where_it_belongs_and_what_is_outside_is_left_out() {
        let mut canvas = Canvas::new(4, 3);
        let red = PrimitiveStyle::with_fill(Rgb888::RED);
        let Ok(()) = Rectangle::new(Point::new(2, 1), Size::new(9, 9)).into_styled(red).draw(&mut canvas);
        let Ok(()) = canvas.draw_iter([Pixel(Point::new(-1, 0), Rgb888::GREEN), Pixel(Point::zero(), Rgb888::BLUE)]);
        let r = 0xFF_00_00;
        assert_eq!(canvas.pixels(), [0xFF, 0, 0, 0, 0, 0, r, r, 0, 0, r, r]);
    }

    #[test]
    fn changes_are_what_differs_and_rows_that_are_near_go_together() {
        let before = Canvas::new(20, 40);
        let mut after = before.clone();
        assert_eq!(after.changes(&before), []);
        for (x, y) in [(3, 2), (9, 4), (5, 30)] {
            after.blend(x, y, Rgb888::WHITE, 0.5);
        }
        let changes = [Area { x: 3, y: 2, width: 7, height: 3 }, Area { x: 5, y: 30, width: 1, height: 1 }];
        assert_eq!(after.changes(&before), changes);
        let mut copy = before.clone();
        changes.iter().for_each(|area| copy.copy_from(&after, *area));
        assert_eq!(copy, after);
    }
}
