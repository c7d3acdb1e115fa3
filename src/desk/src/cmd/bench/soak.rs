//! The reader for hours: does it grow, leak files or panic?

use super::super::{progress, say, say_json};
use super::corpus::Folder;
use super::rss_kib;
use crate::outcome::{Outcome, Result};
use menshen_lane::optics::{Frame, Reader};
use serde::Serialize;
use std::time::Duration;

/// At most so many pictures are held, so that they do not hide what the reader holds.
const MAX_PICTURES: usize = 256;
/// Frames after which the buffers of the reader have grown to what they need.
const WARM_UP: u64 = 1000;
/// More growth than this after the warm-up is a leak.
const MAX_GROWTH_KIB: u64 = 4096;
/// What a live gate spends on a frame, in milliseconds.
const BUDGET_MS: u64 = 30;

#[derive(Debug, Serialize)]
struct Line {
    bench: &'static str,
    frames: u64,
    pictures: usize,
    read: u64,
    panics: u64,
    rss_start_kib: u64,
    rss_end_kib: u64,
    files_start: usize,
    files_end: usize,
}

/// Reads `frames` frames, the pictures of `folders` in turn, through one live reader.
pub(super) fn run(folders: &[Folder], frames: u64, budget_ms: Option<u64>, json: bool) -> Result {
    let files: Vec<_> = folders.iter().flat_map(|folder| &folder.pictures).map(|picture| &picture.file).collect();
    // Spread over all folders.
    let step = files.len().div_ceil(MAX_PICTURES).max(1);
    let pictures = files.iter().step_by(step).map(Frame::from_picture).collect::<std::result::Result<Vec<_>, _>>()?;
    let mut reader = Reader::with_budget(Duration::from_millis(budget_ms.unwrap_or(BUDGET_MS)));
    let bar = progress(frames, "reading");
    let (mut read, mut start) = (0, (rss_kib()?, open_files()?));
    for (number, frame) in (0..frames).zip(pictures.iter().cycle()) {
        if number == WARM_UP.min(frames / 2) {
            start = (rss_kib()?, open_files()?);
        }
        read += u64::from(!reader.read(frame).payloads.is_empty());
        bar.inc(1);
    }
    bar.finish_and_clear();
    let line = Line {
        bench: "decode-soak",
        frames,
        pictures: pictures.len(),
        read,
        panics: reader.panics(),
        rss_start_kib: start.0,
        rss_end_kib: rss_kib()?,
        files_start: start.1,
        files_end: open_files()?,
    };
    if json {
        say_json(&line)?;
    } else {
        say(format!(
            "{} frames, {} read, {} panics; memory {} to {} KiB, open files {} to {}",
            line.frames, line.read, line.panics, line.rss_start_kib, line.rss_end_kib, line.files_start, line.files_end
        ))?;
    }
    let grew = line.rss_end_kib > line.rss_start_kib + MAX_GROWTH_KIB || line.files_end > line.files_start;
    Ok(if grew || line.panics > 0 { Outcome::No } else { Outcome::Done })
}

fn open_files() -> Result<usize> {
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}
