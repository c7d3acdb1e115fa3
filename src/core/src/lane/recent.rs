//! Which codes were in view lately, so that one showing is one decision.
//!
//! A few entries suffice: a code matters only while it is in view and [`super::AWAY_MS`] after. When
//! more codes than entries are in view, the one seen longest ago is forgotten, which at worst decides
//! about it again.

use super::{AWAY_MS, Token};

const ENTRIES: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Entry {
    token: Token,
    first_ms: u64,
    last_ms: u64,
    answered: bool,
    /// It was decided about to the end.
    decided: bool,
}

/// What is known of a code in view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// How long it has been in view.
    pub(super) for_ms: u64,
    /// Whether it was decided about in this showing.
    pub(super) answered: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Recent {
    entries: heapless::Vec<Entry, ENTRIES>,
}

impl Recent {
    pub(super) const fn new() -> Recent {
        Recent { entries: heapless::Vec::new() }
    }

    /// Notes that a code is in view.
    pub(super) fn see(&mut self, token: Token, now_ms: u64) -> Seen {
        self.entries.retain(|entry| now_ms.saturating_sub(entry.last_ms) < AWAY_MS);
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.token == token) {
            entry.last_ms = now_ms;
            return Seen { for_ms: now_ms.saturating_sub(entry.first_ms), answered: entry.answered };
        }
        if self.entries.is_full()
            && let Some(oldest) = (0..ENTRIES).min_by_key(|&at| self.entries[at].last_ms)
        {
            self.entries.swap_remove(oldest);
        }
        let entry = Entry { token, first_ms: now_ms, last_ms: now_ms, answered: false, decided: false };
        let pushed = self.entries.push(entry);
        debug_assert!(pushed.is_ok(), "the oldest entry was removed if there was no room");
        Seen { for_ms: 0, answered: false }
    }

    /// What is in view now and was not decided about in the end is asked about again; what was, is not.
    pub(super) fn ask_again(&mut self) {
        for entry in &mut self.entries {
            entry.answered &= entry.decided;
        }
    }

    /// A decision about the newest code that was answered is made.
    pub(super) fn decided(&mut self) {
        self.entries.iter_mut().filter(|entry| entry.answered).for_each(|entry| entry.decided = true);
    }

    /// Notes that a code is being decided about.
    pub(super) fn answer(&mut self, token: Token) {
        self.entries.iter_mut().filter(|entry| entry.token == token).for_each(|entry| entry.answered = true);
    }
}
