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
use bend::Follower;
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
pub(crate) use view::{Shrink, Tone, View};

/// A code that was read.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) payload: Vec<u8>,
    /// The centres of its finder patterns, corner first, as far as they were seen or supposed.
    pub(crate) finders: [Point; 3],
    pub(crate) module_px: f32,
}

impl Found {
    fn of(decoded: Decoded, triple: &Triple) -> Self {
        let finders = triple.finders().map(|finder| finder.centre);
        Self { payload: decoded.payload, finders, module_px: triple.corner.module_px }
    }

    /// As it lies in the frame of which a part that begins at `origin` was looked at.
    pub(crate) fn shift(&mut self, origin: Point) {
        self.finders.iter_mut().for_each(|finder| *finder = *finder + origin);
    }

    pub(crate) fn middle(&self) -> Point {
        let [_, right, below] = self.finders;
        (right + below) * 0.5
    }
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(pub(crate) Option<Instant>);

impl Deadline {
    pub(crate) fn is_past(self) -> bool {
        self.0.is_some_and(|at| Instant::now() >= at)
    }
}

/// What the finder patterns of a frame promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hope {
    /// Texture at most.
    None,
    /// Something that may be part of a code.
    Some,
    /// Two finder patterns that fit each other: a code that lacks the third, if nothing else.
    Pair,
}

/// Two finder patterns that fit so well are of one code (misfit; of 35 frames of codes that were hard to read 19 had
/// such a pair, of 60 of texture 5, all five made of squares in squares).
const GOOD_PAIR: f32 = 0.2;
/// Two that fit worse are of one code seldom.
const FAIR_PAIR: f32 = 0.4;
/// A single finder pattern so good (error) is seldom texture.
const GOOD_FINDER: f32 = 0.12;

/// Finds and reads codes, keeping its buffers.
#[derive(Debug, Default)]
pub(crate) struct Detector {
    field: Field,
    search: Search,
    darkroom: Darkroom,
    finders: Vec<Finder>,
    /// How many places of this frame had the ratio of a finder pattern in a row and a column.
    places: usize,
    /// How many grids were bent in this frame.
    bends: usize,
    triples: Vec<Triple>,
    tried: Tried,
    tried_elsewhere: Tried,
    /// Those among them that are a code beyond doubt.
    sure: Vec<Triple>,
    stretched: Vec<u8>,
    appearance: Option<Appearance>,
    grids: Vec<Grid>,
    sampler: Sampler,
    follower: Follower,
    memory: Memory,
    work: Workspace,
}

/// Whether the finder patterns of `triple` that were seen are those of `whole`.
fn is_part(triple: &Triple, whole: &Triple) -> bool {
    let near = |a: &Finder, b: &Finder| a.centre.distance(b.centre) < a.module_px;
    let seen = triple.finders().into_iter().zip(triple.seen).filter(|(_, seen)| *seen);
    seen.into_iter().all(|(finder, _)| whole.finders().iter().any(|other| near(&finder, other)))
}

/// The triples that were tried in this frame and not read.
#[derive(Debug, Default)]
struct Tried(Vec<(Triple, Effort)>);

impl Tried {
    /// Takes note of `triple`; `false` when one that is about the same was tried with as much effort.
    fn note(&mut self, triple: &Triple, effort: Effort) -> bool {
        let is_same = |(other, spent): &(Triple, Effort)| {
            let near = |a: &Finder, b: &Finder| a.centre.distance(b.centre) < 0.5 * a.module_px;
            *spent >= effort
                && other.seen == triple.seen
                && triple.finders().iter().zip(&other.finders()).all(|(a, b)| near(a, b))
                && triple.misfit > 0.9 * other.misfit
        };
        let is_new = !self.0.iter().any(is_same);
        if is_new {
            self.0.push((*triple, effort));
        }
        is_new
    }
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
/// over texture few reach this, and of codes below it hardly one was ever read.
const LEAST_AGREEMENT: f32 = 0.46;
/// The same where a finder pattern is only supposed, which makes chance agreement likelier.
const LEAST_AGREEMENT_SUPPOSED: f32 = 0.6;
/// Bending a grid takes longer than all else; below this it never helped.
const LEAST_AGREEMENT_BENT: f32 = 0.5;
const LEAST_AGREEMENT_BENT_SUPPOSED: f32 = 0.68;
/// So many grids of a frame are bent at most.
const MAX_BENDS: usize = 2;
/// Fixed patterns that agree so well are those of a code, read or not.
const SURE_AGREEMENT: f32 = 0.5;
/// Fixed patterns of a whole code that agree so well lie under the right grid.
const CERTAIN_AGREEMENT: f32 = 0.7;

impl Detector {
    /// Begins a new frame.
    pub(crate) fn begin(&mut self) {
        self.clear();
        self.memory.tick();
    }

    /// Forgets what was seen of this frame: another part of it comes.
    pub(crate) fn clear(&mut self) {
        self.finders.clear();
        self.places = 0;
        self.bends = 0;
        self.tried.0.clear();
        self.sure.clear();
        self.appearance = None;
        self.darkroom.begin();
    }

    /// Forgets what earlier frames showed.
    pub(crate) fn forget(&mut self) {
        self.memory.forget();
    }

    /// Whether more effort may be worth its time: what was found looks like finder patterns of a code, not like texture.
    pub(crate) fn hope(&mut self) -> Hope {
        triple::suppose(&self.finders, 1, &mut self.triples);
        let pair = self.triples.first().map_or(f32::MAX, |triple| triple.misfit);
        let best = self.finders.iter().map(|finder| finder.error).fold(f32::MAX, f32::min);
        if pair < GOOD_PAIR {
            Hope::Pair
        } else if self.appearance.is_some() || pair < FAIR_PAIR || best < GOOD_FINDER {
            Hope::Some
        } else {
            Hope::None
        }
    }

    /// How many places of this frame had the ratio of a finder pattern in a row and a column: the more, the longer
    /// every look takes.
    pub(crate) fn places(&self) -> usize {
        self.places
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
            self.places += self.search.run(seen, &self.field, view.row_step, view.shrink.scale(), &mut self.finders);
            triple::sift(&mut self.finders);
            read = if view.rule.is_for_bands() && self.finders.len() > 2 {
                // The light of such a picture makes no sense to whoever reads modules, until it is made even.
                let mut stretched = std::mem::take(&mut self.stretched);
                self.field.stretch(seen, &mut stretched);
                let read = self.read_elsewhere(Plane { luma: &stretched, ..seen }, effort, deadline, found);
                self.stretched = stretched;
                read
            } else if view.tone.shows_other_modules() {
                self.read_elsewhere(seen, effort, deadline, found)
            } else {
                self.read(plane, effort, deadline, found)
            };
        }
        self.darkroom = darkroom;
        read
    }

    /// Reads them from a picture in which other modules can be told than in the frame itself.
    fn read_elsewhere(
        &mut self,
        picture: Plane<'_>,
        effort: Effort,
        deadline: Deadline,
        found: &mut Vec<Found>,
    ) -> bool {
        self.tried_elsewhere.0.clear();
        std::mem::swap(&mut self.tried, &mut self.tried_elsewhere);
        let read = self.read(picture, effort, deadline, found);
        std::mem::swap(&mut self.tried, &mut self.tried_elsewhere);
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
            let was_read = found.iter().any(|code| code.middle().distance(centre) < reach);
            if was_read || !self.tried.note(triple, effort) {
                continue;
            }
            if let Some(decoded) = self.attempt(plane, triple, effort, deadline) {
                found.push(Found::of(decoded, triple));
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
            if self.sure.iter().any(|whole| is_part(triple, whole)) || !self.tried.note(triple, Effort::Soft) {
                continue;
            }
            if let Some(decoded) = self.attempt(plane, triple, Effort::Soft, deadline) {
                found.push(Found::of(decoded, triple));
                break;
            }
        }
        self.triples = triples;
        found.len() > before
    }

    fn attempt(&mut self, plane: Plane<'_>, triple: &Triple, effort: Effort, deadline: Deadline) -> Option<Decoded> {
        let mut grids = std::mem::take(&mut self.grids);
        let most = if effort == Effort::Hard { 2 } else { 3 };
        let count = grid::over(plane, triple, &mut grids).min(most);
        let least = match effort {
            _ if !triple.is_whole() => LEAST_TIMING_SUPPOSED,
            Effort::Hard => LEAST_TIMING_HARD,
            Effort::Soft => LEAST_TIMING,
        };
        let mut decoded = None;
        for grid in grids[..count].iter_mut().filter(|grid| grid.timing >= least) {
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
        let (least, least_bent) = match triple.is_whole() {
            true => (LEAST_AGREEMENT, LEAST_AGREEMENT_BENT),
            false => (LEAST_AGREEMENT_SUPPOSED, LEAST_AGREEMENT_BENT_SUPPOSED),
        };
        for bent in [false, true] {
            self.sampler.sample(plane, grid, known.inverted, triple.corner.module_px);
            self.sampler.shade();
            if bent {
                let hints = bend::Hints { levels: self.sampler.levels(), known };
                self.follower.follow(plane, grid, triple.seen, hints);
                self.sampler.sample(plane, grid, known.inverted, triple.corner.module_px);
                self.sampler.shade();
            }
            let agreement = self.note(triple, grid);
            if agreement < least {
                return None;
            }
            let decoded = self.read_equalised(plane, grid, known, !bent && agreement >= SURE_AGREEMENT);
            if decoded.is_some() || bent || agreement < least_bent || self.bends == MAX_BENDS {
                return decoded;
            }
            self.bends += 1;
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
            if triple.is_whole() && agreement >= CERTAIN_AGREEMENT {
                self.sure.push(*triple);
            }
            self.appearance = Some(Appearance::of(&mut self.sampler, grid, triple, agreement));
        }
        agreement
    }
}
