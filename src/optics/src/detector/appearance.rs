//! How a code that was not read looks: what a person could do about it.
//!
//! Measured on the modules of the likeliest grid, where light and dark are known, and so more telling than anything
//! measured on the whole frame. Apart from the sampler, because it judges and the sampler only measures.

use super::geometry::Point;
use super::grid::Grid;
use super::sample::Sampler;
use super::triple::Triple;

/// A code that was not read, in numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Appearance {
    /// How well its fixed patterns agree: the likelier a code, the higher; 1 at most.
    pub(crate) agreement: f32,
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
    /// The top left corner of an upright rectangle around it and its quiet zone, in pixels; it may lie outside.
    pub(crate) from: Point,
    /// The bottom right corner of it.
    pub(crate) to: Point,
}

impl Appearance {
    pub(super) fn of(sampler: &mut Sampler, grid: &Grid, triple: &Triple, agreement: f32) -> Self {
        let (size, quiet) = (grid.size as f32, 4.0);
        let ends = [-quiet, size + quiet];
        let corners: [Point; 4] = std::array::from_fn(|at| grid.place(ends[at % 2], ends[at / 2]));
        let extreme = |pick: fn(f32, f32) -> f32| {
            let of = |coordinate: fn(&Point) -> f32| corners.iter().map(coordinate).reduce(pick).unwrap_or(0.0);
            Point::new(of(|corner| corner.x), of(|corner| corner.y))
        };
        let (low, high) = sampler.usual_levels();
        let (dark, light) = if triple.corner.inverted { (255.0 - high, 255.0 - low) } else { (low, high) };
        let shades = sampler.shades();
        let known = shades.iter().filter(|shade| **shade != 0.0);
        let (count, sum) = known.fold((0.0_f32, 0.0), |(count, sum), shade| (count + 1.0, sum + shade.abs().min(1.0)));
        Self {
            agreement,
            module_px: triple.corner.module_px,
            light,
            dark,
            unknown_share: 1.0 - count / (shades.len().max(1)) as f32,
            clearness: sum / count.max(1.0),
            whole: triple.is_whole(),
            from: extreme(f32::min),
            to: extreme(f32::max),
        }
    }
}
