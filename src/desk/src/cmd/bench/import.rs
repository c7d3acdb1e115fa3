//! `menshen bench import`: how long a decision waits while a gate imports what it believes.
//!
//! A gate with full status lists gets a stick, once with a delta of one issuer and once with a new list of every issuer.
//! Its own keeper imports, in its own thread of low priority, while another thread decides about passes without a
//! pause, as the loop of a gate does. The country is made in a process of its own, so that what that needs is no memory
//! of this one.

mod country;
mod decider;

use super::super::{say, say_json};
use super::lists::Lists;
use super::{machine, mib, rss_kib};
use crate::outcome::{Failure, Outcome, Result, at};
use clap::Args;
use decider::{Counted, Decider, Standing};
use menshen_lane::health::Health;
use menshen_lane::journal::SledJournal;
use menshen_lane::threads::Stop;
use menshen_lane::trust::{Import as Newest, Keeper, KeeperConfig, RoadState};
use serde::Serialize;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many entries the delta has.
const DELTA_ENTRIES: u32 = 100_000;
/// How often the deciding thread looks how the import stands; the loop of a gate does so twice a second.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// How long after an import what was believed before is freed: the next round of the keeper, and a little more.
const UNTIL_FREED: Duration = Duration::from_millis(1500);
/// No import takes longer.
const PATIENCE: Duration = Duration::from_secs(600);

/// The words of the command.
#[derive(Args, Debug)]
pub(in super::super) struct Import {
    /// How many entries in all.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(1..=200_000_000))]
    entries: u32,
    /// Over how many issuers, each with a list, a key, and a rule that honours it.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=64))]
    issuers: u32,
    /// For how long decisions are counted without an import.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    idle_s: u64,
    /// Where to keep what is measured: a folder on the disk of interest.
    #[arg(long, value_name = "DIR")]
    state: Option<std::path::PathBuf>,
    /// One JSON object a case.
    #[arg(long)]
    json: bool,
    /// Make what is imported in this folder and end.
    #[arg(long, value_name = "DIR", hide = true)]
    make: Option<std::path::PathBuf>,
}

/// What was measured of one case. `durable` is the same with each decision recorded in a journal on the same disk
/// before the next one, as a gate does.
#[derive(Debug, Serialize)]
struct Line {
    bench: &'static str,
    case: &'static str,
    machine: String,
    entries: u32,
    issuers: u32,
    delta_entries: u32,
    import_s: f64,
    decisions_idle: u64,
    decisions_import: u64,
    decision_gap_ms_max_idle: f64,
    decision_gap_ms_max_import: f64,
    durable_import_s: f64,
    durable_decisions_idle: u64,
    durable_decisions_import: u64,
    durable_gap_ms_max_idle: f64,
    durable_gap_ms_max_import: f64,
    resident_mib: f64,
}

/// One import and the decisions around it.
struct Measured {
    import_s: f64,
    idle: Counted,
    during: Counted,
    /// All that the process holds afterwards, the program and the passes included.
    resident_mib: f64,
}

impl Import {
    pub(in super::super) fn run(self) -> Result {
        let lists = Lists { entries: self.entries, issuers: self.issuers };
        if let Some(dir) = &self.make {
            country::make(lists, dir, DELTA_ENTRIES)?;
            return Ok(Outcome::Done);
        }
        let dir = match &self.state {
            Some(dir) => dir.join("bench-import"),
            None => std::env::temp_dir().join(format!("menshen-bench-{}", std::process::id())),
        };
        let result = self.measure(lists, &dir);
        // What is left behind is only untidy.
        let _ = fs::remove_dir_all(&dir);
        for line in result? {
            if self.json {
                say_json(&line)?;
            } else {
                say(line.sentence())?;
            }
        }
        Ok(Outcome::Done)
    }

    fn measure(&self, lists: Lists, dir: &Path) -> Result<Vec<Line>> {
        fs::create_dir_all(dir).map_err(at(dir, "choose a folder that you may write"))?;
        self.have_made(dir)?;
        let text = fs::read_to_string(dir.join("passes"))?;
        let passes: Vec<&[u8]> = text.lines().map(str::as_bytes).collect();
        let mut lines = Vec::new();
        for case in ["delta", "lists"] {
            let plain = self.import(lists, dir, case, &passes, false)?;
            let durable = self.import(lists, dir, case, &passes, true)?;
            lines.push(Line {
                bench: "import",
                case,
                machine: machine(),
                entries: lists.entries,
                issuers: lists.issuers,
                delta_entries: DELTA_ENTRIES.min(lists.of(0)),
                import_s: plain.import_s,
                decisions_idle: plain.idle.decisions,
                decisions_import: plain.during.decisions,
                decision_gap_ms_max_idle: ms(plain.idle.longest_gap),
                decision_gap_ms_max_import: ms(plain.during.longest_gap),
                durable_import_s: durable.import_s,
                durable_decisions_idle: durable.idle.decisions,
                durable_decisions_import: durable.during.decisions,
                durable_gap_ms_max_idle: ms(durable.idle.longest_gap),
                durable_gap_ms_max_import: ms(durable.during.longest_gap),
                resident_mib: plain.resident_mib,
            });
        }
        Ok(lines)
    }

    /// A new gate with the first publication, which gets a stick.
    fn import(&self, lists: Lists, dir: &Path, case: &str, passes: &[&[u8]], durable: bool) -> Result<Measured> {
        let (state, port) = (dir.join("state"), dir.join("state/sticks").join(case));
        fs::create_dir_all(dir.join("state/sticks"))?;
        let config = KeeperConfig {
            state: state.clone(),
            folder: dir.join("gate"),
            anchor: None,
            mounts: vec![state.join("sticks")],
            hub: None,
            longest_wait: Duration::from_secs(1),
            seed: 0,
        };
        let keeper = Keeper::open(config, Arc::new(Standing))?;
        let feed = keeper.feed();
        let journal = durable.then(|| SledJournal::open(&state)).transpose()?;
        let mut decider = Decider::new(passes, feed.clone(), lists.issuer(0)?, journal);
        let stop = Stop::new();
        let thread = keeper.spawn(Arc::new(Health::default()), stop.clone());
        decider.until(after(Duration::from_secs(1)))?;
        let idle = decider.until(after(Duration::from_secs(self.idle_s)))?;
        fs::rename(dir.join(case), &port)?;
        let (mut looked_at, mut began, mut ended) = (Instant::now(), None, None);
        let put_in = looked_at;
        let during = decider.until(|| {
            if looked_at.elapsed() >= LOOK_EVERY {
                looked_at = Instant::now();
                match feed.import() {
                    Some(Newest { state: RoadState::Importing, .. }) => began = began.or(Some(looked_at)),
                    Some(_) => ended = ended.or(Some(looked_at)),
                    None => {}
                }
            }
            ended.is_some_and(|ended: Instant| ended.elapsed() > UNTIL_FREED) || put_in.elapsed() > PATIENCE
        })?;
        let (outcome, resident_mib) = (feed.import(), mib(rss_kib()?));
        stop.set();
        let _ = thread.join();
        fs::rename(&port, dir.join(case))?;
        fs::remove_dir_all(&state)?;
        if outcome.as_ref().is_none_or(|import| import.state != RoadState::Imported) || idle.admitted == 0 {
            return Err(Failure::new(format!(
                "what was to be measured did not happen ({outcome:?}): please report it"
            )));
        }
        let took = began.zip(ended).map_or(Duration::ZERO, |(began, ended)| ended.duration_since(began));
        Ok(Measured { import_s: (took.as_secs_f64() * 1e3).round() / 1e3, idle, during, resident_mib })
    }

    fn have_made(&self, dir: &Path) -> Result<()> {
        let mut maker = Command::new(std::env::current_exe()?);
        maker.args(["bench", "import", "--make"]).arg(dir);
        maker.args(["--entries", &self.entries.to_string(), "--issuers", &self.issuers.to_string()]);
        if maker.status()?.success() { Ok(()) } else { Err(Failure::new("what to measure could not be made")) }
    }
}

impl Line {
    fn sentence(&self) -> String {
        format!(
            "{} entries of {} issuers on {}, {}: imported in {:.2} s; longest gap between two decisions {:.2} ms during it, \
             {:.2} ms without; with each decision durable {:.2} ms during it, {:.2} ms without; {:.1} MiB resident",
            self.entries,
            self.issuers,
            self.machine,
            match self.case {
                "delta" => format!("a delta of {}", self.delta_entries),
                _ => "every list new".to_owned(),
            },
            self.import_s,
            self.decision_gap_ms_max_import,
            self.decision_gap_ms_max_idle,
            self.durable_gap_ms_max_import,
            self.durable_gap_ms_max_idle,
            self.resident_mib
        )
    }
}

fn after(duration: Duration) -> impl FnMut() -> bool {
    let begun = Instant::now();
    move || begun.elapsed() >= duration
}

fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e5).round() / 100.0
}
