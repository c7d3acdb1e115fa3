//! Counting, forgetting, and gates that tell each other.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use super::neighbours::{Neighbours, Talk};
use super::*;
use crate::health::Health;
use crate::journal::SledJournal;
use crate::threads::Stop;
use menshen_core::clock::{Implausible, Published};
use menshen_core::ids::IssuerId;
use menshen_core::record::Body;
use menshen_core::time::Time;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// 2020-09-13 20:26:40 in China.
const NOW_S: u64 = 1_600_000_000;
const DAY_S: u64 = 86_400;
/// Far more than anything here takes, for a machine under load.
const PATIENCE: Duration = Duration::from_secs(30);

/// A clock that is set by hand.
struct Watch(Mutex<(u64, Time)>);

impl Watch {
    fn new() -> Arc<Watch> {
        Arc::new(Watch(Mutex::new((1_000_000, Time::trusted(NOW_S)))))
    }

    fn pass(&self, seconds: u64) {
        let mut now = self.0.lock().unwrap();
        now.0 += seconds * 1000;
        now.1.unix_s += seconds;
    }
}

impl Clock for Watch {
    fn mono_ms(&self) -> u64 {
        self.0.lock().unwrap().0
    }
    fn time(&self) -> Time {
        self.0.lock().unwrap().1
    }
    fn published(&self, _: Published) {}
    fn heard_not_before(&self, _: u64) {}
    fn signed_now(&self, _: u64, _: u32) -> Result<(), Implausible> {
        Ok(())
    }
}

fn issuer() -> IssuerId {
    IssuerId::new(330_106).unwrap()
}

fn pass(n: u8) -> PassRef {
    PassRef { issuer: issuer(), pass_id: [n; 8], outwards: false }
}

fn household(n: u8) -> HouseholdRef {
    HouseholdRef { issuer: issuer(), household: [n; 8] }
}

fn visit(n: u8, at_s: u64) -> Visit {
    Visit { pass: pass(n), outing: Some((household(n), Day::of(at_s))) }
}

fn memory(own: u8, clock: &Arc<Watch>) -> Arc<Memory> {
    Arc::new(Memory::empty(Secret([7; 32]), Origin([own; 8]), clock.clone()))
}

fn note(memory: &Memory, number: u64, visit: &Visit) {
    memory.note(number, memory.entry(visit));
}

#[test]
fn a_visit_is_remembered_by_pass_and_by_household_and_nobody_elses_is() {
    let clock = Watch::new();
    let memory = memory(1, &clock);
    note(&memory, 1, &visit(1, NOW_S));
    clock.pass(40);
    assert_eq!((memory.admitted_s_ago(pass(1)), memory.admitted_s_ago(pass(2))), (Some(40), None));
    let today = Day::of(NOW_S);
    assert_eq!((memory.outings_since(household(1), today), memory.outings_since(household(2), today)), (1, 0));
    assert_eq!(memory.outings_since(household(1), Day(today.0 + 1)), 0);
}

#[test]
fn a_visit_that_comes_twice_is_counted_once() {
    let clock = Watch::new();
    let memory = memory(1, &clock);
    let entry = memory.entry(&visit(1, NOW_S));
    for _ in 0..3 {
        memory.note(1, entry);
    }
    assert_eq!(memory.outings_since(household(1), Day::of(NOW_S)), 1);
}

#[test]
fn what_no_rule_can_ask_for_is_forgotten_and_the_rest_is_not() {
    let clock = Watch::new();
    let memory = memory(1, &clock);
    note(&memory, 1, &visit(1, NOW_S));
    clock.pass(14 * DAY_S);
    memory.forget_old();
    assert_eq!(memory.admitted_s_ago(pass(1)), None);
    assert_eq!(memory.outings_since(household(1), Day(0)), 1);
    clock.pass(2 * DAY_S);
    memory.forget_old();
    assert_eq!(memory.outings_since(household(1), Day(0)), 0);
    assert_eq!(memory.state().log.values().map(BTreeMap::len).sum::<usize>(), 0);
}

#[test]
fn what_a_gate_counted_before_it_was_switched_off_still_counts() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Watch::new();
    let secret = Secret::load_or_make(dir.path()).unwrap();
    {
        let journal = SledJournal::open(dir.path()).unwrap();
        let memory = Memory::open(secret, Origin([1; 8]), clock.clone(), &journal).unwrap();
        let entry = memory.entry(&visit(1, NOW_S));
        let kept = Some(&entry.to_bytes()[..]);
        let stored = journal.append_with(Time::trusted(NOW_S), 1, Body::Alarm(true), kept).unwrap();
        memory.note(stored.number(), entry);
    }
    clock.pass(100);
    let journal = SledJournal::open(dir.path()).unwrap();
    let secret = Secret::load_or_make(dir.path()).unwrap();
    let memory = Memory::open(secret, Origin([1; 8]), clock.clone(), &journal).unwrap();
    assert_eq!(memory.admitted_s_ago(pass(1)), Some(100));
    assert_eq!(memory.outings_since(household(1), Day::of(NOW_S)), 1);
    // The journal itself forgets it when nobody can ask for it.
    journal.purge(Time::trusted(NOW_S + 16 * DAY_S), true).unwrap();
    assert!(journal.kept().unwrap().is_empty());
}

#[test]
fn after_a_start_nobody_is_asked_about_by_a_clock_that_is_not_sure() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Watch::new();
    let journal = SledJournal::open(dir.path()).unwrap();
    let entry = memory(1, &clock).entry(&visit(1, NOW_S));
    journal.append_with(Time::trusted(NOW_S), 1, Body::Alarm(true), Some(&entry.to_bytes())).unwrap();
    clock.pass(3600);
    clock.0.lock().unwrap().1 = Time::floor(NOW_S);
    let memory = Memory::open(Secret([7; 32]), Origin([1; 8]), clock.clone(), &journal).unwrap();
    assert_eq!(memory.admitted_s_ago(pass(1)), None);
    clock.0.lock().unwrap().1 = Time::trusted(NOW_S + 3600);
    assert_eq!(memory.admitted_s_ago(pass(1)), Some(3600));
}

#[test]
fn an_outing_on_a_day_that_has_not_come_is_not_counted() {
    let clock = Watch::new();
    let memory = memory(1, &clock);
    note(&memory, 1, &visit(1, NOW_S + 40 * DAY_S));
    assert_eq!(memory.outings_since(household(1), Day::of(NOW_S)), 0);
}

#[test]
fn without_the_secret_of_the_site_no_tag_can_be_told() {
    let clock = Watch::new();
    let of = |secret| Memory::empty(Secret(secret), Origin([1; 8]), clock.clone()).entry(&visit(1, NOW_S));
    let (one, other) = (of([7; 32]), of([8; 32]));
    assert_ne!(one.pass, other.pass);
    assert_ne!(one.outing, other.outing);
    // Nor does a household's look like a pass's of the same number.
    assert_ne!(Some(one.pass), one.outing.map(|(household, _)| household));
}

#[test]
fn an_entry_reads_back_with_and_without_an_outing() {
    let outing = Some((Tag([2; 8]), Day(18_500)));
    for outing in [None, outing] {
        let entry = Entry { unix_s: NOW_S, pass: Tag([1; 8]), outing };
        assert_eq!(Entry::from_bytes(&entry.to_bytes()), Some(entry));
        assert_eq!(Entry::from_bytes(&entry.to_bytes()[1..]), None);
    }
}

/// Gates on this machine's loopback.
struct Site {
    memories: Vec<Arc<Memory>>,
    healths: Vec<Arc<Health>>,
    addrs: Vec<SocketAddr>,
    stops: Vec<Stop>,
}

fn loopback() -> SocketAddr {
    // A port that is free now is almost surely free in a moment.
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn site(secrets: &[u8]) -> Site {
    let clock = Watch::new();
    let addrs: Vec<SocketAddr> = secrets.iter().map(|_| loopback()).collect();
    let mut site = Site { memories: vec![], healths: vec![], addrs: addrs.clone(), stops: vec![] };
    for (at, secret) in (0u8..).zip(secrets) {
        let memory =
            Arc::new(Memory::empty(Secret([*secret; 32]), Origin([at + 1; 8]), clock.clone() as Arc<dyn Clock>));
        site.memories.push(memory);
        site.healths.push(Arc::default());
        site.stops.push(Stop::new());
        site.start(usize::from(at), *secret);
    }
    site
}

impl Site {
    fn start(&mut self, at: usize, secret: u8) {
        let listen = self.addrs[at];
        let peers = self.addrs.iter().copied().filter(|addr| *addr != listen).collect();
        let neighbours = Neighbours { listen, peers };
        let talk = Talk::new(neighbours, &Secret([secret; 32]), self.memories[at].clone());
        self.stops[at] = Stop::new();
        talk.spawn(self.healths[at].clone(), self.stops[at].clone());
    }

    #[track_caller]
    fn soon(&self, what: impl Fn(&Site) -> bool) {
        let begun = Instant::now();
        while !what(self) {
            assert!(begun.elapsed() < PATIENCE, "it did not come about");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stops.iter().for_each(Stop::set);
    }
}

#[test]
fn a_household_that_went_out_by_one_gate_has_gone_out_at_all_of_them() {
    let site = site(&[7, 7, 7]);
    for (number, n) in (1..).zip(1..=100) {
        note(&site.memories[0], number, &visit(n, NOW_S));
    }
    site.soon(|site| {
        (1..=100).all(|n| site.memories.iter().all(|m| m.outings_since(household(n), Day::of(NOW_S)) == 1))
    });
    assert!(site.memories[2].admitted_s_ago(pass(1)).is_some());
}

#[test]
fn a_gate_that_was_away_catches_up_and_is_told_as_away_meanwhile() {
    let mut site = site(&[7, 7]);
    site.soon(|site| site.healths.iter().all(|health| health.faults().neighbours.is_none()));
    site.stops[1].set();
    let away = site.addrs[1].to_string();
    site.soon(|site| site.healths[0].faults().neighbours.is_some_and(|fault| fault.contains(&away)));
    note(&site.memories[0], 1, &visit(1, NOW_S));
    site.start(1, 7);
    site.soon(|site| site.memories[1].outings_since(household(1), Day::of(NOW_S)) == 1);
    site.soon(|site| site.healths[0].faults().neighbours.is_none());
}

#[test]
fn what_one_gate_has_forgotten_another_does_not_bring_back() {
    let site = site(&[7, 7]);
    note(&site.memories[0], 1, &visit(1, NOW_S));
    site.soon(|site| site.memories[1].outings_since(household(1), Day(0)) == 1);
    {
        // One forgets, the other's clock has not come to that day yet.
        let mut state = site.memories[1].state();
        state.log.clear();
        state.outings.clear();
    }
    note(&site.memories[0], 2, &visit(2, NOW_S));
    site.soon(|site| site.memories[1].outings_since(household(2), Day(0)) == 1);
    assert_eq!(site.memories[1].outings_since(household(1), Day(0)), 0);
}

#[test]
fn a_stranger_on_the_network_is_not_believed_and_learns_nothing() {
    // The second has another site's secret, the third knows none and says anything.
    let site = site(&[7, 8, 7]);
    note(&site.memories[1], 1, &visit(5, NOW_S));
    note(&site.memories[0], 1, &visit(1, NOW_S));
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    for length in 0..1300usize {
        let mut bytes = vec![0; length];
        getrandom::fill(&mut bytes).unwrap();
        site.addrs.iter().for_each(|addr| drop(stranger.send_to(&bytes, addr)));
    }
    site.soon(|site| site.memories[2].outings_since(household(1), Day::of(NOW_S)) == 1);
    for at in [0, 2] {
        assert_eq!(site.memories[at].state().log.len(), 1, "{at} has only its site's log");
    }
    assert_eq!(site.memories[1].state().log.len(), 1);
    let away = site.addrs[1].to_string();
    site.soon(|site| site.healths[0].faults().neighbours.is_some_and(|fault| fault.contains(&away)));
}
