//! A loudspeaker that writes down what it would play: a WAV file and a line of JSON for each sound.
//!
//! The lines are in `sounds.jsonl`: `{"n":3,"cue":"refuse","speech":"renew_code","langs":["zh"],"volume_percent":100,
//! "length_ms":2600,"wav":"000003.wav"}`. Only the newest files are kept, and of the lines a megabyte beside the one before
//! (`sounds.old.jsonl`), so that a gate that runs for weeks does not fill its card.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use menshen_lane::ports::{PortError, Speaker};
use menshen_lane::sound::{Cue, Sounded, SpeechKey};
use menshen_lane::words::Lang;
use serde::Serialize;

const LINES: &str = "sounds.jsonl";
const OLD_LINES: &str = "sounds.old.jsonl";
/// When the lines are begun anew, in bytes.
const MOST_LINES_BYTES: u64 = 1_000_000;
/// How many files are kept.
const KEPT: u64 = 10;

/// Writes sounds into a folder.
pub(super) struct Recorder {
    folder: PathBuf,
    lines: File,
    n: u64,
    until: Option<Instant>,
}

#[derive(Serialize)]
struct Line {
    n: u64,
    cue: Option<&'static str>,
    speech: Option<&'static str>,
    langs: Vec<&'static str>,
    volume_percent: u8,
    length_ms: u128,
    wav: String,
}

fn open_lines(folder: &Path) -> std::io::Result<File> {
    File::options().create(true).append(true).open(folder.join(LINES))
}

fn file_name(n: u64) -> String {
    format!("{n:06}.wav")
}

impl Recorder {
    pub(super) fn open(folder: &Path) -> Result<Recorder, PortError> {
        let open = || {
            std::fs::create_dir_all(folder)?;
            open_lines(folder)
        };
        let lines = open().map_err(|error| unusable(folder, &error))?;
        let names = std::fs::read_dir(folder).map_err(|error| unusable(folder, &error))?;
        let numbers = names.filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".wav")?.parse().ok());
        Ok(Recorder { folder: folder.to_owned(), lines, n: numbers.max().unwrap_or(0), until: None })
    }

    fn write(&mut self, sound: &Sounded) -> std::io::Result<()> {
        self.n += 1;
        let wav = file_name(self.n);
        std::fs::write(self.folder.join(&wav), &sound.wav)?;
        if let Some(old) = self.n.checked_sub(KEPT) {
            // The first ones have none so old.
            let _ = std::fs::remove_file(self.folder.join(file_name(old)));
        }
        let line = Line {
            n: self.n,
            cue: sound.cue.map(Cue::name),
            speech: sound.speech.map(SpeechKey::name),
            langs: sound.langs.iter().map(|lang| Lang::name(*lang)).collect(),
            volume_percent: sound.volume.get(),
            length_ms: sound.length.as_millis(),
            wav,
        };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        if self.lines.metadata()?.len() >= MOST_LINES_BYTES {
            std::fs::rename(self.folder.join(LINES), self.folder.join(OLD_LINES))?;
            self.lines = open_lines(&self.folder)?;
        }
        self.lines.write_all(&bytes)
    }
}

fn unusable(folder: &Path, error: &std::io::Error) -> PortError {
    let folder = folder.display();
    PortError::Failed(format!(
        "the sounds can not be written to {folder} ({error}): correct `sound.folder` in the board file"
    ))
}

impl Speaker for Recorder {
    fn play(&mut self, sound: &Sounded) -> Result<(), PortError> {
        self.write(sound).map_err(|error| unusable(&self.folder, &error))?;
        self.until = Some(Instant::now() + sound.length);
        Ok(())
    }

    fn hush(&mut self) {
        self.until = None;
    }

    fn is_playing(&mut self) -> Result<bool, PortError> {
        Ok(self.until.is_some_and(|until| Instant::now() < until))
    }
}
