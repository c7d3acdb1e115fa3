//! The gate that is measured: the program of a device on a board of its own, and who looks on.
//!
//! Its relay's guard is a process, as at a gate, so that what an order costs is in the figures. Whoever looks on does nothing
//! but tell the moment: it holds no thread of the gate up for longer than that takes.

use super::crowd::Person;
use super::said::{Said, What, now_us, say};
use crate::demo::{BASE_BOARD, SIM_BOARD};
use crate::outcome::{Failure, Result, at};
use menshen_core::lane::Screen;
use menshen_core::trust::TrustList;
use menshen_gate::outputs::guard::GuardAs;
use menshen_gate::program::Gate;
use menshen_lane::journal::Inspection;
use menshen_lane::optics::{Frame, Sight};
use menshen_lane::probe::Probe;
use menshen_lane::run::{Device, Spectator, Timing, Watcher};
use menshen_lane::threads::Stop;
use serde::Deserialize;
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// This very program, which has the hidden command of a relay's guard.
const THIS_PROGRAM: &str = "/proc/self/exe";
/// The pin trace, within the state folder.
const TRACE: &str = "gpio.jsonl";

/// Where a lane's files are.
#[derive(Clone)]
pub(super) struct Places {
    pub(super) dir: PathBuf,
}

impl Places {
    pub(super) fn state(&self) -> PathBuf {
        self.dir.join("state")
    }

    pub(super) fn trust(&self) -> PathBuf {
        self.dir.join("trust")
    }

    pub(super) fn pipe(&self) -> PathBuf {
        self.state().join("camera.y4m")
    }

    pub(super) fn thermometer(&self) -> PathBuf {
        self.state().join("unit.tty")
    }

    /// Writes board and site.
    pub(super) fn write(&self, has_thermometer: bool, fps: u32) -> Result<()> {
        let (boards, tty) = (self.dir.join("boards"), self.thermometer());
        for dir in [&boards, &self.state()] {
            fs::create_dir_all(dir).map_err(at(dir, "choose a folder that you may write"))?;
        }
        let (kind, thermometry) = if has_thermometer { ("serial", "required") } else { ("none", "off") };
        let tty = toml::Value::from(tty.display().to_string());
        let board = format!(
            "inherits = [\"sim.toml\"]\n\n[camera]\nkind = \"y4m\"\npath = \"camera.y4m\"\nfps = {fps}\n\n\
             [thermometer]\nkind = \"{kind}\"\nport = {tty}\nprotocol = \"gy-mcu90614\"\n\n[sound]\nkind = \"none\"\n\n\
             [panel]\nlisten = \"127.0.0.1:0\"\n"
        );
        let site = format!(
            "name_zh = \"测试\"\nname_en = \"Bench\"\nlane = 1\nhome = 330100\ntrust = \"trust\"\n\n\
             [policy]\nthermometry = \"{thermometry}\"\n"
        );
        let files = [
            (boards.join("base.toml"), BASE_BOARD.to_owned()),
            (boards.join("sim.toml"), SIM_BOARD.to_owned()),
            (boards.join("bench.toml"), board),
            (self.dir.join("site.toml"), site),
        ];
        files
            .iter()
            .try_for_each(|(path, text)| fs::write(path, text).map_err(at(path, "choose a folder that you may write")))
    }
}

/// A gate that runs until it is ended.
pub(super) struct Running {
    stop: Stop,
    thread: Option<JoinHandle<()>>,
    state: PathBuf,
    /// Zero of its clock and its trace, in milliseconds since this machine was started.
    t0_ms: u64,
}

impl Running {
    /// Starts it; what is seen of it goes to `said`.
    pub(super) fn start(places: &Places, crowd: &[Person], said: &Sender<Said>) -> Result<Running> {
        let (board, site, state) = (places.dir.join("boards/bench.toml"), places.dir.join("site.toml"), places.state());
        let mut gate = Gate::open_guarded(&board, &site, &state, &GuardAs::Process(THIS_PROGRAM.into()))?;
        let clock = gate.clock();
        let t0_ms = loop {
            let mono_ms = clock.mono_ms();
            let t0_ms = (now_us() / 1000).saturating_sub(mono_ms);
            // Both must be of the same millisecond.
            if clock.mono_ms() == mono_ms {
                break t0_ms;
            }
        };
        let whose = crowd.iter().enumerate().map(|(number, person)| (person.payload.clone().into_bytes(), number));
        let has_seen = Arc::new(AtomicBool::new(false));
        let eyes = Eyes { said: said.clone(), whose: whose.collect(), last: None, has_seen: has_seen.clone() };
        gate.watch(Box::new(Onlooker { said: said.clone(), eyes: Some(eyes), has_seen }));
        let steps = said.clone();
        gate.probe(Probe::new(move |step| say(&steps, What::Step(step))));
        let stop = Stop::new();
        let running = stop.clone();
        let thread = thread::Builder::new().name("gate".to_owned()).spawn(move || gate.run(&running))?;
        Ok(Running { stop, thread: Some(thread), state, t0_ms })
    }

    /// Stops it in good order; gives what its relay and its journal say.
    pub(super) fn end(mut self) -> Result<Ended> {
        self.halt();
        let path = self.state.join(TRACE);
        let trace = fs::read_to_string(&path).map_err(at(&path, "see that the disk has room, and measure again"))?;
        let verification = Inspection::open(&self.state)?.verify()?;
        if let Some((_, fault)) = verification.faults.first() {
            return Err(Failure::new(format!("the journal of the measured gate is not whole ({fault}): report this")));
        }
        Ok(Ended { relay: edges(&trace, self.t0_ms), records: verification.records })
    }

    fn halt(&mut self) {
        self.stop.set();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the gate ended in a panic; it is a bug, please report it");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.halt();
    }
}

/// What a gate leaves behind.
pub(super) struct Ended {
    /// Every edge of its relay.
    pub(super) relay: Vec<Edge>,
    /// How many records its journal has.
    pub(super) records: u64,
}

/// An edge of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    /// Whether it closed.
    pub(super) closed: bool,
    /// The end of the millisecond in which it moved: what is measured is never less than it was.
    pub(super) at_us: u64,
}

fn edges(trace: &str, t0_ms: u64) -> Vec<Edge> {
    #[derive(Deserialize)]
    struct Line<'a> {
        t_ms: u64,
        pin: &'a str,
        level: &'a str,
    }
    let lines = trace.lines().filter_map(|line| serde_json::from_str::<Line<'_>>(line).ok());
    lines
        .filter(|line| line.pin == "relay")
        .map(|line| Edge { closed: line.level == "high", at_us: (t0_ms + line.t_ms + 1) * 1000 })
        .collect()
}

/// Tells what the gate shows.
struct Onlooker {
    said: Sender<Said>,
    eyes: Option<Eyes>,
    has_seen: Arc<AtomicBool>,
}

impl Watcher for Onlooker {
    fn screen(&mut self, screen: &Screen, _: Option<&TrustList>, timing: Timing) {
        if let Screen::Verdict(decision) = screen {
            say(&self.said, What::Verdict(Box::new(decision.clone()), timing));
        }
    }

    fn device(&mut self, device: &Device) {
        let works = device.faults.camera.is_none() && device.faults.thermometer.is_none();
        if works && self.has_seen.load(Ordering::Relaxed) {
            say(&self.said, What::Ready);
        }
    }

    fn spectator(&mut self) -> Option<Box<dyn Spectator>> {
        self.eyes.take().map(|eyes| Box::new(eyes) as Box<dyn Spectator>)
    }
}

/// Tells when the code of each person was read first.
struct Eyes {
    said: Sender<Said>,
    whose: HashMap<Vec<u8>, usize>,
    last: Option<usize>,
    has_seen: Arc<AtomicBool>,
}

impl Spectator for Eyes {
    fn is_watched(&mut self) -> bool {
        true
    }

    fn frame(&mut self, _: &Frame, sight: &Sight) {
        self.has_seen.store(true, Ordering::Relaxed);
        let person = sight.payloads.iter().find_map(|payload| self.whose.get(payload.as_bytes()).copied());
        if let Some(person) = person
            && self.last != Some(person)
        {
            self.last = Some(person);
            say(&self.said, What::Read(person, Duration::from_micros(sight.decode_us)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_of_the_relay_and_at_the_end_of_its_millisecond() {
        let trace = "{\"t_ms\":5,\"pin\":\"relay\",\"level\":\"high\"}\n{\"t_ms\":6,\"pin\":\"buzzer\",\"level\":\"high\"}\n\
                     {\"t_ms\":1005,\"pin\":\"relay\",\"level\":\"low\"}\n{\"t_ms\":10";
        let expected = [Edge { closed: true, at_us: 106_000 }, Edge { closed: false, at_us: 1_106_000 }];
        assert_eq!(edges(trace, 100), expected);
    }
}
