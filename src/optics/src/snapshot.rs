//! A small grey picture of a frame, for a technician who aims the camera.
//!
//! It is for aiming and for nothing else: the codes that the reader saw are made coarse, so that nobody copies a pass
//! from the screen that helps to mount a gate. Making it is cheap and done where the frame is; encoding it is not, and
//! is done by whoever shows it. Invariants: never wider than [`MAX_WIDTH_PX`]; it is held in memory only.

use std::io::Cursor;

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use super::frame::Frame;
use super::framing::Seen;

/// The widest that a snapshot is, in pixels.
pub const MAX_WIDTH_PX: usize = 480;
/// Into so many squares a side a code is made: less than half of the smallest code's modules.
const SQUARES: f32 = 8.0;
const QUALITY_PERCENT: u8 = 70;

/// A small grey picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    width: usize,
    height: usize,
    luma: Vec<u8>,
}

impl Snapshot {
    /// Of a frame in which these codes were seen.
    pub fn of(frame: &Frame, seen: &[Seen]) -> Self {
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let scale = width.div_ceil(MAX_WIDTH_PX).min(height);
        let mut small = Self { width: width / scale, height: height / scale, luma: Vec::new() };
        small.luma.reserve(small.width * small.height);
        let mut sums = vec![0_u32; small.width];
        for rows in frame.luma().chunks_exact(width * scale) {
            sums.fill(0);
            for row in rows.chunks_exact(width) {
                for (sum, pixels) in sums.iter_mut().zip(row.chunks_exact(scale)) {
                    *sum += pixels.iter().map(|&luma| u32::from(luma)).sum::<u32>();
                }
            }
            small.luma.extend(sums.iter().map(|sum| (sum / (scale * scale) as u32) as u8));
        }
        seen.iter().for_each(|code| small.make_coarse(code, scale as f32));
        small
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// As a JPEG file.
    pub fn jpeg(&self) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let (width, height) = (self.width as u32, self.height as u32);
        let written = JpegEncoder::new_with_quality(&mut file, QUALITY_PERCENT).encode(
            &self.luma,
            width,
            height,
            ExtendedColorType::L8,
        );
        debug_assert!(written.is_ok(), "memory takes what is written, and the luma fills the size");
        file.into_inner()
    }

    fn make_coarse(&mut self, code: &Seen, scale: f32) {
        let within = |at: f32, len: usize| (at / scale).clamp(0.0, len as f32) as usize;
        let (left, right) = (within(code.left, self.width), within(code.right + scale, self.width));
        let (top, bottom) = (within(code.top, self.height), within(code.bottom + scale, self.height));
        let longer = (code.right - code.left).max(code.bottom - code.top) / scale;
        let square = ((longer / SQUARES).ceil() as usize).max(1);
        for y in (top..bottom).step_by(square) {
            for x in (left..right).step_by(square) {
                self.fill_with_mean(x..(x + square).min(right), y..(y + square).min(bottom));
            }
        }
    }

    fn fill_with_mean(&mut self, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) {
        let count = (columns.len() * rows.len()).max(1) as u32;
        let sum: u32 =
            rows.clone().flat_map(|y| &self.luma[y * self.width..][columns.clone()]).map(|&l| u32::from(l)).sum();
        for y in rows {
            self.luma[y * self.width..][columns.clone()].fill((sum / count) as u8);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;
    use crate::Reader;

    /// A frame with a code of this many pixels a module.
    fn code(width: u32, height: u32, module_px: u32) -> Frame {
        let code = qrcode::QrCode::new(b"nobody copies this").unwrap();
        let (colours, side) = (code.to_colors(), code.width() as u32);
        let dark = |x: u32, y: u32| {
            let (x, y) = ((x / module_px).wrapping_sub(5), (y / module_px).wrapping_sub(5));
            x < side && y < side && colours[(y * side + x) as usize] == qrcode::Color::Dark
        };
        let luma = (0..width * height).map(|at| if dark(at % width, at / width) { 30 } else { 220 });
        Frame::new(width, height, luma.collect()).unwrap()
    }

    fn seen_again(snapshot: &Snapshot) -> bool {
        let picture = image::load_from_memory(&snapshot.jpeg()).unwrap().into_luma8();
        let frame = Frame::new(picture.width(), picture.height(), picture.into_raw()).unwrap();
        Reader::new().read(&frame).payloads.len() == 1
    }

    #[test]
    fn a_code_that_was_seen_can_not_be_read_from_it() {
        for module_px in [8, 12, 16] {
            let frame = code(1280, 720, module_px);
            let sight = Reader::new().read(&frame);
            assert_eq!((sight.payloads.len(), sight.seen.len()), (1, 1));
            assert!(seen_again(&Snapshot::of(&frame, &[])), "{module_px} px: the test reads what is not made coarse");
            assert!(!seen_again(&Snapshot::of(&frame, &sight.seen)), "{module_px} px");
        }
    }

    #[test]
    fn it_is_small_and_whole_whatever_the_frame() {
        for (width, height) in [(1, 1), (480, 2), (481, 1), (1280, 720), (1920, 1080), (4096, 3), (4096, 4096)] {
            let frame = Frame::new(width, height, vec![77; (width * height) as usize]).unwrap();
            let everywhere = Seen { left: -9e9, top: -5.0, right: 9e9, bottom: 5000.0, module_px: 3.0 };
            let snapshot = Snapshot::of(&frame, &[everywhere]);
            assert_eq!(snapshot.luma.len(), snapshot.width() * snapshot.height());
            assert!(snapshot.luma.iter().all(|&luma| luma == 77), "{width}×{height}");
            let picture = image::load_from_memory(&snapshot.jpeg()).unwrap();
            assert_eq!((picture.width() as usize, picture.height() as usize), (snapshot.width(), snapshot.height()));
            assert!((1..=4096).contains(&picture.width()), "{width}×{height}");
        }
    }
}
