//! Undoing what blurs modules into one another, with the modules whose colour is known as the teacher.
//!
//! Soft focus, motion, bloom and a grid that lies a little off all mix a module with its neighbours, each in its own
//! way. A linear filter over samples half a module apart (a fractionally spaced equaliser, as receivers of telephone
//! modems have) is fitted by least squares first to the finder, timing and alignment patterns, then to its own
//! decisions. Apart from the sampler because it replaces the shades that the sampler found by better ones. Invariants:
//! with nothing to learn from it leaves the shades as they are; buffers are kept.

use super::grid::Grid;
use super::plane::Plane;

/// How many half modules the filter reaches from the middle of a module.
const REACH: usize = 3;
/// The side of the filter.
const SIDE: usize = 2 * REACH + 1;
/// Its taps, and one constant.
const TAPS: usize = SIDE * SIDE + 1;
/// The tap in the middle: without a teacher it is 1 and all others 0.
const MIDDLE: usize = SIDE * SIDE / 2;
/// How hard a tap is pulled to what it would be without a teacher, for each module learned from.
const PULL: f32 = 0.02;
/// How often the filter is fitted to its own decisions.
const ROUNDS: usize = 1;

/// What is known of the modules before, each row by row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    /// The modules whose colour is fixed: 1 dark, -1 light, 0 unknown.
    pub(crate) fixed: &'a [i8],
    pub(crate) inverted: bool,
}

/// The filter and its buffers.
#[derive(Debug, Default)]
pub(crate) struct Equaliser {
    /// The samples, `2 * size + SIDE` a side, half a module apart.
    half: Vec<f32>,
    normal: Vec<[f32; TAPS]>,
    targets: Vec<f32>,
}

impl Equaliser {
    /// Replaces `shades` (0 is unknown and stays so) of the modules of `grid`. `levels` are the dark and the light
    /// around each module.
    pub(crate) fn run(
        &mut self,
        plane: Plane<'_>,
        grid: &Grid,
        known: Known<'_>,
        levels: (&[f32], &[f32]),
        shades: &mut [f32],
    ) {
        let size = grid.size;
        self.sample(plane, grid, known.inverted, levels);
        self.targets.clear();
        self.targets.extend(known.fixed.iter().map(|&colour| f32::from(colour)));
        for round in 0..=ROUNDS {
            let Some(filter) = self.fit(size, shades) else {
                return;
            };
            for (at, shade) in shades.iter_mut().enumerate().filter(|(_, shade)| **shade != 0.0) {
                let better = self.apply(size, at, &filter);
                *shade = if better == 0.0 { f32::MIN_POSITIVE } else { better };
            }
            if round < ROUNDS {
                let decided = shades.iter().zip(known.fixed);
                self.targets.clear();
                self.targets.extend(decided.map(|(&shade, &colour)| match colour {
                    0 if shade.abs() > 0.3 => shade.signum(),
                    0 => 0.0,
                    _ => f32::from(colour),
                }));
            }
        }
    }

    fn sample(&mut self, plane: Plane<'_>, grid: &Grid, inverted: bool, (low, high): (&[f32], &[f32])) {
        let size = grid.size;
        let side = 2 * size + SIDE - 2;
        let outside = REACH as isize - 1;
        self.half.clear();
        self.half.reserve(side * side);
        for j in -outside..side as isize - outside {
            let row = ((j.max(0) as usize) / 2).min(size - 1) * size;
            for i in -outside..side as isize - outside {
                let at = row + ((i.max(0) as usize) / 2).min(size - 1);
                let (low, high) = (low[at], high[at]);
                let luma = plane.at(grid.place(0.5 * i as f32, 0.5 * j as f32));
                let luma = if inverted { 255.0 - luma } else { luma };
                let shade = (low + high - 2.0 * luma) / (high - low).max(2.0);
                self.half.push(if shade.is_finite() { shade.clamp(-2.0, 2.0) } else { 0.0 });
            }
        }
    }

    /// The samples around a module, and a 1.
    fn around(&self, size: usize, at: usize) -> [f32; TAPS] {
        let side = 2 * size + SIDE - 2;
        let (x, y) = (at % size, at / size);
        let mut taps = [1.0; TAPS];
        for (j, line) in taps[..SIDE * SIDE].chunks_exact_mut(SIDE).enumerate() {
            line.copy_from_slice(&self.half[(2 * y + j) * side + 2 * x..][..SIDE]);
        }
        taps
    }

    fn apply(&self, size: usize, at: usize, filter: &[f32; TAPS]) -> f32 {
        self.around(size, at).iter().zip(filter).map(|(value, weight)| value * weight).sum()
    }

    /// The filter that is nearest to the targets, or `None` when there is too little to learn from.
    fn fit(&mut self, size: usize, shades: &[f32]) -> Option<[f32; TAPS]> {
        let mut normal = std::mem::take(&mut self.normal);
        normal.clear();
        normal.resize(TAPS, [0.0; TAPS]);
        let mut right = [0.0_f32; TAPS];
        let mut count = 0;
        for at in (0..size * size).filter(|&at| self.targets[at] != 0.0 && shades[at] != 0.0) {
            let taps = self.around(size, at);
            // What is still missing when the middle tap alone has spoken.
            let missing = self.targets[at] - taps[MIDDLE];
            for (row, (line, &value)) in normal.iter_mut().zip(&taps).enumerate() {
                line[..=row].iter_mut().zip(&taps).for_each(|(entry, other)| *entry += value * other);
            }
            right.iter_mut().zip(&taps).for_each(|(entry, value)| *entry += missing * value);
            count += 1;
        }
        let pull = PULL * count as f32;
        normal.iter_mut().enumerate().for_each(|(at, line)| line[at] += pull);
        let found = if count < TAPS { None } else { solve(&mut normal, &mut right).then_some(right) };
        self.normal = normal;
        found.map(|mut filter| {
            filter[MIDDLE] += 1.0;
            filter
        })
    }
}

/// Solves equations of which the lower half is given, by Cholesky's method, in place; `false` when they say too little.
fn solve(normal: &mut [[f32; TAPS]], right: &mut [f32; TAPS]) -> bool {
    for at in 0..TAPS {
        for k in 0..=at {
            let dot: f32 = (0..k).map(|m| normal[at][m] * normal[k][m]).sum();
            let rest = normal[at][k] - dot;
            if k < at {
                normal[at][k] = rest / normal[k][k];
            } else if rest > 1e-6 {
                normal[at][at] = rest.sqrt();
            } else {
                return false;
            }
        }
    }
    for at in 0..TAPS {
        let dot: f32 = (0..at).map(|m| normal[at][m] * right[m]).sum();
        right[at] = (right[at] - dot) / normal[at][at];
    }
    for at in (0..TAPS).rev() {
        let dot: f32 = (at + 1..TAPS).map(|m| normal[m][at] * right[m]).sum();
        right[at] = (right[at] - dot) / normal[at][at];
    }
    right.iter().all(|value| value.is_finite())
}
