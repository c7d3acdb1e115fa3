//! `menshen decode`: what the codes in pictures say, without judging it.

use super::{advise, complain, say, say_json};
use crate::outcome::{Outcome, Result};
use clap::Args;
use menshen_core::hint::Hint;
use menshen_lane::hint;
use menshen_lane::optics::{Frame, Reader, Sight};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a live gate may spend on a frame, in milliseconds, unless told otherwise.
const LIVE_BUDGET_MS: u64 = 30;

/// The words of the command.
#[derive(Args, Debug)]
pub(super) struct Decode {
    /// Pictures: PNG, JPEG, BMP, WebP or PNM.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The files are frames of one scene, in this order: read them as a live gate does, one line a frame.
    #[arg(long)]
    sequence: bool,
    /// Begin nothing more on a picture after so many milliseconds. Without it a picture gets every effort; a frame of a
    /// sequence gets 30.
    #[arg(long, value_name = "MS")]
    budget_ms: Option<u64>,
    /// One JSON object a picture.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line {
    file: String,
    payloads: Vec<String>,
    diagnosis: &'static str,
    hint: Option<&'static str>,
    decode_ms: f64,
}

impl Decode {
    pub(super) fn run(self) -> Result {
        let budget_ms = self.budget_ms.or(self.sequence.then_some(LIVE_BUDGET_MS));
        let mut reader = budget_ms.map_or_else(Reader::new, |ms| Reader::with_budget(Duration::from_millis(ms)));
        let (mut read, mut failed) = (0, false);
        for file in &self.files {
            match Frame::from_picture(file) {
                Ok(frame) => {
                    if !self.sequence {
                        reader.forget();
                    }
                    let sight = reader.read(&frame);
                    read += usize::from(!sight.payloads.is_empty());
                    self.tell(file, &sight)?;
                }
                Err(error) => {
                    complain(&error.to_string());
                    failed = true;
                }
            }
        }
        // A sequence is one scene: one frame that was read is enough.
        let wanted = if self.sequence { 1 } else { self.files.len() };
        Ok(match (failed, read < wanted) {
            (true, _) => Outcome::Failed,
            (false, true) => Outcome::No,
            (false, false) => Outcome::Done,
        })
    }

    fn tell(&self, file: &Path, sight: &Sight) -> Result<()> {
        let line = Line {
            file: file.display().to_string(),
            payloads: sight.payloads.iter().map(|payload| payload.to_string_lossy().into_owned()).collect(),
            diagnosis: sight.diagnosis.name(),
            hint: hint::of(sight.diagnosis).map(Hint::name),
            decode_ms: sight.decode_us as f64 / 1e3,
        };
        if self.json {
            return say_json(&line);
        }
        if self.sequence {
            let said = line.diagnosis.replace('_', " ");
            return say(format!("{} {:.1} ms {said} {}", line.file, line.decode_ms, line.payloads.join(" ")).trim_end());
        }
        advise(&line.file, sight.diagnosis);
        let prefix = if self.files.len() > 1 { format!("{}: ", line.file) } else { String::new() };
        line.payloads.iter().try_for_each(|payload| say(format!("{prefix}{payload}")))
    }
}
