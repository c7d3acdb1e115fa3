//! A picture of a page: kept, put beside others, and compared by what an eye without colours has of it.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::imageops::{self, FilterType as Resample};
use image::{GrayImage, ImageEncoder, ImageFormat, Rgb, RgbImage};
use std::fs;
use std::path::Path;

/// Two shades that differ by less than this are one to an eye three metres away.
const TOLD_APART: u8 = 48;
const GAP_PX: u32 = 8;

/// A picture.
#[derive(Clone, Debug)]
pub struct Picture(RgbImage);

impl Picture {
    /// Reads a PNG.
    pub fn read(png: &[u8]) -> Picture {
        let read = image::load_from_memory_with_format(png, ImageFormat::Png);
        Picture(read.expect("the browser writes PNG").to_rgb8())
    }

    /// Its width and height.
    pub fn size(&self) -> (u32, u32) {
        self.0.dimensions()
    }

    /// The same, as wide as this.
    pub fn scaled_to(&self, width: u32) -> Picture {
        let height = self.0.height() * width / self.0.width();
        Picture(imageops::resize(&self.0, width, height, Resample::CatmullRom))
    }

    /// A part of it.
    pub fn part(&self, left: u32, top: u32, width: u32, height: u32) -> Picture {
        Picture(imageops::crop_imm(&self.0, left, top, width, height).to_image())
    }

    /// Pictures of one size side by side.
    pub fn beside(pictures: &[Picture]) -> Picture {
        let width = pictures.iter().map(|picture| picture.0.width() + GAP_PX).sum::<u32>().saturating_sub(GAP_PX);
        let height = pictures.iter().map(|picture| picture.0.height()).max().unwrap_or(0);
        let mut all = RgbImage::from_pixel(width, height, Rgb([255; 3]));
        let mut left = 0;
        for Picture(picture) in pictures {
            imageops::replace(&mut all, picture, i64::from(left), 0);
            left += picture.width() + GAP_PX;
        }
        Picture(all)
    }

    /// Which share of two pictures an eye without colours tells apart, pixel by pixel: their grounds are made equally
    /// bright first, so that what is left is shape.
    pub fn shape_apart(&self, other: &Picture) -> f64 {
        let (one, other) = (shape(&self.0), shape(&other.0));
        assert_eq!(one.dimensions(), other.dimensions(), "parts of one size are compared");
        let apart = one.pixels().zip(other.pixels()).filter(|(one, other)| one[0].abs_diff(other[0]) > TOLD_APART);
        apart.count() as f64 / f64::from(one.width() * one.height())
    }

    /// Writes it as a PNG. A page is flat colours, which no filter makes smaller.
    pub fn save(&self, path: &Path) {
        let mut png = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::NoFilter);
        let (width, height) = self.size();
        encoder.write_image(&self.0, width, height, image::ExtendedColorType::Rgb8).expect("a vector grows");
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        fs::write(path, png).expect("the folder can be written");
    }
}

/// What is bright and what is dark of a picture, from 0 to 255, its ground 0: the ground is at its corner.
fn shape(picture: &RgbImage) -> GrayImage {
    let luma = imageops::grayscale(picture);
    let ground = luma.get_pixel(0, 0)[0];
    let most = luma.pixels().map(|pixel| pixel[0].abs_diff(ground)).max().unwrap_or(0).max(1);
    let stretched = |shade: u8| (u32::from(shade.abs_diff(ground)) * 255 / u32::from(most)) as u8;
    GrayImage::from_fn(luma.width(), luma.height(), |x, y| image::Luma([stretched(luma.get_pixel(x, y)[0])]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(ground: u8, ink: u8, is_ink: impl Fn(u32, u32) -> bool) -> Picture {
        Picture(RgbImage::from_fn(40, 40, |x, y| Rgb([if is_ink(x, y) { ink } else { ground }; 3])))
    }

    #[test]
    fn one_shape_on_another_ground_is_the_same_shape() {
        let square = |x: u32, y: u32| (10..30).contains(&x) && (10..30).contains(&y);
        let bar = |x: u32, y: u32| (10..30).contains(&x) && (18..22).contains(&y);
        let (white_on_dark, black_on_light) = (drawn(30, 250, square), drawn(200, 10, square));
        assert_eq!(white_on_dark.shape_apart(&black_on_light), 0.0);
        assert_eq!(white_on_dark.shape_apart(&drawn(30, 250, bar)), 320.0 / 1600.0);
    }
}
