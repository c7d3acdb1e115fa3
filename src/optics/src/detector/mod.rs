//! Our own detector: finder patterns by rays, a grid that bends, modules in shades, error correction with erasures.
//!
//! Its parts, in the order of use: [`plane`] and [`threshold`] see pixels, [`find`] and [`finder`] find the corner
//! patterns in a [`view`], [`triple`] says which three belong together, [`grid`] lays a grid over them, [`sample`] reads
//! its modules, [`equaliser`] undoes blur, [`bend`] follows paper that is not flat, [`symbol`] makes bytes of modules,
//! [`memory`] adds what earlier frames showed, [`appearance`] says why a code could not be read.
//! Invariants: no frame makes it panic; every loop is bounded by a constant or the deadline, one grid at most beyond it.

mod appearance;
mod bend;
mod equaliser;
mod find;
mod finder;
mod geometry;
mod grid;
mod memory;
mod plane;
mod sample;
mod symbol;
mod threshold;
mod triple;
mod view;

pub(crate) use appearance::Appearance;
use equaliser::Known;
use find::Search;
use finder::Finder;
pub(crate) use geometry::Point;
use grid::Grid;
use memory::Memory;
pub(crate) use plane::Plane;
use sample::Sampler;
use std::time::Instant;
pub(crate) use symbol::Effort;
use symbol::{Decoded, Workspace};
use threshold::Field;
pub(crate) use threshold::Rule;
use triple::Triple;
use view::Darkroom;
pub(crate) use view::{Tone, View};

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
    darkroom: Darkroom,
    finders: Vec<Finder>,
    triples: Vec<Triple>,
    tried: Vec<Tried>,
    appearance: Option<Appearance>,
    grids: Vec<Grid>,
    sampler: Sampler,
    memory: Memory,
    work: Workspace,
}

/// A triple that was tried in this frame and not read.
#[derive(Debug, Clone, Copy)]
struct Tried {
    middle: Point,
    misfit: f32,
    effort: Effort,
}

/// How many triples of one picture are tried.
const MAX_TRIPLES: usize = 6;
/// How many pairs of finder patterns are tried, each in one of the ways it can stand.
const MAX_SUPPOSED: usize = 12;
/// A grid whose timing patterns agree less lies over something else; for a quick look and for a hard one.
const LEAST_TIMING_HARD: f32 = 0.5;
const LEAST_TIMING: f32 = 0.45;
/// The same where a finder pattern is only supposed.
const LEAST_TIMING_SUPPOSED: f32 = 0.55;
/// Where the fixed patterns of a symbol agree less, it is something else, on which more effort would be lost: of grids
/// over texture few reach this.
const LEAST_AGREEMENT: f32 = 0.42;
/// Fixed patterns that agree so well are those of a code, read or not.
const SURE_AGREEMENT: f32 = 0.5;

impl Detector {
    /// Begins a new frame.
    pub(crate) fn begin(&mut self) {
        self.finders.clear();
        self.tried.clear();
        self.appearance = None;
        self.memory.tick();
    }

    /// Forgets what earlier frames showed.
    pub(crate) fn forget(&mut self) {
        self.memory.forget();
    }

    /// How many finder patterns are known in this frame.
    pub(crate) fn finders(&self) -> usize {
        self.finders.len()
    }

    /// How the likeliest code that was not read looks, if there was one.
    pub(crate) fn appearance(&self) -> Option<Appearance> {
        self.appearance
    }

    /// Looks at `plane` in one way and reads what it can of it; gives whether anything was read.
    pub(crate) fn look(
        &mut self,
        plane: Plane<'_>,
        view: View,
        effort: Effort,
        deadline: Deadline,
        found: &mut Vec<Found>,
    ) -> bool {
        let mut darkroom = std::mem::take(&mut self.darkroom);
        let mut read = false;
        if let Some(seen) = darkroom.develop(plane, view) {
            self.field.measure(seen, view.rule);
            self.search.run(seen, &self.field, view.row_step, view.shrink as f32, &mut self.finders);
            if view.tone.is_for_modules() {
                self.tried.clear();
                read = self.read(seen, effort, deadline, found);
            } else {
                read = self.read(plane, effort, deadline, found);
            }
        }
        self.darkroom = darkroom;
        read
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
            let reach = 3.0 * triple.corner.module_px;
            let was_read = found.iter().any(|code| code.centre.distance(centre) < reach);
            let is_same = |tried: &Tried| {
                tried.effort >= effort
                    && tried.middle.distance(centre) < 0.5 * triple.corner.module_px
                    && triple.misfit > 0.9 * tried.misfit
            };
            let was_tried = self.tried.iter().any(is_same);
            if was_read || was_tried {
                continue;
            }
            self.tried.push(Tried { middle: centre, misfit: triple.misfit, effort });
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
        let least = match effort {
            _ if !triple.is_whole() => LEAST_TIMING_SUPPOSED,
            Effort::Hard => LEAST_TIMING_HARD,
            Effort::Soft => LEAST_TIMING,
        };
        let mut decoded = None;
        for grid in grids.iter_mut().filter(|grid| grid.timing >= least) {
            grid::align(plane, triple, grid, triple.corner.inverted);
            decoded = match effort {
                Effort::Hard => self.read_plainly(plane, triple, grid),
                Effort::Soft => self.read_hard_way(plane, triple, grid),
            };
            if decoded.is_some() || deadline.is_past() {
                break;
            }
        }
        self.grids = grids;
        decoded
    }

    /// Reads the modules of a grid as they look.
    fn read_plainly(&mut self, plane: Plane<'_>, triple: &Triple, grid: &Grid) -> Option<Decoded> {
        self.sampler.sample(plane, grid, triple.corner.inverted, triple.corner.module_px);
        self.sampler.shade();
        if self.note(triple, grid) < LEAST_AGREEMENT {
            return None;
        }
        let Self { sampler, work, .. } = self;
        symbol::decode(sampler.soft(), Effort::Hard, work)
            .or_else(|_| symbol::decode(sampler.soft_mirrored(), Effort::Hard, work))
            .ok()
    }

    /// Reads a grid with every means there is: equalised, without what lies under glare, with what earlier frames
    /// showed, and bent to where its modules are clearest.
    fn read_hard_way(&mut self, plane: Plane<'_>, triple: &Triple, grid: &mut Grid) -> Option<Decoded> {
        let fixed = symbol::fixed_map(grid.version())?;
        let known = Known { fixed, inverted: triple.corner.inverted };
        for bent in [false, true] {
            self.sampler.sample(plane, grid, known.inverted, triple.corner.module_px);
            self.sampler.shade();
            if bent {
                let hints = bend::Hints { levels: self.sampler.levels(), known };
                bend::follow(plane, grid, triple.seen, hints);
                self.sampler.sample(plane, grid, known.inverted, triple.corner.module_px);
                self.sampler.shade();
            }
            let agreement = self.note(triple, grid);
            if agreement < LEAST_AGREEMENT {
                return None;
            }
            let decoded = self.read_equalised(plane, grid, known, !bent && agreement >= SURE_AGREEMENT);
            if decoded.is_some() {
                return decoded;
            }
        }
        None
    }

    /// Decodes the modules that were sampled after equalising them; adds them to the `memory` if wanted.
    fn read_equalised(&mut self, plane: Plane<'_>, grid: &Grid, known: Known<'_>, memory: bool) -> Option<Decoded> {
        let Self { sampler, work, .. } = self;
        sampler.equalise(plane, grid, known);
        let mut decoded = symbol::decode(sampler.soft(), Effort::Soft, work)
            .or_else(|_| symbol::decode(sampler.soft_mirrored(), Effort::Hard, work))
            .ok();
        if decoded.is_none() && sampler.blot() {
            decoded = symbol::decode(sampler.soft(), Effort::Soft, work).ok();
        }
        if decoded.is_none()
            && memory
            && let Some(together) = self.memory.add(grid.size, sampler.shades(), known.fixed)
        {
            decoded = symbol::decode(together, Effort::Soft, work).ok();
        }
        decoded
    }

    /// Takes note of how a code looks that was not read; gives how well its fixed patterns agree.
    fn note(&mut self, triple: &Triple, grid: &Grid) -> f32 {
        let agreement = symbol::fixed_map(grid.version()).map_or(0.0, |fixed| self.sampler.agreement(fixed));
        if agreement >= SURE_AGREEMENT && self.appearance.is_none_or(|known| known.agreement < agreement) {
            self.appearance = Some(Appearance::of(&self.sampler, grid, triple, agreement));
        }
        agreement
    }
}
