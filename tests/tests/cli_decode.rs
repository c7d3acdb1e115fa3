//! `menshen decode` and `menshen bench decode` on pictures, as scripts meet them: lines, names, counts and exit codes.

use menshen::scene::{self, Camera};
use menshen_core::hint::Hint;
use menshen_core::pass;
use menshen_lane::optics::Frame;
use menshen_lane::words::{Lang, Words};
use menshen_tests::cli::{Desk, names};
use serde_json::Value;
use std::fs;

const PHOTO: &str = "photo.png";

fn save(desk: &Desk, frame: &Frame, name: &str) {
    scene::save_png(frame, desk.path(name)).expect("the desk is writable");
}

/// A frame that shows `text` as a camera sees it.
fn frame_of(text: &str, camera: &Camera) -> Frame {
    scene::render(&menshen::qr::qr(text).expect("the text fits a code"), camera, 1)
}

fn empty() -> Frame {
    scene::empty(&Camera::easy(), 2)
}

#[test]
fn decode_prints_the_payload_as_it_was_issued() {
    let desk = Desk::new();
    let payload = desk.issue(&["--photo", PHOTO]);
    assert!(payload.as_bytes().starts_with(pass::PREFIX));
    assert_eq!(desk.menshen(["decode", PHOTO]).ends(0).stdout, format!("{payload}\n"));
    let ran = desk.menshen(["decode", PHOTO, "--json"]).ends(0);
    let line = &ran.json()[0];
    assert_eq!(names(line), ["file", "payloads", "diagnosis", "hint", "decode_ms"].into());
    assert_eq!((&line["file"], &line["payloads"][0]), (&PHOTO.into(), &payload.into()));
}

#[test]
fn decode_ends_with_1_where_a_picture_has_no_code() {
    let desk = Desk::new();
    save(&desk, &frame_of("here", &Camera::easy()), PHOTO);
    save(&desk, &empty(), "empty.png");
    let ran = desk.menshen(["decode", "empty.png"]).ends(1);
    assert_eq!(ran.stdout, "");
    assert!(ran.sentence().contains("empty.png"), "{ran:#?}");
    assert!(ran.sentence().contains("No code seen") && ran.sentence().contains("没看到码"), "{ran:#?}");
    let ran = desk.menshen(["decode", PHOTO, "empty.png", "--json"]).ends(1);
    assert_eq!(ran.json().len(), 2);
    assert_eq!(ran.json()[1]["payloads"], Value::Array(Vec::new()));
}

#[test]
fn a_code_that_can_not_be_read_is_told_with_what_helps() {
    let desk = Desk::new();
    let code = menshen::qr::qr("a code of which too much is not as it was").expect("the text fits a code");
    // Every other module is another, but not those that say that it is a code.
    let is_dark = |x: usize, y: usize| {
        let inside = 9..code.side() - 9;
        let is_data = inside.contains(&x) && inside.contains(&y);
        code.is_dark(x, y) != (is_data && (x + y).is_multiple_of(2))
    };
    let picture = image::GrayImage::from_fn(400, 400, |x, y| {
        let module = |at: u32| (at as usize / 8).checked_sub(menshen::qr::QUIET_ZONE_MODULES);
        let dark = module(x).zip(module(y)).is_some_and(|(x, y)| is_dark(x, y));
        image::Luma([if dark { 30 } else { 220 }])
    });
    picture.save(desk.path("changed.png")).expect("the desk is writable");
    let line = desk.menshen(["decode", "changed.png", "--json"]).ends(1).json()[0].clone();
    let hint = Hint::ALL.into_iter().find(|hint| line["hint"] == hint.name()).expect("a hint by its name");
    let ran = desk.menshen(["decode", "changed.png"]).ends(1);
    for lang in Lang::USUAL {
        assert!(ran.sentence().contains(&Words::of(lang).hint(hint).how), "{ran:#?}");
    }
    let ran = desk.check(&["changed.png"]);
    assert!(ran.stderr.contains(&Words::of(Lang::EN).hint(hint).how), "{ran:#?}");
    let ran = desk.check(&["changed.png", "--json"]);
    assert_eq!((ran.stderr.as_str(), &ran.json()[0]["hint"]), ("", &hint.name().into()));
}

#[test]
fn a_sequence_is_one_line_a_frame_and_ends_with_0_when_one_was_read() {
    let desk = Desk::new();
    save(&desk, &empty(), "0.png");
    save(&desk, &frame_of("at last", &Camera::easy()), "1.png");
    let ran = desk.menshen(["decode", "--sequence", "0.png", "1.png", "--budget-ms", "30", "--json"]).ends(0);
    let diagnoses: Vec<_> = ran.json().iter().map(|line| line["diagnosis"].clone()).collect();
    assert_eq!(diagnoses, ["no_code", "read"]);
    assert_eq!(ran.json()[1]["payloads"], serde_json::json!(["at last"]));
    let ran = desk.menshen(["decode", "--sequence", "0.png", "0.png"]).ends(1);
    assert_eq!(ran.stdout.lines().count(), 2, "{ran:#?}");
}

#[test]
fn a_frame_that_is_no_picture_is_named_and_the_others_are_read() {
    let desk = Desk::new();
    fs::write(desk.path("torn.png"), b"no picture").expect("the desk is writable");
    save(&desk, &frame_of("whole", &Camera::easy()), "1.png");
    let ran = desk.menshen(["decode", "--sequence", "torn.png", "1.png", "--json"]).ends(2);
    assert_eq!(ran.json()[0]["payloads"], serde_json::json!(["whole"]));
    assert!(ran.stderr.contains("torn.png"), "{ran:#?}");
}

#[test]
fn pictures_of_other_kinds_are_read_too() {
    let desk = Desk::new();
    let frame = frame_of("kinds", &Camera::easy());
    let luma = image::GrayImage::from_raw(frame.width(), frame.height(), frame.luma().to_vec()).expect("a whole frame");
    for name in ["a.jpg", "a.pgm", "a.webp"] {
        luma.save(desk.path(name)).expect("the desk is writable");
        assert_eq!(desk.menshen(["decode", name]).ends(0).stdout, "kinds\n", "{name}");
    }
}

/// A corpus of three: one right, one whose text says something else, one without a code.
fn corpus(desk: &Desk) {
    for folder in ["corpus/codes", "corpus/none"] {
        fs::create_dir_all(desk.path(folder)).expect("the desk is writable");
    }
    save(desk, &frame_of("right", &Camera::easy()), "corpus/codes/1.png");
    save(desk, &frame_of("wrong", &Camera::easy()), "corpus/codes/2.png");
    save(desk, &empty(), "corpus/none/1.png");
    fs::write(desk.path("corpus/codes/1.txt"), "right\r\n").expect("the desk is writable");
    fs::write(desk.path("corpus/codes/2.bin"), "wronged").expect("the desk is writable");
}

#[test]
fn a_bench_counts_what_was_read_rightly_and_wrongly_by_folder_and_in_all() {
    let desk = Desk::new();
    corpus(&desk);
    let ran = desk.menshen(["bench", "decode", "--corpus", "corpus", "--json"]).ends(1);
    let [codes, none, all] = &ran.json()[..] else { panic!("two folders and the whole: {ran:#?}") };
    let counts = |line: &Value| {
        ["images", "with_code", "read", "misread", "false_positives", "panics"].map(|name| line[name].as_u64())
    };
    assert_eq!((&codes["folder"], counts(codes)), (&"codes".into(), [2, 2, 1, 1, 0, 0].map(Some)));
    assert_eq!((&none["folder"], counts(none)), (&"none".into(), [1, 0, 0, 0, 0, 0].map(Some)));
    assert_eq!((&all["folder"], counts(all)), (&Value::Null, [3, 2, 1, 1, 0, 0].map(Some)));
    assert!(all["cpu_ms_p50"].as_f64() > Some(0.0), "{all}");
}

#[test]
fn a_code_where_there_should_be_none_is_a_false_positive() {
    let desk = Desk::new();
    fs::create_dir(desk.path("corpus")).expect("the desk is writable");
    save(&desk, &frame_of("surprise", &Camera::easy()), "corpus/1.png");
    let ran = desk.menshen(["bench", "decode", "--corpus", "corpus", "--json"]).ends(1);
    assert_eq!(ran.json()[1]["false_positives"], 1);
}

#[test]
fn a_soak_reads_over_and_over_and_tells_memory_and_files() {
    let desk = Desk::new();
    corpus(&desk);
    let ran = desk.menshen(["bench", "decode", "--corpus", "corpus", "--soak", "30", "--json"]).ends(0);
    let line = &ran.json()[0];
    assert_eq!((&line["frames"], &line["read"]), (&30.into(), &20.into()));
    assert!(line["rss_end_kib"].as_u64() > Some(1000) && line["files_end"] == line["files_start"], "{line}");
}

#[test]
fn a_corpus_without_pictures_is_named_with_a_remedy() {
    let desk = Desk::new();
    fs::create_dir(desk.path("corpus")).expect("the desk is writable");
    for dir in ["corpus", "nowhere"] {
        assert!(desk.menshen(["bench", "decode", "--corpus", dir]).ends(2).sentence().contains(dir));
    }
}
