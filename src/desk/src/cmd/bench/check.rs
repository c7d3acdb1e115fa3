//! `menshen bench check`: luma frame → decision → durable record, through the code a gate runs.

use super::super::{progress, say, say_json};
use super::{machine, percentile_ms};
use crate::authority::Authority;
use crate::moment;
use crate::outcome::{Failure, Outcome, Result, at};
use crate::request::Request;
use crate::scene::{self, Camera, Carrier};
use crate::{cmd::pass, qr};
use clap::Args;
use menshen_core::decide::{Context, Decision, Measured, Shown, decide};
use menshen_core::ids::IssuerId;
use menshen_core::policy::Policy;
use menshen_core::record::{Body, Scan};
use menshen_core::thermo::Reading;
use menshen_core::time::Time;
use menshen_core::trust::TrustList;
use menshen_lane::journal::{Journal, SledJournal};
use menshen_lane::optics::{Frame, Payload, Reader};
use serde::Serialize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Who issues the passes that are measured.
const ISSUER: u32 = 330_000;

/// The words of the command.
#[derive(Args, Debug)]
pub(in super::super) struct Check {
    /// How many frames.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    frames: u64,
    /// Where to keep the journal that is measured: a folder on the disk of interest.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line {
    bench: &'static str,
    machine: String,
    frame: String,
    frames: u64,
    admitted: u64,
    decision_ms_p50: f64,
    decision_ms_p99: f64,
    durable_ms_p50: f64,
    durable_ms_p99: f64,
}

impl Check {
    pub(in super::super) fn run(self) -> Result {
        let dir = match &self.state {
            Some(dir) => dir.clone(),
            None => std::env::temp_dir().join(format!("menshen-bench-{}", std::process::id())),
        };
        let result = self.measure(&dir);
        if self.state.is_none() {
            // What is left behind in a temporary folder is only untidy.
            let _ = std::fs::remove_dir_all(&dir);
        }
        let line = result?;
        if self.json {
            say_json(&line)?;
        } else {
            say(format!(
                "{} frame on {}: decision {:.2} ms p50, {:.2} ms p99; durable {:.2} ms p50, {:.2} ms p99",
                line.frame,
                line.machine,
                line.decision_ms_p50,
                line.decision_ms_p99,
                line.durable_ms_p50,
                line.durable_ms_p99
            ))?;
        }
        Ok(Outcome::Done)
    }

    fn measure(&self, dir: &PathBuf) -> Result<Line> {
        std::fs::create_dir_all(dir).map_err(at(dir, "choose a folder that you may write"))?;
        let profile = Authority::init(&dir.join("trust"), moment::now())?;
        let trust = menshen_lane::trust::load(profile.dir(), None)?.list;
        let home = IssuerId::new(ISSUER).ok_or_else(|| Failure::new("the issuer of the measured passes is no code"))?;
        let journal = SledJournal::open(&dir.join("state"))?;
        let (mut decisions, mut durables) = (Vec::new(), Vec::new());
        let (mut reader, mut admitted, mut size) = (Reader::new(), 0, String::new());
        let bar = progress(self.frames, "measuring");
        for number in 0..self.frames {
            let frame = frame(&profile, number)?;
            size = format!("{}x{}", frame.width(), frame.height());
            let begun = Instant::now();
            let decision = decide_about(&frame, &mut reader, &trust, home);
            decisions.push(begun.elapsed());
            admitted += u64::from(decision.reasons.is_empty());
            let begun = Instant::now();
            journal.append(decision.evidence.time, 1, Body::Scan(Scan::of(&decision, None)))?;
            durables.push(begun.elapsed());
            bar.inc(1);
        }
        bar.finish_and_clear();
        let [decisions, durables] = [sorted(decisions), sorted(durables)];
        Ok(Line {
            bench: "check",
            machine: machine(),
            frame: size,
            frames: self.frames,
            admitted,
            decision_ms_p50: percentile_ms(&decisions, 50),
            decision_ms_p99: percentile_ms(&decisions, 99),
            durable_ms_p50: percentile_ms(&durables, 50),
            durable_ms_p99: percentile_ms(&durables, 99),
        })
    }
}

/// A different pass before the camera each time.
fn frame(profile: &Authority, number: u64) -> Result<Frame> {
    let request = Request {
        issuer: ISSUER,
        colour: "green".into(),
        kind: "paper".into(),
        name: Some("张*三".into()),
        id_tail: Some("1234".into()),
        ..Request::default()
    };
    let payload = pass::issue(profile, &request.claims(moment::now())?)?;
    let carrier = if number.is_multiple_of(2) { Carrier::Phone } else { Carrier::Paper };
    Ok(scene::render(&qr::qr(&payload)?, &Camera::easy().showing(carrier), number))
}

fn decide_about(frame: &Frame, reader: &mut Reader, trust: &TrustList, home: IssuerId) -> Decision {
    let sight = reader.read(frame);
    let shown = Shown::best(sight.payloads.iter().map(Payload::as_bytes), Some(trust));
    let shown = shown.map_or(Shown::Nothing, |(_, shown)| shown);
    let reading = Reading::of(3640, 2250);
    let policy = Policy::default();
    let context = Context { trust: Some(trust), status: None, history: None, policy: &policy, home };
    decide(&shown, Measured::Reading(reading), Time::trusted(moment::now()), context)
}

fn sorted(mut durations: Vec<Duration>) -> Vec<Duration> {
    durations.sort_unstable();
    durations
}
