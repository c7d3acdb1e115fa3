//! From the moments that were seen of a lane to where each person's time went.
//!
//! Pure: the same moments give the same figures. One person is decided about at a time and everybody is admitted, so the
//! n-th decision, record and edge are the n-th person's; where the numbers are not the same nothing is figured out.

use super::super::percentile_ms;
use super::gate::Edge;
use super::said::{Said, What};
use crate::outcome::{Failure, Result};
use menshen_core::decide::Verdict;
use menshen_core::lane::MIN_SHOW_MS;
use menshen_core::policy::Policy;
use menshen_lane::probe::Step;
use menshen_lane::run::Timing;
use serde::Serialize;
use std::collections::HashMap;
use std::time::Duration;

/// A face that was there for so long before the code could be read has been measured by then, in microseconds: five
/// readings of a unit that gives 14 a second, and one more because nobody knows when the first came.
const MEASURED_US: u64 = 6 * 72_000;
/// When somebody came, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    /// Their face came before the thermometer; `None` on a lane without one.
    pub(super) face_us: Option<u64>,
    /// Their code came into view.
    pub(super) code_us: u64,
}

/// Where one person's time went, from the first frame with their code to the edge of the relay; all but `camera` are parts
/// of `relay_edge`, and nothing else is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Passage {
    was_measured: bool,
    camera: Duration,
    relay_edge: Duration,
    frame: Duration,
    decode: Duration,
    decide: Duration,
    screen: Duration,
    reading: Duration,
    record: Duration,
    hold_off: Duration,
    relay: Duration,
}

/// A time over several people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) max: f64,
}

/// Where the time of several people went, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Group {
    pub(super) people: usize,
    /// First readable frame to the edge.
    pub(super) relay_edge_ms: Spread,
    /// From the code before the camera to the first frame of it; not part of `relay_edge_ms`.
    pub(super) camera_ms: Spread,
    /// From the frame's first byte in the pipe until the reader looks at it.
    pub(super) frame_ms: Spread,
    /// Reading the code.
    pub(super) decode_ms: Spread,
    /// Verifying and deciding.
    pub(super) decide_ms: Spread,
    /// Waiting until the verdict before could be read.
    pub(super) screen_ms: Spread,
    /// Waiting for a reading.
    pub(super) reading_ms: Spread,
    /// Making the record durable.
    pub(super) record_ms: Spread,
    /// Waiting until the relay was open long enough after the pulse before.
    pub(super) hold_off_ms: Spread,
    /// From the order to the edge.
    pub(super) relay_ms: Spread,
}

/// What came of everybody.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Account {
    pub(super) people_per_min: f64,
    /// Their face was there first: they were measured when their code could be read, or nobody measures.
    pub(super) face_first: Group,
    /// Their code could be read before they were measured.
    pub(super) phone_first: Group,
}

/// The moments of one kind, in order.
#[derive(Default)]
struct Moments {
    written: HashMap<usize, u64>,
    read: HashMap<usize, (u64, Duration)>,
    decided: Vec<u64>,
    recorded: Vec<u64>,
    shown: Vec<(u64, Timing)>,
}

impl Moments {
    fn of(said: &[Said]) -> Result<Moments> {
        let mut moments = Moments::default();
        for Said { at_us, what } in said {
            match what {
                What::Written(person) => {
                    moments.written.entry(*person).or_insert(*at_us);
                }
                What::Read(person, decode) => {
                    moments.read.entry(*person).or_insert((*at_us, *decode));
                }
                What::Step(Step::Decided) => moments.decided.push(*at_us),
                What::Step(Step::Recorded) => moments.recorded.push(*at_us),
                What::Verdict(decision, timing) => {
                    admitted(decision)?;
                    moments.shown.push((*at_us, *timing));
                }
                What::Step(_) | What::Ready => {}
            }
        }
        Ok(moments)
    }
}

/// Nobody here has a reason not to be let in.
pub(super) fn admitted(decision: &menshen_core::decide::Decision) -> Result<()> {
    if decision.verdict == Verdict::Admit {
        return Ok(());
    }
    let reasons: Vec<&str> = decision.reasons.iter().map(|reason| reason.name()).collect();
    Err(Failure::new(format!(
        "a healthy person with a valid pass was not let in ({}): see that nothing else keeps this machine busy, or report this",
        reasons.join(", ")
    )))
}

/// Figures it out.
pub(super) fn account(visits: &[Visit], said: &[Said], relay: &[Edge], records: u64) -> Result<Account> {
    let moments = Moments::of(said)?;
    let people = visits.len();
    let edges: Vec<u64> = relay.iter().filter(|edge| edge.closed).map(|edge| edge.at_us).collect();
    let counted = [moments.shown.len(), edges.len(), usize::try_from(records).unwrap_or(usize::MAX)];
    if counted != [people; 3] || moments.decided.len() != people || moments.recorded.len() != people {
        let [admissions, edges, records] = counted;
        return Err(Failure::new(format!(
            "{people} people came, and there were {admissions} admissions, {edges} edges of the relay and {records} records: report this"
        )));
    }
    let passages =
        (0..people).map(|person| passage(person, visits, &moments, relay, &edges)).collect::<Option<Vec<Passage>>>();
    let passages =
        passages.ok_or_else(|| Failure::new("a person was let in whose code was in no frame: report this"))?;
    let (first, last) = (edges.first().copied().unwrap_or(0), edges.last().copied().unwrap_or(0));
    let took_min = last.saturating_sub(first) as f64 / 60e6;
    let (face_first, phone_first): (Vec<_>, Vec<_>) = passages.into_iter().partition(|passage| passage.was_measured);
    Ok(Account {
        people_per_min: hundredths(people.saturating_sub(1) as f64 / took_min),
        face_first: Group::of(&face_first),
        phone_first: Group::of(&phone_first),
    })
}

fn passage(person: usize, visits: &[Visit], moments: &Moments, relay: &[Edge], edges: &[u64]) -> Option<Passage> {
    let visit = visits.get(person)?;
    let (written, (read, decode)) = (*moments.written.get(&person)?, *moments.read.get(&person)?);
    let (decided, recorded) = (*moments.decided.get(person)?, *moments.recorded.get(person)?);
    let (_, timing) = *moments.shown.get(person)?;
    let edge = *edges.get(person)?;
    let between = |from: u64, to: u64| Duration::from_micros(to.saturating_sub(from));
    // Until the decision: either the step that decides, or a wait and two steps.
    let decide = timing.decide.min(between(read, decided));
    let wait = between(read, decided) - decide;
    let before = person.checked_sub(1).and_then(|before| moments.shown.get(before));
    let read_by = before.map_or(0, |(shown, _)| shown + MIN_SHOW_MS * 1000);
    let screen = between(read, read_by).min(wait);
    let opened = relay.iter().rev().find(|other| !other.closed && other.at_us < edge);
    let hold_off_us = u64::from(Policy::default().relay_hold_off_ms) * 1000;
    let hold_off = opened.map_or(Duration::ZERO, |opened| between(recorded, edge.min(opened.at_us + hold_off_us)));
    Some(Passage {
        was_measured: visit.face_us.is_none_or(|face| face + MEASURED_US <= written),
        camera: between(visit.code_us, written),
        relay_edge: between(written, edge),
        frame: between(written, read).saturating_sub(decode),
        decode,
        decide,
        screen,
        reading: wait - screen,
        record: between(decided, recorded),
        hold_off,
        relay: between(recorded, edge).saturating_sub(hold_off),
    })
}

impl Group {
    fn of(passages: &[Passage]) -> Group {
        let spread = |part: fn(&Passage) -> Duration| Spread::of(passages.iter().map(part).collect());
        Group {
            people: passages.len(),
            relay_edge_ms: spread(|passage| passage.relay_edge),
            camera_ms: spread(|passage| passage.camera),
            frame_ms: spread(|passage| passage.frame),
            decode_ms: spread(|passage| passage.decode),
            decide_ms: spread(|passage| passage.decide),
            screen_ms: spread(|passage| passage.screen),
            reading_ms: spread(|passage| passage.reading),
            record_ms: spread(|passage| passage.record),
            hold_off_ms: spread(|passage| passage.hold_off),
            relay_ms: spread(|passage| passage.relay),
        }
    }

    /// Its parts with their names, in the order in which they happen.
    pub(super) fn parts(&self) -> [(&'static str, Spread); 10] {
        [
            ("until the next frame (before it)", self.camera_ms),
            ("first readable frame to edge", self.relay_edge_ms),
            ("  frame through the pipe", self.frame_ms),
            ("  reading the code", self.decode_ms),
            ("  verifying and deciding", self.decide_ms),
            ("  the verdict before is shown", self.screen_ms),
            ("  waiting for a reading", self.reading_ms),
            ("  durable record", self.record_ms),
            ("  relay opens between pulses", self.hold_off_ms),
            ("  relay order to edge", self.relay_ms),
        ]
    }
}

impl Spread {
    fn of(mut times: Vec<Duration>) -> Spread {
        times.sort_unstable();
        let at = |percent| hundredths(percentile_ms(&times, percent));
        Spread { p50: at(50), p99: at(99), max: at(100) }
    }
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;
    use menshen_core::decide::{Context, Measured, Shown, decide};
    use menshen_core::ids::IssuerId;
    use menshen_core::time::Time;
    use menshen_core::verdict::Verdict;

    const MS: u64 = 1000;

    fn verdict(verdict: Verdict) -> What {
        let (policy, home) = (Policy::default(), IssuerId::new(330_100).unwrap());
        let context = Context { trust: None, status: None, history: None, policy: &policy, home };
        let decision = decide(&Shown::Nothing, Measured::Nothing, Time::trusted(1), context);
        let timing = Timing { decide: Duration::from_micros(100), ..Timing::default() };
        What::Verdict(Box::new(menshen_core::decide::Decision { verdict, ..decision }), timing)
    }

    /// Somebody whose code is written at `from_ms` and decided about `wait_ms` after it was read.
    fn one(person: usize, from_ms: u64, wait_ms: u64) -> Vec<Said> {
        let decided = (from_ms + 12 + wait_ms) * MS + 100;
        [
            (from_ms * MS, What::Written(person)),
            ((from_ms + 12) * MS, What::Read(person, Duration::from_millis(10))),
            (decided, What::Step(Step::Decided)),
            (decided + 3 * MS, What::Step(Step::Recorded)),
            (decided + 4 * MS, What::Step(Step::RelayClosed)),
            (decided + 4 * MS, verdict(Verdict::Admit)),
        ]
        .map(|(at_us, what)| Said { at_us, what })
        .into()
    }

    fn two() -> (Vec<Visit>, Vec<Said>, Vec<Edge>) {
        let visits = [(400, 990), (2400, 1995)]
            .map(|(face_ms, code_ms)| Visit { face_us: Some(face_ms * MS), code_us: code_ms * MS });
        let said = [one(0, 1000, 0), one(1, 2000, 600)].into_iter().flatten().collect();
        let edges = [(true, 1017), (false, 2640), (true, 2690)];
        (visits.into(), said, edges.map(|(closed, ms)| Edge { closed, at_us: ms * MS }).into())
    }

    #[test]
    fn every_part_is_accounted_for_once() {
        let (visits, said, relay) = two();
        let account = account(&visits, &said, &relay, 2).unwrap();
        let all = |group: &Group| {
            let parts = group.parts();
            assert_eq!(group.people, 1);
            let sum: f64 = parts.iter().skip(2).map(|(_, part)| part.p50).sum();
            assert!((sum - group.relay_edge_ms.p50).abs() < 0.1, "{group:?}");
        };
        all(&account.face_first);
        all(&account.phone_first);
        let first = &account.face_first;
        let found =
            [first.camera_ms, first.relay_edge_ms, first.frame_ms, first.decode_ms, first.record_ms, first.relay_ms];
        assert_eq!(found.map(|part| part.p50), [10.0, 17.0, 2.0, 10.0, 3.0, 1.9]);
        // Read at 2012 and decided at 2612, while the verdict of 1016.1 was to be read until 1716.1.
        let second = &account.phone_first;
        assert_eq!(
            [second.screen_ms, second.reading_ms, second.relay_edge_ms].map(|part| part.p50),
            [0.0, 600.0, 690.0]
        );
        // Recorded at 2615.1; the pulse before ended at 2640, and 50 ms later it may close again.
        assert_eq!((second.hold_off_ms.p50, second.relay_ms.p50), (74.9, 0.0));
        assert!((account.people_per_min - 60.0 / 1.673).abs() < 0.01, "{}", account.people_per_min);
    }

    #[test]
    fn nothing_is_figured_out_where_somebody_was_not_let_in_or_an_edge_or_a_record_is_missing() {
        let (visits, said, relay) = two();
        let told =
            |said: &[Said], relay: &[Edge], records| account(&visits, said, relay, records).unwrap_err().to_string();
        assert!(told(&said, &relay, 3).contains("2 admissions, 2 edges of the relay and 3 records"));
        assert!(told(&said, &relay[..2], 2).contains("2 admissions, 1 edges"));
        let mut refused = said;
        refused.push(Said { at_us: 3_000_000, what: verdict(Verdict::Refer) });
        assert!(told(&refused, &relay, 2).contains("was not let in"));
    }
}
