//! The light that reaches the sensor, and the frame the sensor makes of it.
//!
//! Painting works in linear light, where 1 saturates an exposure of 1. Exposing
//! blurs (defocus acts on light, so a bright screen blooms into dark modules),
//! scales, applies the display curve (gamma 2.2) and adds noise, in this order.

use menshen_lane::optics::Frame;
use menshen_lane::optics::frame::MAX_SIDE_PX;

use super::camera::Camera;
use super::random::Random;

/// The strongest blur drawn, in pixels: beyond it nothing is left of a code.
const MAX_DEFOCUS_PX: f32 = 30.0;

/// Light lost in the corners of the frame.
const VIGNETTE: f32 = 0.15;

const GAMMA: f32 = 2.2;

/// What falls on the sensor, pixel by pixel, and the light of the place.
#[derive(Debug)]
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<f32>,
    light: Light,
}

impl Canvas {
    /// A dark canvas of the camera's size in a light drawn from its habits.
    pub(super) fn new(camera: &Camera, random: &mut Random) -> Self {
        let side = |side: u32| side.clamp(1, MAX_SIDE_PX) as usize;
        let (width, height) = (side(camera.width), side(camera.height));
        Self { width, height, pixels: vec![0.0; width * height], light: Light::draw(camera, random) }
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    pub(super) fn size_f32(&self) -> (f32, f32) {
        (self.width as f32, self.height as f32)
    }

    pub(super) fn at(&self, x: usize, y: usize) -> f32 {
        self.pixels[y * self.width + x]
    }

    pub(super) fn set(&mut self, x: usize, y: usize, light: f32) {
        self.pixels[y * self.width + x] = light;
    }

    /// The light of the place that falls on what is seen at a pixel.
    pub(super) fn light_at(&self, x: usize, y: usize) -> f32 {
        let (width, height) = self.size_f32();
        self.light.at(x as f32 / width, y as f32 / height)
    }

    /// Paints every pixel with the share of light that is reflected there.
    pub(super) fn fill_lit(&mut self, reflects: impl Fn(f32, f32) -> f32) {
        self.repaint_lit(|x, y| Some(reflects(x, y)));
    }

    /// Paints the pixels for which there is an answer.
    pub(super) fn repaint_lit(&mut self, reflects: impl Fn(f32, f32) -> Option<f32>) {
        for y in 0..self.height {
            for x in 0..self.width {
                if let Some(share) = reflects(x as f32, y as f32) {
                    let lit = self.light_at(x, y);
                    self.set(x, y, share * lit);
                }
            }
        }
    }

    /// The frame that `camera` makes of it.
    pub(super) fn expose(mut self, camera: &Camera, random: &mut Random) -> Frame {
        let defocus_px = random.within(&camera.defocus_px);
        let exposure = random.within(&camera.exposure);
        let noise_dn = random.within(&camera.noise_dn);
        self.blur(defocus_px);
        let curve = Curve::new();
        let luma = self
            .pixels
            .iter()
            .map(|light| (curve.luma(light * exposure) + noise_dn * random.normal()).round() as u8)
            .collect();
        Frame::new(self.width as u32, self.height as u32, luma)
            .expect("the sides are clamped to a frame's bounds and every pixel has its luma")
    }

    /// A Gaussian blur, along the rows and then along the columns.
    fn blur(&mut self, deviation_px: f32) {
        let deviation_px = deviation_px.min(MAX_DEFOCUS_PX);
        if deviation_px.is_nan() || deviation_px < 0.1 {
            return;
        }
        let kernel = gaussian(deviation_px);
        let reach = kernel.len() / 2;
        let mut across = vec![0.0; self.pixels.len()];
        for (row, out) in self.pixels.chunks(self.width).zip(across.chunks_mut(self.width)) {
            for (x, out) in out.iter_mut().enumerate() {
                let tap = |n: usize| row[(x + n).saturating_sub(reach).min(self.width - 1)];
                *out = kernel.iter().enumerate().map(|(n, k)| k * tap(n)).sum();
            }
        }
        for (y, out) in self.pixels.chunks_mut(self.width).enumerate() {
            out.fill(0.0);
            for (n, weight) in kernel.iter().enumerate() {
                let row = (y + n).saturating_sub(reach).min(self.height - 1);
                let row = &across[row * self.width..][..self.width];
                for (out, light) in out.iter_mut().zip(row) {
                    *out += weight * light;
                }
            }
        }
    }
}

/// Light that falls off across the frame and towards its corners.
#[derive(Debug)]
struct Light {
    towards_x: f32,
    towards_y: f32,
    fall: f32,
}

impl Light {
    fn draw(camera: &Camera, random: &mut Random) -> Self {
        let (towards_y, towards_x) = (std::f32::consts::TAU * random.unit()).sin_cos();
        Self { towards_x, towards_y, fall: random.within(&camera.light_fall).clamp(0.0, 1.0) }
    }

    /// At a point of the frame, both sides of which are 1 long.
    fn at(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x - 0.5, y - 0.5);
        let along = (0.5 + x * self.towards_x + y * self.towards_y).clamp(0.0, 1.0);
        let corner = 2.0 * (x * x + y * y);
        (1.0 - self.fall * along) * (1.0 - VIGNETTE * corner)
    }
}

fn gaussian(deviation: f32) -> Vec<f32> {
    let reach = (3.0 * deviation).ceil() as i32;
    let weight = |at: i32| (-0.5 * (at as f32 / deviation).powi(2)).exp();
    let sum: f32 = (-reach..=reach).map(weight).sum();
    (-reach..=reach).map(|at| weight(at) / sum).collect()
}

/// The display curve as a table: a power per pixel would be slow.
#[derive(Debug)]
struct Curve(Vec<f32>);

impl Curve {
    const STEPS: usize = 4096;

    fn new() -> Self {
        let luma = |step: usize| 255.0 * (step as f32 / Self::STEPS as f32).powf(1.0 / GAMMA);
        Self((0..=Self::STEPS).map(luma).collect())
    }

    /// The luma of `light`; what saturates is white.
    fn luma(&self, light: f32) -> f32 {
        let step = (light * Self::STEPS as f32) as usize;
        self.0[step.min(Self::STEPS)]
    }
}
