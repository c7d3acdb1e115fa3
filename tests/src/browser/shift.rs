//! A volunteer's shift: a whole gate at the way out of a community, its hub, and people of every kind.
//!
//! The gate is the real program with its real drivers ([`Ports`]); who comes are the people of the demonstration
//! and those for whom a gate needs rules or news that the demonstration has not. The page in a browser is looked at as a person
//! reads it ([`Shift::read`]).

use super::PATIENCE;
use super::page::Page;
use crate::faults::ports::{Ports, WALL_CENTI_C};
use crate::faults::watched::Watched;
use crate::faults::world::{World, view};
use crate::faults::{as_main, until};
use clap::Parser;
use menshen::cmd::Cli;
use menshen::demo::people::{Person, everybody};
use menshen::outcome::Outcome;
use menshen::qr;
use menshen::request::Request;
use menshen::scene::{self, Camera, Carrier};
use menshen_core::decide::{Decision, Verdict};
use menshen_core::lane::Screen;
use menshen_core::pass;
use menshen_core::reason::Reason;
use menshen_hub::Hub;
use menshen_lane::moment;
use menshen_lane::view::DecisionView;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

const RULES: &str = "reading_window_ms = 1500\nmeasure_attempts = 3\nrelay_pulse_ms = 200\nhold_admit_ms = 30000\n\
                     hold_other_ms = 30000\nagain_after_s = 3600\nquota = { outings = 1, days = 2 }\n\
                     kinds = [\"phone\", \"paper\", \"dependent\", \"community\"]\n";
/// Long enough for the thermometer to see the wall twice.
const BETWEEN: Duration = Duration::from_millis(400);
const ZHEJIANG: u32 = 330_000;
const WELL_CENTI_C: i16 = 3640;
const DAY_S: u64 = 86_400;

/// A gate with all that belongs to it. The gate ends before what it stands on.
pub struct Shift {
    gate: Watched,
    hub: Option<Hub>,
    /// The hardware, to be pulled.
    pub ports: Ports,
    world: World,
    people: Vec<Person>,
    shown: u64,
}

/// What became of somebody.
#[derive(Clone, Debug)]
pub struct Met {
    /// What the gate decided.
    pub decision: Decision,
    /// The same, as a page gets it.
    pub view: DecisionView,
}

/// What a person reads on the page, and how it looks to a program; an empty text is one that is not there.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the page's own names")]
pub struct Reading {
    pub lang: String,
    pub screen: String,
    pub verdict: String,
    pub sign: String,
    pub word: String,
    pub other: String,
    pub title: String,
    pub say: String,
    pub remedy: String,
    pub also: String,
    pub volunteer: String,
    pub facts: Vec<String>,
    /// Whether a text is cut off.
    pub cut: bool,
}

const READ: &str = "
  const text = (id) => {
    const found = document.getElementById(id);
    return found && !found.hidden ? found.textContent : '';
  };
  const [main, column] = [document.querySelector('main'), document.getElementById('text')];
  const tooHigh = (box) => box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1;
  return {
    lang: document.documentElement.lang,
    screen: document.body.dataset.screen,
    verdict: document.body.dataset.verdict ?? '',
    sign: document.getElementById('sign-use').getAttribute('href'),
    word: text('word'), other: text('other'), title: text('title'), say: text('say'), remedy: text('remedy'),
    also: text('also'), volunteer: text('volunteer'),
    facts: [...document.querySelectorAll('#facts .fact dd')].map((fact) => fact.textContent.trim()),
    cut: tooHigh(main) || tooHigh(column),
  };";

impl Shift {
    /// The gate runs, the hub has spoken, and nobody is there yet.
    pub fn begin() -> Shift {
        let world = World::new();
        world.site(RULES);
        let site = std::fs::read_to_string(world.site_file()).expect("it was written");
        let leads_out = site.replace("trust = \"trust\"\n", "trust = \"trust\"\nleads_out = [1]\n");
        assert_ne!(site, leads_out, "the site names its trust folder");
        world.write("site.toml", leads_out);
        let ports = Ports::fit(&world);
        let board = std::fs::read_to_string(world.board_file()).expect("it was written");
        world.write("boards/fault.toml", board.replace("source = \"simulated\"", "source = \"system\""));
        let people = people(&world);
        let hub = Some(world.start_hub());
        let gate = Watched::start(&world).expect("the gate starts");
        Shift { gate, hub, ports, world, people, shown: 0 }
    }

    /// Where the gate keeps its state.
    pub fn state(&self) -> PathBuf {
        self.world.state()
    }

    /// Everybody who comes, in order.
    pub fn people(&self) -> Vec<Person> {
        self.people.clone()
    }

    /// One of them.
    ///
    /// # Panics
    /// Where nobody has that name.
    pub fn person(&self, name: &str) -> Person {
        self.people.iter().find(|person| person.name == name).expect("a name of the list").clone()
    }

    /// The address of the panel in a language.
    pub fn url(&self, path: &str, lang: &str) -> String {
        format!("http://{}{path}?lang={lang}", self.gate.panel().expect("the board has a panel"))
    }

    /// Somebody comes, shows a code and is measured, again if the gate asks; they stay until [`Shift::leaves`].
    pub fn meet(&mut self, person: &Person) -> Met {
        self.shown += 1;
        let code = qr::qr(&person.payload).expect("a pass fits into a code");
        let frame = Arc::new(scene::render(&code, &Camera { carrier: person.carrier, ..view() }, self.shown));
        let before = self.gate.seen();
        let (verdicts, screens) = (before.verdicts.len(), before.screens.len());
        self.ports.comes(Some(person.temp_centi_c), Some(&frame));
        let mut asked_again = false;
        until(&format!("the verdict about {}", person.name), PATIENCE, || {
            let seen = self.gate.seen();
            let again = |(_, screen): &(_, Screen)| matches!(screen, Screen::MeasureAgain { .. });
            if !asked_again && seen.screens[screens..].iter().any(again) {
                asked_again = true;
                self.ports.face(person.again_centi_c);
            }
            let decision = seen.screens[screens..].iter().find_map(|(_, screen)| decision_of(screen))?;
            Some(Met { decision, view: seen.verdicts.get(verdicts)?.1.clone() })
        })
    }

    /// Whoever was there goes.
    pub fn leaves(&mut self) {
        self.ports.leaves();
        sleep(BETWEEN);
    }

    /// The newest verdict once there are more than so many.
    pub fn verdict_after(&self, count: usize) -> Met {
        self.gate.when("another verdict", |seen| {
            let view = seen.verdicts.get(count)?.1.clone();
            let decision = seen.screens.iter().rev().find_map(|(_, screen)| decision_of(screen))?;
            Some(Met { decision, view })
        })
    }

    /// How many verdicts there were.
    pub fn verdicts(&self) -> usize {
        self.gate.seen().verdicts.len()
    }

    /// The hub goes away, and nobody tells the gate.
    pub fn hub_goes(&mut self) {
        self.hub = None;
    }

    /// The hub is back.
    pub fn hub_returns(&mut self) {
        self.hub = Some(self.world.start_hub());
    }

    /// What is to be read on a page now.
    pub fn read(page: &Page) -> Reading {
        serde_json::from_value(page.evaluate(READ)).expect("the script gives these names")
    }
}

fn decision_of(screen: &Screen) -> Option<Decision> {
    if let Screen::Verdict(decision) = screen { Some(decision.clone()) } else { None }
}

/// The people of the demonstration, then those whom it has not; the last shows the first one's pass again.
fn people(world: &World) -> Vec<Person> {
    let now = moment::now();
    let mut people = everybody(world.authority(), now).expect("the authority has every issuer's key");
    let pass_at = |at: u64, request: Request| {
        let claims = request.claims(at).expect("a request as the desk makes it");
        let key = world.authority().issuer_key(claims.issuer).expect("the profile has every issuer's");
        pass::issue(&claims, &key).expect("claims of a request fit").as_str().to_owned()
    };
    let of = |kind: &str, colour: &str| Request {
        issuer: ZHEJIANG,
        colour: colour.into(),
        kind: kind.into(),
        valid: Some("3h".into()),
        name: Some("何*".into()),
        id_tail: Some("2047".into()),
        ..Request::default()
    };
    let member = || Request { household: Some("lin".into()), ..of("community", "green") };
    let person = |name, payload: String, verdict, reason| Person {
        name,
        payload,
        carrier: Carrier::Phone,
        temp_centi_c: WELL_CENTI_C,
        again_centi_c: WELL_CENTI_C,
        verdict,
        reason,
    };
    // What an issuer says of a pass, it says after it was made.
    let [revoked, turned_red] = [(); 2].map(|()| pass_at(now - 600, of("phone", "green")));
    said_by_issuer(world, &[(&revoked, "revoked"), (&turned_red, "red")]);
    let later = Request { not_before: Some((now + DAY_S).to_string()), ..of("paper", "green") };
    let (admit, refer, refuse) = (Verdict::Admit, Verdict::Refer, Verdict::Refuse);
    let again = people[0].payload.clone();
    people.extend([
        person("revoked", revoked, refuse, Some(Reason::Revoked)),
        person("turned_red", turned_red, refuse, Some(Reason::Red)),
        person("not_yet_valid", pass_at(now, later), refuse, Some(Reason::NotYetValid)),
        person("dependent", pass_at(now, of("dependent", "green")), admit, None),
        person("visitor", pass_at(now, of("visitor", "green")), refuse, Some(Reason::KindNotAccepted)),
        person("household_first", pass_at(now, member()), admit, None),
        person("household_second", pass_at(now, member()), refuse, Some(Reason::HouseholdQuota)),
        person("unknown_level", pass_at(now, of("phone", "9")), refer, Some(Reason::UnknownLevel)),
        Person {
            temp_centi_c: WALL_CENTI_C,
            again_centi_c: WALL_CENTI_C,
            ..person("keeps_away", pass_at(now, of("phone", "green")), refer, Some(Reason::TempImplausible))
        },
        person("shown_again", again, refer, Some(Reason::ShownAgain)),
    ]);
    people
}

/// Has the desk say something of passes and publish it, by its own commands.
fn said_by_issuer(world: &World, said: &[(&str, &str)]) {
    let trust = world.path("trust").display().to_string();
    let issuer = ZHEJIANG.to_string();
    let mut commands: Vec<Vec<&str>> = said
        .iter()
        .map(|(pass, set)| vec!["trust", "status", &issuer, "--trust", &trust, "--pass", pass, "--set", set])
        .collect();
    commands.push(vec!["trust", "publish", "--trust", &trust]);
    for words in commands {
        let words: Vec<String> = ["menshen"].into_iter().chain(words).map(str::to_owned).collect();
        let outcome = as_main(move || Cli::try_parse_from(words).expect("the desk has this command").run());
        assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
    }
}
