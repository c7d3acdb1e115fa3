//! `menshen bench status`: ten million entries looked up, and a delta made durable.
//!
//! The lists are made by seed in a process of their own, so that the memory that is measured is that of a gate that only
//! opens them. Each look-up is timed by itself and nothing is taken off: the two readings of the clock are in it.

mod times;

use super::super::{say, say_json};
use super::lists::{self, Lists, Random};
use super::{machine, mib, rss_kib};
use crate::outcome::{Failure, Outcome, Result, at};
use clap::Args;
use menshen_core::status::StatusSource;
use menshen_trust::durable;
use menshen_trust::status::{Delta, StatusBook};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use times::Times;

/// Look-ups before the measured ones.
const WARM_UP: u64 = 50_000;
/// Of so many entries of each list it is checked that they are found.
const CHECKED: u32 = 10_000;
/// How many entries the delta has.
const DELTA_ENTRIES: u32 = 100_000;

/// The words of the command.
#[derive(Args, Debug)]
pub(in super::super) struct Status {
    /// How many entries in all.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(1..=200_000_000))]
    entries: u32,
    /// Over how many issuers.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=64))]
    issuers: u32,
    /// How many look-ups.
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    lookups: u32,
    /// One look-up in so many, at random, is of a tag that is listed. Ten million entries are one person in 140 of a
    /// country, and of the two to four tags that are looked up for such a person one is listed.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    listed_in: u32,
    /// Where to keep the lists that are measured: a folder on the disk of interest.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    /// Make the lists in this folder and end.
    #[arg(long, value_name = "DIR", hide = true)]
    make: Option<PathBuf>,
}

/// What was measured. `lookup` is the mix of `absent` and `listed`; `changed` is the same mix at an issuer whose delta
/// has just been applied.
#[derive(Debug, Default, Serialize)]
struct Line {
    bench: &'static str,
    machine: String,
    entries: u32,
    issuers: u32,
    lookups: u32,
    listed_in: u32,
    lookup_ns_p50: usize,
    lookup_ns_p99: usize,
    absent_ns_p50: usize,
    absent_ns_p99: usize,
    listed_ns_p50: usize,
    listed_ns_p99: usize,
    changed_ns_p50: usize,
    changed_ns_p99: usize,
    clock_ns_p50: usize,
    tag_ns_p50: usize,
    open_s: f64,
    resident_mib: f64,
    resident_before_mib: f64,
    bytes_per_entry: f64,
    delta_entries: u32,
    delta_apply_s: f64,
}

impl Status {
    pub(in super::super) fn run(self) -> Result {
        let lists = Lists { entries: self.entries, issuers: self.issuers };
        if let Some(dir) = &self.make {
            lists.make(dir, DELTA_ENTRIES)?;
            return Ok(Outcome::Done);
        }
        let dir = match &self.state {
            Some(dir) => dir.join("bench-status"),
            None => std::env::temp_dir().join(format!("menshen-bench-{}", std::process::id())),
        };
        let result = self.measure(lists, &dir);
        // What is left behind is only untidy.
        let _ = std::fs::remove_dir_all(&dir);
        let line = result?;
        if self.json {
            say_json(&line)?;
        } else {
            say(line.sentence())?;
        }
        Ok(Outcome::Done)
    }

    fn measure(&self, lists: Lists, dir: &Path) -> Result<Line> {
        std::fs::create_dir_all(dir).map_err(at(dir, "choose a folder that you may write"))?;
        self.have_made(dir)?;
        let delta = std::fs::read(lists::delta_path(dir))?;
        let resident_before_mib = mib(rss_kib()?);
        let begun = Instant::now();
        let mut book = lists.open(dir)?;
        let open_s = begun.elapsed().as_secs_f64();
        let all = |random: &mut Random| random.below(lists.issuers);
        let [absent, listed] = self.look_up(&book, lists, self.lookups, all)?;
        let resident_mib = mib(rss_kib()?);
        lists.check(&book, CHECKED)?;

        let begun = Instant::now();
        apply(&mut book, &delta, dir)?;
        let delta_apply_s = begun.elapsed().as_secs_f64();
        lists.check_delta(&book, DELTA_ENTRIES)?;
        let [changed_absent, changed_listed] = self.look_up(&book, lists, self.lookups / 4, |_| 0)?;
        let (mix, changed) = (absent.and(&listed), changed_absent.and(&changed_listed));
        let (clock, tag) = (timed(|_| 0), timed(|n| lists.tag(0, n).number()));
        Ok(Line {
            bench: "status",
            machine: machine(),
            entries: lists.entries,
            issuers: lists.issuers,
            lookups: self.lookups,
            listed_in: self.listed_in,
            lookup_ns_p50: mix.percentile_ns(50),
            lookup_ns_p99: mix.percentile_ns(99),
            absent_ns_p50: absent.percentile_ns(50),
            absent_ns_p99: absent.percentile_ns(99),
            listed_ns_p50: listed.percentile_ns(50),
            listed_ns_p99: listed.percentile_ns(99),
            changed_ns_p50: changed.percentile_ns(50),
            changed_ns_p99: changed.percentile_ns(99),
            clock_ns_p50: clock.percentile_ns(50),
            tag_ns_p50: tag.percentile_ns(50),
            open_s,
            resident_mib,
            resident_before_mib,
            bytes_per_entry: lists.bytes(dir)? as f64 / f64::from(lists.entries),
            delta_entries: DELTA_ENTRIES.min(lists.of(0)),
            delta_apply_s,
        })
    }

    /// Has another process make the lists, so that what that needs is no memory of this one.
    fn have_made(&self, dir: &Path) -> Result<()> {
        let mut maker = Command::new(std::env::current_exe()?);
        maker.args(["bench", "status", "--make"]).arg(dir);
        maker.args(["--entries", &self.entries.to_string(), "--issuers", &self.issuers.to_string()]);
        if maker.status()?.success() { Ok(()) } else { Err(Failure::new("the lists to measure could not be made")) }
    }

    /// Looks tags up, each timed singly, at an issuer that `choose` gives; the times of absent tags and of listed ones.
    fn look_up(
        &self,
        book: &StatusBook,
        lists: Lists,
        count: u32,
        choose: impl Fn(&mut Random) -> u32,
    ) -> Result<[Times; 2]> {
        let source: &dyn StatusSource = book;
        let mut random = Random::new(1);
        let mut times = [Times::new(), Times::new()];
        for number in 0..u64::from(count) + WARM_UP {
            let issuer = choose(&mut random);
            let is_listed = random.below(self.listed_in) == 0;
            let entry = random.below(lists.of(issuer));
            let tag = if is_listed { lists.tag(issuer, entry) } else { lists.absent(issuer, entry) };
            let publisher = lists.issuer(issuer)?;
            let begun = Instant::now();
            let found = source.look_up(publisher, tag);
            let took = begun.elapsed();
            if std::hint::black_box(found).is_err() {
                return Err(Failure::new("a list can not be read: look at the disk it is on"));
            }
            if number >= WARM_UP {
                times[usize::from(is_listed)].add(took);
            }
        }
        Ok(times)
    }
}

impl Line {
    fn sentence(&self) -> String {
        format!(
            "{} entries of {} issuers on {}: a look-up {} ns p50, {} ns p99 (one in {} listed; absent {} / {}, listed {} / {}); \
             {:.1} MiB resident, {:.2} bytes an entry; a delta of {} applied and durable in {:.3} s",
            self.entries,
            self.issuers,
            self.machine,
            self.lookup_ns_p50,
            self.lookup_ns_p99,
            self.listed_in,
            self.absent_ns_p50,
            self.absent_ns_p99,
            self.listed_ns_p50,
            self.listed_ns_p99,
            self.resident_mib,
            self.bytes_per_entry,
            self.delta_entries,
            self.delta_apply_s
        )
    }
}

/// Makes a delta durable, as an import does, and puts it into the book.
fn apply(book: &mut StatusBook, bytes: &[u8], dir: &Path) -> Result<()> {
    let delta = Delta::parse(bytes)?;
    let before = book.get(delta.about().issuer).ok_or_else(|| Failure::new("the list of the delta was not opened"))?;
    let after = before.with_delta(&delta)?;
    durable::replace(&dir.join("delta-kept"), bytes, 0o600)?;
    book.put(after);
    Ok(())
}

/// What something else costs when it is timed in the same way.
fn timed(what: impl Fn(u32) -> u64) -> Times {
    let mut times = Times::new();
    for number in 0..20_000 {
        let begun = Instant::now();
        std::hint::black_box(what(std::hint::black_box(number)));
        times.add(begun.elapsed());
    }
    times
}
