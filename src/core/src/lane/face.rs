//! Whose face the thermometer has in front of it: which readings may count for the person whose code is shown.
//!
//! A reading says a temperature and not whose. People raise their face before their phone or after it, and the next one
//! pushes in while the last one is still there. So what counts is proved, never guessed:
//!
//! - After a decision nothing counts until the face is known to have changed: the thermometer saw something that is no
//!   person (the wall between two of them), the presence sensor saw the place empty, or the verdict's time on the screen
//!   is over. Whoever shows another code of the same holder is still the same person, and is measured anew.
//! - A reading from before the code counts if it belongs to an unbroken run of readings of a person that lasts until the
//!   code is seen. With a presence sensor it also counts if nobody has come or gone since, within the site's window.
//!
//! Invariant: no reading serves two decisions.

use crate::ids::IssuerId;
use crate::policy::Policy;
use crate::thermo::{self, Judgement, Reading};

/// How many consecutive readings are one measurement.
pub(super) const BURST: usize = 5;
/// How far the readings of a steady burst lie apart at most: the allowed error of a screening unit.
const STEADY_CENTI_C: i32 = 30;
/// So many readings of no person, one after another, are the wall between two people.
const WALLS: u8 = 2;
/// Readings that lie further apart than this are not of one run.
const GAP_MS: u64 = 500;

/// What the newest burst of readings comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Burst {
    /// The median.
    pub(super) reading: Reading,
    /// What it says of a person.
    pub(super) judgement: Judgement,
    /// Whether the readings lie so close together that nothing still rises.
    pub(super) is_steady: bool,
}

impl Burst {
    /// Whether it ends a measurement: in range once it stands still; high at once, for it may only still rise.
    pub(super) fn is_settled(&self) -> bool {
        self.judgement == Judgement::High || (self.judgement == Judgement::InRange && self.is_steady)
    }
}

/// A person, by the pseudonym that their issuer gave them.
pub(super) type Holder = (IssuerId, [u8; 16]);

#[derive(Clone, Debug)]
pub(super) struct Face {
    burst: heapless::Vec<Reading, BURST>,
    /// How many of the newest readings were no person's.
    walls: u8,
    last_ms: u64,
    /// The face may be that of the person who was decided about.
    is_of_last: bool,
    /// Who that was, where their pass told.
    last: Option<Holder>,
    /// By the presence sensor; `None` without one.
    presence: Option<bool>,
    /// Since when nobody has been there, by that sensor.
    gone_since_ms: Option<u64>,
    /// The newest settled measurement of whoever is there, with a presence sensor only.
    held: Option<(Reading, u64)>,
}

impl Face {
    pub(super) const fn new() -> Face {
        Face {
            burst: heapless::Vec::new(),
            walls: 0,
            last_ms: 0,
            is_of_last: false,
            last: None,
            presence: None,
            gone_since_ms: None,
            held: None,
        }
    }

    /// The thermometer said something.
    pub(super) fn take(&mut self, reading: Reading, now_ms: u64, policy: &Policy) {
        if self.presence == Some(false) {
            return;
        }
        // One value alone may be hair, or noise.
        let is_wall = !is_persons(reading, policy);
        self.walls = if is_wall { self.walls.saturating_add(1) } else { 0 };
        if self.walls >= WALLS {
            self.is_of_last = false;
        }
        if !is_wall && self.burst.last().is_some_and(|last| !is_persons(*last, policy)) {
            // Somebody's face is there again, and it may be another one.
            self.held = None;
        }
        if now_ms.saturating_sub(self.last_ms) > GAP_MS {
            self.burst.clear();
        }
        self.last_ms = now_ms;
        if self.is_of_last {
            return;
        }
        if self.burst.is_full() {
            self.burst.remove(0);
        }
        let pushed = self.burst.push(reading);
        debug_assert!(pushed.is_ok(), "a full burst has just lost its oldest");
        if let Some(burst) = self.measured(policy).filter(|burst| burst.is_settled() && self.presence.is_some()) {
            self.held = Some((burst.reading, now_ms));
        }
    }

    /// The presence sensor said something, appeared or vanished.
    pub(super) fn presence(&mut self, presence: Option<bool>, now_ms: u64) {
        if presence == self.presence {
            return;
        }
        // A sensor that appears or vanishes proves nothing of who is there.
        let somebody_came_or_went = self.presence.is_some() && presence.is_some();
        self.is_of_last &= !somebody_came_or_went;
        self.presence = presence;
        self.gone_since_ms = (presence == Some(false)).then_some(now_ms);
        self.restart();
    }

    /// Whether what is measured now is of whoever shows the code.
    pub(super) const fn is_new(&self) -> bool {
        !self.is_of_last
    }

    /// Whether the presence sensor says that somebody is there.
    pub(super) fn is_there(&self) -> bool {
        self.presence == Some(true)
    }

    /// For how long nobody has been there, as far as a sensor tells.
    pub(super) fn gone_for_ms(&self, now_ms: u64) -> u64 {
        self.gone_since_ms.map_or(0, |since_ms| now_ms.saturating_sub(since_ms))
    }

    /// Somebody was decided about: what was measured is used up. Whose pass is not known and who was not let in is most often
    /// still there, looking for the right code.
    pub(super) fn decided(&mut self, holder: Option<Holder>, was_admitted: bool) {
        self.is_of_last = was_admitted || holder.is_some();
        self.last = holder;
        self.restart();
    }

    /// Whoever was decided about has had the time to go.
    pub(super) fn has_changed(&mut self) {
        if self.is_of_last {
            self.is_of_last = false;
            self.restart();
        }
    }

    /// A code was seen: forgets what is not of whoever shows it, and gives what was measured of them before, if anything.
    pub(super) fn meets_code(&mut self, holder: Option<Holder>, now_ms: u64, policy: &Policy) -> Option<Reading> {
        if holder.is_some() && holder == self.last {
            self.has_changed();
        }
        if now_ms.saturating_sub(self.last_ms) > GAP_MS {
            self.burst.clear();
        }
        while let Some(at) = self.burst.iter().rposition(|reading| !is_persons(*reading, policy)) {
            self.burst = self.burst.iter().skip(at + 1).copied().collect();
        }
        let window_ms = u64::from(policy.reading_before_ms);
        self.held.filter(|(_, at_ms)| now_ms.saturating_sub(*at_ms) <= window_ms).map(|(reading, _)| reading)
    }

    /// What the newest readings come to, once there are enough of them.
    pub(super) fn measured(&self, policy: &Policy) -> Option<Burst> {
        let mut sorted = self.burst.clone();
        sorted.sort_unstable_by_key(|reading| reading.temp_centi_c);
        let (lowest, highest) = (sorted.first()?, sorted.last()?);
        let spread = i32::from(highest.temp_centi_c) - i32::from(lowest.temp_centi_c);
        let reading = *sorted.get(BURST / 2).filter(|_| sorted.is_full())?;
        Some(Burst { reading, judgement: thermo::judge(reading, policy), is_steady: spread <= STEADY_CENTI_C })
    }

    /// Begins a burst anew.
    pub(super) fn restart(&mut self) {
        self.burst.clear();
        self.held = None;
    }
}

/// Whether a reading can be a person's: what the unit can not judge in its surroundings still may be.
fn is_persons(reading: Reading, policy: &Policy) -> bool {
    thermo::judge(reading, policy) != Judgement::Implausible
}
