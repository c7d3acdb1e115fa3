//! How sharp a picture is and how it is lit: numbers for whoever turns a lens.
//!
//! **What the number is.** At each edge the step over one pixel is compared with the step over six. A sharp edge makes
//! most of its way within one pixel, a blurred one a sixth of it, and both steps grow alike with the contrast and not
//! at all with the brightness. So the number says how wide edges are, whatever the light: from 0 (nothing but blur) to
//! 100. With a printed code of modules of about 8 pixels, as a gate sees it, blur of a standard deviation of 1 pixel
//! gives 55, of 2 pixels 39, of 4 pixels 23. 50 and more is sharp, below 30 codes begin to be missed. Finer detail gives a
//! higher number, and an edge at 45 degrees a lower one: compare numbers of one and the same picture of one thing.
//!
//! **Noise.** The steps are multiplied with those of the row (or column) beside, and a third one says whether there is
//! an edge at all. Noise of one row knows nothing of the next, so it cancels in the sum where a square would add up.
//! Where white is cut off, edges look sharper than they are: mend the light first, see [`Light`].
//!
//! Only the middle is measured, because there a technician holds a code, and a background that is sharp says nothing
//! of it. Apart from the reader, because it runs only while somebody looks at it. Invariant: no picture makes it
//! panic, and the time it takes is bounded by a constant, not by the picture.

use super::frame::Frame;

/// The long step, in pixels.
const REACH: usize = 6;
/// An edge is where the long step is at least so many levels: four times what noise of a dim picture makes of it.
const EDGE_LEVELS: i32 = 10;
/// With less edge than this, in pixels of all rows and columns, there is nothing to measure.
const LEAST_EDGE_PX: u32 = 60;
/// The middle: so much of the shorter side.
const MIDDLE_SHARE: f32 = 0.6;
/// And never more than this.
const MAX_SIDE_PX: usize = 480;
/// What `1 - 1 / sharpness` is multiplied with, such that an edge within one pixel gives 100 where detail is fine.
const SCALE: f32 = 133.0;
/// From here up a pixel is white and has lost what it showed.
const WHITE_LUMA: u8 = 250;
/// From here down it is black.
const BLACK_LUMA: u8 = 8;
/// Every so many pixels of every so many rows are looked at for the light.
const LIGHT_STEP: usize = 4;

/// What one picture measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Focus {
    /// How sharp its middle is, 0 to 100; `None` where there are no edges to tell by.
    pub focus: Option<f32>,
    /// The sharpest since the meter began.
    pub best: Option<f32>,
    /// How it is lit.
    pub light: Light,
}

/// How a picture is lit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Light {
    /// The mean of all pixels, 0 black to 255 white.
    pub mean_luma: f32,
    /// The share of pixels that are white and nothing else, 0 to 1.
    pub white_share: f32,
    /// The share of pixels that are black and nothing else, 0 to 1.
    pub black_share: f32,
}

/// What a person would say of the light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LightWord {
    /// Nothing is wrong with it.
    Fine,
    /// Expose longer, or bring light.
    TooDark,
    /// Expose shorter, or keep a lamp or a window out of the picture.
    TooBright,
}

impl LightWord {
    /// Every word.
    pub const ALL: [Self; 3] = [Self::Fine, Self::TooDark, Self::TooBright];

    /// The name that scripts and language files know; it never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::TooDark => "too_dark",
            Self::TooBright => "too_bright",
        }
    }
}

impl Light {
    /// Of a frame.
    pub fn of(frame: &Frame) -> Self {
        let (mut count, mut sum, mut white, mut black) = (0_u32, 0_u64, 0_u32, 0_u32);
        for row in frame.luma().chunks_exact(frame.width() as usize).step_by(LIGHT_STEP) {
            for &luma in row.iter().step_by(LIGHT_STEP) {
                count += 1;
                sum += u64::from(luma);
                white += u32::from(luma >= WHITE_LUMA);
                black += u32::from(luma <= BLACK_LUMA);
            }
        }
        let share = |part: u32| part as f32 / count.max(1) as f32;
        Self { mean_luma: sum as f32 / count.max(1) as f32, white_share: share(white), black_share: share(black) }
    }

    /// In a word. A phone's screen in the picture may be white; a fifth of the picture may not.
    pub fn word(&self) -> LightWord {
        match self {
            Self { white_share, .. } if *white_share > 0.2 => LightWord::TooBright,
            Self { mean_luma, .. } if *mean_luma > 215.0 => LightWord::TooBright,
            Self { mean_luma, .. } if *mean_luma < 40.0 => LightWord::TooDark,
            Self { black_share, .. } if *black_share > 0.6 => LightWord::TooDark,
            _ => LightWord::Fine,
        }
    }
}

/// Measures pictures one after another and remembers the sharpest.
#[derive(Debug, Default)]
pub struct FocusMeter {
    best: Option<f32>,
    lines: [Line; 3],
}

impl FocusMeter {
    /// Measures a frame.
    pub fn measure(&mut self, frame: &Frame) -> Focus {
        let focus = self.sharpness(frame);
        self.best = match (self.best, focus) {
            (Some(best), Some(focus)) => Some(best.max(focus)),
            (best, focus) => best.or(focus),
        };
        Focus { focus, best: self.best, light: Light::of(frame) }
    }

    /// Forgets the sharpest.
    pub fn forget(&mut self) {
        self.best = None;
    }

    fn sharpness(&mut self, frame: &Frame) -> Option<f32> {
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let side = ((MIDDLE_SHARE * width.min(height) as f32) as usize).min(MAX_SIDE_PX);
        let (left, top) = ((width - side) / 2, (height - side) / 2);
        let mut sums = Sums::default();
        for at in (0..side.saturating_sub(2)).step_by(3) {
            for (n, line) in self.lines.iter_mut().enumerate() {
                line.fill(frame.luma()[(top + at + n) * width + left..][..side].iter());
            }
            sums.add(&self.lines);
            for (n, line) in self.lines.iter_mut().enumerate() {
                line.fill(frame.luma()[top * width + left + at + n..].iter().step_by(width).take(side));
            }
            sums.add(&self.lines);
        }
        sums.sharpness()
    }
}

/// A row or column of the picture, as the sum of all pixels before each.
#[derive(Debug, Default)]
struct Line(Vec<i32>);

impl Line {
    fn fill<'a>(&mut self, pixels: impl Iterator<Item = &'a u8>) {
        self.0.clear();
        self.0.push(0);
        let mut sum = 0;
        self.0.extend(pixels.map(|&luma| {
            sum += i32::from(luma);
            sum
        }));
    }

    /// The `reach` pixels after `at` less those before it.
    fn step(&self, at: usize, reach: usize) -> i32 {
        self.0[at + reach] - 2 * self.0[at] + self.0[at - reach]
    }
}

/// The products of the steps of neighbouring lines.
#[derive(Debug, Default)]
struct Sums {
    short: i64,
    long: i64,
    edge_px: u32,
}

impl Sums {
    /// Adds the edges of three lines side by side: the third says where, the first two how steep.
    fn add(&mut self, [first, second, witness]: &[Line; 3]) {
        let end = first.0.len().saturating_sub(REACH);
        for at in REACH..end {
            if witness.step(at, REACH).abs() < EDGE_LEVELS * REACH as i32 {
                continue;
            }
            self.short += i64::from(first.step(at, 1) * second.step(at, 1));
            self.long += i64::from(first.step(at, REACH) * second.step(at, REACH));
            self.edge_px += 1;
        }
    }

    fn sharpness(&self) -> Option<f32> {
        let (short, long) = (self.short.max(0) as f32, self.long as f32);
        // Where the lines do not agree on the long steps either, they are noise.
        let levels = (EDGE_LEVELS * REACH as i32) as f32;
        if self.edge_px < LEAST_EDGE_PX || long < 0.5 * levels * levels * self.edge_px as f32 {
            return None;
        }
        // The root of the ratio of the energies, 1 for a ramp: the long step is six pixels' and counts sixfold.
        let sharpness = (short / long).sqrt() * (REACH * REACH) as f32;
        Some((SCALE * (1.0 - 1.0 / sharpness.max(1.0))).clamp(0.0, 100.0))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;
    use image::{GrayImage, Luma, imageops};
    use std::time::Instant;

    const SIGMAS_PX: [f32; 8] = [0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6];

    /// A code of `module_px`, slightly turned, with smooth edges as a lens has them; luma 60 to 220.
    fn scene(module_px: f32) -> GrayImage {
        let code = qrcode::QrCode::with_version(b"focus", qrcode::Version::Normal(6), qrcode::EcLevel::M).unwrap();
        let (colours, side) = (code.to_colors(), code.width() as f32);
        let dark = |x: f32, y: f32| {
            let (x, y) = ((x - 320.0) / module_px, (y - 240.0) / module_px);
            let (x, y) = (x * 0.995 - y * 0.1 + side / 2.0, x * 0.1 + y * 0.995 + side / 2.0);
            let inside = (0.0..side).contains(&x) && (0.0..side).contains(&y);
            inside && colours[y as usize * side as usize + x as usize] == qrcode::Color::Dark
        };
        GrayImage::from_fn(640, 480, |x, y| {
            let parts = (0..9).filter(|n| dark(x as f32 + (n % 3) as f32 / 3.0, y as f32 + (n / 3) as f32 / 3.0));
            Luma([(220 - 160 * parts.count() / 9) as u8])
        })
    }

    fn frame(picture: &GrayImage) -> Frame {
        Frame::new(picture.width(), picture.height(), picture.as_raw().clone()).unwrap()
    }

    fn focus(picture: &GrayImage) -> f32 {
        FocusMeter::default().measure(&frame(picture)).focus.unwrap()
    }

    /// The same with noise of this standard deviation, about.
    fn noisy(picture: &GrayImage, deviation: f32) -> GrayImage {
        let mut state = 1_u64;
        let mut uniform = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
        };
        let mut out = picture.clone();
        for pixel in out.pixels_mut() {
            let noise = deviation * (uniform() + uniform() + uniform()) * 2.0;
            pixel.0[0] = (f32::from(pixel.0[0]) + noise).round().clamp(0.0, 255.0) as u8;
        }
        out
    }

    #[test]
    fn more_blur_is_always_less_focus() {
        for module_px in [4.0, 8.0] {
            let sharp = scene(module_px);
            let found: Vec<f32> = SIGMAS_PX.iter().map(|&sigma| focus(&imageops::blur(&sharp, sigma))).collect();
            assert!(found.is_sorted_by(|a, b| *a > b + 2.0), "{module_px} px: {found:?}");
            assert!(found[0] > 65.0 && found[7] < 20.0, "{module_px} px: {found:?}");
        }
    }

    #[test]
    fn neither_brightness_nor_contrast_changes_it() {
        for sigma in SIGMAS_PX {
            let picture = imageops::blur(&scene(8.0), sigma);
            let expected = focus(&picture);
            for (gain, offset) in [(1.0, -55.0), (1.0, 30.0), (0.4, 0.0), (0.4, 120.0), (0.7, 20.0)] {
                let mut other = picture.clone();
                other.pixels_mut().for_each(|pixel| pixel.0[0] = (f32::from(pixel.0[0]) * gain + offset) as u8);
                let found = focus(&other);
                assert!((found - expected).abs() < 2.0, "{sigma} px, {gain} {offset}: {found}, not {expected}");
            }
        }
    }

    #[test]
    fn noise_does_not_look_sharp() {
        for sigma in &SIGMAS_PX[..7] {
            let picture = imageops::blur(&scene(8.0), *sigma);
            let (clean, found) = (focus(&picture), focus(&noisy(&picture, 5.0)));
            assert!((found - clean).abs() < 4.0, "{sigma} px: {found} with noise, {clean} without");
        }
    }

    #[test]
    fn where_there_are_no_edges_there_is_no_focus() {
        let flat = GrayImage::from_pixel(640, 480, Luma([120]));
        let mut slope = flat.clone();
        slope.enumerate_pixels_mut().for_each(|(x, _, pixel)| pixel.0[0] = (x / 4) as u8);
        for picture in [noisy(&flat, 3.0), noisy(&flat, 12.0), flat, slope] {
            assert_eq!(FocusMeter::default().measure(&frame(&picture)).focus, None);
        }
    }

    #[test]
    fn only_the_middle_counts() {
        let mut picture = imageops::blur(&scene(8.0), 4.0);
        let blurred = focus(&picture);
        picture.enumerate_pixels_mut().filter(|(x, _, _)| *x < 150).for_each(|(x, _, pixel)| {
            pixel.0[0] = if x / 4 % 2 == 0 { 20 } else { 230 };
        });
        assert_eq!(focus(&picture), blurred);
    }

    #[test]
    fn the_best_is_kept_until_it_is_forgotten() {
        let (sharp, blurred) = (frame(&scene(8.0)), frame(&imageops::blur(&scene(8.0), 3.0)));
        let mut meter = FocusMeter::default();
        let best = meter.measure(&sharp).focus;
        let after = meter.measure(&blurred);
        assert_eq!(after.best, best);
        assert!(after.focus < best);
        meter.forget();
        assert_eq!(meter.measure(&blurred).best, after.focus);
    }

    #[test]
    fn the_light_is_told_in_numbers_and_a_word() {
        let picture = |luma: [u8; 2]| frame(&GrayImage::from_fn(64, 64, |x, _| Luma([luma[usize::from(x >= 32)]])));
        let half = Light::of(&picture([0, 255]));
        assert_eq!((half.mean_luma, half.white_share, half.black_share), (127.5, 0.5, 0.5));
        for (luma, word) in [
            ([100, 140], LightWord::Fine),
            ([20, 30], LightWord::TooDark),
            ([0, 100], LightWord::Fine),
            ([120, 255], LightWord::TooBright),
            ([220, 240], LightWord::TooBright),
        ] {
            assert_eq!(Light::of(&picture(luma)).word(), word, "{luma:?}");
        }
    }

    #[test]
    fn a_frame_of_any_size_is_measured_in_bounded_time() {
        for (width, height) in [(1, 1), (1, 4096), (4096, 1), (2, 2), (9, 11), (13, 4000), (4096, 4096)] {
            let luma = (0..width * height).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            FocusMeter::default().measure(&Frame::new(width, height, luma).unwrap());
        }
        let (picture, mut meter) =
            (imageops::resize(&scene(8.0), 1280, 720, imageops::FilterType::Triangle), FocusMeter::default());
        let frame = frame(&picture);
        // The fastest of several: the machine has other work.
        let took = (0..20).map(|_| {
            let begun = Instant::now();
            meter.measure(&frame);
            begun.elapsed()
        });
        let fastest = took.min().unwrap();
        assert!(fastest.as_millis() < 10, "{fastest:?}");
    }
}
