//! A code in view that can not be read: first a hint, then a person decides.
//!
//! Frames disagree: one calls a code blurred, the next too small, a third does not see it at all. A screen that
//! followed each frame could be read by nobody. So frames vote, younger ones count more, and a hint is only shown once
//! something has been unreadable for a while, stays long enough to be read, and gives way to another that has clearly
//! prevailed. Separate from the other codes because it has no content to be told apart by: all that is known is since
//! when something unreadable has been in view, and what each frame made of it.
//!
//! Invariants: a hint stays for [`HINT_STAYS_MS`] unless the code is read; nobody is referred who has not had a hint
//! for as long; how often the camera gives frames makes no difference.

use super::{AWAY_MS, HINT_AFTER_MS, HINT_STAYS_MS, UNREADABLE_AFTER_MS};
use crate::hint::Hint;

/// The weight of a vote falls to a third in about this time.
const MEMORY_MS: u64 = 600;
/// A frame speaks for the time since the one before it, but never for more than this: frames in which the code was
/// missed say nothing and make nothing older.
const MAX_SPAN_MS: u64 = 100;
/// The first frame has none before it.
const FIRST_SPAN_MS: u64 = 50;
/// Another hint must have so many times the votes of the one on the screen.
const PREVAILS: u64 = 2;
/// What has not been seen for this long is gone: a code at the edge of what can be found is missed in some frames.
const GONE_MS: u64 = 700;

#[derive(Clone, Copy, Debug)]
pub(super) struct Blur {
    since_ms: u64,
    last_ms: u64,
    in_view: bool,
    /// What the frames made of it lately, in thousandths of a millisecond, in the order of [`Hint::ALL`].
    votes: [u64; Hint::ALL.len()],
    /// The hint on the screen, and since when.
    shown: Option<(Hint, u64)>,
    /// It was decided about in this showing.
    answered: bool,
}

pub(super) enum Advice {
    Nothing,
    /// Put this hint on the screen.
    Hint(Hint),
    /// Let a person decide.
    Refer,
}

impl Blur {
    pub(super) const fn new() -> Blur {
        Blur { since_ms: 0, last_ms: 0, in_view: false, votes: [0; Hint::ALL.len()], shown: None, answered: false }
    }

    /// Notes that something unreadable is in view and what would help; only a lane at rest is advised.
    pub(super) fn see(&mut self, hint: Hint, now_ms: u64, at_rest: bool) -> Advice {
        let span_ms = if self.in_view { now_ms.saturating_sub(self.last_ms).min(MAX_SPAN_MS) } else { FIRST_SPAN_MS };
        if !self.in_view {
            self.in_view = true;
            self.since_ms = now_ms;
        }
        self.last_ms = now_ms;
        self.vote(hint, span_ms);
        let for_ms = now_ms.saturating_sub(self.since_ms);
        if !at_rest || self.answered || for_ms < HINT_AFTER_MS {
            return Advice::Nothing;
        }
        if for_ms >= UNREADABLE_AFTER_MS && self.was_read_by_now(now_ms) {
            self.answered = true;
            self.shown = None;
            return Advice::Refer;
        }
        self.advise(now_ms, for_ms)
    }

    fn vote(&mut self, hint: Hint, span_ms: u64) {
        for (vote, of) in self.votes.iter_mut().zip(Hint::ALL) {
            *vote = *vote * MEMORY_MS / (MEMORY_MS + span_ms);
            if of == hint {
                *vote += 1000 * span_ms;
            }
        }
    }

    fn advise(&mut self, now_ms: u64, for_ms: u64) -> Advice {
        let Some((leader, most)) = self.leader() else { return Advice::Nothing };
        if let Some((shown, _)) = self.shown {
            // One that came up just before a person is asked could not be read.
            let too_late = for_ms + HINT_STAYS_MS > UNREADABLE_AFTER_MS;
            let prevails = leader != shown && most >= PREVAILS * self.votes_for(shown);
            if too_late || !prevails || !self.was_read_by_now(now_ms) {
                return Advice::Nothing;
            }
        }
        self.shown = Some((leader, now_ms));
        Advice::Hint(leader)
    }

    fn leader(&self) -> Option<(Hint, u64)> {
        Hint::ALL.into_iter().zip(self.votes).max_by_key(|(_, votes)| *votes)
    }

    fn votes_for(&self, hint: Hint) -> u64 {
        Hint::ALL.into_iter().zip(self.votes).find(|(of, _)| *of == hint).map_or(0, |(_, votes)| votes)
    }

    /// Whether the hint on the screen has been there long enough; there is none to read before the first.
    fn was_read_by_now(&self, now_ms: u64) -> bool {
        self.shown.is_some_and(|(_, since_ms)| now_ms.saturating_sub(since_ms) >= HINT_STAYS_MS)
    }

    /// Whether a hint is on the screen.
    pub(super) const fn is_shown(&self) -> bool {
        self.shown.is_some()
    }

    /// Forgets it, because a code was read; gives whether a hint must leave the screen.
    pub(super) fn clear(&mut self) -> bool {
        core::mem::replace(self, Blur::new()).shown.is_some()
    }

    /// Forgets it if it has not been seen for long; gives whether a hint must leave the screen.
    pub(super) fn lapse(&mut self, now_ms: u64) -> bool {
        let gone_ms = if self.answered { AWAY_MS } else { GONE_MS };
        let is_gone = self.in_view && now_ms.saturating_sub(self.last_ms) >= gone_ms;
        let is_free = self.shown.is_none() || self.was_read_by_now(now_ms);
        is_gone && is_free && self.clear()
    }
}
