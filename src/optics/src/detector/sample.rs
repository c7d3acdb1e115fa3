//! From a grid over a picture to the modules of a symbol in shades: how dark each is, and how far to believe it.
//!
//! What is dark is decided against the dark and the light around each module, not against one threshold: shadows, glare
//! and faded print pass under it. Separate from laying the grid and from decoding, so that the same modules can be read
//! again with another grid, equalised, or added over frames. Invariants: a module in which nothing can be told (no
//! contrast around it, outside the picture) has confidence 0, which the decoder takes as unknown; buffers are kept.

use super::equaliser::{Equaliser, Known};
use super::grid::Grid;
use super::plane::Plane;
use super::symbol::Soft;

/// The confidence of a module that is exactly as dark or light as its neighbours of the same colour.
pub(crate) const SURE: f32 = 64.0;
/// How far around a module its levels are first sought, in modules.
const EXTREME_REACH: usize = 4;
/// How far around a module its levels are then averaged, in modules.
const MEAN_REACH: usize = 5;
/// Where light and dark differ by less than this many luma steps, only noise is seen.
const LEAST_CONTRAST: f32 = 3.0;
/// Where they differ by less than this share of what is usual in the symbol, something lies over it.
const LEAST_SHARE: f32 = 0.12;
/// Modules of this many pixels are sampled at nine points instead of one.
const LARGE_PX: f32 = 3.4;

/// A square of one colour with so many modules a side is no data.
const BLOT: usize = 4;

/// Reads modules, keeping its buffers.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    size: usize,
    /// The luma at each module, turned round for a code that is light on dark.
    values: Vec<f32>,
    low: Vec<f32>,
    high: Vec<f32>,
    spare: Vec<f32>,
    sums: [Vec<f32>; 4],
    shades: Vec<f32>,
    soft: Vec<i8>,
    equaliser: Equaliser,
}

impl Sampler {
    /// Reads the luma of each module of `grid`.
    pub(crate) fn sample(&mut self, plane: Plane<'_>, grid: &Grid, inverted: bool, module_px: f32) {
        self.size = grid.size;
        self.values.clear();
        for y in 0..grid.size {
            for x in 0..grid.size {
                let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
                let at = grid.place(x, y);
                let luma = if !plane.contains(at) {
                    f32::NAN
                } else if module_px >= LARGE_PX {
                    let reach = 0.22;
                    let a = grid.place(x + reach, y) - at;
                    let b = grid.place(x, y + reach) - at;
                    let around = [a, b, a * -1.0, b * -1.0, a + b, a - b, b - a, (a + b) * -1.0];
                    (around.iter().map(|&by| plane.at(at + by)).sum::<f32>() + plane.at(at)) / 9.0
                } else {
                    plane.at(at)
                };
                self.values.push(if inverted { 255.0 - luma } else { luma });
            }
        }
    }

    /// The shade of each module between -1 (light) and 1 (dark) against its surroundings; 0 where nothing can be told.
    pub(crate) fn shade(&mut self) {
        self.extremes();
        self.means();
        let Self { values, low, high, shades, spare, .. } = self;
        spare.clear();
        spare.extend(low.iter().zip(high.iter()).map(|(low, high)| high - low).filter(|half| half.is_finite()));
        let usual = median(spare);
        let least = LEAST_CONTRAST.max(LEAST_SHARE * usual);
        shades.clear();
        shades.extend(values.iter().zip(low.iter().zip(high.iter())).map(|(&value, (&low, &high))| {
            let contrast = high - low;
            if value.is_nan() || contrast.is_nan() || contrast < least {
                return 0.0;
            }
            let shade = (low + high - 2.0 * value) / contrast;
            // Thin contrast is less to be believed.
            shade * (contrast / usual).min(1.0).sqrt()
        }));
    }

    /// How well the shades agree with the modules that are `fixed` (1 dark, -1 light, 0 unknown), 1 at most: the mean
    /// of finder patterns and of all else, because the few timing modules tell more.
    pub(crate) fn agreement(&self, fixed: &[i8]) -> f32 {
        let far = self.size - 8;
        // Sum and count of all else, and of finder patterns.
        let mut parts = [(0.0_f32, 0.0_f32); 2];
        for (at, (&colour, shade)) in
            fixed.iter().zip(&self.shades).enumerate().filter(|(_, (colour, _))| **colour != 0)
        {
            let (x, y) = (at % self.size, at / self.size);
            let of_finder = (x < 8 && (y < 8 || y >= far)) || (x >= far && y < 8);
            let part = &mut parts[usize::from(of_finder)];
            *part = (part.0 + shade.clamp(-1.0, 1.0) * f32::from(colour), part.1 + 1.0);
        }
        parts.iter().map(|(sum, count)| 0.5 * sum / count.max(1.0)).sum()
    }

    /// Makes unknown what lies under glare, a finger or a stain: squares of one colour larger than data has.
    ///
    /// Gives whether there was any. Masking (ISO/IEC 18004 §7.8) makes them next to impossible in what was printed.
    pub(crate) fn blot(&mut self) -> bool {
        let Self { size, shades, spare, .. } = self;
        let size = *size;
        // The side of the largest square of one colour that ends at each module.
        spare.clear();
        spare.resize(size * size, 1.0);
        for at in (size..size * size).filter(|at| at % size > 0) {
            let sign = shades[at].signum();
            let before = [at - 1, at - size, at - size - 1];
            if before.iter().all(|&other| shades[other].signum() == sign) {
                spare[at] = 1.0 + before.iter().map(|&other| spare[other]).fold(f32::MAX, f32::min);
            }
        }
        let mut any = false;
        for at in (0..size * size).filter(|&at| spare[at] >= BLOT as f32) {
            any = true;
            for back in 0..BLOT {
                shades[at - back * size + 1 - BLOT..=at - back * size].fill(0.0);
            }
        }
        any
    }

    /// Makes the shades better by what is `known` of them.
    pub(crate) fn equalise(&mut self, plane: Plane<'_>, grid: &Grid, known: Known<'_>) {
        let Self { equaliser, low, high, shades, .. } = self;
        equaliser.run(plane, grid, known, (low, high), shades);
    }

    /// The luma of dark and of light around each module, as last found.
    pub(crate) fn levels(&self) -> (&[f32], &[f32]) {
        (&self.low, &self.high)
    }

    /// The luma that dark and light usually have, as last found.
    pub(crate) fn usual_levels(&mut self) -> (f32, f32) {
        let Self { low, high, spare, .. } = self;
        let mut usual = |levels: &[f32]| {
            spare.clear();
            spare.extend(levels.iter().copied().filter(|level| level.is_finite()));
            median(spare)
        };
        (usual(low), usual(high))
    }

    /// The shades, as last found.
    pub(crate) fn shades(&self) -> &[f32] {
        &self.shades
    }

    /// The shades as the decoder takes them.
    pub(crate) fn soft(&mut self) -> Soft<'_> {
        self.soft.clear();
        self.soft.extend(self.shades.iter().map(|&shade| (shade * SURE).clamp(-127.0, 127.0) as i8));
        Soft { size: self.size, modules: &self.soft }
    }

    /// The shades with rows and columns exchanged: a code seen in a mirror.
    pub(crate) fn soft_mirrored(&mut self) -> Soft<'_> {
        let (size, shades) = (self.size, &self.shades);
        self.soft.clear();
        self.soft.extend(
            (0..size * size).map(|at| (shades[at % size * size + at / size] * SURE).clamp(-127.0, 127.0) as i8),
        );
        Soft { size, modules: &self.soft }
    }

    /// The darkest and the brightest module around each.
    fn extremes(&mut self) {
        let Self { size, values, low, high, spare, .. } = self;
        window(values, *size, EXTREME_REACH, f32::min, spare, low);
        window(values, *size, EXTREME_REACH, f32::max, spare, high);
    }

    /// The mean of the modules around each that are dark by the first measure, and of those that are light.
    fn means(&mut self) {
        let Self { size, values, low, high, spare, sums, .. } = self;
        let dark = |at: usize| values[at] < 0.5 * (low[at] + high[at]);
        let len = values.len();
        let [dark_sum, dark_count, light_sum, light_count] = sums;
        let pick = |at: usize, wanted: bool, count: bool| match (!values[at].is_nan() && dark(at) == wanted, count) {
            (false, _) => 0.0,
            (true, true) => 1.0,
            (true, false) => values[at],
        };
        box_sum((0..len).map(|at| pick(at, true, false)), *size, spare, dark_sum);
        box_sum((0..len).map(|at| pick(at, true, true)), *size, spare, dark_count);
        box_sum((0..len).map(|at| pick(at, false, false)), *size, spare, light_sum);
        box_sum((0..len).map(|at| pick(at, false, true)), *size, spare, light_count);
        for at in 0..len {
            if dark_count[at] >= 3.0 {
                low[at] = dark_sum[at] / dark_count[at];
            }
            if light_count[at] >= 3.0 {
                high[at] = light_sum[at] / light_count[at];
            }
        }
    }
}

fn median(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// The extreme of the square of values around each; `f32::min` and `f32::max` pass over what is not a number.
fn window(
    values: &[f32],
    size: usize,
    reach: usize,
    extreme: fn(f32, f32) -> f32,
    spare: &mut Vec<f32>,
    out: &mut Vec<f32>,
) {
    let across = |from: &[f32], to: &mut Vec<f32>| {
        to.clear();
        to.extend_from_slice(from);
        for (to, from) in to.chunks_exact_mut(size).zip(from.chunks_exact(size)) {
            for by in 1..=reach {
                to[by..].iter_mut().zip(from).for_each(|(to, &from)| *to = extreme(*to, from));
                to.iter_mut().zip(&from[by..]).for_each(|(to, &from)| *to = extreme(*to, from));
            }
        }
    };
    across(values, spare);
    out.clear();
    out.extend_from_slice(spare);
    for by in 1..=reach {
        let shift = by * size;
        out[shift..].iter_mut().zip(spare.iter()).for_each(|(to, &from)| *to = extreme(*to, from));
        out.iter_mut().zip(&spare[shift..]).for_each(|(to, &from)| *to = extreme(*to, from));
    }
}

/// The sum of the square of values within [`MEAN_REACH`] of each.
fn box_sum(values: impl Iterator<Item = f32>, size: usize, spare: &mut Vec<f32>, out: &mut Vec<f32>) {
    spare.clear();
    spare.extend(values);
    for row in spare.chunks_exact_mut(size) {
        let mut line = [0.0_f32; 177];
        let line = &mut line[..row.len().min(177)];
        line.copy_from_slice(&row[..line.len()]);
        let mut sum: f32 = line[..MEAN_REACH].iter().sum();
        for (x, slot) in row.iter_mut().enumerate() {
            sum += line.get(x + MEAN_REACH).copied().unwrap_or(0.0);
            *slot = sum;
            if x >= MEAN_REACH {
                sum -= line[x - MEAN_REACH];
            }
        }
    }
    out.clear();
    out.resize(spare.len(), 0.0);
    let row = |y: usize| &spare[y * size..][..size];
    let mut sums = [0.0_f32; 177];
    let sums = &mut sums[..size.min(177)];
    for y in 0..MEAN_REACH {
        sums.iter_mut().zip(row(y)).for_each(|(sum, value)| *sum += value);
    }
    for (y, line) in out.chunks_exact_mut(size).enumerate() {
        if y + MEAN_REACH < size {
            sums.iter_mut().zip(row(y + MEAN_REACH)).for_each(|(sum, value)| *sum += value);
        }
        line.copy_from_slice(sums);
        if y >= MEAN_REACH {
            sums.iter_mut().zip(row(y - MEAN_REACH)).for_each(|(sum, value)| *sum -= value);
        }
    }
}
