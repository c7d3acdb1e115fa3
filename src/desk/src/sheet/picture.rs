//! One card as a PNG, for a telephone's screen or a single print.
//!
//! Apart from the PDF because pixels have their own rule: a module of the code is a whole number of pixels
//! and starts on one, or a scanner meets edges that are neither dark nor light. Everything else is
//! painted with smooth edges.

use ab_glyph::{Font, PxScale, point};
use image::{
    ExtendedColorType, ImageEncoder, Rgb, RgbImage,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};

use super::scene::{self, BLACK, Ink, Mark, Scene};
use super::{Card, SheetError, text};
use crate::qr::QrPicture;

/// The narrowest picture: a code of version 10 still has three pixels a module.
pub const WIDTH_PX_MIN: u32 = 240;
/// The widest picture: 80 mm at 1200 dots an inch.
pub const WIDTH_PX_MAX: u32 = 3800;

/// Paints one card as a PNG that is `width_px` wide; the height follows from the text.
///
/// # Errors
/// [`SheetError::Width`] outside of [`WIDTH_PX_MIN`] to [`WIDTH_PX_MAX`]; [`SheetError::PayloadTooBig`]
/// and [`SheetError::NoPayload`] for a card that has no printable code.
pub fn png(card: &Card, width_px: u32) -> Result<Vec<u8>, SheetError> {
    if !(WIDTH_PX_MIN..=WIDTH_PX_MAX).contains(&width_px) {
        return Err(SheetError::Width { width_px });
    }
    let picture = paint(&scene::screen_card(card)?, width_px);
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::NoFilter).write_image(
        picture.as_raw(),
        picture.width(),
        picture.height(),
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

fn paint(scene: &Scene, width_px: u32) -> RgbImage {
    let px_per_mm = width_px as f32 / scene.width;
    let height_px = (scene.height * px_per_mm).ceil() as u32;
    let mut canvas = Canvas { pixels: RgbImage::from_pixel(width_px, height_px, Rgb([255; 3])), px_per_mm };
    for mark in &scene.marks {
        match mark {
            Mark::Fill { corners, ink } => canvas.fill(corners, *ink),
            Mark::Text { x, baseline, em, ink, line } => canvas.text(*x, *baseline, *em, *ink, line),
            Mark::Qr { x, y, side } => canvas.qr(*x, *y, *side, &scene.modules),
        }
    }
    canvas.pixels
}

struct Canvas {
    pixels: RgbImage,
    px_per_mm: f32,
}

impl Canvas {
    /// Fills a polygon by the even-odd rule, with 16 samples a pixel.
    fn fill(&mut self, corners_mm: &[(f32, f32)], ink: Ink) {
        const SAMPLES: i32 = 4;
        let corners: Vec<_> = corners_mm.iter().map(|&(x, y)| (x * self.px_per_mm, y * self.px_per_mm)).collect();
        let low = corners.iter().fold((f32::MAX, f32::MAX), |a, c| (a.0.min(c.0), a.1.min(c.1)));
        let high = corners.iter().fold((0f32, 0f32), |a, c| (a.0.max(c.0), a.1.max(c.1)));
        for y in low.1.floor() as i32..high.1.ceil() as i32 {
            for x in low.0.floor() as i32..high.0.ceil() as i32 {
                let hits = (0..SAMPLES * SAMPLES)
                    .filter(|s| {
                        let offset = |i: i32| (i as f32 + 0.5) / SAMPLES as f32;
                        inside(&corners, x as f32 + offset(s % SAMPLES), y as f32 + offset(s / SAMPLES))
                    })
                    .count();
                self.blend(x, y, ink, hits as f32 / (SAMPLES * SAMPLES) as f32);
            }
        }
    }

    fn text(&mut self, x_mm: f32, baseline_mm: f32, em_mm: f32, ink: Ink, line: &str) {
        let typeface = text::typeface();
        let em_px = em_mm * self.px_per_mm;
        // ab_glyph scales by the height of the line, not by the em.
        let scale = PxScale::from(em_px * typeface.height_unscaled() / typeface.units_per_em().unwrap_or(1000.0));
        let mut pen = x_mm * self.px_per_mm;
        let baseline = (baseline_mm * self.px_per_mm).round();
        for sort in text::sorts(line) {
            let glyph = sort.glyph.with_scale_and_position(scale, point(pen, baseline));
            if let Some(outline) = typeface.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                let (left, top) = (corner.x as i32, corner.y as i32);
                outline.draw(|x, y, cover| self.blend(left + x as i32, top + y as i32, ink, cover));
            }
            pen += sort.advance_em * em_px;
        }
    }

    /// Paints the code with whole pixels a module, in the middle of its place.
    fn qr(&mut self, x_mm: f32, y_mm: f32, side_mm: f32, modules: &QrPicture) {
        let per_module = (side_mm * self.px_per_mm / modules.side() as f32).floor().max(1.0) as u32;
        let slack = (side_mm * self.px_per_mm - (per_module * modules.side() as u32) as f32) / 2.0;
        let left = (x_mm * self.px_per_mm + slack).round() as u32;
        let top = (y_mm * self.px_per_mm + slack).round() as u32;
        for (column, row, length) in modules.runs() {
            let x0 = left + column as u32 * per_module;
            let y0 = top + row as u32 * per_module;
            for y in y0..y0 + per_module {
                for x in x0..x0 + length as u32 * per_module {
                    self.blend(x as i32, y as i32, BLACK, 1.0);
                }
            }
        }
    }

    /// Lays ink on one pixel; outside of the picture it does nothing.
    fn blend(&mut self, x: i32, y: i32, ink: Ink, cover: f32) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
            return;
        };
        if let Some(Rgb(pixel)) = self.pixels.get_pixel_mut_checked(x, y) {
            for (under, over) in pixel.iter_mut().zip(ink) {
                let mixed = f32::from(*under) * (1.0 - cover) + f32::from(over) * cover;
                *under = mixed.round().clamp(0.0, 255.0) as u8;
            }
        }
    }
}

/// Whether a point lies in a polygon, by the even-odd rule.
fn inside(corners: &[(f32, f32)], x: f32, y: f32) -> bool {
    let before = corners.iter().cycle().skip(corners.len().saturating_sub(1));
    corners.iter().zip(before).fold(false, |odd, (&(ax, ay), &(bx, by))| {
        let crosses = (ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax;
        odd ^ crosses
    })
}
