//! `menshen decode`: what the codes in photos say, without judging it.

use super::{complain, say, say_json};
use crate::outcome::{Outcome, Result};
use clap::Args;
use menshen_lane::optics::{Frame, Reader};
use serde::Serialize;
use std::path::PathBuf;

/// The words of the command.
#[derive(Args, Debug)]
pub(super) struct Decode {
    /// Photos: PNG, JPEG, BMP, WebP or PNM.
    #[arg(required = true, value_name = "PHOTO")]
    photos: Vec<PathBuf>,
    /// One JSON object a photo.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line {
    file: String,
    payloads: Vec<String>,
    diagnosis: &'static str,
}

impl Decode {
    pub(super) fn run(self) -> Result {
        let mut reader = Reader::new();
        let mut outcome = Outcome::Done;
        for photo in &self.photos {
            let file = photo.display().to_string();
            let frame = match Frame::from_picture(photo) {
                Ok(frame) => frame,
                Err(error) => {
                    complain(&error.to_string());
                    outcome = worse(outcome, Outcome::Failed);
                    continue;
                }
            };
            let sight = reader.read(&frame);
            if sight.payloads.is_empty() {
                outcome = worse(outcome, Outcome::No);
            }
            let payloads = sight.payloads.iter().map(|payload| payload.to_string_lossy().into_owned()).collect();
            let line = Line { file, payloads, diagnosis: sight.diagnosis.name() };
            if self.json { say_json(&line)? } else { show(&line, self.photos.len() > 1)? }
        }
        Ok(outcome)
    }
}

fn show(line: &Line, named: bool) -> Result<()> {
    let prefix = if named { format!("{}: ", line.file) } else { String::new() };
    if line.payloads.is_empty() {
        complain(&format!("{}: {}", line.file, line.diagnosis.replace('_', " ")));
    }
    line.payloads.iter().try_for_each(|payload| say(format!("{prefix}{payload}")))
}

fn worse(a: Outcome, b: Outcome) -> Outcome {
    a.max(b)
}
