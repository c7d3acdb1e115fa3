//! What a lane has done today, in numbers: for its screen, and for nobody else.
//!
//! Counts of the day, counts of each of the last hours, and the last decisions with their time, verdict, gravest reason
//! and cause. Nothing here is about a person: no issuer, no temperature, no name, no pseudonym. It is made from what was
//! recorded and is filled from the journal after a start, in a thread of its own, so that nobody at the gate waits.
//!
//! Invariants: only what is in the journal is counted, once; memory is bounded.

use crate::journal::{Journal, Status};
use crate::threads::Stop;
use menshen_core::decide::Verdict;
use menshen_core::history::Day;
use menshen_core::manual::Cause;
use menshen_core::reason::Reason;
use menshen_core::record::{Body, Epoch, Record, Scan, Seq};
use menshen_core::time::{Confidence, Time};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many hours are kept apart, this one among them.
pub const HOURS: u64 = 24;
/// So many of the last decisions are kept.
pub const RECENT: usize = 100;
const HOUR_S: u64 = 3600;
/// Records read from the journal at a time.
const CHUNK: usize = 256;
/// More than the busiest lane has in a day.
const MOST_READ: usize = 100_000;

/// How many got which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Admitted.
    pub admit: u32,
    /// Left to a person.
    pub refer: u32,
    /// Refused.
    pub refuse: u32,
}

impl Counts {
    fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Admit => &mut self.admit,
            Verdict::Refer => &mut self.refer,
            Verdict::Refuse => &mut self.refuse,
        } += 1;
    }

    /// All of them.
    pub const fn all(&self) -> u32 {
        self.admit + self.refer + self.refuse
    }
}

/// A decision without the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the journal; it rises.
    pub number: u64,
    /// When, and how surely.
    pub time: Time,
    /// What was decided.
    pub verdict: Verdict,
    /// The gravest reason, where there was one.
    pub reason: Option<Reason>,
    /// Why a volunteer decided, where one did.
    pub cause: Option<Cause>,
}

impl Entry {
    /// Of a record; `None` of one that is no decision of this lane.
    fn of(record: &Record, lane: u8, number: u64) -> Option<Entry> {
        let Body::Scan(Scan { verdict, reasons, cause, .. }) = &record.body else { return None };
        let entry =
            Entry { number, time: record.time, verdict: *verdict, reason: reasons.first().copied(), cause: *cause };
        (record.lane == lane).then_some(entry)
    }
}

/// The numbers as they are at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Of this day of the site.
    pub today: Counts,
    /// The hours that had anybody, by their number since 1970, the oldest first.
    pub hours: Vec<(u64, Counts)>,
    /// The last decisions, the newest first.
    pub recent: Vec<Entry>,
}

/// The numbers of one lane; whoever decides writes, whoever shows reads.
#[derive(Debug, Default)]
pub struct Tally {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    days: BTreeMap<Day, Counts>,
    hours: BTreeMap<u64, Counts>,
    recent: VecDeque<Entry>,
    changes: u64,
}

impl Tally {
    /// One more decision is in the journal.
    pub fn note(&self, entry: Entry) {
        let mut inner = self.lock();
        inner.count(&entry);
        inner.recent.push_front(entry);
        inner.recent.truncate(RECENT);
        inner.forget_old(entry.time);
    }

    /// How often it changed.
    pub fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// The numbers as they are, where this is now.
    pub fn summary(&self, now: Time) -> Summary {
        let inner = self.lock();
        let hour = now.unix_s / HOUR_S;
        Summary {
            today: inner.days.get(&Day::of(now.unix_s)).copied().unwrap_or_default(),
            hours: inner
                .hours
                .iter()
                .filter(|(at, _)| **at <= hour && hour - **at < HOURS)
                .map(|(h, c)| (*h, *c))
                .collect(),
            recent: inner.recent.iter().copied().collect(),
        }
    }

    /// Fills in what the journal held before this start (`before`), of one lane and of about a day.
    pub fn restore(&self, journal: &dyn Journal, lane: u8, before: Status, stop: &Stop) {
        let (epoch, mut end) = (Epoch(before.epoch), before.next_seq);
        let mut newest = None;
        let mut read = 0;
        while end > 1 && read < MOST_READ && !stop.is_set() {
            let from = end.saturating_sub(CHUNK as u64).max(1);
            let Ok(Some(found)) = journal.read(epoch, Seq(from), (end - from) as usize) else { return };
            let entries = found.records.iter().zip(found.first.0..).filter_map(|(bytes, seq)| {
                let number = crate::journal::Stored { epoch, seq: Seq(seq) }.number();
                Entry::of(&Record::from_bytes(bytes).ok()?, lane, number)
            });
            let entries: Vec<Entry> = entries.collect();
            let newest_s = *newest.get_or_insert_with(|| entries.last().map_or(0, |entry| entry.time.unix_s));
            let is_over = entries.first().is_some_and(|first| first.time.unix_s + HOURS * HOUR_S < newest_s);
            self.restore_some(&entries);
            if is_over || found.first.0 > from {
                return;
            }
            read += found.records.len();
            end = from;
        }
    }

    /// Older than everything that is there, the newest last.
    fn restore_some(&self, entries: &[Entry]) {
        let mut inner = self.lock();
        for entry in entries.iter().rev() {
            inner.count(entry);
            if inner.recent.len() < RECENT {
                inner.recent.push_back(*entry);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A count is whole after any panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn count(&mut self, entry: &Entry) {
        self.days.entry(Day::of(entry.time.unix_s)).or_default().add(entry.verdict);
        self.hours.entry(entry.time.unix_s / HOUR_S).or_default().add(entry.verdict);
        self.changes += 1;
    }

    /// Whatever the clock has been through, no more is kept than a day has.
    fn forget_old(&mut self, now: Time) {
        let hour = now.unix_s / HOUR_S;
        let is_sure = now.confidence == Confidence::Trusted;
        self.hours.retain(|at, _| hour.abs_diff(*at) < HOURS || !is_sure);
        while self.hours.len() > 2 * HOURS as usize {
            self.hours.pop_first();
        }
        while self.days.len() > 3 {
            self.days.pop_first();
        }
    }
}

/// Fills a tally from the journal in a thread of its own.
pub fn spawn_restore(
    tally: Arc<Tally>,
    journal: Arc<dyn Journal>,
    lane: u8,
    stop: Stop,
) -> std::thread::JoinHandle<()> {
    let before = journal.status();
    crate::threads::spawn("tally", move || {
        crate::threads::yield_to_others();
        tally.restore(journal.as_ref(), lane, before, &stop);
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::journal::SledJournal;
    use menshen_core::decide::{Context, Decision, Measured, Shown, decide};
    use menshen_core::ids::IssuerId;
    use menshen_core::policy::Policy;

    /// 2020-09-13, 20:26:40 in China.
    const NOW_S: u64 = 1_600_000_000;

    fn entry(unix_s: u64, verdict: Verdict) -> Entry {
        Entry { number: unix_s, time: Time::trusted(unix_s), verdict, reason: None, cause: None }
    }

    fn nobody(reason: Reason) -> Decision {
        let policy = Policy::default();
        let context = Context { trust: None, status: None, history: None, policy: &policy, home: IssuerId::NATIONAL };
        decide(&Shown::Nothing, Measured::Nothing, Time::trusted(NOW_S), context).with(reason)
    }

    #[test]
    fn a_day_is_the_sites_own_and_an_hour_holds_its_own() {
        let tally = Tally::default();
        let midnight_s = NOW_S - (20 * 60 + 26) * 60 - 40;
        tally.note(entry(midnight_s - 1, Verdict::Admit));
        tally.note(entry(midnight_s, Verdict::Admit));
        tally.note(entry(NOW_S, Verdict::Refuse));
        let summary = tally.summary(Time::trusted(NOW_S));
        assert_eq!(summary.today, Counts { admit: 1, refer: 0, refuse: 1 });
        assert_eq!(summary.hours.iter().map(|(_, counts)| counts.all()).collect::<Vec<_>>(), [1, 1, 1]);
        assert_eq!(summary.recent.first().map(|newest| newest.verdict), Some(Verdict::Refuse));
        assert_eq!(tally.summary(Time::trusted(NOW_S + 86_400)).today, Counts::default());
    }

    #[test]
    fn however_many_come_and_whatever_the_clock_does_little_is_kept() {
        let tally = Tally::default();
        for n in 0..20_000_u64 {
            let unix_s = NOW_S.wrapping_add(n.wrapping_mul(7_919_777) % 40_000_000);
            let time = if n % 3 == 0 { Time::floor(unix_s) } else { Time::trusted(unix_s) };
            tally.note(Entry { time, ..entry(unix_s, Verdict::Admit) });
        }
        let inner = tally.lock();
        assert!(inner.hours.len() <= 2 * HOURS as usize && inner.days.len() <= 3 && inner.recent.len() == RECENT);
    }

    #[test]
    fn after_a_start_it_says_what_the_journal_holds_of_this_lane_once() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Arc::new(SledJournal::open(dir.path()).unwrap());
        let scan = |reason| Body::Scan(Scan::of(&nobody(reason), None));
        for n in 0..600 {
            let time = Time::trusted(NOW_S + n);
            journal
                .append(time, (n % 2) as u8, scan(if n % 4 == 1 { Reason::Red } else { Reason::NoReading }))
                .unwrap();
        }
        journal.append(Time::trusted(NOW_S + 600), 1, Body::Alarm(true)).unwrap();
        let tally = Arc::new(Tally::default());
        let stop = Stop::new();
        let thread = spawn_restore(tally.clone(), journal.clone(), 1, stop);
        // Somebody comes meanwhile.
        tally.note(Entry { number: u64::MAX, ..entry(NOW_S + 700, Verdict::Admit) });
        thread.join().unwrap();
        let summary = tally.summary(Time::trusted(NOW_S + 700));
        assert_eq!(summary.today, Counts { admit: 1, refer: 150, refuse: 150 });
        assert_eq!(summary.recent.len(), RECENT);
        let numbers: Vec<u64> = summary.recent.iter().map(|entry| entry.number).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] > pair[1]), "{numbers:?}");
    }

    #[test]
    fn what_is_older_than_a_day_is_not_counted_as_today() {
        let dir = tempfile::tempdir().unwrap();
        let journal = SledJournal::open(dir.path()).unwrap();
        for day in 0..3 {
            let time = Time::trusted(NOW_S - 2 * 86_400 + day * 86_400);
            journal.append(time, 1, Body::Scan(Scan::of(&nobody(Reason::Red), None))).unwrap();
        }
        let tally = Tally::default();
        tally.restore(&journal, 1, journal.status(), &Stop::new());
        assert_eq!(tally.summary(Time::trusted(NOW_S)).today.all(), 1);
    }
}
