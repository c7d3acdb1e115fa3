//! A running gate with one thing broken after another: each keeps the shift from beginning by its own name, and what a gate
//! can do without does not.

use super::*;
use crate::journal;
use crate::proof::live;
use crate::proof::watch::Eyes;
use crate::run::Device;
use crate::trust::{Standings, Trust};
use menshen_core::clock::View;
use menshen_core::manual::ManualWay;
use menshen_core::policy::Thermometry;
use menshen_core::thermo::Reading;
use menshen_core::time::Time;
use menshen_core::trust::{Freshness, Issuer, IssuerKey};
use menshen_trust::status::StatusBook;
use std::sync::Arc;
use std::time::Duration;

const DAY_S: u64 = 86_400;

fn home() -> IssuerId {
    IssuerId::new(330_100).unwrap()
}

/// Everything a gate is judged by, all well.
struct Well {
    device: Device,
    eyes: Eyes,
    reading: Option<Reading>,
    policy: Policy,
    trust: Option<Trust>,
    vitals: Vitals,
    has_relay: bool,
    journal: Option<String>,
    slowest_ms: u64,
}

fn trust(issuer: u32, as_of: u64, valid_until: u64, lists_status: bool) -> Trust {
    let id = IssuerId::new(issuer).unwrap();
    let mut content = TrustContent { version: 7, as_of, ..TrustContent::default() };
    let named = Issuer {
        id,
        name_zh: Default::default(),
        name_en: Default::default(),
        hotline: Default::default(),
        levels: Default::default(),
        lists_status,
    };
    content.issuers.push(named).unwrap();
    content.keys.push(IssuerKey { issuer: id, public_key: [3; 32], valid_from: 0, valid_until }).unwrap();
    Trust { list: Arc::new(TrustList::new(content).unwrap()), status: StatusBook::new(), roles: [].into() }
}

impl Well {
    fn new() -> Well {
        let time = Time::trusted_within(NOW_S, 2);
        let device = Device {
            time,
            clock: View::of(time),
            freshness: Freshness::Fresh,
            trust: Some((7, NOW_S)),
            import: None,
            last_stick: None,
            takes_new: true,
            standings: Arc::new(Standings::default()),
            journal: journal::Status::default(),
            has_thermometer: true,
            has_hub: true,
            manual: ManualWay::AllButRed,
            summary: Arc::default(),
            faults: Default::default(),
        };
        let eyes =
            Eyes { frames: 16, span: Duration::from_secs(1), focus: Some(70), light: Some("fine"), ..Eyes::default() };
        Well {
            device,
            eyes,
            reading: Some(Reading::of(3640, 2200)),
            policy: Policy::default(),
            trust: Some(trust(330_100, NOW_S - DAY_S, NOW_S + 100 * DAY_S, false)),
            vitals: Vitals {
                under_voltage: Some(false),
                was_under_voltage: Some(false),
                heat_c: Some(50.0),
                fault: None,
            },
            has_relay: true,
            journal: None,
            slowest_ms: 4,
        }
    }

    fn checks(&self) -> Vec<Check> {
        let (trust, time) = (self.trust.as_ref(), self.device.time);
        let mut checks = vec![
            live::camera(&self.eyes, self.device.faults.camera.as_ref()),
            live::focus(&self.eyes),
            live::light(&self.eyes),
            live::thermometer(&self.device, self.reading, &self.policy),
            live::clock(&self.device),
            live::trust(trust, time, &self.policy),
            live::news(&self.device),
            live::lists(trust, time, &self.policy, home()),
            live::key(trust, time, home()),
            live::relay(&self.device, self.has_relay),
            live::signals(&self.device, true),
            live::power(&self.vitals),
            live::heat(&self.vitals),
            live::hub(&self.device),
            live::disk(Some(8 << 30), self.slowest_ms, self.journal.clone()),
        ];
        checks.extend(live::others(&self.device, self.has_relay));
        checks
    }

    /// What is not as it should be, as `name code`.
    fn told(&self, state: State) -> Vec<String> {
        let checks = self.checks();
        let found = checks.iter().filter(|check| check.state == state);
        found.map(|check| format!("{} {}", check.name.name(), check.code)).collect()
    }
}

fn broken(change: impl FnOnce(&mut Well)) -> Vec<String> {
    let mut well = Well::new();
    change(&mut well);
    assert!(!Proof::is_ready(&well.checks()), "a shift would begin so");
    well.told(State::Failed)
}

fn tolerable(change: impl FnOnce(&mut Well)) -> Vec<String> {
    let mut well = Well::new();
    change(&mut well);
    assert!(Proof::is_ready(&well.checks()), "{:?}", well.told(State::Failed));
    well.told(State::WantsAttention)
}

#[test]
fn a_gate_that_is_well_has_nothing_to_tell() {
    assert!(tolerable(|_| {}).is_empty());
    assert!(Well::new().checks().iter().all(|check| matches!(check.state, State::Ok | State::NotThere)));
}

#[test]
fn each_thing_that_a_shift_needs_keeps_it_from_beginning_by_its_own_name() {
    let gone = || Some("it is gone: plug it in".to_owned());
    assert_eq!(broken(|w| w.device.faults.camera = gone()), ["camera failed"]);
    assert_eq!(broken(|w| w.eyes = Eyes::default()), ["camera failed"]);
    assert_eq!(broken(|w| (w.eyes.focus, w.eyes.saw_code) = (Some(10), true)), ["focus code_blurred"]);
    assert_eq!(broken(|w| w.reading = None), ["thermometer silent"]);
    assert_eq!(broken(|w| w.device.faults.thermometer = gone()), ["thermometer silent"]);
    assert_eq!(broken(|w| w.device.has_thermometer = false), ["thermometer missing"]);
    assert_eq!(broken(|w| w.reading = Some(Reading::of(3640, 200))), ["thermometer ambient"]);
    assert_eq!(broken(|w| w.device.clock = View::of(Time::floor(NOW_S))), ["clock unsure"]);
    assert_eq!(broken(|w| w.trust = None), ["trust missing", "key none"]);
    let old = |w: &mut Well| w.trust = Some(trust(330_100, NOW_S - 15 * DAY_S, NOW_S + 100 * DAY_S, false));
    assert_eq!(broken(old), ["trust stale"]);
    let over = |w: &mut Well| w.trust = Some(trust(330_100, NOW_S - DAY_S, NOW_S - 1000, false));
    assert_eq!(broken(over), ["key none"]);
    let elsewhere = |w: &mut Well| w.trust = Some(trust(410_000, NOW_S - DAY_S, NOW_S + 100 * DAY_S, false));
    assert_eq!(broken(elsewhere), ["key none"]);
    let no_list = |w: &mut Well| w.trust = Some(trust(330_000, NOW_S - DAY_S, NOW_S + 100 * DAY_S, true));
    assert_eq!(broken(no_list), ["lists own"]);
    assert_eq!(broken(|w| w.device.faults.relay = gone()), ["relay failed"]);
    let alone = |w: &mut Well| (w.has_relay, w.device.faults.controller) = (false, gone());
    assert_eq!(broken(alone), ["controller alone"], "nothing else opens the way");
    let untold = |w: &mut Well| (w.has_relay, w.device.faults.relay) = (false, gone());
    assert_eq!(broken(untold), ["controller alone"], "there is no relay to fail");
    assert_eq!(broken(|w| w.device.faults.display = gone()), ["display failed"]);
    assert_eq!(broken(|w| w.vitals.under_voltage = Some(true)), ["power low"]);
    assert_eq!(broken(|w| w.journal = gone()), ["disk closed"]);
}

#[test]
fn what_a_gate_can_do_without_wants_attention_and_lets_the_shift_begin() {
    let gone = || Some("it is gone: plug it in".to_owned());
    assert_eq!(tolerable(|w| w.device.faults.hub.fault = gone()), ["hub away"]);
    assert_eq!(tolerable(|w| w.eyes.focus = Some(10)), ["focus blurred"]);
    assert_eq!(tolerable(|w| w.eyes.light = Some("too_dark")), ["light too_dark"]);
    assert_eq!(tolerable(|w| w.eyes.frames = 2), ["camera slow"]);
    assert_eq!(tolerable(|w| w.device.faults.clock = gone()), ["clock doubt"]);
    assert_eq!(tolerable(|w| w.device.faults.trust = gone()), ["news refused"]);
    assert_eq!(tolerable(|w| w.device.faults.lamps = gone()), ["signals failed"]);
    assert_eq!(tolerable(|w| w.device.faults.speaker = gone()), ["speaker failed"]);
    assert_eq!(tolerable(|w| w.device.faults.controller = gone()), ["controller failed"]);
    assert_eq!(tolerable(|w| w.slowest_ms = 2_000), ["disk slow"]);
    assert_eq!(tolerable(|w| w.vitals.was_under_voltage = Some(true)), ["power was_low"]);
    assert_eq!(tolerable(|w| w.vitals.heat_c = Some(85.0)), ["heat hot"]);
    let ageing = |w: &mut Well| w.trust = Some(trust(330_100, NOW_S - 3 * DAY_S, NOW_S + 5 * DAY_S, false));
    assert_eq!(tolerable(ageing), ["trust ageing", "key soon"]);
}

#[test]
fn what_is_said_of_lists_is_what_can_be_told_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::make(folder.path(), NOW_S, &Keys::fresh().unwrap()).unwrap();
    let told = |trust, time| live::lists(trust, time, &Policy::default(), home()).code;
    let sure = Time::trusted_within(NOW_S, 2);
    assert_eq!(told(Some(&world.trust), sure), "ok");
    assert_eq!(told(Some(&world.trust), Time::floor(NOW_S)), "doubt", "nobody knows how old they are");
    assert_eq!(told(None, sure), "unknown", "nobody knows who publishes one");
    let no_lists = trust(330_100, NOW_S, NOW_S + DAY_S, false);
    assert_eq!(told(Some(&no_lists), sure), "none");
}

#[test]
fn what_is_not_there_and_not_wanted_is_no_lack() {
    let nothing = tolerable(|w| {
        (w.device.has_thermometer, w.reading, w.device.has_hub, w.has_relay) = (false, None, false, false);
        (w.vitals, w.policy.thermometry) = (Vitals::default(), Thermometry::Off);
        w.eyes = Eyes { is_still: true, ..Eyes::default() };
    });
    assert!(nothing.is_empty(), "{nothing:?}");
}
