//! How a code that was not read looks: what a person could do about it.
//!
//! Measured on the modules of the likeliest grid, where light and dark are known, and so more telling than anything
//! measured on the whole frame. Apart from the sampler, because it judges and the sampler only measures.

use super::grid::Grid;
use super::sample::Sampler;
use super::triple::Triple;

/// A code that was not read, in numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Appearance {
    /// How well its timing patterns agree: the likelier a code, the higher.
    pub(crate) timing: f32,
    /// Pixels a module.
    pub(crate) module_px: f32,
    /// Luma that its light modules usually have.
    pub(crate) light: f32,
    /// Luma that its dark modules usually have.
    pub(crate) dark: f32,
    /// The share of its modules in which nothing can be told.
    pub(crate) unknown_share: f32,
    /// How far its modules reach to the levels of their colour: 1 with sharp edges.
    pub(crate) clearness: f32,
    /// Whether all three finder patterns were seen.
    pub(crate) whole: bool,
}

impl Appearance {
    pub(super) fn of(sampler: &Sampler, grid: &Grid, triple: &Triple) -> Self {
        let (low, high) = sampler.usual_levels();
        let (dark, light) = if triple.corner.inverted { (255.0 - high, 255.0 - low) } else { (low, high) };
        let shades = sampler.shades();
        let known = shades.iter().filter(|shade| **shade != 0.0);
        let (count, sum) = known.fold((0.0_f32, 0.0), |(count, sum), shade| (count + 1.0, sum + shade.abs().min(1.0)));
        Self {
            timing: grid.timing,
            module_px: triple.corner.module_px,
            light,
            dark,
            unknown_share: 1.0 - count / (shades.len().max(1)) as f32,
            clearness: sum / count.max(1.0),
            whole: triple.is_whole(),
        }
    }
}
