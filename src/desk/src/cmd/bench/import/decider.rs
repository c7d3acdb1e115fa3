//! The lane as the loop of a gate drives it, with passes that were read before, as fast as it can.

use super::super::lists::AS_OF;
use crate::outcome::{Failure, Result};
use menshen_core::clock::{Implausible, Published};
use menshen_core::decide::{Context, Verdict};
use menshen_core::ids::IssuerId;
use menshen_core::lane::{Action, Actions, Event, Lane, Now};
use menshen_core::policy::{Policy, Thermometry};
use menshen_core::record::{Body, Scan};
use menshen_core::status::StatusSource;
use menshen_core::time::Time;
use menshen_lane::journal::{Journal, SledJournal};
use menshen_lane::ports::Clock;
use menshen_lane::trust::{Feed, Trust};
use std::time::{Duration, Instant};

/// The time of the whole measurement: two hours after the lists were made.
const NOW: Time = Time::trusted(AS_OF + 7200);
/// Between two people: longer than any verdict stays, and than a code is remembered.
const NEXT_MS: u64 = 60_000;

/// A clock that stands.
pub(super) struct Standing;

impl Clock for Standing {
    fn mono_ms(&self) -> u64 {
        0
    }

    fn time(&self) -> Time {
        NOW
    }

    fn published(&self, _: Published) {}

    fn heard_not_before(&self, _: u64) {}

    fn signed_now(&self, _: u64, _: u32) -> std::result::Result<(), Implausible> {
        Ok(())
    }
}

/// Decides about one pass after another.
pub(super) struct Decider<'a> {
    lane: Lane,
    passes: &'a [&'a [u8]],
    feed: Feed,
    believed_at: u64,
    trust: Option<Trust>,
    policy: Policy,
    home: IssuerId,
    journal: Option<SledJournal>,
    count: u64,
    newest: Instant,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    /// Decisions.
    pub(super) decisions: u64,
    /// Those of them that were admissions.
    pub(super) admitted: u64,
    /// The longest time between two of them.
    pub(super) longest_gap: Duration,
}

impl<'a> Decider<'a> {
    /// With a journal, every decision is recorded durably before the next one.
    pub(super) fn new(passes: &'a [&'a [u8]], feed: Feed, home: IssuerId, journal: Option<SledJournal>) -> Decider<'a> {
        let policy = Policy { thermometry: Thermometry::Off, ..Policy::default() };
        let (believed_at, trust) = (feed.changes(), feed.trust());
        let (lane, newest) = (Lane::new(), Instant::now());
        Decider { lane, passes, feed, believed_at, trust, policy, home, journal, count: 0, newest }
    }

    /// Decides until `ends` says so, which is asked after each decision.
    pub(super) fn until(&mut self, mut ends: impl FnMut() -> bool) -> Result<Counted> {
        let mut counted = Counted::default();
        self.newest = Instant::now();
        while !ends() {
            counted.admitted += u64::from(self.one()? == Verdict::Admit);
            counted.decisions += 1;
            counted.longest_gap = counted.longest_gap.max(self.newest.elapsed());
            self.newest = Instant::now();
        }
        Ok(counted)
    }

    /// One person, as the loop of a gate takes one.
    fn one(&mut self) -> Result<Verdict> {
        self.count += 1;
        let pass = self.passes[(self.count % self.passes.len() as u64) as usize];
        let actions = self.step(Event::Sight { payloads: &[pass], unread: None });
        let decision = actions.into_iter().find_map(|action| match action {
            Action::Record(decision) => Some(decision),
            _ => None,
        });
        let decision = decision.ok_or_else(|| Failure::new("a pass was not decided about: please report it"))?;
        if let Some(journal) = &self.journal {
            journal.append(decision.evidence.time, 1, Body::Scan(Scan::of(&decision, None)))?;
        }
        self.step(Event::Recorded);
        if self.feed.changes() != self.believed_at {
            self.believed_at = self.feed.renew(&mut self.trust);
        }
        Ok(decision.verdict)
    }

    fn step(&mut self, event: Event<'_>) -> Actions {
        let trust = self.trust.as_ref().map(|trust| trust.list.as_ref());
        let status = self.trust.as_ref().map(|trust| &trust.status as &dyn StatusSource);
        let context = Context { trust, status, history: None, policy: &self.policy, home: self.home };
        self.lane.step(event, Now { mono_ms: self.count * NEXT_MS, time: NOW }, context)
    }
}
