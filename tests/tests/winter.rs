//! A whole gate in winter, and one without a thermometer: what a person meets whose temperature is not to be had.

use menshen_core::decide::{Decision, Verdict};
use menshen_core::lane::Screen;
use menshen_core::reason::Reason;
use menshen_tests::faults::ledger::{Ledger, relay_edges};
use menshen_tests::faults::ports::Ports;
use menshen_tests::faults::watched::Watched;
use menshen_tests::faults::world::{GREEN, Pass, World};
use std::sync::Arc;

/// Whoever comes in from the frost has a forehead like this.
const FROZEN_CENTI_C: i16 = 2800;
const WARM_CENTI_C: i16 = 3640;
/// A pass that a clock which nobody confirmed is sure of.
const GOOD: Pass = Pass { valid: "3h", ago_s: 3600, ..GREEN };
const SITE: &str = "reading_window_ms = 1500\nmeasure_attempts = 3\nrelay_pulse_ms = 200\n";

/// Who came in from the frost, and the gate that they stand at. The world goes last: the others are in it.
struct Winter {
    gate: Watched,
    ports: Ports,
    world: World,
}

impl Winter {
    /// Somebody with a good pass and a frozen forehead stands at the gate.
    fn begin() -> Winter {
        let mut world = World::new();
        world.site(SITE);
        let mut ports = Ports::fit(&world);
        let gate = Watched::start(&world).expect("it starts");
        let frame = Arc::new(world.visitor(GOOD).frame);
        ports.comes(Some(FROZEN_CENTI_C), Some(&frame));
        Winter { gate, ports, world }
    }

    /// Waits until the gate asks to measure again for the `attempt`th time in all.
    fn asks(&self, attempt: u8) {
        let asked = Screen::MeasureAgain { attempt, of: 3 };
        self.gate
            .when(&format!("{asked:?}"), |seen| seen.screens.iter().any(|(_, screen)| *screen == asked).then_some(()));
    }

    /// The verdict, once there is one; then the gate is stopped.
    fn decision(self) -> (World, Decision) {
        let decision = self.gate.when("a verdict", |seen| seen.screens.iter().find_map(|(_, screen)| verdict(screen)));
        self.gate.stop();
        (self.world, decision)
    }
}

fn verdict(screen: &Screen) -> Option<Decision> {
    if let Screen::Verdict(decision) = screen { Some(decision.clone()) } else { None }
}

fn closings(world: &World) -> usize {
    relay_edges(world).into_iter().filter(|closed| *closed).count()
}

#[test]
fn a_frozen_forehead_is_measured_again_until_it_is_warm_and_then_let_in_once() {
    let mut winter = Winter::begin();
    winter.asks(2);
    winter.asks(3);
    winter.ports.face(WARM_CENTI_C);
    let (world, decision) = winter.decision();
    assert_eq!((decision.verdict, decision.cause), (Verdict::Admit, None), "{decision:?}");
    assert_eq!(decision.evidence.reading.map(|reading| reading.temp_centi_c), Some(WARM_CENTI_C));
    assert_eq!((closings(&world), Ledger::of(&world).verdicts), (1, vec![Some(Verdict::Admit)]));
}

#[test]
fn a_forehead_that_stays_frozen_is_a_persons_to_decide_about_and_never_a_fever_nor_a_way_in() {
    let winter = Winter::begin();
    winter.asks(2);
    winter.asks(3);
    let (world, decision) = winter.decision();
    assert_eq!((decision.verdict, &decision.reasons[..]), (Verdict::Refer, &[Reason::TempImplausible][..]));
    assert_eq!((closings(&world), Ledger::of(&world).verdicts), (0, vec![Some(Verdict::Refer)]));
}

#[test]
fn a_lane_without_a_thermometer_admits_where_the_policy_asks_for_no_reading_and_refers_where_it_does() {
    for (thermometry, wanted) in [("off", Verdict::Admit), ("required", Verdict::Refer)] {
        let mut world = World::new();
        world.board("[thermometer]\nkind = \"none\"\n");
        world.site(&format!("relay_pulse_ms = 200\nthermometry = \"{thermometry}\"\n"));
        let gate = Watched::start(&world).expect("it starts");
        world.show(GREEN);
        let said = gate.verdict(1);
        assert_eq!((said.verdict, said.evidence.temp_c), (wanted.name(), None), "{thermometry}: {said:?}");
        gate.stop();
        let let_in = usize::from(wanted == Verdict::Admit);
        assert_eq!((closings(&world), Ledger::of(&world).verdicts), (let_in, vec![Some(wanted)]), "{thermometry}");
    }
}
