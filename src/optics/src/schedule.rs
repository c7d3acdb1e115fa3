//! In which ways a frame is looked at, in which order, and when it is enough.
//!
//! No way of looking shows all codes, and each costs time, so they are ordered by what they read for it, with the one
//! that worked last first. Separate from the reader, which takes the looks: here is only what is worth taking. Invariants:
//! each view is in the order once; with a budget no view is left out for ever, whatever the budget.

use super::detector::{Detector, Hope, Plane, Rule, Shrink, Tone, View};

/// The views of a frame, by what they read for their time. The first [`GLANCES`] show most codes; each of the others what
/// those do not.
pub(crate) const VIEWS: [View; 9] = [
    View { shrink: Shrink::Not, tone: Tone::Soft, rule: Rule::around(1), row_step: 4 },
    View { shrink: Shrink::Not, tone: Tone::Plain, rule: Rule::around(2).above(28), row_step: 2 },
    View { shrink: Shrink::Half, tone: Tone::Plain, rule: Rule::around(1), row_step: 2 },
    View { shrink: Shrink::Not, tone: Tone::Eroded, rule: Rule::around(1), row_step: 3 },
    View { shrink: Shrink::Not, tone: Tone::Highlights, rule: Rule::around(1), row_step: 3 },
    View { shrink: Shrink::Not, tone: Tone::Flat(2, 32), rule: Rule::around(1).above(20), row_step: 3 },
    View { shrink: Shrink::Not, tone: Tone::Plain, rule: Rule::bands(6).above(24), row_step: 3 },
    View { shrink: Shrink::Half, tone: Tone::Sharp(3, 48), rule: Rule::around(1), row_step: 2 },
    View { shrink: Shrink::Quarter, tone: Tone::Plain, rule: Rule::around(2), row_step: 2 },
];
/// How many views look for codes that are easily read, and quickly.
pub(crate) const GLANCES: usize = 3;
/// In a frame with more places than this that may be finder patterns, of which none is a good one, every look takes long
/// and a code is unlikely: a code in a calm scene has a few dozen.
const CROWD: usize = 60;
/// With more than this, after the first views already.
const DENSE_CROWD: usize = 400;
/// So many views every frame gets that is no crowd; the others seldom read what these give no hope of.
const FOR_ALL: usize = 7;
/// Of so many live frames one is looked at in every way, hope or not.
const DEEP_EVERY: usize = 3;
/// For so many frames after one that showed a code all effort is made.
const LATELY: usize = 12;

/// What earlier frames taught about how to look at the next.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    /// The view in which a code was last read: it is taken first.
    favourite: usize,
    /// The view from which the next frame goes on, because the time of the last one ran out there.
    next: usize,
    /// For how many frames more a code is expected.
    lately: usize,
    /// How many frames on end were looked at as far as there was hope.
    shallow: usize,
    /// Whether this frame is looked at in every way.
    deep: bool,
}

impl Schedule {
    /// Begins a frame; gives the views in the order in which they are worth taking.
    pub(crate) fn begin(&mut self, live: bool) -> [usize; VIEWS.len()] {
        self.deep = live && self.shallow + 1 == DEEP_EVERY;
        self.shallow = if self.deep || !live { 0 } else { self.shallow + 1 };
        self.lately = self.lately.saturating_sub(1);
        let from = std::mem::take(&mut self.next);
        let others = (0..VIEWS.len()).map(|n| (from + n) % VIEWS.len()).filter(|&view| view != self.favourite);
        let mut order = [self.favourite; VIEWS.len()];
        order[1..].iter_mut().zip(others).for_each(|(slot, view)| *slot = view);
        order
    }

    /// The view in which a code was last read.
    pub(crate) fn favourite(&self) -> View {
        VIEWS[self.favourite]
    }

    /// Time ran out before `view`.
    pub(crate) fn cut(&mut self, view: usize) {
        self.next = view;
    }

    /// A code was seen, read or not.
    pub(crate) fn expect(&mut self) {
        self.lately = LATELY;
    }

    /// A code was read in `view`.
    pub(crate) fn prefer(&mut self, view: usize) {
        self.favourite = view;
    }

    /// Whether a frame in which nothing was read is given up after so many views.
    pub(crate) fn is_enough(&self, taken: usize, detector: &mut Detector) -> bool {
        let patience = match taken {
            GLANCES => DENSE_CROWD,
            FOR_ALL.. => 0,
            _ if taken > GLANCES => CROWD,
            _ => usize::MAX,
        };
        let expected = self.deep || self.lately > 0;
        !expected && detector.places() >= patience && detector.hope() == Hope::None
    }
}

/// Whether `view` can show anything of this picture that others do not: some are only for where light ran over.
pub(crate) fn is_worth(view: View, plane: Plane<'_>) -> bool {
    match view.tone {
        Tone::Highlights => is_bright(plane, 4),
        Tone::Eroded => is_bright(plane, 60),
        _ => true,
    }
}

/// Whether more than one pixel in `so_many` is all but white.
fn is_bright(plane: Plane<'_>, so_many: u32) -> bool {
    let sampled = plane.luma.iter().step_by(61);
    let (bright, all) = sampled.fold((0, 0), |(bright, all), &pixel| (bright + u32::from(pixel >= 240), all + 1));
    so_many * bright > all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_comes_once_the_favourite_first_and_where_time_ran_out_next() {
        let mut schedule = Schedule::default();
        schedule.prefer(2);
        schedule.cut(5);
        let order = schedule.begin(true);
        assert_eq!(order, [2, 5, 6, 7, 8, 0, 1, 3, 4]);
        assert_eq!(schedule.begin(true), [2, 0, 1, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn a_live_scene_without_hope_is_looked_at_in_every_way_now_and_then_and_when_a_code_was_seen() {
        let mut schedule = Schedule::default();
        let mut detector = Detector::default();
        let mut gives_up = |schedule: &mut Schedule, live| {
            schedule.begin(live);
            schedule.is_enough(FOR_ALL, &mut detector)
        };
        let frames: Vec<bool> = (0..2 * DEEP_EVERY).map(|_| gives_up(&mut schedule, true)).collect();
        assert_eq!(frames.iter().filter(|given_up| !**given_up).count(), 2, "{frames:?}");
        assert!(gives_up(&mut schedule, false), "a picture at rest has no other frame");
        schedule.expect();
        let expecting = (0..2 * LATELY).take_while(|_| !gives_up(&mut schedule, false)).count();
        assert_eq!(expecting, LATELY - 1);
    }
}
