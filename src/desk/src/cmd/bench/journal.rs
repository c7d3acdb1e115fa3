//! `menshen bench journal`: a record made durable, beside the same bytes written and synced without a journal.
//!
//! A gate opens only after its record is on stable storage, so what the journal takes is what a person waits. How much of
//! that is the disk's is measured in the same run: the same bytes at the end of a file that grows, and within one that was
//! filled with zeros before, each with `fdatasync`. The three take turns, so that what else the machine does meets all of
//! them. What reaches the device is read from the kernel's own count of it, which counts other programs too.

use super::super::{progress, say, say_json};
use super::{machine, percentile_ms};
use crate::moment;
use crate::outcome::{Failure, Outcome, Result, at};
use clap::Args;
use menshen_core::decide::{Context, Measured, Shown, decide};
use menshen_core::ids::IssuerId;
use menshen_core::policy::Policy;
use menshen_core::record::{Body, Epoch, Scan, Seq};
use menshen_core::thermo::Reading;
use menshen_core::time::Time;
use menshen_lane::journal::{Journal, SledJournal};
use serde::Serialize;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// So many of one kind before the next kind has its turn.
const TURN: u64 = 50;
/// The kernel counts what it writes to a device in these.
const SECTOR_BYTES: u64 = 512;

/// The words of the command.
#[derive(Args, Debug)]
pub(in super::super) struct JournalBench {
    /// How many records.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..))]
    records: u64,
    /// How many a second; by default one after another.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    per_second: Option<u64>,
    /// Fill the journal with so many records first, and measure how long it takes to open.
    #[arg(long, value_name = "N", default_value_t = 0)]
    held: u64,
    /// Where to keep what is measured: a folder on the disk of interest.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// One JSON object a way of writing.
    #[arg(long)]
    json: bool,
}

/// A way to make the bytes of a record durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    /// The journal of a gate.
    Journal,
    /// At the end of a file that grows.
    Append,
    /// Within a file that was filled with zeros.
    InPlace,
}

impl Way {
    const ALL: [Way; 3] = [Way::Journal, Way::Append, Way::InPlace];

    const fn told(self) -> &'static str {
        match self {
            Way::Journal => "the gate's journal",
            Way::Append => "write and fdatasync, a file that grows",
            Way::InPlace => "write and fdatasync, a file of zeros",
        }
    }
}

#[derive(Serialize)]
struct Line {
    bench: &'static str,
    way: Way,
    machine: String,
    records: u64,
    record_bytes: usize,
    durable_ms_p50: f64,
    durable_ms_p99: f64,
    durable_ms_max: f64,
    /// What reached the device while this way had its turns; `None` where the kernel does not tell.
    device_bytes_per_record: Option<u64>,
    /// How long a journal with the records of `held` takes to open; of the journal only.
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<u64>,
}

impl JournalBench {
    pub(in super::super) fn run(self) -> Result {
        let dir = match &self.state {
            Some(dir) => dir.clone(),
            None => std::env::temp_dir().join(format!("menshen-bench-{}", std::process::id())),
        };
        fs::create_dir_all(&dir).map_err(at(&dir, "choose a folder that you may write"))?;
        let lines = self.measure(&dir);
        if self.state.is_none() {
            // What is left behind in a temporary folder is only untidy.
            let _ = fs::remove_dir_all(&dir);
        }
        let lines = lines?;
        if self.json {
            lines.iter().try_for_each(say_json)?;
        } else {
            self.tell(&lines)?;
        }
        Ok(Outcome::Done)
    }

    fn tell(&self, lines: &[Line]) -> Result<()> {
        let (machine, bytes) = lines.first().map_or(("", 0), |line| (line.machine.as_str(), line.record_bytes));
        say(format!("{} records of {bytes} bytes on {machine}", self.records))?;
        for line in lines {
            let device =
                line.device_bytes_per_record.map_or(String::new(), |bytes| format!(", {bytes} bytes on the device"));
            say(format!(
                "{:<40} {:>7.3} ms p50 {:>7.3} ms p99 {:>8.3} ms at most{device}",
                line.way.told(),
                line.durable_ms_p50,
                line.durable_ms_p99,
                line.durable_ms_max
            ))?;
            if let (Some(opens_ms), Some(held)) = (line.opens_ms, line.held) {
                say(format!("  opens with {held} records in {opens_ms:.0} ms"))?;
            }
        }
        Ok(())
    }

    fn measure(&self, dir: &Path) -> Result<Vec<Line>> {
        let mut bench = Writers::open(dir, self.held)?;
        let mut taken: [Vec<Duration>; 3] = Default::default();
        let mut device = [Some(0); 3];
        let bar = progress(self.records, "measuring");
        let mut left = self.records;
        while left > 0 {
            let turn = left.min(TURN);
            for ((way, taken), device) in Way::ALL.into_iter().zip(&mut taken).zip(&mut device) {
                let before = device_bytes(dir);
                for _ in 0..turn {
                    let begun = Instant::now();
                    bench.write(way)?;
                    taken.push(begun.elapsed());
                    self.pause(begun);
                }
                let written = before.zip(device_bytes(dir)).map(|(before, after)| after.saturating_sub(before));
                *device = device.zip(written).map(|(all, written)| all + written);
            }
            left -= turn;
            bar.inc(turn);
        }
        bar.finish_and_clear();
        let measured = Way::ALL.into_iter().zip(taken).zip(device);
        Ok(measured.map(|((way, taken), device)| self.line(way, taken, device, &bench)).collect())
    }

    fn pause(&self, begun: Instant) {
        if let Some(per_second) = self.per_second {
            std::thread::sleep(Duration::from_micros(1_000_000 / per_second).saturating_sub(begun.elapsed()));
        }
    }

    fn line(&self, way: Way, mut taken: Vec<Duration>, device_bytes: Option<u64>, bench: &Writers) -> Line {
        taken.sort_unstable();
        let is_held = way == Way::Journal && self.held > 0;
        Line {
            bench: "journal",
            way,
            machine: machine(),
            records: self.records,
            record_bytes: bench.record.len(),
            durable_ms_p50: percentile_ms(&taken, 50),
            durable_ms_p99: percentile_ms(&taken, 99),
            durable_ms_max: percentile_ms(&taken, 100),
            device_bytes_per_record: device_bytes.map(|bytes| bytes / self.records),
            opens_ms: is_held.then_some(bench.opened_in.as_secs_f64() * 1e3),
            held: is_held.then_some(self.held),
        }
    }
}

/// The three ways, ready to write.
struct Writers {
    journal: SledJournal,
    opened_in: Duration,
    /// The bytes of one record, as the journal keeps it.
    record: Vec<u8>,
    grows: File,
    zeros: File,
    at: u64,
    /// How many bytes `zeros` has.
    length: u64,
}

impl Writers {
    fn open(dir: &Path, held: u64) -> Result<Writers> {
        let state = dir.join("state");
        let journal = SledJournal::open(&state)?;
        let bar = progress(held, "filling");
        for _ in 0..held.max(1) {
            append(&journal)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        drop(journal);
        let begun = Instant::now();
        let journal = SledJournal::open(&state)?;
        let opened_in = begun.elapsed();
        let status = journal.status();
        let newest = journal.read(Epoch(status.epoch), Seq(status.next_seq.saturating_sub(1)), 1)?;
        let record = newest.and_then(|newest| newest.records.into_iter().next());
        let record = record.ok_or_else(|| Failure::new("the journal does not give back what it has just recorded"))?;
        let file = |name: &str| {
            let path = dir.join(name);
            let made = OpenOptions::new().create(true).truncate(true).write(true).open(&path);
            made.map_err(at(&path, "choose a folder that you may write"))
        };
        let (grows, mut zeros) = (file("grows")?, file("zeros")?);
        let length = 4 << 20;
        zeros.write_all(&vec![0; length])?;
        zeros.sync_all()?;
        File::open(dir)?.sync_all()?;
        Ok(Writers { journal, opened_in, record, grows, zeros, at: 0, length: length as u64 })
    }

    fn write(&mut self, way: Way) -> Result<()> {
        match way {
            Way::Journal => append(&self.journal)?,
            Way::Append => {
                self.grows.write_all(&self.record)?;
                self.grows.sync_data()?;
            }
            Way::InPlace => {
                if self.at + self.record.len() as u64 > self.length {
                    self.at = 0;
                }
                self.zeros.write_all_at(&self.record, self.at)?;
                self.zeros.sync_data()?;
                self.at += self.record.len() as u64;
            }
        }
        Ok(())
    }
}

/// Somebody without a code, measured well.
fn append(journal: &SledJournal) -> Result<()> {
    let (policy, time) = (Policy::default(), Time::trusted(moment::now()));
    let context = Context { trust: None, status: None, history: None, policy: &policy, home: IssuerId::NATIONAL };
    let decision = decide(&Shown::Nothing, Measured::Reading(Reading::of(3640, 2250)), time, context);
    journal.append(time, 1, Body::Scan(Scan::of(&decision, None)))?;
    Ok(())
}

/// How many bytes the device of a folder has been given since the system's start; `None` where it is no block device.
fn device_bytes(dir: &Path) -> Option<u64> {
    let device = fs::metadata(dir).ok()?.dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let stat = fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat")).ok()?;
    // Documentation/block/stat.rst: the seventh number is the sectors written.
    stat.split_whitespace().nth(6)?.parse::<u64>().ok().map(|sectors| sectors * SECTOR_BYTES)
}
