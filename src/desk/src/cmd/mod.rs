//! The commands: one file each, and what they share of words and exit codes.
//!
//! `--json` prints one object a line with stable names; errors are one sentence with a remedy on stderr and exit
//! code 2; long work shows a progress bar on a terminal and none in a pipe.

mod bench;
mod check;
mod decode;
mod demo;
mod doctor;
mod doctor_html;
mod focus;
mod journal;
mod pass;
mod trust;

use crate::outcome::{Failure, Outcome, Result};
use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use menshen_gate::outputs::guard;
use menshen_lane::optics::Diagnosis;
use menshen_lane::proof::apart;
use menshen_lane::words::{Lang, Words};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

/// Menshen's tool for people at a desk: see a gate work, check photos of passes, issue passes, read journals.
#[derive(Debug, Parser)]
#[command(name = "menshen", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// See everything work: authority, passes, a gate on camera frames, thermometer, hub and panel.
    Demo(demo::Demo),
    /// Decide about photos of passes. Exit code 0 admit, 10 refer, 20 refuse, 2 usage or files.
    Check(check::Check),
    /// Print what the codes in pictures say. Exit code 1 where a picture (of a sequence: every frame) has none.
    Decode(decode::Decode),
    /// Focus and aim a gate's camera: a live number, a bar, the light, and which way to turn it.
    Focus(focus::Focus),
    /// Prove a gate before the shift: codes, camera, thermometer, disk, clock, trust, relay, power. Exit code 0 ready, 1 not
    /// ready, 2 usage or files.
    Doctor(doctor::Doctor),
    /// Issue, explain and print passes.
    #[command(subcommand)]
    Pass(pass::Pass),
    /// Make and show what gates believe.
    #[command(subcommand)]
    Trust(trust::Trust),
    /// Read and verify the journal of a gate.
    #[command(subcommand)]
    Journal(journal::Journal),
    /// Measure this machine.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Owns the relay's pin for a gate that a benchmark has started.
    #[command(hide = true)]
    RelayGuard {
        /// What to guard, in JSON.
        order: String,
    },
    /// Walks the codes of a proof for a gate that `doctor` has started.
    #[command(hide = true)]
    ProofWalk {
        /// Where and when, in JSON.
        order: String,
    },
}

/// The trust folder that most commands take.
#[derive(Args, Debug)]
struct TrustArg {
    /// The folder of the trust list, as made by `menshen trust init`.
    #[arg(long = "trust", value_name = "DIR", default_value = crate::authority::DEFAULT_DIR)]
    dir: PathBuf,
}

impl Cli {
    /// Carries the command out; a failure is told on stderr.
    pub fn run(self) -> Outcome {
        let result = match self.command {
            Command::Demo(demo) => demo.run(),
            Command::Check(check) => check.run(),
            Command::Decode(decode) => decode.run(),
            Command::Focus(focus) => focus.run(),
            Command::Doctor(doctor) => doctor.run(),
            Command::Pass(pass) => pass.run(),
            Command::Trust(trust) => trust.run(),
            Command::Journal(journal) => journal.run(),
            Command::Bench(bench) => bench.run(),
            Command::ProofWalk { order } => {
                apart::run(&order).map_err(Failure::new).and_then(|said| say(said).map(|()| Outcome::Done))
            }
            Command::RelayGuard { order } => guard::run(&order).map(|()| Outcome::Done).map_err(Failure::new),
        };
        result.unwrap_or_else(|failure| match failure {
            Failure::Unread => Outcome::Unread,
            Failure::Told(sentence) => {
                complain(&sentence);
                Outcome::Failed
            }
        })
    }
}

/// One sentence on stderr.
fn complain(sentence: &str) {
    // Where stderr is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "menshen: {sentence}");
}

/// What was seen in a picture that was not read, and what helps, in one sentence on stderr; nothing where it was read.
fn advise(file: &str, diagnosis: Diagnosis) {
    let advice: Vec<String> = Lang::USUAL.into_iter().filter_map(|lang| Words::of(lang).advice(diagnosis)).collect();
    if !advice.is_empty() {
        complain(&format!("{file}: {}", advice.join(" / ")));
    }
}

/// One line on stdout; a reader that left ends the command as it ends every Unix filter.
fn say(line: impl std::fmt::Display) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::Unread,
        _ => Failure::new(format!("the output can not be written ({error}): make room, or write elsewhere")),
    })
}

fn say_json(value: &impl serde::Serialize) -> Result<()> {
    say(serde_json::to_string(value)?)
}

/// A bar on a terminal, nothing in a pipe.
fn progress(total: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
    let bar = ProgressBar::new(total).with_message(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
