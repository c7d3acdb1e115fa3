//! From light to numbers: exposure, bloom, noise, the camera's own processing and its JPEG.

use super::Light;
use super::condition::Setup;
use super::lens;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat};
use menshen::scene::random::Random;

/// The deviation of the noise of reading a well, as a share of a full one.
const READ_NOISE: f32 = 0.002;
/// Light beyond this much of a full well does not spill: the well is not that deep in one exposure.
const DEEPEST: f32 = 4.0;

pub(super) fn expose(mut light: Light, setup: &Setup, random: &mut Random) -> Vec<u8> {
    light.of.iter_mut().for_each(|light| *light *= setup.exposure);
    if setup.bloom > 0.0 {
        let spilling: Vec<f32> = light.of.iter().map(|&light| light.min(DEEPEST)).collect();
        let spilling = Light { of: spilling, ..light };
        let near = lens::spread(&spilling, (0.4 * setup.module_px).max(0.6));
        let far = lens::spread(&spilling, 8.0);
        let spilt = near.of.iter().zip(&far.of).map(|(near, far)| setup.bloom * (0.85 * near + 0.15 * far));
        light = Light { of: spilling.of, ..spilling };
        light.of.iter_mut().zip(spilt).for_each(|(light, spilt)| *light += spilt);
    }
    let (width, height) = (light.width, light.height);
    let mut levels: Vec<f32> = light.of.iter().map(|&light| level(light.min(1.0), setup, random)).collect();
    if setup.sharpened {
        let soft = lens::spread(&Light { width, height, of: levels.clone() }, 1.0);
        levels.iter_mut().zip(&soft.of).for_each(|(level, soft)| *level += 0.4 * (*level - soft));
    }
    let luma: Vec<u8> = levels.iter().map(|level| (level + 0.7 * random.normal()).clamp(0.0, 255.0) as u8).collect();
    setup.jpeg.map_or(luma.clone(), |quality| jpeg(&luma, width, height, quality))
}

/// The number for so much light, with its noise, on the curve of sRGB (IEC 61966-2-1, about).
fn level(light: f32, setup: &Setup, random: &mut Random) -> f32 {
    let shot = (light.max(0.0) / setup.full_well).sqrt();
    let read = (light + shot * random.normal() + READ_NOISE * random.normal()) * setup.gain;
    255.0 * read.clamp(0.0, 1.0).powf(1.0 / 2.2)
}

fn jpeg(luma: &[u8], width: usize, height: usize, quality: u8) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, quality.clamp(1, 100));
    encoder.encode(luma, width as u32, height as u32, ExtendedColorType::L8).expect("a buffer takes any picture");
    let picture = image::load_from_memory_with_format(&file, ImageFormat::Jpeg);
    picture.expect("what was just encoded").into_luma8().into_raw()
}
