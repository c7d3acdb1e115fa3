//! When the way is open: the one rule that a relay guard keeps, as a value without pins, pipes or clocks.
//!
//! Invariants: one opening lasts at most the maximum, counted from its own edge, whatever is asked for meanwhile; after
//! an opening that the maximum ended the way stays shut for a moment, so that a lock falls back into place between two
//! people; while the fire alarm lasts the way is open, which is the one exception.

use std::time::{Duration, Instant};

/// How long the way stays shut after the maximum ended an opening.
pub(super) const REST: Duration = Duration::from_millis(250);

/// Whether the way is open, and until when.
#[derive(Debug)]
pub(super) struct Hold {
    max: Duration,
    wanted_until: Option<Instant>,
    open_since: Option<Instant>,
    rests_until: Option<Instant>,
    alarm: bool,
}

/// What is to be done with the relay now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// Whether somebody can pass.
    pub(super) open: bool,
    /// Whether the maximum has just ended an opening that nobody ended.
    pub(super) cut: bool,
}

impl Hold {
    pub(super) fn new(max: Duration) -> Hold {
        Hold { max, wanted_until: None, open_since: None, rests_until: None, alarm: false }
    }

    /// Somebody may pass for so long, and never longer than the maximum.
    pub(super) fn pass(&mut self, now: Instant, for_time: Duration) {
        self.wanted_until = Some(now + for_time.min(self.max));
    }

    /// Nobody may pass any more.
    pub(super) fn shut(&mut self) {
        self.wanted_until = None;
    }

    /// The fire alarm began or ended; what was asked for before it is forgotten when it ends.
    pub(super) fn alarm(&mut self, lasts: bool) {
        if self.alarm && !lasts {
            (self.wanted_until, self.open_since) = (None, None);
        }
        self.alarm = lasts;
    }

    pub(super) fn advance(&mut self, now: Instant) -> Way {
        if self.alarm {
            return Way { open: true, cut: false };
        }
        let wanted = self.wanted_until.is_some_and(|until| now < until);
        let mut cut = false;
        match self.open_since {
            Some(since) if now >= since + self.max => {
                (self.open_since, self.rests_until, cut) = (None, Some(now + REST), true);
            }
            Some(_) if !wanted => {
                cut = self.wanted_until.is_some();
                self.open_since = None;
            }
            None if wanted && self.rests_until.is_none_or(|until| now >= until) => self.open_since = Some(now),
            _ => {}
        }
        if !wanted {
            self.wanted_until = None;
        }
        Way { open: self.open_since.is_some(), cut }
    }

    /// The next moment at which `advance` says something else by itself.
    pub(super) fn next(&self) -> Option<Instant> {
        if self.alarm {
            return None;
        }
        let wanted_until = self.wanted_until?;
        Some(match (self.open_since, self.rests_until) {
            (Some(since), _) => wanted_until.min(since + self.max),
            (None, Some(rests_until)) => wanted_until.min(rests_until),
            (None, None) => wanted_until,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: Duration = Duration::from_millis(1000);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn an_opening_ends_when_it_is_told_to_at_its_own_time_or_at_the_maximum() {
        let t = Instant::now();
        let mut hold = Hold::new(MAX);
        assert!(!hold.advance(t).open);
        hold.pass(t, ms(300));
        assert!(hold.advance(t).open && hold.advance(t + ms(299)).open);
        assert_eq!(hold.next(), Some(t + ms(300)));
        assert_eq!(hold.advance(t + ms(300)), Way { open: false, cut: true });
        hold.pass(t + ms(400), ms(60_000));
        assert!(hold.advance(t + ms(400)).open && hold.advance(t + ms(1399)).open);
        assert_eq!(hold.advance(t + ms(1400)), Way { open: false, cut: true });
        let again = t + ms(2000);
        hold.pass(again, MAX);
        assert!(hold.advance(again).open);
        hold.shut();
        assert_eq!(hold.advance(again + ms(1)), Way { open: false, cut: false });
        assert_eq!(hold.next(), None);
    }

    #[test]
    fn asking_again_and_again_does_not_make_an_opening_longer_than_the_maximum() {
        let t = Instant::now();
        let mut hold = Hold::new(MAX);
        let (mut longest, mut since) = (0, None);
        for at_ms in 0..10_000 {
            hold.pass(t + ms(at_ms), MAX);
            match (hold.advance(t + ms(at_ms)).open, since) {
                (true, None) => since = Some(at_ms),
                (false, Some(begun)) => (longest, since) = (longest.max(at_ms - begun), None),
                _ => {}
            }
        }
        assert_eq!(longest, 1000);
    }

    #[test]
    fn who_is_let_in_at_the_end_of_an_opening_has_the_rest_of_his_time_after_a_moment() {
        let t = Instant::now();
        let mut hold = Hold::new(MAX);
        hold.pass(t, MAX);
        hold.advance(t);
        hold.pass(t + ms(900), MAX);
        assert!(!hold.advance(t + ms(1000)).open && !hold.advance(t + ms(1249)).open);
        assert_eq!(hold.next(), Some(t + ms(1250)));
        assert!(hold.advance(t + ms(1250)).open && hold.advance(t + ms(1899)).open);
        assert!(!hold.advance(t + ms(1900)).open);
    }

    #[test]
    fn the_fire_alarm_holds_the_way_open_whatever_is_asked_and_ends_what_was_asked_before() {
        let t = Instant::now();
        let mut hold = Hold::new(MAX);
        hold.alarm(true);
        hold.shut();
        assert!(hold.advance(t + ms(60_000)).open);
        hold.pass(t + ms(60_000), MAX);
        hold.alarm(false);
        assert!(!hold.advance(t + ms(60_001)).open);
    }
}
