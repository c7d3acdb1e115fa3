//! What a lane has done today, in numbers: for its screen, and for nobody else.
//!
//! Counts of the day, counts of each of the last hours, and what came of the last people with time, verdict, gravest reason
//! and cause. Nothing here is about a person: no issuer, no temperature, no name, no pseudonym. It is made from what was
//! recorded and is filled from the journal after a start, in a thread of its own, so that nobody at the gate waits.
//!
//! People are counted, not decisions: where a volunteer goes beyond what was decided about somebody, the later decision
//! takes the place of the earlier one, in the counts and in the list. Records do not say whom they are of, so it is told by
//! what the gate found, which such a decision repeats (`Entry::goes_beyond`).
//!
//! Invariants: only what is in the journal is counted, once; memory, and what is read of the journal, is bounded.

use crate::journal::{Journal, Status};
use crate::threads::Stop;
use menshen_core::decide::Verdict;
use menshen_core::history::Day;
use menshen_core::manual::Cause;
use menshen_core::reason::Reason;
use menshen_core::record::{Body, Epoch, Record, Scan, Seq};
use menshen_core::time::{Confidence, Time};
use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many hours are kept apart, this one among them.
pub const HOURS: u64 = 24;
/// So many of the last decisions are kept.
pub const RECENT: usize = 100;
const HOUR_S: u64 = 3600;
/// Records read from the journal at a time.
const CHUNK: usize = 256;
/// More than the busiest device has in a day.
const MOST_READ: usize = 50_000;
/// For so long two people of whom the gate found nothing are taken for one; as long as a lane remembers a verdict.
const ALIKE_S: u64 = 60;

/// How many people got which verdict in the end.
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
    const fn of(&mut self, verdict: Verdict) -> &mut u32 {
        match verdict {
            Verdict::Admit => &mut self.admit,
            Verdict::Refer => &mut self.refer,
            Verdict::Refuse => &mut self.refuse,
        }
    }

    /// All of them.
    pub const fn all(&self) -> u32 {
        self.admit + self.refer + self.refuse
    }
}

/// What came of somebody, without the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the journal; it rises.
    pub number: u64,
    /// When, and how surely.
    pub time: Time,
    /// What was decided.
    pub verdict: Verdict,
    /// The gravest reason that the gate found, where there was one; of somebody whom a volunteer decided about and the
    /// gate found nothing against, that a volunteer did.
    pub reason: Option<Reason>,
    /// Why a volunteer decided, where one did.
    pub cause: Option<Cause>,
    /// A digest of what the gate found, to be compared and for nothing else.
    found: u64,
    /// Whether that was anything of the person: a code whose issuer is known, or a temperature.
    has_marks: bool,
}

impl Entry {
    /// Of what is recorded of a decision, under its number in the journal.
    pub fn new(number: u64, time: Time, scan: &Scan) -> Entry {
        let Scan { verdict, reasons, issuer, colour, reading, cause, .. } = scan;
        let found = || reasons.iter().copied().filter(|reason| *reason != Reason::ManualOverride);
        let mut digest = DefaultHasher::new();
        found().for_each(|reason| reason.code().hash(&mut digest));
        issuer.map(|issuer| issuer.code()).hash(&mut digest);
        colour.map(|colour| colour.name()).hash(&mut digest);
        reading.map(|reading| (reading.temp_centi_c, reading.ambient_centi_c)).hash(&mut digest);
        Entry {
            number,
            time,
            verdict: *verdict,
            reason: found().next().or_else(|| reasons.first().copied()),
            cause: *cause,
            found: digest.finish(),
            // An issuer is everybody's.
            has_marks: reading.is_some(),
        }
    }

    /// Of a record; `None` of one that is no decision of this lane.
    fn of(record: &Record, lane: u8, number: u64) -> Option<Entry> {
        let Body::Scan(scan) = &record.body else { return None };
        (record.lane == lane).then(|| Entry::new(number, record.time, scan))
    }

    /// Whether a volunteer decided this of whom the lane's decision before was about: they say otherwise, of the same
    /// findings. Of two people with no known code and no temperature the gate finds the same; they are told apart by time.
    fn goes_beyond(&self, before: &Entry) -> bool {
        let is_near = self.time.unix_s.abs_diff(before.time.unix_s) <= ALIKE_S;
        self.cause.is_some()
            && self.verdict != before.verdict
            && self.found == before.found
            && (self.has_marks || is_near)
    }
}

/// The numbers as they are at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Of this day of the site.
    pub today: Counts,
    /// The hours that had anybody, by their number since 1970, the oldest first.
    pub hours: Vec<(u64, Counts)>,
    /// What came of the last people, the newest first.
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
    /// The newest of this run: after a start a lane knows nobody whom a volunteer could mean.
    newest: Option<Entry>,
    changes: u64,
}

impl Tally {
    /// One more decision is in the journal.
    pub fn note(&self, entry: Entry) {
        let mut inner = self.lock();
        if let Some(before) = inner.newest.filter(|before| entry.goes_beyond(before)) {
            inner.take_back(&before);
        }
        inner.newest = Some(entry);
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
        let (mut newest_s, mut after, mut read) = (None, None, 0);
        while end > 1 && read < MOST_READ && !stop.is_set() {
            let from = end.saturating_sub(CHUNK as u64).max(1);
            let Ok(Some(found)) = journal.read(epoch, Seq(from), (end - from) as usize) else { return };
            let records = found.records.iter().zip(found.first.0..);
            let records = records.filter_map(|(bytes, seq)| Some((Record::from_bytes(bytes).ok()?, seq)));
            let records: Vec<(Record, u64)> = records.collect();
            let entries: Vec<Entry> = records
                .iter()
                .filter_map(|(record, seq)| {
                    let number = crate::journal::Stored { epoch, seq: Seq(*seq) }.number();
                    Entry::of(record, lane, number)
                })
                .collect();
            self.restore_some(&entries, &mut after);
            // By whatever was recorded: a lane that nobody uses has nothing in all of the journal.
            let at = |record: Option<&(Record, u64)>| record.map(|(record, _)| record.time.unix_s);
            let newest_s = *newest_s.get_or_insert(at(records.last()).unwrap_or_default());
            let is_over = at(records.first()).is_some_and(|first_s| first_s + HOURS * HOUR_S < newest_s);
            if is_over || found.first.0 > from {
                return;
            }
            read += found.records.len().max(1);
            end = from;
        }
    }

    /// Older than everything that is there, the newest last; `after` is the one that followed them.
    fn restore_some(&self, entries: &[Entry], after: &mut Option<Entry>) {
        let mut inner = self.lock();
        for entry in entries.iter().rev() {
            let is_replaced = after.replace(*entry).is_some_and(|after| after.goes_beyond(entry));
            if is_replaced {
                continue;
            }
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
        *self.days.entry(Day::of(entry.time.unix_s)).or_default().of(entry.verdict) += 1;
        *self.hours.entry(entry.time.unix_s / HOUR_S).or_default().of(entry.verdict) += 1;
        self.changes += 1;
    }

    /// The newest, because another decision takes its place. Its hour may be forgotten already.
    fn take_back(&mut self, entry: &Entry) {
        let of_day = self.days.get_mut(&Day::of(entry.time.unix_s));
        let of_hour = self.hours.get_mut(&(entry.time.unix_s / HOUR_S));
        for counts in of_day.into_iter().chain(of_hour) {
            let count = counts.of(entry.verdict);
            *count = count.saturating_sub(1);
        }
        self.hours.retain(|_, counts| counts.all() > 0);
        self.recent.retain(|kept| kept.number != entry.number);
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
    use crate::journal::fake::{Answers, Fake};
    use crate::journal::{JournalError, Pending, SledJournal};
    use menshen_core::decide::{Context, Decision, Measured, Shown, decide};
    use menshen_core::ids::IssuerId;
    use menshen_core::policy::Policy;
    use menshen_core::thermo::Reading;

    /// 2020-09-13, 20:26:40 in China.
    const NOW_S: u64 = 1_600_000_000;

    fn entry(unix_s: u64, verdict: Verdict) -> Entry {
        let scan = Scan { verdict, ..Scan::of(&nobody(Reason::NoReading), None) };
        Entry::new(unix_s, Time::trusted(unix_s), &scan)
    }

    /// Somebody with this temperature, and what a volunteer made of it.
    fn measured(centi_c: i16, by_hand: Option<Cause>) -> Scan {
        let mut decision = nobody(Reason::Yellow);
        decision.evidence.reading = Some(Reading::of(centi_c, 2410));
        let decision = by_hand.into_iter().fold(decision, Decision::by_hand);
        Scan::of(&decision, None)
    }

    fn people(summary: &Summary) -> (Counts, Counts, usize) {
        let hours = summary.hours.iter().fold(Counts::default(), |all, (_, hour)| Counts {
            admit: all.admit + hour.admit,
            refer: all.refer + hour.refer,
            refuse: all.refuse + hour.refuse,
        });
        (summary.today, hours, summary.recent.len())
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
            tally.note(Entry { time, number: n, ..entry(unix_s, Verdict::Admit) });
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

    /// Some people of lane 1 in the order of the journal, over two hours.
    fn shift() -> Vec<(u64, Scan)> {
        let (paper, unwell) = (Some(Cause::PaperSeen), Some(Cause::Unwell));
        vec![
            (NOW_S, measured(3640, None)),
            // The same person, in another hour.
            (NOW_S + 3000, measured(3640, paper)),
            // And kept out after all.
            (NOW_S + 3010, measured(3640, unwell)),
            // Somebody else by their temperature, and nobody before them.
            (NOW_S + 3020, measured(3660, paper)),
            (NOW_S + 3030, measured(3650, None)),
            // Two without code and temperature: within a minute one, then another.
            (NOW_S + 3100, Scan::of(&nobody(Reason::NoReading), None)),
            (NOW_S + 3110, Scan::of(&nobody(Reason::NoReading).by_hand(Cause::NoPhone), None)),
            (NOW_S + 3200, Scan::of(&nobody(Reason::NoReading), None)),
            (NOW_S + 3300, Scan::of(&nobody(Reason::NoReading).by_hand(Cause::NoPhone), None)),
            // Two of one issuer whose temperature was not taken: an issuer is everybody's.
            (NOW_S + 3310, Scan { reading: None, ..measured(3640, None) }),
            (NOW_S + 3400, Scan { reading: None, ..measured(3640, paper) }),
        ]
    }

    #[test]
    fn who_is_decided_about_again_by_hand_is_one_person_today_in_the_hours_and_in_the_list() {
        let tally = Tally::default();
        for ((unix_s, scan), number) in shift().iter().zip(1..) {
            tally.note(Entry::new(number, Time::trusted(*unix_s), scan));
        }
        let summary = tally.summary(Time::trusted(NOW_S + 3400));
        let counts = Counts { admit: 4, refer: 3, refuse: 1 };
        assert_eq!(people(&summary), (counts, counts, 8));
        let kept_out = summary.recent.iter().find(|entry| entry.cause == Some(Cause::Unwell)).unwrap();
        assert_eq!(kept_out.reason, Some(Reason::Yellow), "what the gate found is still said");
    }

    #[test]
    fn after_a_start_people_are_counted_as_they_were_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let journal = SledJournal::open(dir.path()).unwrap();
        let live = Tally::default();
        for (unix_s, scan) in shift() {
            let stored = journal.append(Time::trusted(unix_s), 1, Body::Scan(scan.clone())).unwrap();
            live.note(Entry::new(stored.number(), Time::trusted(unix_s), &scan));
            // What another lane decides meanwhile is of nobody here.
            journal.append(Time::trusted(unix_s), 2, Body::Scan(scan)).unwrap();
        }
        let restored = Tally::default();
        restored.restore(&journal, 1, journal.status(), &Stop::new());
        let now = Time::trusted(NOW_S + 3300);
        assert_eq!(restored.summary(now), live.summary(now));
    }

    #[test]
    fn a_lane_that_nobody_used_for_long_is_not_looked_for_in_all_of_the_journal() {
        struct Counted(SledJournal, std::sync::atomic::AtomicUsize);
        impl Answers for Counted {
            fn read(&self, epoch: Epoch, from: Seq, most: usize) -> Result<Option<Pending>, JournalError> {
                self.1.fetch_add(most, std::sync::atomic::Ordering::SeqCst);
                self.0.read(epoch, from, most)
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let journal = SledJournal::open(dir.path()).unwrap();
        // One in five minutes by the other lane, so that a chunk is about a day.
        for n in 0..3000 {
            journal.append(Time::trusted(NOW_S + n * 300), 2, Body::Alarm(n % 2 == 0)).unwrap();
        }
        let upto = journal.status();
        let journal = Fake(Counted(journal, Default::default()));
        let tally = Tally::default();
        tally.restore(&journal, 1, upto, &Stop::new());
        let read = journal.0.1.load(std::sync::atomic::Ordering::SeqCst);
        assert!(read <= 2 * 288 + 2 * CHUNK, "{read} records are more than two days");
        assert_eq!(tally.summary(Time::trusted(NOW_S)).recent, []);
    }
}
