//! Our own detector: finder patterns by rays, a grid that bends, modules in shades, error correction with erasures.
//!
//! Its parts, in the order of use: [`plane`] and [`threshold`] see pixels, [`find`] and [`finder`] find the corner
//! patterns, [`triple`] says which three belong together, [`grid`] lays a grid over them, [`sample`] reads its modules,
//! [`bend`] follows paper that is not flat, [`symbol`] makes bytes of modules, [`appearance`] says why it could not.
//! Invariants: no frame makes it panic; every loop is bounded by a constant or the deadline, one grid at most beyond it.

mod appearance;
mod bend;
mod find;
mod finder;
mod geometry;
mod grid;
mod plane;
mod sample;
mod symbol;
mod threshold;
mod triple;

pub(crate) use appearance::Appearance;
use find::Search;
use finder::Finder;
pub(crate) use geometry::Point;
use grid::Grid;
pub(crate) use plane::Plane;
use sample::Sampler;
use std::time::Instant;
pub(crate) use symbol::Effort;
use symbol::{Decoded, Workspace};
use threshold::Field;
use triple::Triple;

/// How a picture is made ready before finder patterns are sought in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct View {
    /// Shrunk by this whole number.
    pub(crate) shrink: usize,
    /// Sharpened by so many sixteenths of the difference from its blur; 0: not.
    pub(crate) sharpen: i16,
    /// The radius of that blur, or, without sharpening, of a blur against noise; 0: none.
    pub(crate) blur: usize,
    /// Every how many rows are searched.
    pub(crate) row_step: usize,
    /// How many blocks around are looked at for a threshold.
    pub(crate) reach: usize,
}

/// A code that was read.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) payload: Vec<u8>,
    pub(crate) centre: Point,
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(pub(crate) Option<Instant>);

impl Deadline {
    pub(crate) fn is_past(self) -> bool {
        self.0.is_some_and(|at| Instant::now() >= at)
    }
}

/// Finds and reads codes, keeping its buffers.
#[derive(Debug, Default)]
pub(crate) struct Detector {
    field: Field,
    search: Search,
    sums: Vec<u16>,
    small: Vec<u8>,
    blurred: Vec<u8>,
    sharp: Vec<u8>,
    finders: Vec<Finder>,
    triples: Vec<Triple>,
    appearance: Option<Appearance>,
    grids: Vec<Grid>,
    sampler: Sampler,
    work: Workspace,
}

/// How many triples of one picture are tried.
const MAX_TRIPLES: usize = 6;
/// How many pairs of finder patterns are tried, each in one of the ways it can stand.
const MAX_SUPPOSED: usize = 12;
/// A grid whose timing patterns agree less lies over something else.
const LEAST_TIMING: f32 = 0.3;
/// The same where a finder pattern is only supposed.
const LEAST_TIMING_SUPPOSED: f32 = 0.55;
/// Timing patterns that agree so well are those of a code, read or not.
const SURE_TIMING: f32 = 0.5;

impl Detector {
    /// Forgets the finder patterns of the frame before.
    pub(crate) fn begin(&mut self) {
        self.finders.clear();
        self.appearance = None;
    }

    /// How many finder patterns are known in this frame.
    pub(crate) fn finders(&self) -> usize {
        self.finders.len()
    }

    /// How the likeliest code that was not read looks, if there was one.
    pub(crate) fn appearance(&self) -> Option<Appearance> {
        self.appearance
    }

    /// Seeks finder patterns in one view of `plane`; gives whether there are more now.
    pub(crate) fn find(&mut self, plane: Plane<'_>, view: View) -> bool {
        let Self { field, search, sums, small, blurred, sharp, finders, .. } = self;
        let mut seen = plane;
        if view.shrink > 1 {
            let (width, height) = plane::shrink(plane, view.shrink, sums, small);
            match Plane::new(small, width, height) {
                Some(smaller) => seen = smaller,
                None => return false,
            }
        }
        if view.blur > 0 {
            plane::blur(seen, view.blur, sums, blurred);
            if view.sharpen > 0 {
                plane::sharpen(seen, blurred, view.sharpen, sharp);
            }
            let luma = if view.sharpen > 0 { &*sharp } else { &*blurred };
            seen = Plane { luma, ..seen };
        }
        let before = finders.len();
        field.measure(seen, view.reach);
        search.run(seen, field, view.row_step, view.shrink as f32, finders);
        finders.len() > before
    }

    /// Reads the codes whose three finder patterns are known, until the `deadline`; gives whether any was read.
    pub(crate) fn read(
        &mut self,
        plane: Plane<'_>,
        effort: Effort,
        deadline: Deadline,
        found: &mut Vec<Found>,
    ) -> bool {
        let before = found.len();
        let mut triples = std::mem::take(&mut self.triples);
        triple::combine(&self.finders, &mut triples);
        for triple in triples.iter().take(MAX_TRIPLES) {
            if deadline.is_past() {
                break;
            }
            let centre = triple.middle();
            if found.iter().any(|code| code.centre.distance(centre) < 3.0 * triple.corner.module_px) {
                continue;
            }
            if let Some(decoded) = self.attempt(plane, triple, effort, deadline) {
                found.push(Found { payload: decoded.payload, centre });
            }
        }
        self.triples = triples;
        found.len() > before
    }

    /// Reads a code of which only two finder patterns are known, until the `deadline`; gives whether one was read.
    pub(crate) fn suppose(&mut self, plane: Plane<'_>, deadline: Deadline, found: &mut Vec<Found>) -> bool {
        let before = found.len();
        let mut triples = std::mem::take(&mut self.triples);
        triple::suppose(&self.finders, MAX_SUPPOSED, &mut triples);
        for triple in &triples {
            if deadline.is_past() {
                break;
            }
            if let Some(decoded) = self.attempt(plane, triple, Effort::Soft, deadline) {
                found.push(Found { payload: decoded.payload, centre: triple.middle() });
                break;
            }
        }
        self.triples = triples;
        found.len() > before
    }

    fn attempt(&mut self, plane: Plane<'_>, triple: &Triple, effort: Effort, deadline: Deadline) -> Option<Decoded> {
        let mut grids = std::mem::take(&mut self.grids);
        let most = if effort == Effort::Hard { 2 } else { 3 };
        grid::over(plane, triple, most, &mut grids);
        let least = if triple.is_whole() { LEAST_TIMING } else { LEAST_TIMING_SUPPOSED };
        let mut decoded = None;
        for grid in grids.iter_mut().filter(|grid| grid.timing >= least) {
            decoded = self.lay(plane, triple, grid, effort);
            if decoded.is_some() || deadline.is_past() {
                break;
            }
        }
        self.grids = grids;
        decoded
    }

    /// Lays one grid, as it is and, with more effort, bent to where its modules are clearest.
    fn lay(&mut self, plane: Plane<'_>, triple: &Triple, grid: &mut Grid, effort: Effort) -> Option<Decoded> {
        grid::align(plane, triple, grid, triple.corner.inverted);
        let decoded = self.sample(plane, triple, grid, effort);
        if decoded.is_some() || effort == Effort::Hard {
            return decoded;
        }
        let fixed = symbol::fixed_map(grid.version())?;
        let hints = bend::Hints { levels: self.sampler.levels(), fixed, inverted: triple.corner.inverted };
        bend::follow(plane, grid, triple.seen, hints);
        self.sample(plane, triple, grid, effort)
    }

    fn sample(&mut self, plane: Plane<'_>, triple: &Triple, grid: &Grid, effort: Effort) -> Option<Decoded> {
        self.sampler.sample(plane, grid, triple.corner.inverted, triple.corner.module_px);
        self.sampler.shade();
        let Self { sampler, work, .. } = self;
        let decoded = symbol::decode(sampler.soft(), effort, work)
            .or_else(|_| symbol::decode(sampler.soft_mirrored(), Effort::Hard, work))
            .ok();
        let sure = grid.timing >= SURE_TIMING;
        if decoded.is_none() && sure && self.appearance.is_none_or(|known| known.timing < grid.timing) {
            let seen = Appearance::of(&self.sampler, grid, triple);
            self.appearance = Some(seen);
        }
        decoded
    }
}
