//! The lens and the hand: everything that mixes the light of neighbouring points before the sensor.

use super::Light;
use super::condition::Setup;

/// Even a lens in focus spreads a point over so many pixels (deviation).
const SHARPEST_PX: f32 = 0.45;

pub(super) fn blur(light: Light, setup: &Setup) -> Light {
    let mut light = convolve(&light, &kernel(3, |dx, dy| gaussian(dx, dy, SHARPEST_PX)));
    if setup.defocus_px > 0.3 {
        let radius = setup.defocus_px;
        // A disc with an edge a pixel wide.
        let disc = |dx: f32, dy: f32| (radius + 0.5 - dx.hypot(dy)).clamp(0.0, 1.0);
        light = convolve(&light, &kernel(radius.ceil() as i32 + 1, disc));
    }
    let (mx, my) = setup.motion_px;
    let length = mx.hypot(my);
    if length > 0.5 {
        let path = |dx: f32, dy: f32| {
            let along = (dx * mx + dy * my) / length;
            let across = (dx * my - dy * mx) / length;
            (0.5 * length + 0.5 - along.abs()).clamp(0.0, 1.0) * (1.0 - across.abs()).clamp(0.0, 1.0)
        };
        light = convolve(&light, &kernel((0.5 * length).ceil() as i32 + 1, path));
    }
    light
}

/// Light spread by a bell of this deviation, in two passes.
pub(super) fn spread(light: &Light, deviation_px: f32) -> Light {
    let reach = (2.5 * deviation_px).ceil() as i32;
    let across = kernel(reach, |dx, dy| if dy == 0.0 { gaussian(dx, 0.0, deviation_px) } else { 0.0 });
    let down = kernel(reach, |dx, dy| if dx == 0.0 { gaussian(0.0, dy, deviation_px) } else { 0.0 });
    convolve(&convolve(light, &across), &down)
}

fn gaussian(dx: f32, dy: f32, deviation: f32) -> f32 {
    (-(dx * dx + dy * dy) / (2.0 * deviation * deviation)).exp()
}

/// The weights that are not 0, which sum to 1.
fn kernel(reach: i32, weight: impl Fn(f32, f32) -> f32) -> Vec<(i32, i32, f32)> {
    let square = (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| (dx, dy)));
    let weights: Vec<_> = square.map(|(dx, dy)| (dx, dy, weight(dx as f32, dy as f32))).collect();
    let sum: f32 = weights.iter().map(|(_, _, weight)| weight).sum();
    let weights = weights.into_iter().map(|(dx, dy, weight)| (dx, dy, weight / sum));
    weights.filter(|(_, _, weight)| *weight > 1e-4).collect()
}

fn convolve(light: &Light, kernel: &[(i32, i32, f32)]) -> Light {
    let (width, height) = (light.width as i32, light.height as i32);
    let mut of = vec![0.0; light.of.len()];
    for (y, line) in (0..).zip(of.chunks_exact_mut(light.width)) {
        for &(dx, dy, weight) in kernel {
            let from = &light.of[((y + dy).clamp(0, height - 1) * width) as usize..][..light.width];
            // The middle at full speed; at the ends the outermost pixel stands in.
            let (left, right) = ((-dx).max(0) as usize, (width - dx.max(0)).max(0) as usize);
            for x in (0..left.min(light.width)).chain(right.min(light.width)..light.width) {
                line[x] += weight * from[(x as i32 + dx).clamp(0, width - 1) as usize];
            }
            if left < right {
                let shifted = &from[(left as i32 + dx) as usize..(right as i32 + dx) as usize];
                line[left..right].iter_mut().zip(shifted).for_each(|(to, from)| *to += weight * from);
            }
        }
    }
    Light { width: light.width, height: light.height, of }
}
