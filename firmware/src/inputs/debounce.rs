//! A contact that bounces, as a switch that does not.

use embedded_hal::digital::InputPin;
use std::time::{Duration, Instant};

/// So many looks at least must agree: two may both have met the same bounce.
const LOOKS: u32 = 3;

/// An input pin that counts as changed once it has said the same for a while, at every one of several looks.
#[derive(Debug)]
pub struct Debounced<P> {
    pin: P,
    active_low: bool,
    for_time: Duration,
    known: Option<bool>,
    changing: Option<Changing>,
}

#[derive(Clone, Copy, Debug)]
struct Changing {
    to: bool,
    since: Instant,
    looked: Instant,
    looks: u32,
}

impl<P: InputPin> Debounced<P> {
    /// A pin that is on at a high level, or at a low one if `active_low`, and changes when it has stood for `for_time`.
    pub fn new(pin: P, active_low: bool, for_time: Duration) -> Debounced<P> {
        Debounced { pin, active_low, for_time, known: None, changing: None }
    }

    /// What it says this very moment, taken for granted.
    ///
    /// # Errors
    /// The pin's own.
    pub fn take_for_granted(&mut self) -> Result<bool, P::Error> {
        let on = self.pin.is_high()? != self.active_low;
        (self.known, self.changing) = (Some(on), None);
        Ok(on)
    }

    /// Looks at the pin; gives what it is when that is first known and whenever it has changed.
    ///
    /// # Errors
    /// The pin's own.
    pub fn look(&mut self, now: Instant) -> Result<Option<bool>, P::Error> {
        let on = self.pin.is_high()? != self.active_low;
        if self.known == Some(on) {
            self.changing = None;
            return Ok(None);
        }
        let for_time = self.for_time;
        // Looks that are too far apart have not seen what was between them.
        let same = |last: &Changing| last.to == on && now.saturating_duration_since(last.looked) <= for_time;
        let changing = match self.changing.filter(same) {
            Some(last) => Changing { looked: now, looks: last.looks + 1, ..last },
            None => Changing { to: on, since: now, looked: now, looks: 1 },
        };
        if changing.looks < LOOKS || now.saturating_duration_since(changing.since) < for_time {
            self.changing = Some(changing);
            return Ok(None);
        }
        (self.known, self.changing) = (Some(on), None);
        Ok(Some(on))
    }
}
