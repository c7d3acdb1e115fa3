//! Writes frames of the simulated gate camera: a corpus for `menshen bench decode` and for other decoders.
//!
//! `frames/CONDITION/NNN.pgm` with the text beside each, `sequences/NN/FF.pgm` with `text.txt`, `negatives/NNN.pgm`.
#![forbid(unsafe_code)]

use clap::Parser;
use menshen_tests::gate_camera::{Condition, Shot, frame, negative, sequence};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Make frames of a simulated gate camera.
#[derive(Parser)]
struct Words {
    /// What all else follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder to write; made if absent.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Frames of each condition.
    #[arg(long, default_value_t = 20)]
    per_condition: u64,
    /// Approaches of twelve frames.
    #[arg(long, default_value_t = 20)]
    sequences: u64,
    /// Frames without a code.
    #[arg(long, default_value_t = 40)]
    negatives: u64,
}

fn main() -> io::Result<()> {
    let words = Words::parse();
    // Far enough apart that no two frames of neighbouring seeds are the same.
    let seed = |kind: u64, number: u64| words.seed.wrapping_mul(1_000_003) ^ (kind << 40) ^ (number << 20);
    for (kind, condition) in (0..).zip(Condition::ALL) {
        let dir = words.out.join("frames").join(condition.name());
        for number in 0..words.per_condition {
            let severity = (number as f32 + 0.5) / words.per_condition as f32;
            save(&frame(condition, severity, seed(kind, number)), &dir, &format!("{number:03}"), true)?;
        }
    }
    for number in 0..words.sequences {
        let dir = words.out.join("sequences").join(format!("{number:02}"));
        let shots = sequence(seed(100, number));
        for (at, shot) in shots.iter().enumerate() {
            save(shot, &dir, &format!("{at:02}"), false)?;
        }
        fs::write(dir.join("text.txt"), shots[0].text.as_deref().unwrap_or_default())?;
    }
    let dir = words.out.join("negatives");
    (0..words.negatives).try_for_each(|number| save(&negative(seed(101, number)), &dir, &format!("{number:03}"), true))
}

fn save(shot: &Shot, dir: &Path, name: &str, with_text: bool) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let mut file = format!("P5\n{} {}\n255\n", shot.width, shot.height).into_bytes();
    file.extend_from_slice(&shot.luma);
    fs::write(dir.join(name).with_extension("pgm"), file)?;
    match &shot.text {
        Some(text) if with_text => fs::write(dir.join(name).with_extension("txt"), text),
        _ => Ok(()),
    }
}
