//! The loop over fakes that write down what is touched: the record first, then the relay, then the screen.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use super::*;
use crate::history::{Memory, Origin, Secret};
use crate::journal::fake::{Answers, Fake};
use crate::journal::{JournalError, Stored};
use crate::optics::{Diagnosis, Sight};
use crate::ports::Clock;
use crate::probe::Probe;
use crate::rules::Rules;
use crate::sound::{BuzzerAtNight, Percent, SoundRules, SoundSettings, Volume};
use crate::trust::{Feed, ListState};
use ed25519_dalek::SigningKey;
use menshen_core::clock::{Implausible, Published};
use menshen_core::decide::Verdict;
use menshen_core::ids::IssuerId;
use menshen_core::pass::{self, Claims, Kind, Level};
use menshen_core::policy::Thermometry;
use menshen_core::reason::Reason;
use menshen_core::record::{Epoch, Seq};
use menshen_core::trust::{Issuer, IssuerKey, TrustContent};
use menshen_trust::status::StatusBook;
use std::sync::Mutex;

const NOW_S: u64 = 1_600_000_000;

type Log = Arc<Mutex<Vec<String>>>;

/// Everything a gate touches, in the order in which it does.
#[derive(Clone, Default)]
struct World {
    log: Log,
    full: Arc<Mutex<bool>>,
    stuck: Arc<Mutex<bool>>,
    unguarded: Arc<Mutex<Option<String>>>,
    now_ms: Arc<Mutex<u64>>,
    tones: Arc<Mutex<Vec<(Cue, Volume)>>>,
}

impl World {
    fn note(&self, what: impl Into<String>) {
        self.log.lock().unwrap().push(what.into());
    }

    fn did(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

impl Answers for World {
    fn append(&self) -> Result<Stored, JournalError> {
        if *self.full.lock().unwrap() {
            return Err(JournalError::Full { free_bytes: 0 });
        }
        self.note("durable");
        Ok(Stored { epoch: Epoch(1), seq: Seq(1) })
    }
    fn takes_records(&self) -> Result<(), JournalError> {
        if *self.full.lock().unwrap() { Err(JournalError::Full { free_bytes: 0 }) } else { Ok(()) }
    }
}

impl GateOutput for World {
    fn relay(&mut self, closed: bool) -> Result<(), PortError> {
        if *self.stuck.lock().unwrap() {
            return Err(PortError::Failed("the relay does not move: check its wires".into()));
        }
        self.note(if closed { "relay closed" } else { "relay open" });
        Ok(())
    }
    fn lamp(&mut self, _: Option<Verdict>) -> Result<(), PortError> {
        Ok(())
    }
    fn tone(&mut self, cue: Cue, volume: Volume) -> Result<(), PortError> {
        self.tones.lock().unwrap().push((cue, volume));
        Ok(())
    }
    fn relay_fault(&self) -> Option<String> {
        self.unguarded.lock().unwrap().clone()
    }
}

impl Clock for World {
    fn mono_ms(&self) -> u64 {
        *self.now_ms.lock().unwrap()
    }
    fn time(&self) -> Time {
        Time::trusted(NOW_S)
    }
    fn published(&self, _: Published) {}
    fn heard_not_before(&self, _: u64) {}
    fn signed_now(&self, _: u64, _: u32) -> Result<(), Implausible> {
        Ok(())
    }
}

impl Watcher for World {
    fn screen(&mut self, screen: &Screen, _: Option<&TrustList>, _: Timing) {
        if let Screen::Verdict(decision) = screen {
            let reason = decision.reasons.first().map_or("", |reason| reason.name());
            self.note(format!("screen {} {reason}", decision.verdict.name()).trim_end());
        }
    }
    fn device(&mut self, _: &Device) {}
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn trust() -> TrustList {
    let id = IssuerId::new(330_000).unwrap();
    let issuer = Issuer {
        id,
        name_zh: "浙江健康码".parse().unwrap(),
        name_en: "Zhejiang health code".parse().unwrap(),
        hotline: Default::default(),
        levels: Default::default(),
        lists_status: false,
    };
    let public_key = key(2).verifying_key().to_bytes();
    let mut content = TrustContent {
        version: 1,
        as_of: NOW_S,
        authority_key: None,
        issuers: Default::default(),
        keys: Default::default(),
        rules: Default::default(),
        policies: Default::default(),
        lagging: Default::default(),
    };
    content.issuers.push(issuer).unwrap();
    content.keys.push(IssuerKey { issuer: id, public_key, valid_from: 0, valid_until: NOW_S * 2 }).unwrap();
    TrustList::new(content).unwrap()
}

/// A green pass; each number is another one.
fn green(number: u8) -> Vec<u8> {
    let claims = Claims {
        issuer: IssuerId::new(330_000).unwrap(),
        issued_at: NOW_S,
        not_before: None,
        expires_at: NOW_S + 900,
        pass_id: [number; 8],
        level: Level::new(1).unwrap(),
        holder: [number; 16],
        kind: Kind::Phone,
        display: None,
        colour_reason: None,
        until: None,
        test: None,
        household: None,
    };
    pass::issue(&claims, &key(2)).unwrap().as_bytes().to_vec()
}

fn gate(world: &World) -> Runtime {
    let clock: Arc<dyn Clock> = Arc::new(world.clone());
    let trust = Trust { list: Arc::new(trust()), status: StatusBook::new(), roles: [].into() };
    let shared = Shared {
        memory: Arc::new(Memory::empty(Secret([7; 32]), Origin([1; 8]), clock.clone())),
        clock,
        journal: Arc::new(Fake(world.clone())),
        feed: Feed::fixed(Some(trust)),
        sound: SoundSettings::default(),
        rules: Rules::of(Policy { thermometry: Thermometry::Off, ..Policy::default() }),
        home: IssuerId::new(330_000).unwrap(),
        health: Arc::default(),
        probe: Probe::default(),
        has_hub: false,
        takes_new: false,
        may_lead_out: false,
    };
    let own = Own {
        number: 1,
        leads_out: false,
        outputs: Box::new(world.clone()),
        watchers: vec![Box::new(world.clone())],
        orders: None,
        trials: None,
        settings: Arc::default(),
        tally: Arc::default(),
        health: Arc::default(),
        has_thermometer: false,
        keeps_house: true,
    };
    Runtime::new(own, shared)
}

fn show(gate: &mut Runtime, world: &World, number: u8) {
    *world.now_ms.lock().unwrap() += 10_000;
    gate.step(Event::Tick);
    world.did();
    let payloads = vec![Payload::new(green(number))];
    gate.take(Input::Sight(Sight { payloads, diagnosis: Diagnosis::Read, seen: Vec::new(), decode_us: 1 }));
}

#[test]
fn the_record_is_durable_before_the_relay_closes_and_the_screen_shows() {
    let world = World::default();
    show(&mut gate(&world), &world, 1);
    assert_eq!(world.did(), ["durable", "relay closed", "screen admit"]);
}

#[test]
fn a_journal_that_takes_no_records_keeps_the_gate_closed_says_so_and_recovers() {
    let world = World::default();
    let mut gate = gate(&world);
    *world.full.lock().unwrap() = true;
    show(&mut gate, &world, 1);
    assert_eq!(world.did(), [format!("screen refer {}", Reason::JournalFailing.name())]);
    assert!(gate.own.health.faults().journal.unwrap().contains("make room"));
    *world.full.lock().unwrap() = false;
    show(&mut gate, &world, 2);
    assert_eq!(world.did(), ["durable", "relay closed", "screen admit"]);
    assert_eq!(gate.own.health.faults().journal, None);
}

#[test]
fn a_journal_that_was_full_is_well_as_soon_as_there_is_room_though_nobody_comes() {
    let world = World::default();
    let mut gate = gate(&world);
    *world.full.lock().unwrap() = true;
    show(&mut gate, &world, 1);
    for (full, told) in [(true, true), (false, false)] {
        *world.full.lock().unwrap() = full;
        *world.now_ms.lock().unwrap() += 1000;
        gate.tell_device();
        assert_eq!(gate.own.health.faults().journal.is_some(), told, "{full}");
    }
}

#[test]
fn a_relay_that_does_not_move_is_said_and_the_verdict_still_shown() {
    let world = World::default();
    let mut gate = gate(&world);
    *world.stuck.lock().unwrap() = true;
    show(&mut gate, &world, 1);
    assert_eq!(world.did(), ["durable", "screen admit"]);
    assert!(gate.own.health.faults().relay.unwrap().contains("relay"));
}

#[test]
fn what_is_wrong_with_a_relay_that_nobody_moves_is_told_and_clears_no_order_that_failed() {
    let world = World::default();
    let mut gate = gate(&world);
    let mut told = |unguarded: Option<&str>, stuck: bool| {
        *world.unguarded.lock().unwrap() = unguarded.map(Into::into);
        *world.stuck.lock().unwrap() = stuck;
        gate.relay(false);
        *world.now_ms.lock().unwrap() += 60_000;
        gate.tell_device();
        gate.own.health.faults().relay
    };
    assert_eq!(told(None, false), None);
    assert_eq!(told(Some("no guard"), false).as_deref(), Some("no guard"));
    assert_eq!(told(Some("no guard"), true).as_deref(), Some("no guard"));
    assert!(told(None, true).unwrap().contains("does not move"));
    assert_eq!(told(None, false), None);
}

#[test]
fn a_relay_that_stuck_closed_is_opened_as_soon_as_it_moves() {
    let world = World::default();
    let mut gate = gate(&world);
    show(&mut gate, &world, 1);
    *world.stuck.lock().unwrap() = true;
    *world.now_ms.lock().unwrap() += 10_000;
    gate.step(Event::Tick);
    *world.stuck.lock().unwrap() = false;
    world.did();
    gate.open_relay_at_last();
    assert_eq!(world.did(), ["relay open"]);
}

#[test]
fn a_trial_that_waited_for_too_long_moves_nothing_and_is_answered() {
    let world = World::default();
    let mut gate = gate(&world);
    let (sender, trials) = std::sync::mpsc::sync_channel(2);
    gate.own.trials = Some(trials);
    let long_ago = Instant::now().checked_sub(Duration::from_secs(3)).unwrap();
    let (late, late_answer) = proof::Order::given_at(Wanted::Output(Trial::Relay), long_ago);
    sender.send(late).unwrap();
    gate.try_outputs();
    assert_eq!(late_answer.try_recv(), Ok(Err(Refusal::Late)));
    assert!(world.did().is_empty());
    let (order, answer) = proof::Order::new(Wanted::Output(Trial::Relay));
    sender.send(order).unwrap();
    gate.try_outputs();
    assert_eq!((answer.try_recv(), world.did()), (Ok(Ok(())), vec!["durable".to_owned(), "relay closed".to_owned()]));
}

/// A watcher that keeps what it is told of issuers.
#[derive(Clone, Default)]
struct Onlooker(Arc<Mutex<Vec<Arc<Standings>>>>);

impl Watcher for Onlooker {
    fn screen(&mut self, _: &Screen, _: Option<&TrustList>, _: Timing) {}
    fn device(&mut self, device: &Device) {
        self.0.lock().unwrap().push(device.standings.clone());
    }
}

#[test]
fn issuers_are_judged_again_now_and_then_and_stay_one_value_until_something_changes() {
    let world = World::default();
    let mut gate = gate(&world);
    let onlooker = Onlooker::default();
    gate.own.watchers = vec![Box::new(onlooker.clone())];
    for now_ms in [0, 500, 6_000] {
        *world.now_ms.lock().unwrap() = now_ms;
        gate.tell_device();
    }
    let id = IssuerId::new(330_000).unwrap();
    let mut status = StatusBook::new();
    status.put_unreadable(id);
    gate.shared.feed = Feed::fixed(Some(Trust { list: Arc::new(trust()), status, roles: [].into() }));
    // A feed that never changes stands in for one that did: what was looked at was another change.
    gate.believed_at = u64::MAX;
    gate.stood_at = gate.stood_at.map(|(_, at_ms)| (u64::MAX, at_ms));
    *world.now_ms.lock().unwrap() = 6_500;
    gate.tell_device();
    let told = onlooker.0.lock().unwrap();
    assert!(Arc::ptr_eq(&told[0], &told[1]) && Arc::ptr_eq(&told[1], &told[2]));
    assert_eq!(told[0].lists(), 0);
    assert_eq!(told[3].issuers[0].list, ListState::Unreadable, "what is newly believed is judged at once");
}

#[test]
fn each_sound_is_as_loud_as_the_hour_allows_and_who_is_waited_for_hears_it_once() {
    let world = World::default();
    let mut gate = gate(&world);
    let mut heard = |quiet: &str| {
        let rules = gate.shared.sound.get();
        gate.shared.sound.set(SoundRules { quiet: quiet.parse().ok(), ..rules });
        show(&mut gate, &world, 1);
        gate.act(Action::Show(Screen::MeasureAgain { attempt: 2, of: 3 }));
        gate.act(Action::Show(Screen::Idle));
        std::mem::take(&mut *world.tones.lock().unwrap())
    };
    // It is 20:26 in China.
    let by_day = Volume::FULL;
    assert_eq!(heard("21:00-06:00"), [(Cue::Admit, by_day), (Cue::MeasureAgain, by_day)]);
    let by_night = Volume { percent: Percent::new(30).unwrap(), plain: BuzzerAtNight::Short };
    assert_eq!(heard("20:00-06:00").last(), Some(&(Cue::MeasureAgain, by_night)));
}

#[test]
fn who_tries_a_sound_out_hears_it_though_the_gate_is_muted_and_nobody_else_does() {
    #[derive(Clone, Default)]
    struct Loudspeaker(Arc<Mutex<u32>>);
    impl Watcher for Loudspeaker {
        fn screen(&mut self, _: &Screen, _: Option<&TrustList>, _: Timing) {}
        fn device(&mut self, _: &Device) {}
        fn try_sound(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let world = World::default();
    let mut gate = gate(&world);
    let rules = gate.shared.sound.get();
    gate.shared.sound.set(SoundRules { quiet: None, volume: Percent::NONE, ..rules });
    let loudspeaker = Loudspeaker::default();
    gate.own.watchers.push(Box::new(loudspeaker.clone()));
    let volumes = || std::mem::take(&mut *world.tones.lock().unwrap()).into_iter().map(|(_, volume)| volume.percent);
    gate.try_output(Wanted::Output(Trial::Tone(Verdict::Admit))).unwrap();
    assert!(volumes().all(|volume| volume > Percent::NONE));
    show(&mut gate, &world, 1);
    assert!(volumes().all(|volume| volume == Percent::NONE), "a person who comes is met as ever");
    assert_eq!((gate.try_output(Wanted::Loudspeaker), *loudspeaker.0.lock().unwrap()), (Err(Refusal::Busy), 0));
    *world.now_ms.lock().unwrap() += 60_000;
    gate.step(Event::Tick);
    assert_eq!((gate.try_output(Wanted::Loudspeaker), *loudspeaker.0.lock().unwrap()), (Ok(()), 1));
}

#[test]
fn what_a_watcher_can_not_play_on_is_told_until_it_can() {
    struct Ailing(Arc<Mutex<Option<String>>>);
    impl Watcher for Ailing {
        fn screen(&mut self, _: &Screen, _: Option<&TrustList>, _: Timing) {}
        fn device(&mut self, _: &Device) {}
        fn fault(&self) -> Option<(Part, String)> {
            self.0.lock().unwrap().clone().map(|fault| (Part::Speaker, fault))
        }
    }
    let world = World::default();
    let mut gate = gate(&world);
    let fault = Arc::new(Mutex::new(Some("no loudspeaker: plug it in".to_owned())));
    gate.own.watchers.push(Box::new(Ailing(fault.clone())));
    let mut told = || {
        *world.now_ms.lock().unwrap() += 60_000;
        gate.tell_device();
        gate.own.health.faults().speaker
    };
    assert_eq!(told().as_deref(), Some("no loudspeaker: plug it in"));
    *fault.lock().unwrap() = None;
    assert_eq!(told(), None);
}

/// A watcher that knows whether somebody is on the screen.
#[derive(Clone, Default)]
struct IsOnScreen(Arc<Mutex<bool>>);

impl Watcher for IsOnScreen {
    fn screen(&mut self, screen: &Screen, _: Option<&TrustList>, _: Timing) {
        *self.0.lock().unwrap() = matches!(screen, Screen::Verdict(_));
    }
    fn device(&mut self, _: &Device) {}
}

#[test]
fn a_refusal_stays_only_where_somebody_at_a_panel_can_be_done_with_it() {
    for has_panel in [false, true] {
        let world = World::default();
        let mut gate = gate(&world);
        let (_panel, orders) = std::sync::mpsc::sync_channel(1);
        gate.own.orders = has_panel.then_some(orders);
        gate.put_rules_in_force();
        let screen = IsOnScreen::default();
        gate.own.watchers.push(Box::new(screen.clone()));
        gate.step(Event::ByHand(Cause::Unwell));
        let hold_ms = u64::from(gate.policy.hold_other_ms);
        for (now_ms, is_there) in [(hold_ms - 1, true), (hold_ms, has_panel), (100 * hold_ms, has_panel)] {
            *world.now_ms.lock().unwrap() = now_ms;
            gate.step(Event::Tick);
            assert_eq!(*screen.0.lock().unwrap(), is_there, "after {now_ms} ms, panel: {has_panel}");
        }
    }
}
