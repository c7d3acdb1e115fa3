//! `menshen bench decode`: how many pictures of a corpus the reader reads, and at what cost.

use super::super::{progress, say, say_json};
use super::corpus::{self, Folder, Picture};
use super::soak;
use crate::outcome::{Outcome, Result};
use clap::Args;
use menshen_lane::optics::{Frame, Reader};
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// The words of the command.
#[derive(Args, Debug)]
pub(in super::super) struct Decode {
    /// A folder of pictures, at any depth, each with what its code says beside it in NAME.txt or NAME.bin; a picture
    /// without either shows no code.
    #[arg(long, value_name = "DIR")]
    corpus: PathBuf,
    /// Begin nothing more on a picture after so many milliseconds. Without it a picture gets every effort.
    #[arg(long, value_name = "MS")]
    budget_ms: Option<u64>,
    /// Read so many frames, the pictures over and over, as a live gate does, and watch memory and open files instead.
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u64).range(1..))]
    soak: Option<u64>,
    /// One JSON object a folder, then one for all.
    #[arg(long)]
    json: bool,
}

/// What a folder gave.
#[derive(Debug, Default, Serialize)]
struct Line {
    bench: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    images: u64,
    with_code: u64,
    read: u64,
    misread: u64,
    false_positives: u64,
    panics: u64,
    cpu_ms_p50: f64,
    cpu_ms_p95: f64,
    cpu_ms_p99: f64,
}

/// Counts and times of some pictures.
#[derive(Debug, Default)]
struct Tally {
    line: Line,
    cpu: Vec<Duration>,
}

impl Decode {
    pub(in super::super) fn run(self) -> Result {
        let folders = corpus::folders(&self.corpus)?;
        if let Some(frames) = self.soak {
            return soak::run(&folders, frames, self.budget_ms, self.json);
        }
        let bar = progress(folders.iter().map(|folder| folder.pictures.len() as u64).sum(), "reading");
        let mut all = Tally::default();
        for folder in &folders {
            let mut tally = Tally::default();
            let mut reader =
                self.budget_ms.map_or_else(Reader::new, |ms| Reader::with_budget(Duration::from_millis(ms)));
            for picture in &folder.pictures {
                tally.take(picture, &mut reader)?;
                bar.inc(1);
            }
            tally.line.panics = reader.panics();
            all.add(&tally);
            tally.line.folder = Some(name(folder));
            bar.suspend(|| tally.tell(self.json))?;
        }
        bar.finish_and_clear();
        all.tell(self.json)?;
        let wrong = all.line.misread + all.line.false_positives + all.line.panics;
        Ok(if wrong > 0 { Outcome::No } else { Outcome::Done })
    }
}

fn name(folder: &Folder) -> String {
    if folder.name.is_empty() { ".".into() } else { folder.name.clone() }
}

impl Tally {
    /// Reads one picture. Loading it is not measured.
    fn take(&mut self, picture: &Picture, reader: &mut Reader) -> Result<()> {
        let frame = Frame::from_picture(&picture.file)?;
        reader.forget();
        let before = cpu_time();
        let sight = reader.read(&frame);
        self.cpu.push(cpu_time().saturating_sub(before));
        let line = &mut self.line;
        line.images += 1;
        match &picture.truth {
            Some(truth) => {
                let read = sight.payloads.iter().any(|payload| corpus::is_truth(payload, truth));
                line.with_code += 1;
                line.read += u64::from(read);
                line.misread += u64::from(!read && !sight.payloads.is_empty());
            }
            None => line.false_positives += u64::from(!sight.payloads.is_empty()),
        }
        Ok(())
    }

    fn add(&mut self, other: &Tally) {
        let (line, others) = (&mut self.line, &other.line);
        line.images += others.images;
        line.with_code += others.with_code;
        line.read += others.read;
        line.misread += others.misread;
        line.false_positives += others.false_positives;
        line.panics += others.panics;
        self.cpu.extend(&other.cpu);
    }

    fn tell(&mut self, json: bool) -> Result<()> {
        self.cpu.sort_unstable();
        let Self { line, cpu } = self;
        line.bench = "decode";
        line.cpu_ms_p50 = super::percentile_ms(cpu, 50);
        line.cpu_ms_p95 = super::percentile_ms(cpu, 95);
        line.cpu_ms_p99 = super::percentile_ms(cpu, 99);
        if json {
            return say_json(line);
        }
        say(format!(
            "{:24} {:4} of {:4} read, {} misread; {} of {} without a code read falsely; {} panics; \
             CPU {:.2} ms p50, {:.2} ms p95, {:.2} ms p99",
            line.folder.as_deref().unwrap_or("all"),
            line.read,
            line.with_code,
            line.misread,
            line.false_positives,
            line.images - line.with_code,
            line.panics,
            line.cpu_ms_p50,
            line.cpu_ms_p95,
            line.cpu_ms_p99
        ))
    }
}

/// What this thread has cost the processor so far.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
