//! A gate reads for months: once its buffers have grown, frames cost no memory.

use allocation_counter::measure;
use menshen_optics::{Frame, Reader};
use qrcode::{Color, EcLevel, QrCode};
use std::time::Duration;

const WIDTH: usize = 640;
const HEIGHT: usize = 480;
/// Frames after which every buffer has its size: views come round in fewer.
const WARM_UP: usize = 40;

fn frame(luma: impl Fn(usize, usize) -> u8) -> Frame {
    let pixels = (0..WIDTH * HEIGHT).map(|at| luma(at % WIDTH, at / WIDTH)).collect();
    Frame::new(WIDTH as u32, HEIGHT as u32, pixels).expect("a frame of this size")
}

/// A pseudo-random byte for a place.
fn noise(x: usize, y: usize) -> u8 {
    let mixed = (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA77);
    (mixed.wrapping_mul(0xC2B2_AE3D) >> 24) as u8
}

/// Bricks, letters and noise: places that look like finder patterns and are none.
fn texture() -> Frame {
    frame(|x, y| {
        let brick = (x / 9 + y / 9 % 2) % 3 == 0 || y % 14 < 2;
        let ring = (x % 56).abs_diff(28).max((y % 56).abs_diff(28)) / 4;
        let square = matches!(ring, 0 | 1 | 3) && (x / 56 + y / 56) % 2 == 0;
        (if brick || square { 40 } else { 200 }) + noise(x, y) / 8
    })
}

/// A code of which `hidden` of 16 modules are covered at random.
fn code(hidden: u8) -> Frame {
    let text = "MS1:".to_owned() + &"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".repeat(6);
    let code = QrCode::with_error_correction_level(text, EcLevel::M).expect("fits");
    let (size, dark) = (code.width(), code.to_colors());
    let (left, top, module_px) = (180, 90, 5);
    frame(|x, y| {
        let inside = |at: usize, from: usize| at.checked_sub(from).map(|at| at / module_px).filter(|at| *at < size);
        let (Some(i), Some(j)) = (inside(x, left), inside(y, top)) else { return 220 };
        let data = i > 9 && j > 9;
        let covered = data && noise(i, j) % 16 < hidden;
        let is_dark = if covered { noise(j, i) < 128 } else { dark[j * size + i] == Color::Dark };
        (if is_dark { 30 } else { 220 }) + noise(x, y) / 16
    })
}

/// What `count` frames allocate at most, each, after a warm-up.
fn most_allocations(frames: &[Frame]) -> u64 {
    // So long that no frame is cut short, so that every view is measured.
    let mut reader = Reader::with_budget(Duration::from_secs(60));
    (0..WARM_UP).for_each(|at| drop(reader.read(&frames[at % frames.len()])));
    frames.iter().map(|frame| measure(|| drop(reader.read(frame))).count_total).max().unwrap_or(0)
}

#[test]
fn a_frame_without_a_code_allocates_nothing() {
    assert_eq!(most_allocations(&[texture(), frame(|_, _| 128)]), 0);
}

#[test]
fn a_frame_with_a_code_allocates_its_payload_and_the_lists_it_is_handed_over_in() {
    assert!(most_allocations(&[code(0)]) <= 6);
}

#[test]
fn a_code_that_is_not_read_allocates_no_more_than_the_second_engine_does() {
    let mut reader = Reader::new();
    let hidden = code(9);
    assert!(reader.read(&hidden).payloads.is_empty());
    // Of its own: rqrr allocates a list for each region it finds, some hundreds for a code of this size.
    let most = most_allocations(&[hidden]);
    assert!(most < 1000, "{most}");
}
