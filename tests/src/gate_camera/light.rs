//! The light that comes to the lens: ground, carrier, and what falls on them or lies over them.

use super::Light;
use super::condition::Setup;
use menshen::scene::random::{Random, cloud};

/// Points a pixel is the mean of, in each direction.
const FINE: usize = 3;

pub(super) fn scene(setup: &Setup, random: &mut Random) -> Light {
    let (seed, phase) = (random.next(), random.unit());
    let angle = std::f32::consts::TAU * random.unit();
    let shade = Shade::new(setup, angle);
    let mut of = Vec::with_capacity(setup.width * setup.height);
    for y in 0..setup.height {
        let band = setup.banding.map_or(1.0, |(period, depth)| {
            let wave = ((y as f32 / period + phase) * std::f32::consts::TAU).sin();
            1.0 - depth * (0.5 + 0.5 * (4.0 * wave).clamp(-1.0, 1.0))
        });
        for x in 0..setup.width {
            let ground = setup.ground * (0.45 + 1.1 * cloud(seed, x as f32 / 70.0, y as f32 / 70.0));
            let middle = setup.pose.plane(x as f32 + 0.5, y as f32 + 0.5);
            let (mut sum, near) = (0.0, middle[0].abs() < 1.6 && middle[1].abs() < 2.2);
            let points = if near { FINE } else { 1 };
            for point in 0..points * points {
                let at = |cell: usize| (cell as f32 + 0.5) / points as f32;
                let (px, py) = (x as f32 + at(point % points), y as f32 + at(point / points));
                let [u, v] = setup.pose.plane(px, py);
                let carried = setup.carrier.light(u, v).filter(|_| near);
                sum += carried.map_or(ground, |light| light * setup.carrier_light * band * moire(setup, x, y));
            }
            let mut light = sum / (points * points) as f32;
            light *= shade.at(x as f32, y as f32);
            of.push(over(setup, middle, light));
        }
    }
    Light { width: setup.width, height: setup.height, of }
}

/// The pixels of a screen, as each pixel of the camera meets them: at its own middle, which is what makes them beat.
fn moire(setup: &Setup, x: usize, y: usize) -> f32 {
    setup.moire.map_or(1.0, |(pitch, depth)| {
        let wave = |at: f32| 0.5 + 0.5 * (std::f32::consts::TAU * at / pitch).cos();
        let [u, v] = setup.pose.plane(x as f32 + 0.5, y as f32 + 0.5);
        let half_px = 0.5 * (setup.carrier.size + 8) as f32 * setup.module_px;
        1.0 - depth * wave(u * half_px) * wave(v * half_px).max(0.3)
    })
}

/// A finger before the carrier, and a reflection on it.
fn over(setup: &Setup, [u, v]: [f32; 2], light: f32) -> f32 {
    let mut light = light;
    if let Some((corner, inward)) = setup.finger {
        let corner = [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)][corner];
        let keep = 1.0 - inward;
        let (du, dv) = (u - corner.0 * keep, v - corner.1 * keep);
        let away = du.hypot(dv) / 0.22;
        let covered = 1.0 / (1.0 + ((away - 1.0) * 30.0).exp());
        light = light * (1.0 - covered) + 0.3 * covered;
    }
    if let Some((x, y, radius, bright)) = setup.glare {
        let (du, dv) = (u - x, (v - y) * 1.3);
        light += bright * (-1.5 * (du * du + dv * dv) / (radius * radius)).exp() + 0.06;
    }
    light
}

/// A shadow whose edge crosses the code.
struct Shade {
    centre: [f32; 2],
    normal: [f32; 2],
    left: f32,
    edge_px: f32,
}

impl Shade {
    fn new(setup: &Setup, angle: f32) -> Self {
        let (left, edge_px) = setup.shadow.unwrap_or((1.0, 1.0));
        Self { centre: setup.pose.pixel(0.0, 0.0), normal: [angle.cos(), angle.sin()], left, edge_px }
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        let away = (x - self.centre[0]) * self.normal[0] + (y - self.centre[1]) * self.normal[1];
        1.0 - (1.0 - self.left) / (1.0 + (-away / self.edge_px).exp())
    }
}
