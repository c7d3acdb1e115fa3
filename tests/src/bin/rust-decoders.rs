//! Reads pictures with one of the Rust decoders that Menshen is compared with: `tests/peers/compare.py` calls it.
//!
//! One JSON object a picture: its file, what was read, and the processor's time for it without loading.
#![forbid(unsafe_code)]

use clap::{Parser, ValueEnum};
use menshen_lane::optics::{Frame, FrameError};
use rustix::time::{ClockId, clock_gettime};
use rxing::{BarcodeFormat, DecodeHints};
use serde_json::json;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

/// Read pictures with another decoder.
#[derive(Parser)]
struct Words {
    /// Which one.
    #[arg(long)]
    decoder: Decoder,
    /// Pictures.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Decoder {
    Rxing,
    Rqrr,
}

impl Decoder {
    fn read(self, frame: &Frame) -> Vec<Vec<u8>> {
        let (width, height) = (frame.width(), frame.height());
        match self {
            Self::Rxing => {
                // What its own facade sets, and codes that are light on dark.
                let mut hints =
                    DecodeHints { TryHarder: Some(true), AlsoInverted: Some(true), ..DecodeHints::default() };
                let luma = frame.luma().to_vec();
                let format = Some(BarcodeFormat::QR_CODE);
                let read = rxing::helpers::detect_in_luma_with_hints(luma, width, height, format, &mut hints);
                read.into_iter().map(|code| code.getText().as_bytes().to_vec()).collect()
            }
            Self::Rqrr => {
                let (width, luma) = (width as usize, frame.luma());
                let mut picture =
                    rqrr::PreparedImage::prepare_from_greyscale(width, height as usize, |x, y| luma[y * width + x]);
                let decoded = |grid: rqrr::Grid<_>| {
                    let mut payload = Vec::new();
                    grid.decode_to(&mut payload).ok().map(|_| payload)
                };
                picture.detect_grids().into_iter().filter_map(decoded).collect()
            }
        }
    }
}

fn main() -> Result<(), FrameError> {
    let words = Words::parse();
    for file in &words.files {
        let frame = Frame::from_picture(file)?;
        let before = cpu_ms();
        // rqrr panics on a few pictures.
        let payloads = catch_unwind(AssertUnwindSafe(|| words.decoder.read(&frame))).unwrap_or_default();
        let cpu_ms = cpu_ms() - before;
        let payloads: Vec<_> = payloads.iter().map(|payload| String::from_utf8_lossy(payload)).collect();
        println!("{}", json!({ "file": file.display().to_string(), "payloads": payloads, "decode_ms": cpu_ms }));
    }
    Ok(())
}

/// What this thread has cost the processor so far.
fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}
