//! A gate sees ten frames of a code, not one: what none of them shows whole is put together.

use menshen_optics::{Diagnosis, Frame, Reader};
use qrcode::{Color, EcLevel, QrCode};
use std::time::Duration;

const WIDTH: usize = 640;
const HEIGHT: usize = 480;
const TEXT: &str = "MS1:6BFOXN%TSMAHN-HOX0BFLMJ%FW5F8CPF.JFH8CMAHN4HTZ0BFLMJ%FW5F8CPF.JFH8CMAHN4HTZ0";

/// A pseudo-random number below `below`.
fn random(state: &mut u64, below: u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state % below
}

/// A code of which so many of a hundred data modules have the wrong colour, others in every frame.
fn shot(text: &str, number: u64, wrong_percent: u64) -> Frame {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).expect("fits");
    let (size, colours) = (code.width(), code.to_colors());
    let mut state = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let is_data = |x: usize, y: usize| {
        let of_finder = (x < 9 && (y < 9 || y > size - 9)) || (x > size - 9 && y < 9);
        !of_finder && x != 6 && y != 6
    };
    let dark: Vec<bool> = (0..size * size)
        .map(|at| {
            let wrong = is_data(at % size, at / size) && random(&mut state, 100) < wrong_percent;
            (colours[at] == Color::Dark) != wrong
        })
        .collect();
    let (left, top, module_px) = (150 + number as usize % 5, 80 + number as usize % 3, 6);
    let luma = |at: usize| {
        let inside = |at: usize, from: usize| at.checked_sub(from).map(|at| at / module_px).filter(|at| *at < size);
        match (inside(at % WIDTH, left), inside(at / WIDTH, top)) {
            (Some(x), Some(y)) if dark[y * size + x] => 40,
            _ => 210,
        }
    };
    Frame::new(WIDTH as u32, HEIGHT as u32, (0..WIDTH * HEIGHT).map(luma).collect()).expect("a frame of this size")
}

/// A reader that is never cut short.
fn reader() -> Reader {
    Reader::with_budget(Duration::from_secs(60))
}

#[test]
fn a_code_that_no_frame_shows_whole_is_read_from_several() {
    let frames: Vec<Frame> = (0..10).map(|number| shot(TEXT, number, 17)).collect();
    for (number, frame) in frames.iter().enumerate() {
        let sight = Reader::new().read(frame);
        assert!(sight.payloads.is_empty(), "frame {number} was read alone: make it harder");
        assert_ne!(sight.diagnosis, Diagnosis::NoCode, "frame {number} shows that there is a code");
    }
    let mut reader = reader();
    let read = frames.iter().find_map(|frame| reader.read(frame).payloads.into_iter().next());
    assert_eq!(read.expect("ten frames together show it").as_bytes(), TEXT.as_bytes());
}

#[test]
fn frames_of_a_reader_that_forgets_are_not_put_together() {
    let mut reader = reader();
    for number in 0..10 {
        assert!(reader.read(&shot(TEXT, number, 17)).payloads.is_empty());
        reader.forget();
    }
}

#[test]
fn codes_of_two_people_are_not_mixed() {
    let other = TEXT.replace('F', "Q");
    let mut reader = reader();
    for number in 0..20 {
        let text = if number % 2 == 0 { TEXT } else { &other };
        for payload in reader.read(&shot(text, number, 17)).payloads {
            assert!([TEXT, &other].iter().any(|text| text.as_bytes() == payload.as_bytes()), "frame {number}");
        }
    }
}
