//! The sync agent against hubs that are well, wrong, busy, foreign or gone.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use super::*;
use crate::journal::SledJournal;
use crate::sync::UplinkError;
use menshen_core::clock::{Implausible, Published};
use menshen_core::decide::{Reasons, Verdict};
use menshen_core::record::{Body, Scan};
use menshen_core::time::Time;
use menshen_core::wire::{Batch, HubTime};
use std::sync::Mutex;
use tempfile::TempDir;

const HUB_SEED: [u8; 32] = [9; 32];

type Answer = Box<dyn FnMut(&str, &[u8]) -> Result<Reply, UplinkError> + Send>;

struct Scripted(Answer);

impl Uplink for Scripted {
    fn post(&mut self, path: &str, body: &[u8]) -> Result<Reply, UplinkError> {
        (self.0)(path, body)
    }
}

/// Stands still, and notes what it is told.
#[derive(Default)]
struct FixedClock(Mutex<Told>);

#[derive(Default)]
struct Told {
    now_ms: u64,
    heard_s: u64,
    signed: Vec<(u64, u32)>,
}

/// A little before the time that the hubs of these tests tell.
const CLOCK_S: u64 = 1_699_999_000;

impl Clock for FixedClock {
    fn mono_ms(&self) -> u64 {
        self.0.lock().unwrap().now_ms
    }
    fn time(&self) -> Time {
        Time::floor(self.0.lock().unwrap().heard_s.max(CLOCK_S))
    }
    fn published(&self, _: Published) {}
    fn heard_not_before(&self, unix_s: u64) {
        self.0.lock().unwrap().heard_s = unix_s;
    }
    fn signed_now(&self, unix_s: u64, error_s: u32) -> Result<(), Implausible> {
        if unix_s == 0 {
            return Err(Implausible::BehindProof);
        }
        self.0.lock().unwrap().signed.push((unix_s, error_s));
        Ok(())
    }
}

struct World {
    dir: TempDir,
    journal: Arc<SledJournal>,
    clock: Arc<FixedClock>,
}

impl World {
    fn with_records(count: u64) -> World {
        let dir = tempfile::tempdir().unwrap();
        let journal = Arc::new(SledJournal::open(dir.path()).unwrap());
        let world = World { dir, journal, clock: Arc::default() };
        (0..count).for_each(|_| world.append());
        world
    }

    fn append(&self) {
        let scan = Scan {
            verdict: Verdict::Admit,
            reasons: Reasons::new(),
            issuer: None,
            colour: None,
            reading: None,
            trust_version: None,
            sealed_holder: None,
            cause: None,
        };
        self.journal.append(Time::trusted(1), 1, Body::Scan(scan)).unwrap();
    }

    fn agent(&self, answer: impl FnMut(&str, &[u8]) -> Result<Reply, UplinkError> + Send + 'static) -> Agent {
        let hub = HubConfig {
            url: "http://hub.test".into(),
            key: SigningKey::from_bytes(&HUB_SEED).verifying_key().to_bytes(),
            enrol_token: Some("token".into()),
            label: "east door".into(),
            longest_wait: crate::sync::backoff::CAP,
        };
        Agent::new(
            hub,
            Box::new(Scripted(Box::new(answer))),
            self.journal.clone(),
            self.clock.clone(),
            SigningKey::from_bytes(&[5; 32]),
            self.dir.path().join("quarantine"),
            Probe::default(),
        )
    }

    fn backlog(&self) -> u64 {
        self.journal.status().backlog
    }
}

fn reply(status: u16, body: impl Into<Vec<u8>>) -> Result<Reply, UplinkError> {
    Ok(Reply { status, retry_after: None, body: body.into() })
}

/// What an honest hub answers to a batch, signed by `seed`.
fn ack(message: &[u8], seed: [u8; 32], change: impl FnOnce(&mut Ack)) -> Vec<u8> {
    let sign1 = Sign1::parse(message).unwrap();
    let batch = Batch::decode(sign1.payload).unwrap();
    let through = Seq(batch.first.0 + u64::from(batch.count) - 1);
    let mut ack = Ack { gate: batch.gate, epoch: batch.epoch, through, hub_unix_s: 1_700_000_000 };
    change(&mut ack);
    batch::sign(&ack, &SigningKey::from_bytes(&seed)).unwrap()
}

fn retry_of(outcome: Outcome) -> (Duration, String) {
    match outcome {
        Outcome::Retry { after, why } => (after, why),
        other => panic!("a retry was expected, not {other:?}"),
    }
}

#[test]
fn a_signed_ack_takes_records_off_the_backlog_and_raises_the_time_floor() {
    let world = World::with_records(3);
    let mut agent = world.agent(|_, message| reply(200, ack(message, HUB_SEED, |_| {})));
    assert_eq!(agent.round(), Outcome::Acked { hub_unix_s: 1_700_000_000 });
    assert_eq!(agent.round(), Outcome::Idle);
    assert_eq!((world.backlog(), world.clock.time()), (0, Time::floor(1_700_000_000)));
}

#[test]
fn a_hub_that_is_years_ahead_does_not_set_the_time() {
    let world = World::with_records(1);
    let mut agent = world.agent(|_, message| reply(200, ack(message, HUB_SEED, |ack| ack.hub_unix_s = u64::MAX)));
    agent.round();
    assert_eq!((world.backlog(), world.clock.time()), (0, Time::floor(CLOCK_S)));
}

#[test]
fn an_ack_of_another_signer_delivers_nothing() {
    let world = World::with_records(3);
    let mut agent = world.agent(|_, message| reply(200, ack(message, [8; 32], |_| {})));
    assert!(retry_of(agent.round()).1.contains("hub.key"));
    assert_eq!(world.backlog(), 3);
}

#[test]
fn an_ack_for_another_gate_or_epoch_or_for_less_delivers_nothing() {
    let changes: [fn(&mut Ack); 3] =
        [|ack| ack.gate = GateId([0; 8]), |ack| ack.epoch = Epoch(9), |ack| ack.through = Seq(2)];
    for change in changes {
        let world = World::with_records(3);
        let mut agent = world.agent(move |_, message| reply(200, ack(message, HUB_SEED, change)));
        retry_of(agent.round());
        assert_eq!(world.backlog(), 3);
    }
}

#[test]
fn an_ack_of_the_future_does_not_cover_records_that_were_not_sent() {
    let world = World::with_records(3);
    let mut agent = world.agent(|_, message| reply(200, ack(message, HUB_SEED, |ack| ack.through = Seq(99))));
    agent.round();
    world.append();
    assert_eq!(world.backlog(), 1);
}

#[test]
fn a_page_of_html_is_no_ack_and_is_not_repeated_to_the_volunteer() {
    let world = World::with_records(1);
    let mut agent = world.agent(|_, _| reply(200, "<html>Sign in to Wi-Fi</html>"));
    let (_, why) = retry_of(agent.round());
    assert!(why.contains("hub.url") && !why.contains("html"), "{why}");
    assert_eq!(world.backlog(), 1);
}

#[test]
fn a_refused_batch_is_kept_aside_whole_told_and_still_in_the_journal() {
    let world = World::with_records(2);
    let sent = Arc::new(Mutex::new(Vec::new()));
    let seen = sent.clone();
    let mut agent = world.agent(move |_, message| {
        *seen.lock().unwrap() = message.to_vec();
        reply(422, r#"{"error":"malformed","message":"record 1 is damaged"}"#)
    });
    let (after, why) = retry_of(agent.round());
    assert!(why.contains("record 1 is damaged") && after >= REFUSED_PAUSE, "{after:?} {why}");
    let kept = std::fs::read(world.dir.path().join("quarantine/1-1.cose")).unwrap();
    assert_eq!((kept, world.backlog()), (sent.lock().unwrap().clone(), 2));
}

#[test]
fn a_busy_hub_is_left_alone_as_long_as_it_asks() {
    let world = World::with_records(1);
    let mut agent =
        world.agent(|_, _| Ok(Reply { status: 503, retry_after: Some(Duration::from_secs(42)), body: vec![] }));
    assert!(retry_of(agent.round()).0 >= Duration::from_secs(42));
}

#[test]
fn an_unknown_gate_enrols_itself_and_goes_on() {
    let world = World::with_records(1);
    let mut enrolled = false;
    let mut agent = world.agent(move |path, message| {
        if path.ends_with("/enrol") {
            enrolled = Enrol::decode(Sign1::parse(message).unwrap().payload).unwrap().token == "token";
            return reply(200, "{}");
        }
        match enrolled {
            true => reply(200, ack(message, HUB_SEED, |_| {})),
            false => reply(403, r#"{"error":"not_enrolled","message":"who are you"}"#),
        }
    });
    assert_eq!(agent.round(), Outcome::Enrolled);
    assert_eq!(agent.round(), Outcome::Acked { hub_unix_s: 1_700_000_000 });
}

#[test]
fn a_hub_that_lost_records_gets_them_again() {
    let world = World::with_records(4);
    world.journal.ack(Epoch(1), Seq(3)).unwrap();
    let firsts = Arc::new(Mutex::new(Vec::new()));
    let seen = firsts.clone();
    let mut agent = world.agent(move |_, message| {
        let first = Batch::decode(Sign1::parse(message).unwrap().payload).unwrap().first;
        seen.lock().unwrap().push(first.0);
        match first {
            Seq(4) => reply(409, r#"{"error":"gap","message":"2 was expected","expected":2}"#),
            _ => reply(200, ack(message, HUB_SEED, |_| {})),
        }
    });
    retry_of(agent.round());
    assert_eq!(agent.round(), Outcome::Acked { hub_unix_s: 1_700_000_000 });
    assert_eq!((firsts.lock().unwrap().clone(), world.backlog()), (vec![4, 2], 0));
}

#[test]
fn an_unreachable_hub_is_tried_later_and_later() {
    let world = World::with_records(1);
    let mut agent =
        world.agent(|_, _| Err(UplinkError { url: "http://hub.test".into(), why: "connection refused".into() }));
    let longest = (0..30).map(|_| retry_of(agent.round()).0).max().unwrap();
    assert!(longest > Duration::from_secs(30) && longest <= super::super::backoff::CAP, "{longest:?}");
    assert_eq!(world.backlog(), 1);
}

#[test]
fn records_that_the_hub_has_otherwise_are_delivered_under_new_numbers() {
    let world = World::with_records(3);
    let mut agent =
        world.agent(move |_, message| match Batch::decode(Sign1::parse(message).unwrap().payload).unwrap().epoch {
            Epoch(1) => reply(409, r#"{"error":"conflict","message":"record 2 is another one","seq":2}"#),
            _ => reply(200, ack(message, HUB_SEED, |_| {})),
        });
    retry_of(agent.round());
    // What the hub has of the first epoch it may well acknowledge; here it says no to all of it again.
    assert_eq!(world.journal.pending(9).unwrap().unwrap().records.len(), 1);
    retry_of(agent.round());
    assert_eq!(agent.round(), Outcome::Acked { hub_unix_s: 1_700_000_000 });
    assert_eq!(agent.round(), Outcome::Acked { hub_unix_s: 1_700_000_000 });
    assert_eq!(world.backlog(), 0);
}

/// What a hub answers that was asked for the time.
fn told(nonce: &[u8], seed: [u8; 32], change: impl FnOnce(&mut HubTime)) -> Vec<u8> {
    let mut time = HubTime { nonce: nonce.try_into().unwrap(), unix_s: 1_700_000_000 };
    change(&mut time);
    batch::sign(&time, &SigningKey::from_bytes(&seed)).unwrap()
}

#[test]
fn the_hubs_signed_time_is_told_to_the_clock_with_how_long_it_took_also_when_nothing_is_pending() {
    let world = World::with_records(0);
    let clock = world.clock.clone();
    let mut agent = world.agent(move |path, nonce| {
        assert_eq!((path, nonce.len()), ("/v1/time", 16));
        clock.0.lock().unwrap().now_ms += 2300;
        reply(200, told(nonce, HUB_SEED, |_| {}))
    });
    assert!(matches!(agent.ask_time_when_due(), Some(Ok(()))));
    assert_eq!(world.clock.0.lock().unwrap().signed, [(1_700_000_000, 3 + 1)]);
    assert!(agent.ask_time_when_due().is_none(), "an hour has not passed");
}

#[test]
fn a_time_that_is_not_signed_for_this_question_by_this_hub_does_not_count() {
    let nonces = Arc::new(Mutex::new(Vec::new()));
    type Say = fn(&[u8]) -> Vec<u8>;
    let says: [(&str, Say); 6] = [
        ("of another question", |nonce| told(nonce, HUB_SEED, |time| time.nonce[15] ^= 1)),
        ("of another signer", |nonce| told(nonce, [8; 32], |_| {})),
        ("damaged", |nonce| {
            let mut bytes = told(nonce, HUB_SEED, |_| {});
            bytes[40] ^= 1;
            bytes
        }),
        ("an ack", |_| {
            let ack = Ack { gate: GateId([0; 8]), epoch: Epoch(1), through: Seq(1), hub_unix_s: 1_700_000_000 };
            batch::sign(&ack, &SigningKey::from_bytes(&HUB_SEED)).unwrap()
        }),
        ("a page", |_| b"<html>Sign in to Wi-Fi</html>".to_vec()),
        ("nothing", |_| Vec::new()),
    ];
    for (what, say) in says {
        let world = World::with_records(0);
        let seen = nonces.clone();
        let mut agent = world.agent(move |_, nonce| {
            seen.lock().unwrap().push(nonce.to_vec());
            reply(200, say(nonce))
        });
        assert!(matches!(agent.ask_time_when_due(), Some(Err(TimeError::NotSigned { .. }))), "{what}");
        assert!(world.clock.0.lock().unwrap().signed.is_empty(), "{what}");
    }
    let mut nonces = nonces.lock().unwrap().clone();
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), says.len(), "every question is a new one");
}

#[test]
fn a_time_that_was_held_back_a_hub_that_tells_none_and_one_that_can_not_be_do_not_count() {
    let world = World::with_records(0);
    let clock = world.clock.clone();
    let mut slow = world.agent(move |_, nonce| {
        clock.0.lock().unwrap().now_ms += 10_001;
        reply(200, told(nonce, HUB_SEED, |_| {}))
    });
    assert!(matches!(slow.ask_time_when_due(), Some(Err(TimeError::TooSlow { took_s: 10, .. }))));
    let mut old = world.agent(|_, _| reply(404, r#"{"error":"not_found","message":"there is nothing"}"#));
    assert!(matches!(old.ask_time_when_due(), Some(Err(TimeError::Refused { status: 404, .. }))));
    let mut wrong = world.agent(|_, nonce| reply(200, told(nonce, HUB_SEED, |time| time.unix_s = 0)));
    assert!(matches!(wrong.ask_time_when_due(), Some(Err(TimeError::Implausible { .. }))));
    assert!(world.clock.0.lock().unwrap().signed.is_empty());
}

#[test]
fn a_hub_that_comes_back_is_asked_for_the_time_at_once() {
    let world = World::with_records(1);
    let mut asked = 0;
    let mut agent = world.agent(move |path, message| match path {
        "/v1/time" => {
            asked += 1;
            if asked == 1 { reply(503, "") } else { reply(200, told(message, HUB_SEED, |_| {})) }
        }
        _ => reply(200, ack(message, HUB_SEED, |_| {})),
    });
    assert!(matches!(agent.ask_time_when_due(), Some(Err(_))));
    assert!(agent.ask_time_when_due().is_none());
    agent.round();
    assert!(matches!(agent.ask_time_when_due(), Some(Ok(()))));
    agent.round();
    assert!(agent.ask_time_when_due().is_none(), "it has its answer");
}
