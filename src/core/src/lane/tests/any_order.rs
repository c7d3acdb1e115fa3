//! Any events in any order: what may never happen does not, and the lane always comes to rest.

use super::gate::{Gate, Journal};
use crate::decide::Verdict;
use crate::hint::Hint;
use crate::lane::{Event, MIN_SHOW_MS, Screen, Trial};
use crate::manual::Cause;
use crate::pass::{Claims, Kind};
use crate::reason::Reason;
use crate::testworld::*;
use crate::thermo::{Judgement, judge};
use proptest::prelude::*;
use std::string::String;
use std::vec;
use std::vec::Vec;

/// What may happen next; `See` picks codes by the bits of its number.
#[derive(Clone, Copy, Debug)]
enum Happens {
    See(u8),
    /// A code that can not be read, for one reason or another.
    Blur(usize),
    Reading(u8),
    Thermometer(bool),
    Presence(Option<bool>),
    ByHand(usize),
    Next,
    FireAlarm(bool),
    Try(u8),
    /// The journal answers, asked or not.
    Recorded,
    RecordFailed,
    Tick,
}

fn codes() -> Vec<String> {
    let text = |claims: Claims| String::from(issued(&claims).as_str());
    let green = text(claims(ZHEJIANG, Kind::Phone));
    let broken = green[..green.len() - 3].into();
    vec![
        green,
        text(full_claims(HENAN, Kind::Paper)),
        text(of_level(3, claims(HANGZHOU, Kind::Phone))),
        text(of_level(2, claims(HANGZHOU, Kind::Dependent))),
        broken,
        "https://example.org/poster".into(),
    ]
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => prop_oneof![Just(1u8), Just(2), 0..64u8].prop_map(Happens::See),
        2 => (0..Hint::ALL.len()).prop_map(Happens::Blur),
        8 => (0..8u8).prop_map(Happens::Reading),
        1 => prop::bool::weighted(0.7).prop_map(Happens::Thermometer),
        2 => prop::option::weighted(0.8, prop::bool::weighted(0.7)).prop_map(Happens::Presence),
        1 => (0..Cause::ALL.len()).prop_map(Happens::ByHand),
        1 => Just(Happens::Next),
        1 => prop::bool::weighted(0.3).prop_map(Happens::FireAlarm),
        1 => (0..3u8).prop_map(Happens::Try),
        6 => Just(Happens::Recorded),
        1 => Just(Happens::RecordFailed),
        2 => Just(Happens::Tick),
    ]
}

fn pause_ms() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 0..200u64, 2 => 200..1500u64, 1 => 1500..20_000u64]
}

/// Does one thing to the gate and checks what came of it.
fn apply(gate: &mut Gate, codes: &[String], happens: Happens) {
    let asked = gate.decisions.len();
    match happens {
        Happens::See(bits) => {
            let seen = codes.iter().enumerate().filter(|(at, _)| bits >> at & 1 != 0);
            let payloads: Vec<&[u8]> = seen.map(|(_, code)| code.as_bytes()).collect();
            gate.step(Event::Sight { payloads: &payloads, unread: (bits & 1 == 0).then_some(Hint::HoldStill) });
        }
        Happens::Blur(which) => gate.step(Event::Sight { payloads: &[], unread: Some(Hint::ALL[which]) }),
        Happens::Reading(which) => gate.step(Event::Reading(match which {
            0 => HIGH_READING,
            1 => COLD_READING,
            2 => FROSTY_READING,
            _ => GOOD_READING,
        })),
        Happens::Thermometer(present) => gate.step(Event::Thermometer { present }),
        Happens::Presence(presence) => gate.step(Event::Presence(presence)),
        Happens::ByHand(which) => gate.step(Event::ByHand(Cause::ALL[which])),
        Happens::Next => gate.step(Event::Next),
        Happens::FireAlarm(began) => gate.step(Event::FireAlarm(began)),
        Happens::Try(which) => gate.step(Event::Try(match which {
            0 => Trial::Lamp(Verdict::Admit),
            1 => Trial::Tone(Verdict::Admit),
            _ => Trial::Relay,
        })),
        Happens::Recorded => gate.step(Event::Recorded),
        Happens::RecordFailed => gate.step(Event::RecordFailed),
        Happens::Tick => gate.step(Event::Tick),
    }
    assert_eq!(gate.relay, gate.lane.relay_closed());
    assert!(gate.decisions.len() <= asked + 1);
}

fn assert_admissions_are_earned(gate: &Gate) {
    for decision in gate.decisions.iter().filter(|decision| decision.verdict == Verdict::Admit) {
        if let Some(cause) = decision.cause {
            assert!(cause.verdict() == Verdict::Admit && decision.reasons.contains(&Reason::ManualOverride));
            assert!(!decision.reasons.contains(&Reason::Red));
            continue;
        }
        let reading = decision.evidence.reading.expect("an admission is measured");
        assert_eq!(judge(reading, &gate.world.policy), Judgement::InRange);
        assert!(decision.evidence.issuer.is_some() && decision.reasons.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_lane_keeps_its_promises_in_any_order_and_comes_to_rest(
        events in prop::collection::vec((pause_ms(), happens()), 1..300),
    ) {
        let mut gate = Gate::new();
        gate.journal = Journal::Waits;
        let codes = codes();
        let mut closed_at_ms = None;
        let (mut closings, mut admissions) = (0, 0);
        for (pause_ms, happens) in events {
            gate.now_ms += pause_ms;
            let waits = gate.decisions.last().filter(|d| d.verdict == Verdict::Admit).map(|_| gate.decisions.len());
            admissions = admissions.max(waits.filter(|_| matches!(happens, Happens::Recorded)).unwrap_or(0));
            apply(&mut gate, &codes, happens);
            let closed_now = gate.did().iter().any(|act| act.ends_with("relay closed"));
            if closed_now {
                closed_at_ms = Some(gate.now_ms);
                closings += 1;
            }
            // Each closing is for an admission of its own that was recorded before it.
            let recorded = gate.decisions.iter().take(admissions).filter(|d| d.verdict == Verdict::Admit).count();
            let tried = gate.trials;
            prop_assert!(closings <= recorded + tried, "{closings} closings, {recorded} admissions, {tried} trials");
            if gate.relay {
                let for_ms = gate.now_ms - closed_at_ms.expect("it was closed by an act");
                prop_assert!(for_ms < u64::from(gate.world.policy.relay_pulse_ms));
            }
            // A green lamp means an admission on the screen, or nobody who could take it for theirs: never a person who
            // still waits.
            prop_assert!(gate.lamp != Some(Verdict::Admit) || matches!(gate.screen, Screen::Verdict(_) | Screen::Idle));
        }
        assert_admissions_are_earned(&gate);
        prop_assert!(gate.decisions.iter().all(|d| d.cause.is_some() || !d.reasons.contains(&Reason::NoCode)));

        // From wherever that left it: the journal answers, nobody comes, and only time passes.
        gate.journal = Journal::Works;
        gate.step(Event::Recorded);
        gate.step(Event::FireAlarm(false));
        let policy = &gate.world.policy;
        let attempts_ms = u64::from(policy.measure_attempts) * u64::from(policy.reading_window_ms);
        gate.wait_until(gate.now_ms + attempts_ms + 2 * u64::from(policy.hold_other_ms) + 2 * MIN_SHOW_MS);
        // A referral or refusal may stay, with its lamp, until somebody acts on it.
        let stays = match &gate.screen {
            Screen::Verdict(decision) => Some(decision.verdict),
            _ => None,
        };
        prop_assert_ne!(stays, Some(Verdict::Admit));
        prop_assert_eq!((gate.lamp, gate.relay), (stays, false));
        gate.step(Event::Next);
        prop_assert_eq!(&gate.screen, &Screen::Idle);
        prop_assert_eq!(gate.lamp, None);
        // At rest means ready: the next person is served.
        gate.did();
        gate.step(Event::Thermometer { present: true });
        gate.step(Event::Presence(None));
        gate.wait_until(gate.now_ms + 3000);
        gate.see(&[&codes[1]]);
        gate.measure(GOOD_READING);
        prop_assert!(gate.relay, "{:?}", gate.did());
    }
}
