//! The page of the proof before the shift: what it is made of, whom it serves, and what it refuses.

use super::acts::{JSON, OWN_HOST, act_of, own_act, status_of};
use super::*;
use crate::journal::{Journal as _, SledJournal};
use crate::ports::Clock;
use crate::proof::{Fitted, Item, NotStarted, Proofs, Refusal, Setup, State, TryError, Vitals, WalkAs};
use crate::rules::Rules;
use crate::trust::Feed;
use menshen_core::clock::{Implausible, Published};
use menshen_core::verdict::Verdict;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// It stands still, and fails at the `n`th look for the time.
#[derive(Default)]
struct Still {
    fails_at: u32,
    looks: AtomicU32,
}

impl Clock for Still {
    fn mono_ms(&self) -> u64 {
        0
    }
    fn time(&self) -> Time {
        assert_ne!(self.looks.fetch_add(1, Ordering::SeqCst) + 1, self.fails_at, "as the test wants it");
        Time::trusted(1_600_000_000)
    }
    fn published(&self, _: Published) {}
    fn heard_not_before(&self, _: u64) {}
    fn signed_now(&self, _: u64, _: u32) -> Result<(), Implausible> {
        Ok(())
    }
}

/// A panel of a gate whose lane never says a word, with its proofs and its journal.
fn proved() -> (tempfile::TempDir, Panel, Proofs, Arc<SledJournal>) {
    proved_by(Still::default())
}

fn proved_by(clock: Still) -> (tempfile::TempDir, Panel, Proofs, Arc<SledJournal>) {
    let (state, panel) = (tempfile::tempdir().unwrap(), panel());
    let journal = Arc::new(SledJournal::open(state.path()).unwrap());
    let proofs = Proofs::new(Setup {
        state: state.path().into(),
        site: ("东门".into(), "East Gate".into()),
        gate: None,
        lane: 2,
        home: IssuerId::NATIONAL,
        rules: Rules::of(Policy::default()),
        trust: Feed::default(),
        clock: Arc::new(clock),
        journal: journal.clone(),
        fitted: Fitted { relay: true, lamps: vec![Verdict::Admit], ..Fitted::default() },
        walk_as: WalkAs::Thread,
        vitals: Arc::new(Vitals::default),
    });
    panel.offer_proofs(proofs.clone());
    (state, panel, proofs, journal)
}

#[test]
fn the_page_is_whole_says_nothing_of_its_own_and_puts_what_it_hears_on_the_screen_as_text() {
    let panel = panel();
    for path in ["/proof", "/proof.js", "/proof.css"] {
        let (status, _, text) = get(&panel, path);
        assert_eq!(status, 200, "{path}");
        for way in
            ["innerHTML", "insertAdjacentHTML", "eval(", " style=", " onclick=", "<script>", "http://", "https://"]
        {
            assert!(!text.contains(way), "{path}: {way}");
        }
    }
    let script = include_str!("../assets/proof.js");
    let mut names = names_in(script, "say.");
    names.extend(names_in(script, "words.proof."));
    names.extend(State::ALL.map(|state| format!("sign_{}", state.name())));
    assert!(names.len() > 30, "{names:?}");
    for lang in Lang::ALL {
        let words = serde_json::to_value(Words::of(lang)).unwrap();
        for name in &names {
            assert!(words["proof"][name].is_string(), "proof.js names {name}");
        }
    }
    for state in State::ALL {
        assert!(script.contains(&format!("{}: \"{}\"", state.name(), state.sign())), "{}", state.name());
    }
}

#[test]
fn a_gate_that_offers_no_proof_says_so() {
    let panel = panel();
    assert_eq!(get(&panel, "/proof.json").0, 404);
    assert_eq!(own_act(&panel, "/proof/start", "{}"), 404);
}

#[test]
fn only_a_screen_of_the_gate_itself_proves_it() {
    let (_state, panel, proofs, _) = proved();
    for path in ["/proof/start", "/proof/output", "/proof/answer"] {
        let act = act_of(&panel, &[OWN_HOST]);
        let act = ("X-Menshen-Act", act.as_str());
        for headers in [
            vec![JSON, act, ("Host", "gate.example")],
            vec![JSON, act, OWN_HOST, ("Origin", "http://evil.example")],
            vec![JSON, act, OWN_HOST, ("Sec-Fetch-Site", "cross-site")],
            vec![JSON, OWN_HOST],
        ] {
            assert_eq!(status_of(&panel, path, &headers, r#"{"which":"way"}"#), 403, "{path} {headers:?}");
        }
        assert_eq!(status_of(&panel, path, &[act, OWN_HOST, ("Content-Type", "text/plain")], "{}"), 400, "{path}");
    }
    assert!(!proofs.progress().running, "nothing was started");
}

#[test]
fn a_proof_that_panicked_where_its_card_is_made_is_over_and_another_can_be_started() {
    // The first look is for the codes, the second for the card.
    let (_state, _panel, proofs, _) = proved_by(Still { fails_at: 2, ..Still::default() });
    proofs.start().unwrap();
    assert_eq!(proofs.start(), Err(NotStarted::Running));
    until("the proof is over", || !proofs.progress().running);
    assert_eq!(proofs.progress().proof, None);
    proofs.start().unwrap();
    until("there is a card", || proofs.progress().proof.is_some());
}

#[test]
fn an_output_that_failed_by_itself_is_on_the_card_though_nobody_says_so_and_stays_until_somebody_does() {
    let (_state, _panel, proofs, _) = proved();
    let trials = proofs.take_trials().unwrap();
    proofs.start().unwrap();
    until("the proof is over", || !proofs.progress().running);
    let lane = std::thread::spawn(move || {
        trials.recv().unwrap().answer(Err(Refusal::Failed("the pin is gone: plug it in".into())));
        trials.recv().unwrap().answer(Ok(()));
    });
    let lamp = || proofs.progress().proof.unwrap().check(Item::LampAdmit).cloned().unwrap();
    assert!(matches!(proofs.try_output(Item::LampAdmit), Err(TryError::Failed(why)) if why.contains("the pin")));
    assert_eq!((lamp().state, lamp().message.as_deref()), (State::Failed, Some("the pin is gone: plug it in")));
    proofs.try_output(Item::LampAdmit).unwrap();
    assert_eq!(lamp().code, "no", "nobody has seen it light");
    proofs.answer(Item::LampAdmit, true).unwrap();
    assert_eq!(lamp().state, State::Ok);
    lane.join().unwrap();
}

#[test]
fn an_output_is_tried_only_on_a_card_and_noted_only_once_it_was_tried() {
    let (_state, panel, proofs, journal) = proved();
    assert_eq!(own_act(&panel, "/proof/output", r#"{"which":"lamp_admit"}"#), 409, "there is no card yet");
    for none in ["camera", "lamp_refuse", "tone_admit", "voice"] {
        assert_eq!(own_act(&panel, "/proof/output", &format!(r#"{{"which":"{none}"}}"#)), 400, "{none} is not there");
    }
    assert_eq!(own_act(&panel, "/proof/start", "{}"), 202);
    until("the proof is over", || !proofs.progress().running);
    let card: Value = serde_json::from_str(&get(&panel, "/proof.json").2).unwrap();
    assert_eq!(card["proof"]["ready"], false, "its lane says nothing");
    assert!(proofs.progress().proof.unwrap().check(Item::Lane).is_some());
    assert_eq!(proofs.progress().outputs, [Item::LampAdmit], "nothing is asked about that is not there");
    let asked = proofs.progress().proof.unwrap().checks.into_iter().filter(|check| check.state == State::Asked);
    assert_eq!(asked.map(|check| check.name).collect::<Vec<_>>(), [Item::LampAdmit, Item::Way]);
    assert_eq!(own_act(&panel, "/proof/answer", r#"{"which":"lamp_admit","yes":true}"#), 409, "nobody has seen it");
    assert_eq!(own_act(&panel, "/proof/output", r#"{"which":"way"}"#), 403, "nobody said that the rules allow it");
    let cards: Value = serde_json::from_str(&get(&panel, "/proofs.json").2).unwrap();
    assert_eq!(cards.as_array().unwrap().len(), 1);
    assert_eq!(journal.status().next_seq, 1, "the gate's own journal is as it was");
}
