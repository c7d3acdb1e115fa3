//! `menshen demo`: one command that shows everything work.

use super::{complain, say, say_json};
use crate::demo::audit::Audit;
use crate::demo::{Demo as Stage, Met, Options};
use crate::outcome::{Failure, Outcome, Result, at};
use clap::Args;
use menshen_core::decide::Verdict;
use menshen_lane::view::DecisionView;
use menshen_lane::words::{Lang, Words};
use serde::Serialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a verdict stays where people watch.
const PACE: Duration = Duration::from_secs(4);
/// How long between two people where nobody watches.
const HEADLESS_PACE: Duration = Duration::from_millis(100);

/// The words of the command.
#[derive(Args, Debug)]
pub(super) struct Demo {
    /// Walk everybody through once, as fast as the gate can, and end.
    #[arg(long)]
    headless: bool,
    /// One JSON object a person, and a summary.
    #[arg(long)]
    json: bool,
    /// Where the panel is served; by default 127.0.0.1:8460, or a free port with --headless.
    #[arg(long, value_name = "ADDR")]
    panel: Option<SocketAddr>,
    /// Where the hub listens; by default 127.0.0.1:8470, or a free port with --headless.
    #[arg(long, value_name = "ADDR")]
    hub: Option<SocketAddr>,
    /// Keep keys, journal and hub here, to be looked at afterwards; it must not exist yet. By default all is
    /// removed at the end.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

#[derive(Serialize)]
struct Line<'a> {
    person: &'a str,
    #[serde(flatten)]
    view: &'a DecisionView,
    decode_ms: f64,
    verify_us: f64,
    durable_ms: f64,
    as_expected: bool,
}

#[derive(Serialize)]
struct Summary {
    decisions: usize,
    #[serde(flatten)]
    audit: Audit,
    unexpected: usize,
}

impl Demo {
    pub(super) fn run(self) -> Result {
        let kept = self.state.is_some();
        let dir = self.folder()?;
        let result = self.play(dir.clone());
        if !kept {
            // What is left behind in a temporary folder is only untidy.
            let _ = std::fs::remove_dir_all(&dir);
        }
        result
    }

    fn folder(&self) -> Result<PathBuf> {
        let dir = match &self.state {
            Some(dir) => dir.clone(),
            None => std::env::temp_dir().join(format!("menshen-demo-{}", std::process::id())),
        };
        std::fs::create_dir_all(dir.parent().unwrap_or(&dir))
            .map_err(at(&dir, "choose a folder that you may write"))?;
        std::fs::create_dir(&dir).map_err(at(&dir, "name a folder that does not exist yet"))?;
        Ok(dir)
    }

    fn play(&self, dir: PathBuf) -> Result {
        let pace = if self.headless { HEADLESS_PACE } else { PACE };
        let port = |usual| SocketAddr::from((Ipv4Addr::LOCALHOST, if self.headless { 0 } else { usual }));
        let (panel, hub) = (self.panel.unwrap_or(port(8460)), self.hub.unwrap_or(port(8470)));
        // Ctrl-C ends the demonstration after the person who is there, and removes its keys.
        let ended = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, ended.clone())?;
        }
        let mut stage = Stage::start(&Options { dir, panel, hub, pace })?;
        self.greet(&stage)?;
        if self.headless {
            let met = self.walk(&mut stage, pace, &ended)?;
            return self.conclude(stage, &met);
        }
        let mut met = Vec::new();
        while !ended.load(Ordering::Relaxed) {
            met.extend(self.walk(&mut stage, pace, &ended)?);
        }
        self.conclude(stage, &met)
    }

    fn greet(&self, stage: &Stage) -> Result<()> {
        let panel = stage.panel().ok_or_else(|| {
            Failure::new("the panel's address is taken by another program: stop it, or name another one with --panel")
        })?;
        let lines = format!("panel http://{panel}/\nhub   http://{}/", stage.hub());
        // In a pipe of JSON the addresses are for people all the same.
        if self.json {
            lines.lines().for_each(complain)
        } else {
            say(lines)?
        }
        Ok(())
    }

    /// Everybody once; the hub is away for the second half.
    fn walk(&self, stage: &mut Stage, pace: Duration, ended: &AtomicBool) -> Result<Vec<Met>> {
        let people = stage.people()?;
        let mut all = Vec::with_capacity(people.len());
        for (number, person) in people.iter().enumerate().take_while(|_| !ended.load(Ordering::Relaxed)) {
            if number == people.len() / 2 {
                stage.take_hub_away();
            }
            let met = stage.meet(person, pace)?;
            self.tell(&met)?;
            all.push(met);
        }
        stage.bring_hub_back()?;
        Ok(all)
    }

    fn tell(&self, met: &Met) -> Result<()> {
        let (timing, person) = (met.timing, met.person.name);
        if self.json {
            return say_json(&Line {
                person,
                view: &met.view,
                decode_ms: timing.decode.as_secs_f64() * 1e3,
                verify_us: timing.decide.as_secs_f64() * 1e6,
                durable_ms: timing.record.as_secs_f64() * 1e3,
                as_expected: met.as_expected(),
            });
        }
        let mark = match met.decision.verdict {
            Verdict::Admit => '✓',
            Verdict::Refer => '!',
            Verdict::Refuse => '✗',
        };
        let words = Lang::USUAL.map(|lang| {
            let words = Words::of(lang);
            let reason = words.told(&met.decision).into_iter().next().map(|reason| reason.title);
            format!("{} {}", words.verdict(met.decision.verdict).word, reason.unwrap_or_default())
        });
        say(format!("{mark} {person:<26} {}", words.join(" / ")))
    }

    fn conclude(&self, stage: Stage, met: &[Met]) -> Result {
        let audit = stage.finish()?;
        let unexpected = met.iter().filter(|met| !met.as_expected()).count();
        let summary = Summary { decisions: met.len(), audit, unexpected };
        if self.json {
            say_json(&serde_json::json!({ "summary": &summary }))?;
        } else {
            let Audit { journal_records, hub_records, lost, doubled } = audit;
            say(format!(
                "{} decisions, {journal_records} in the journal, {hub_records} at the hub, {lost} lost, {doubled} doubled",
                met.len()
            ))?;
        }
        let complete = audit.journal_records == met.len() as u64;
        let whole = complete && audit.lost == 0 && audit.doubled == 0 && unexpected == 0;
        Ok(if whole { Outcome::Done } else { Outcome::No })
    }
}
