//! The relay of a lane: one pulse an admission, each told from the one before.
//!
//! A turnstile turns once a pulse, so two people who are admitted within the length of one pulse need two of them. The
//! second ends the first: the relay opens for the hold-off and closes again, and nobody waits for the rest of a pulse
//! that the person before has used. Apart from the verdicts, because what the relay owes outlives what is on the screen.
//!
//! Invariants: it closes at most as often as people were admitted; between two pulses it is open for the hold-off at
//! least; nobody but the owner's hard maximum (the board's) ends a pulse later than it should.

#[derive(Clone, Copy, Debug)]
pub(super) struct Pulse {
    closed_until_ms: Option<u64>,
    /// When it may close again.
    free_from_ms: u64,
    /// How many admissions have their pulse still to come.
    owed: u8,
}

/// How long a pulse lasts and how far two lie apart, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lengths {
    pub(super) pulse_ms: u32,
    pub(super) hold_off_ms: u32,
}

impl Pulse {
    pub(super) const fn new() -> Pulse {
        Pulse { closed_until_ms: None, free_from_ms: 0, owed: 0 }
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.closed_until_ms.is_some()
    }

    /// Somebody was admitted; gives what the relay does now.
    pub(super) fn admit(&mut self, now_ms: u64, lengths: Lengths) -> Option<bool> {
        if self.is_closed() {
            self.owed = self.owed.saturating_add(1);
            return self.open(now_ms, lengths);
        }
        if now_ms < self.free_from_ms || self.owed > 0 {
            self.owed = self.owed.saturating_add(1);
            return None;
        }
        self.owed = 1;
        self.close(now_ms, lengths)
    }

    /// Time passed; gives what the relay does now.
    pub(super) fn step(&mut self, now_ms: u64, lengths: Lengths) -> Option<bool> {
        match self.closed_until_ms {
            Some(until_ms) if now_ms >= until_ms => self.open(now_ms, lengths),
            None if self.owed > 0 && now_ms >= self.free_from_ms => self.close(now_ms, lengths),
            Some(_) | None => None,
        }
    }

    /// Nobody is to pass now; gives what the relay does.
    pub(super) fn stop(&mut self, now_ms: u64, lengths: Lengths) -> Option<bool> {
        self.owed = 0;
        if self.is_closed() { self.open(now_ms, lengths) } else { None }
    }

    /// When it wants to be looked at next.
    pub(super) fn due_ms(&self) -> Option<u64> {
        self.closed_until_ms.or((self.owed > 0).then_some(self.free_from_ms))
    }

    fn open(&mut self, now_ms: u64, lengths: Lengths) -> Option<bool> {
        self.closed_until_ms = None;
        self.free_from_ms = now_ms + u64::from(lengths.hold_off_ms);
        Some(false)
    }

    fn close(&mut self, now_ms: u64, lengths: Lengths) -> Option<bool> {
        self.owed = self.owed.saturating_sub(1);
        self.closed_until_ms = Some(now_ms + u64::from(lengths.pulse_ms));
        Some(true)
    }
}
