//! The simulated gate camera, and the reader before it: what must hold of every frame that it makes.

use menshen_lane::optics::{Frame, Reader};
use menshen_tests::gate_camera::{Condition, Shot, frame, negative, sequence};
use std::time::Duration;

const SEED: u64 = 20_200_301;

fn read(reader: &mut Reader, shot: &Shot) -> Vec<String> {
    let frame = Frame::new(shot.width as u32, shot.height as u32, shot.luma.clone()).expect("a shot is a frame");
    reader.read(&frame).payloads.iter().map(|payload| payload.to_string_lossy().into_owned()).collect()
}

#[test]
fn the_same_seed_gives_the_same_frame_and_another_seed_another() {
    let luma = |seed| frame(Condition::Combined, 0.5, seed).luma;
    assert_eq!(luma(SEED), luma(SEED));
    assert_ne!(luma(SEED), luma(SEED + 1));
}

#[test]
fn every_condition_is_read_where_it_is_mild() {
    println!("seed {SEED}");
    let mut reader = Reader::new();
    for condition in Condition::ALL {
        let shot = frame(condition, 0.1, SEED);
        reader.forget();
        assert_eq!(read(&mut reader, &shot), [shot.text.clone().expect("a code")], "{}", condition.name());
    }
}

/// Far below what the reader reads (see docs/reading.md), so that only a real loss fails here.
#[test]
fn of_hard_frames_most_are_read_and_none_wrongly() {
    println!("seed {SEED}");
    let mut reader = Reader::new();
    let mut read_in_all = 0;
    for (number, condition) in (1..).zip(Condition::ALL) {
        let shot = frame(condition, 0.6, SEED + number);
        reader.forget();
        let texts = read(&mut reader, &shot);
        assert!(texts.iter().all(|text| Some(text) == shot.text.as_ref()), "{}: {texts:?}", condition.name());
        read_in_all += texts.len();
    }
    assert!(read_in_all >= 16, "{read_in_all} of {}", Condition::ALL.len());
}

#[test]
fn an_approaching_code_is_read_before_it_arrives() {
    println!("seed {SEED}");
    let read_in_time = (0..6).filter(|number| {
        let mut reader = Reader::with_budget(Duration::from_secs(1));
        sequence(SEED + number).iter().take(10).any(|shot| {
            let texts = read(&mut reader, shot);
            assert!(texts.iter().all(|text| Some(text) == shot.text.as_ref()), "{number}: {texts:?}");
            !texts.is_empty()
        })
    });
    let read_in_time = read_in_time.count();
    assert!(read_in_time >= 4, "{read_in_time} of 6");
}

#[test]
fn nothing_is_read_where_there_is_no_code() {
    println!("seed {SEED}");
    let mut reader = Reader::new();
    for number in 0..20 {
        reader.forget();
        assert_eq!(read(&mut reader, &negative(SEED + number)), [""; 0], "seed {}", SEED + number);
    }
}
