//! The QR engine behind a wall: rqrr, kept from taking the gate down with it.
//!
//! rqrr panics on a few real pictures, decodes a random grid now and then, and
//! can search a noisy one for minutes. All three end here. Invariants: [`scan`]
//! never unwinds into its caller and prints nothing when the engine panics; its
//! search is bounded (see [`Sheet`](super::sheet::Sheet)); a payload comes only out of a grid whose
//! timing patterns are those of a QR code, after error correction succeeded, and
//! is never empty.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use rqrr::{BitGrid, Grid, PreparedImage};

use super::sheet::{Exhausted, Sheet};

/// A picture in two tones: 1 dark, 0 light.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picture<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) dark: &'a [u8],
}

impl Picture<'_> {
    fn sheet(&self) -> Option<Sheet> {
        let width = u32::try_from(self.width).ok()?;
        Sheet::new(width, u32::try_from(self.height).ok()?, self.dark)
    }
}

/// What the engine saw in one picture.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The codes it read.
    pub(super) codes: Vec<Code>,
    /// Whether it saw at least one grid that looks like a QR code.
    pub(super) saw_grid: bool,
    /// Whether it panicked; what it found before counts all the same.
    pub(super) panicked: bool,
}

/// One code read, with its centre in pixels of the picture scanned.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) payload: Vec<u8>,
    pub(super) centre_x: f32,
    pub(super) centre_y: f32,
}

/// Everything the engine can read in `picture`.
pub(super) fn scan(picture: Picture<'_>) -> Findings {
    let mut findings = Findings::default();
    let outcome = quietly(|| detect(picture, &mut findings));
    findings.panicked = outcome == Outcome::Panicked;
    findings
}

fn detect(picture: Picture<'_>, findings: &mut Findings) {
    let Some(sheet) = picture.sheet() else {
        return;
    };
    let mut prepared = PreparedImage::without_preparation(sheet);
    for grid in prepared.detect_grids() {
        if timing_agreement_percent(&grid.grid) >= CODE_TIMING_PERCENT {
            findings.saw_grid = true;
            findings.codes.extend(decode(&grid));
        }
    }
}

/// How much of a grid's timing patterns must agree before it is called a code:
/// a random grid agrees by about half, a code that decodes by nearly all.
const CODE_TIMING_PERCENT: usize = 75;

/// The share of timing modules (ISO/IEC 18004 §6.3.5: row 6 and column 6,
/// alternating, dark where the index is even) that have their colour.
fn timing_agreement_percent(grid: &impl BitGrid) -> usize {
    let between_finders = 8..grid.size().saturating_sub(8);
    let modules = 2 * between_finders.len();
    let agreeing: usize = between_finders
        .map(|at| {
            let dark = at % 2 == 0;
            usize::from(grid.bit(6, at) == dark) + usize::from(grid.bit(at, 6) == dark)
        })
        .sum();
    (100 * agreeing).checked_div(modules).unwrap_or(0)
}

fn decode<G: BitGrid>(grid: &Grid<G>) -> Option<Code> {
    // Bytes, not text: a code of another encoding is still a code.
    let mut payload = Vec::new();
    grid.decode_to(&mut payload).ok()?;
    if payload.is_empty() {
        return None;
    }
    let mean = |sum: f32| sum / grid.bounds.len() as f32;
    Some(Code {
        payload,
        centre_x: mean(grid.bounds.iter().map(|corner| corner.x as f32).sum()),
        centre_y: mean(grid.bounds.iter().map(|corner| corner.y as f32).sum()),
    })
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// How a piece of work ended.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    Exhausted,
    Panicked,
}

/// Runs `work`; a panic in it ends it and is not printed. Panics of other
/// threads, and of this one outside `work`, are reported as before.
fn quietly(work: impl FnOnce()) -> Outcome {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // A panic while the thread goes down has no flag left: report it.
            if !QUIET.try_with(Cell::get).unwrap_or(false) {
                report(info);
            }
        }));
    });
    QUIET.set(true);
    // The engine's own state dies with the unwinding; ours is only appended to.
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    QUIET.set(false);
    match outcome {
        Ok(()) => Outcome::Done,
        Err(cause) if cause.is::<Exhausted>() => Outcome::Exhausted,
        Err(_) => Outcome::Panicked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_and_the_next_one_outside_is_reported() {
        assert_eq!(quietly(|| panic!("inside")), Outcome::Panicked);
        assert!(!QUIET.get());
        assert_eq!(quietly(|| ()), Outcome::Done);
    }

    #[test]
    fn a_grid_without_timing_patterns_is_no_code() {
        let blank = rqrr::SimpleGrid::from_func(21, |_, _| false);
        assert!(timing_agreement_percent(&blank) < CODE_TIMING_PERCENT);
        let tiny = rqrr::SimpleGrid::from_func(1, |_, _| true);
        assert_eq!(timing_agreement_percent(&tiny), 0);
    }
}
