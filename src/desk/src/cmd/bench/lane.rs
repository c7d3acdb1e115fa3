//! `menshen bench lane`: people a minute through one whole gate, and where each millisecond goes.
//!
//! The gate is the program of a device ([`gate`]); only the world around it is made up: a camera that gives what was drawn
//! beforehand at a camera's rate ([`film`]), a thermometer that speaks the real unit's bytes at its rate, and people
//! ([`crowd`]). Nothing is asked of the gate but moments ([`said`]), and the edges are read off the trace of its pins
//! ([`account`]). The people are as fast as people get: the next one steps up in the moment in which the relay closes for the
//! one before.

mod account;
mod crowd;
mod film;
mod gate;
mod said;

use super::super::{complain, progress, say, say_json};
use super::machine;
use crate::authority::Authority;
use crate::moment;
use crate::outcome::{Failure, Outcome, Result, at};
use account::{Account, Group, Visit};
use clap::{Args, ValueEnum};
use crowd::Person;
use film::{Film, Projector, View};
use gate::{Places, Running};
use menshen_core::thermo::Protocol;
use menshen_gate::sim::ThermometerUnit;
use menshen_lane::probe::Step;
use said::{Said, What, now_us};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Between two faces the thermometer sees the wall for at least so long, in milliseconds.
const WALL_MS: i64 = 300;
/// A healthy forehead, in hundredths of a degree Celsius.
const WELL_CENTI_C: i16 = 3640;
/// The wall, in hundredths of a degree Celsius.
const WALL_CENTI_C: i16 = 2250;
/// Nobody waits longer than this for the relay.
const PATIENCE: Duration = Duration::from_secs(15);
/// The gate finds its camera and its thermometer within this.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// So long a gate runs before the first person comes.
const WARM_UP: Duration = Duration::from_secs(1);
/// The magic number of a file system that is memory (statfs(2)).
const TMPFS: i64 = 0x0102_1994;

/// The words of the command.
#[derive(Args, Debug)]
pub(in super::super) struct Lane {
    /// How many people.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(2..=5000))]
    people: u32,
    /// The camera's frames a second.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=60))]
    fps: u32,
    /// A person steps up each so many milliseconds, but never before the relay has closed for the one before. By default
    /// as soon as it has.
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=600_000), hide_default_value = true)]
    every_ms: u64,
    /// Draws when each code comes, how it is held, and what it is shown on.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Whether the lane has a thermometer.
    #[arg(long, value_enum, default_value_t = Thermometry::Required)]
    thermometry: Thermometry,
    /// Where to keep the journal that is measured: a folder on the disk of interest. By default /var/tmp.
    #[arg(long, value_name = "DIR", default_value = "/var/tmp", hide_default_value = true)]
    state: PathBuf,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Whether a temperature is part of the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Thermometry {
    Required,
    Off,
}

#[derive(Serialize)]
struct Line {
    bench: &'static str,
    machine: String,
    frame: String,
    fps: u32,
    thermometry: Thermometry,
    /// The relay's guard runs as: always a process of its own here.
    guard: &'static str,
    /// Whether the journal was in memory, and not on a disk.
    in_memory: bool,
    every_ms: u64,
    seed: u64,
    people: usize,
    admitted: usize,
    edges: usize,
    records: u64,
    people_per_min: f64,
    /// Of those whose face was there first.
    relay_edge_ms_p50: f64,
    relay_edge_ms_p99: f64,
    relay_edge_ms_max: f64,
    face_first: Group,
    phone_first: Group,
}

impl Lane {
    pub(in super::super) fn run(self) -> Result {
        let remedy = "name a folder that you may write with --state";
        std::fs::create_dir_all(&self.state).map_err(at(&self.state, remedy))?;
        // Removed when this ends; what is left behind after a power cut is only untidy.
        let dir = tempfile::Builder::new()
            .prefix("menshen-bench-")
            .tempdir_in(&self.state)
            .map_err(at(&self.state, remedy))?;
        let in_memory = rustix::fs::statfs(dir.path()).is_ok_and(|stat| i128::from(stat.f_type) == i128::from(TMPFS));
        if in_memory {
            complain(&format!(
                "{} is memory and makes nothing durable: name a folder on a disk with --state",
                self.state.display()
            ));
        }
        let line = self.measure(dir.path(), in_memory)?;
        if self.json {
            say_json(&line)?;
        } else {
            tell(&line)?;
        }
        Ok(Outcome::Done)
    }

    fn measure(&self, dir: &Path, in_memory: bool) -> Result<Line> {
        let places = Places { dir: dir.to_owned() };
        let measures = self.thermometry == Thermometry::Required;
        let profile = Authority::init(&places.trust(), moment::now())?;
        places.write(measures, self.fps)?;
        let crowd = crowd::gather(&profile, self.people as usize, self.seed)?;
        let bar = progress(crowd.len() as u64, "drawing");
        let film = Film::shoot(dir, &crowd, self.seed, &bar)?;
        bar.finish_and_clear();
        let (width, height) = film.size();

        let (sender, hears) = channel();
        let unit = measures.then(|| ThermometerUnit::start(places.thermometer(), Protocol::GyMcu90614)).transpose()?;
        let projector = Projector::start(film, places.pipe(), self.fps, sender.clone())?;
        let running = Running::start(&places, &crowd, &sender)?;
        let mut stage = Stage { projector, unit, hears, said: Vec::new(), closed: 0 };
        stage.clear();
        stage.await_ready()?;
        let visits = stage.walk(&crowd, Duration::from_millis(self.every_ms))?;
        // The last pulse ends and the last verdict is shown.
        thread::sleep(WARM_UP);
        let ended = running.end()?;
        stage.said.extend(stage.hears.try_iter());
        let Account { people_per_min, face_first, phone_first } =
            account::account(&visits, &stage.said, &ended.relay, ended.records)?;
        Ok(Line {
            bench: "lane",
            machine: machine(),
            frame: format!("{width}x{height}"),
            fps: self.fps,
            thermometry: self.thermometry,
            guard: "process",
            in_memory,
            every_ms: self.every_ms,
            seed: self.seed,
            people: visits.len(),
            admitted: visits.len(),
            edges: ended.relay.iter().filter(|edge| edge.closed).count(),
            records: ended.records,
            people_per_min,
            relay_edge_ms_p50: face_first.relay_edge_ms.p50,
            relay_edge_ms_p99: face_first.relay_edge_ms.p99,
            relay_edge_ms_max: face_first.relay_edge_ms.max,
            face_first,
            phone_first,
        })
    }
}

/// The world before one gate.
struct Stage {
    projector: Projector,
    unit: Option<ThermometerUnit>,
    hears: Receiver<Said>,
    said: Vec<Said>,
    /// How often the relay has closed.
    closed: usize,
}

impl Stage {
    /// Nobody is there.
    fn clear(&self) {
        self.projector.see(View::Nobody);
        self.measure(WALL_CENTI_C);
    }

    fn measure(&self, centi_c: i16) {
        if let Some(unit) = &self.unit {
            unit.set_object(Some(centi_c));
        }
    }

    fn await_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        while !matches!(self.hear(START_PATIENCE.saturating_sub(begun.elapsed()), "find its camera")?, What::Ready) {}
        thread::sleep(WARM_UP);
        Ok(())
    }

    /// Everybody, one after another.
    fn walk(&mut self, crowd: &[Person], every: Duration) -> Result<Vec<Visit>> {
        let bar = progress(crowd.len() as u64, "walking");
        let mut due = Instant::now();
        let mut visits = Vec::with_capacity(crowd.len());
        for (number, person) in crowd.iter().enumerate() {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            due += every;
            visits.push(self.pass(number, person)?);
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(visits)
    }

    /// The wall, a face and a code in one order or the other, until the relay closes.
    fn pass(&mut self, number: usize, person: &Person) -> Result<Visit> {
        let stepped_up = Instant::now();
        let wait_until = |ms: i64| {
            let at = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
            thread::sleep((stepped_up + at).saturating_duration_since(Instant::now()));
        };
        let code_ms = WALL_MS + if self.unit.is_some() { person.code_after_ms } else { 0 };
        let face_is_first = code_ms > WALL_MS;
        wait_until(WALL_MS.min(code_ms));
        let mut face_us = None;
        let mut code_us = now_us();
        if face_is_first {
            face_us = Some(code_us);
            self.measure(WELL_CENTI_C);
            self.projector.see(View::Person);
            wait_until(code_ms);
            code_us = now_us();
        }
        self.projector.see(View::Code(number));
        if !face_is_first && self.unit.is_some() {
            wait_until(WALL_MS);
            face_us = Some(now_us());
            self.measure(WELL_CENTI_C);
        }
        let begun = Instant::now();
        while self.closed <= number {
            self.hear(PATIENCE.saturating_sub(begun.elapsed()), "let a healthy person in")?;
        }
        self.clear();
        Ok(Visit { face_us, code_us })
    }

    /// The next thing that happens.
    fn hear(&mut self, patience: Duration, what: &str) -> Result<&What> {
        let said = self.hears.recv_timeout(patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => Failure::new(format!(
                "the gate did not {what} in time: see that nothing else keeps this machine busy, or report this"
            )),
            RecvTimeoutError::Disconnected => Failure::new("the gate ended by itself: report this"),
        })?;
        if let What::Verdict(decision, _) = &said.what {
            account::admitted(decision)?;
        }
        self.closed += usize::from(matches!(said.what, What::Step(Step::RelayClosed)));
        self.said.push(said);
        self.said
            .last()
            .map(|said| &said.what)
            .ok_or_else(|| Failure::new("nothing was heard of the gate: report this"))
    }
}

fn tell(line: &Line) -> Result<()> {
    say(format!(
        "{} people, {:.1} a minute, {} frame at {} a second on {}: all admitted, {} edges, {} records",
        line.people, line.people_per_min, line.frame, line.fps, line.machine, line.edges, line.records
    ))?;
    let groups = [("the face was there first", &line.face_first), ("the phone was there first", &line.phone_first)];
    for (who, group) in groups.into_iter().filter(|(_, group)| group.people > 0) {
        say(format!("{:<34} {:>8} {:>8} {:>8}", format!("{who}: {}", group.people), "p50 ms", "p99 ms", "max ms"))?;
        for (name, part) in group.parts() {
            say(format!("{name:<34} {:>8.1} {:>8.1} {:>8.1}", part.p50, part.p99, part.max))?;
        }
    }
    Ok(())
}
