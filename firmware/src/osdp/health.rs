//! What is wrong between a gate and its access controller, as one sentence with its remedy.
//!
//! Everything here is times and counts that the conversation notes; what they mean is decided when somebody asks, so a
//! panel that falls silent is told without anybody having to notice it at that moment.

use std::time::{Duration, Instant};

/// A panel polls many times a second; after this much silence it does not.
pub(super) const SILENT_AFTER: Duration = Duration::from_secs(3);
/// How long a panel may speak without a channel before that is told: it identifies a reader first.
const CHANNEL_WITHIN: Duration = Duration::from_secs(5);

/// After this much without another one, admissions that were not told are a matter of the past: the controller takes what it
/// is told again, and nobody could say so before the next one is admitted.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// Why there is no channel, where that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The panel's key is not this reader's.
    OtherKey,
    /// The panel asks in the open for what is answered in a channel only.
    NotSecure,
    /// The system gives no random numbers.
    NoRandomNumbers,
}

/// How the conversation stands.
#[derive(Clone, Debug)]
pub(super) struct Health {
    is_secure: bool,
    /// Why there is no line; `None` while it is open.
    line: Option<String>,
    /// When a packet last came; before the first, when the line was opened.
    heard_at: Instant,
    /// Since when there is no channel; `None` while there is one.
    closed_since: Option<Instant>,
    /// Stands until a channel opens: a panel that was refused may be silent for minutes before it tries again, and that is
    /// not a silence to look for in the wires.
    refusal: Option<Refusal>,
    /// Admissions that were not told since one last was.
    unreported: u32,
    /// When the last of them was.
    unreported_at: Instant,
}

impl Health {
    pub(super) fn new(is_secure: bool, now: Instant) -> Health {
        Health {
            is_secure,
            line: None,
            heard_at: now,
            closed_since: Some(now),
            refusal: None,
            unreported: 0,
            unreported_at: now,
        }
    }

    pub(super) fn heard(&mut self, now: Instant) {
        if self.silent_for(now) >= SILENT_AFTER {
            self.closed_since = self.closed_since.map(|_| now);
        }
        self.heard_at = now;
    }

    pub(super) fn silent_for(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard_at)
    }

    pub(super) fn in_channel(&mut self) {
        (self.closed_since, self.refusal) = (None, None);
    }

    pub(super) fn closed(&mut self, now: Instant) {
        self.closed_since = self.closed_since.or(Some(now));
    }

    pub(super) fn refuse(&mut self, why: Refusal, now: Instant) {
        // What is known of the key says more than that there is no channel.
        if why != Refusal::NotSecure || self.refusal.is_none() {
            self.refusal = Some(why);
        }
        self.closed(now);
    }

    pub(super) fn reported(&mut self) {
        self.unreported = 0;
    }

    pub(super) fn unreported(&mut self) {
        (self.unreported, self.unreported_at) = (self.unreported.saturating_add(1), Instant::now());
    }

    /// The line is there, and has just begun to be listened to.
    pub(super) fn reopened(&mut self, now: Instant) {
        (self.line, self.heard_at) = (None, now);
        self.closed_since = self.closed_since.map(|_| now);
    }

    /// The line is gone.
    pub(super) fn lost(&mut self, why: String) {
        self.line = Some(why);
    }

    /// What is wrong at `now`.
    pub(super) fn fault(&self, now: Instant, port: &str, address: u8) -> Option<String> {
        if let Some(line) = &self.line {
            return Some(line.clone());
        }
        let silent = self.silent_for(now);
        if let Some(why) = self.refusal
            && (silent >= SILENT_AFTER || self.is_late(now))
        {
            return Some(why.sentence().to_owned());
        }
        if silent >= SILENT_AFTER {
            return Some(format!(
                "the access controller does not poll: check that it runs, the two wires at {port}, its speed, and that \
                 it looks for a reader at address {address}"
            ));
        }
        if self.is_late(now) {
            return Some(Refusal::NotSecure.sentence().to_owned());
        }
        let is_recent = now.saturating_duration_since(self.unreported_at) < FORGOTTEN_AFTER;
        (self.unreported > 0 && is_recent).then(|| {
            format!(
                "the access controller did not take {} of the last admissions in time: let people in by hand, and let it \
                 poll this reader more often",
                self.unreported
            )
        })
    }

    fn is_late(&self, now: Instant) -> bool {
        self.is_secure && self.closed_since.is_some_and(|since| now.saturating_duration_since(since) >= CHANNEL_WITHIN)
    }
}

impl Refusal {
    fn sentence(self) -> &'static str {
        match self {
            Refusal::OtherKey => {
                "the access controller has another key than this gate, which tells it nothing: give both the same key"
            }
            Refusal::NotSecure => {
                "the access controller opens no secure channel: switch it on there and give it this gate's key"
            }
            Refusal::NoRandomNumbers => {
                "no secure channel to the access controller: the system gives no random numbers; start the gate again"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admission_that_was_not_told_is_told_of_for_ten_minutes() {
        let begun = Instant::now();
        let mut health = Health::new(false, begun);
        health.unreported();
        let fault = |health: &Health, now| health.fault(now, "/dev/ttyUSB0", 0);
        assert!(fault(&health, begun).is_some_and(|told| told.contains("did not take 1")));
        let later = begun + FORGOTTEN_AFTER + Duration::from_secs(60);
        health.heard(later);
        assert_eq!(fault(&health, later), None);
    }
}
