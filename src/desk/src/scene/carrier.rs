//! The phone or the sheet with the code on it, in the plane of the code.
//!
//! The unit is one module and the origin the centre of the code. A point of the
//! plane either belongs to the carrier, with its light, or lets the ground
//! through. A screen shines by itself; a sheet only reflects.

use super::camera::Carrier;
use super::pose::Pose;
use super::random::{Random, cloud, lattice};
use super::sensor::Canvas;
use crate::qr::{QUIET_ZONE_MODULES, QrPicture};

/// Samples along each side of a pixel: edges between modules fall inside pixels.
const SAMPLES: usize = 3;

/// Paints `code` on `carrier` at `pose`.
pub(super) fn paint(canvas: &mut Canvas, code: &QrPicture, carrier: Carrier, pose: &Pose, random: &mut Random) {
    let surface = Surface {
        code,
        carrier,
        half: code.side() as f32 / 2.0,
        seed: random.next(),
        glow: random.within(&(0.75..=1.0)),
    };
    let Some((columns, rows)) = box_in_frame(canvas, &surface, pose) else {
        return;
    };
    for y in rows {
        for x in columns.clone() {
            let light = surface.light_from_pixel(canvas, pose, x, y);
            canvas.set(x, y, light);
        }
    }
}

/// A carrier with a code, as a function from a point to its light.
#[derive(Debug)]
struct Surface<'a> {
    code: &'a QrPicture,
    carrier: Carrier,
    /// Half the side of the code, in modules.
    half: f32,
    seed: u64,
    /// Brightness of the screen.
    glow: f32,
}

impl Surface<'_> {
    /// The mean of the light from all over a pixel.
    fn light_from_pixel(&self, canvas: &Canvas, pose: &Pose, x: usize, y: usize) -> f32 {
        let behind = canvas.at(x, y);
        let at = |n: usize, pixel: usize| pixel as f64 + (n as f64 + 0.5) / SAMPLES as f64;
        let lit = canvas.light_at(x, y);
        let fibre = self.fibre(pose.plane_at(at(1, x), at(1, y)));
        let mut sum = 0.0;
        for sample in 0..SAMPLES * SAMPLES {
            let seen = pose
                .plane_at(at(sample % SAMPLES, x), at(sample / SAMPLES, y))
                .and_then(|(u, v)| self.light_from(u, v, lit, fibre));
            sum += seen.unwrap_or(behind);
        }
        sum / (SAMPLES * SAMPLES) as f32
    }

    /// The light from a point of the plane under `lit` light of the place, or
    /// `None` beside the carrier.
    fn light_from(&self, u: f32, v: f32, lit: f32, fibre: f32) -> Option<f32> {
        if self.thumb_covers(u, v) {
            return Some(SKIN * lit);
        }
        let depth = self.outline().depth(u, v)?;
        let printed = self.print_covers(u, v);
        Some(match self.carrier {
            Carrier::Phone if depth < BEZEL => BEZEL_REFLECTS * lit,
            Carrier::Phone => {
                let shown = if printed { SCREEN_DARK } else { 1.0 };
                self.glow * shown + GLASS_REFLECTS * lit
            }
            Carrier::Paper => fibre * lit * if printed { INK } else { SHEET },
        })
    }

    /// How much lighter or darker than its mean a sheet is at a point: coarser
    /// than a pixel, so once a pixel is enough.
    fn fibre(&self, point: Option<(f32, f32)>) -> f32 {
        match (self.carrier, point) {
            (Carrier::Paper, Some((u, v))) => {
                let fine = cloud(self.seed, u * 1.7, v * 1.7);
                0.94 + 0.06 * (fine + cloud(self.seed, u / 9.0, v / 9.0))
            }
            _ => 1.0,
        }
    }

    fn outline(&self) -> Outline {
        let half = self.half + QUIET_ZONE_MODULES as f32;
        match self.carrier {
            Carrier::Phone => Outline {
                across: half + 2.0 + BEZEL,
                above: half + 10.0 + BEZEL,
                below: half + 14.0 + BEZEL,
                corner: 6.0,
            },
            Carrier::Paper => Outline { across: half + 9.0, above: half + 13.0, below: half + 22.0, corner: 0.0 },
        }
    }

    /// Whether the code or a line of writing is at this point.
    fn print_covers(&self, u: f32, v: f32) -> bool {
        if u.abs() < self.half && v.abs() < self.half {
            let (x, y) = ((u + self.half) as usize, (v + self.half) as usize);
            return self.code.is_dark(x, y);
        }
        let below_code = v.abs() - self.half - QUIET_ZONE_MODULES as f32 - 1.0;
        below_code > 0.0 && u.abs() < self.half && self.writing_covers(u, v)
    }

    /// Lines of strokes of a module and a half, as long and as broken as words.
    fn writing_covers(&self, u: f32, v: f32) -> bool {
        let line = (v / 3.5).floor();
        let in_line = v - line * 3.5 < 1.6;
        let stroke = (u * 1.5).floor() as i32;
        let end = self.half * (2.0 * lattice(self.seed, line as i32, i32::MAX) - 0.6);
        in_line && u < end && lattice(self.seed, stroke, line as i32) < 0.55
    }

    /// A thumb holds the lower edge, clear of the quiet zone.
    fn thumb_covers(&self, u: f32, v: f32) -> bool {
        let below = self.outline().below;
        let aside = self.half * (lattice(self.seed, 1, 1) - 0.5);
        let (du, dv) = ((u - aside) / 5.0, (v - below) / 9.0);
        du * du + dv * dv < 1.0
    }
}

/// Width of a phone's bezel, in modules.
const BEZEL: f32 = 2.5;

/// Shares of the light of the place that things give back.
const BEZEL_REFLECTS: f32 = 0.02;
const GLASS_REFLECTS: f32 = 0.03;
const SHEET: f32 = 0.62;
const INK: f32 = 0.04;
const SKIN: f32 = 0.35;

/// Share of the screen's glow that its black lets through.
const SCREEN_DARK: f32 = 0.01;

/// A rectangle with round corners around the origin, in modules.
#[derive(Debug)]
struct Outline {
    across: f32,
    above: f32,
    below: f32,
    corner: f32,
}

impl Outline {
    /// How far inside the outline a point is, or `None` outside.
    fn depth(&self, u: f32, v: f32) -> Option<f32> {
        let (dx, dy) = (self.across - u.abs(), (v + self.above).min(self.below - v));
        let (into_x, into_y) = (self.corner - dx, self.corner - dy);
        let depth = if into_x > 0.0 && into_y > 0.0 { self.corner - into_x.hypot(into_y) } else { dx.min(dy) };
        (depth > 0.0).then_some(depth)
    }
}

type Box = (std::ops::Range<usize>, std::ops::Range<usize>);

/// The pixels that may show the carrier or the thumb.
fn box_in_frame(canvas: &Canvas, surface: &Surface<'_>, pose: &Pose) -> Option<Box> {
    let Outline { across, above, below, .. } = surface.outline();
    let below = below + 10.0;
    let mut columns = (f64::MAX, f64::MIN);
    let mut rows = (f64::MAX, f64::MIN);
    for (u, v) in [(-across, -above), (across, -above), (across, below), (-across, below)] {
        let (x, y) = pose.frame_at(u, v)?;
        columns = (columns.0.min(x), columns.1.max(x));
        rows = (rows.0.min(y), rows.1.max(y));
    }
    let (width, height) = canvas.size();
    // Casts of what lies outside saturate to the frame's edges.
    let within =
        |(first, last): (f64, f64), side: usize| (first.floor() as usize).min(side)..(last.ceil() as usize).min(side);
    Some((within(columns, width), within(rows, height)))
}
