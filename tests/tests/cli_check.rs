//! `menshen check` on photos, as a script or a person at a desk meets them: exit codes, both
//! languages, stable names, and one sentence for whatever is not a photo.

use menshen_core::decide::Verdict;
use menshen_core::reason::Reason;
use menshen_lane::words::{Lang, Words};
use menshen_tests::cli::{Desk, NOW, Ran, names};
use serde_json::Value;
use std::fs;

const PHOTO: &str = "photo.png";

/// A desk with a photo of one pass.
fn desk_with(words: &[&str]) -> Desk {
    let desk = Desk::new();
    desk.issue(&[&["--photo", PHOTO], words].concat());
    desk
}

fn a_photo_of(payload: &str, desk: &Desk) {
    let code = menshen::qr::qr(payload).expect("the text fits a code");
    let frame = menshen::scene::render(&code, &menshen::scene::Camera::easy(), 1);
    menshen::scene::save_png(&frame, desk.path(PHOTO)).expect("the desk is writable");
}

fn reasons(ran: &Ran) -> Vec<String> {
    let lines = ran.json();
    let [line] = lines.as_slice() else { panic!("one photo, one line: {ran:#?}") };
    let reasons = line["reasons"].as_array().expect("reasons are a list").iter();
    reasons.map(|reason| reason["name"].as_str().expect("a reason has a name").to_owned()).collect()
}

/// The text for people names the verdict, and every reason with its remedy, in both languages.
#[track_caller]
fn says(ran: &Ran, verdict: Verdict, reasons: &[Reason]) {
    for words in Lang::USUAL.map(Words::of) {
        let texts = reasons.iter().map(|reason| words.reason(*reason));
        let texts = texts.flat_map(|reason| [&reason.title, &reason.holder, &reason.remedy]);
        for text in texts.chain([&words.verdict(verdict).word]) {
            assert!(ran.stdout.contains(text.as_str()), "{text:?} is not in {}", ran.stdout);
        }
    }
}

/// One pass, once for people and once as JSON.
#[track_caller]
fn expect(desk: &Desk, words: &[&str], code: i32, verdict: Verdict, expected: &[Reason]) {
    let words = [&[PHOTO], words].concat();
    says(&desk.check(&words).ends(code), verdict, expected);
    let ran = desk.check(&[words.as_slice(), &["--json"]].concat()).ends(code);
    assert_eq!(reasons(&ran), expected.iter().map(|reason| reason.name()).collect::<Vec<_>>());
    assert_eq!(ran.json()[0]["verdict"], verdict.name());
}

#[test]
fn a_green_phone_pass_is_admitted_with_0() {
    expect(&desk_with(&[]), &[], 0, Verdict::Admit, &[]);
}

#[test]
fn a_green_paper_pass_is_admitted_with_0() {
    expect(&desk_with(&["--kind", "paper"]), &[], 0, Verdict::Admit, &[]);
}

#[test]
fn a_yellow_pass_is_referred_with_10() {
    expect(&desk_with(&["--colour", "yellow"]), &[], 10, Verdict::Refer, &[Reason::Yellow]);
}

#[test]
fn a_red_pass_is_refused_with_20() {
    expect(&desk_with(&["--colour", "red"]), &[], 20, Verdict::Refuse, &[Reason::Red]);
}

#[test]
fn a_high_temperature_is_refused() {
    expect(&desk_with(&[]), &["--temp", "37.9"], 20, Verdict::Refuse, &[Reason::TempHigh]);
}

#[test]
fn a_temperature_in_range_is_admitted() {
    expect(&desk_with(&[]), &["--temp", "36.4"], 0, Verdict::Admit, &[]);
}

#[test]
fn a_temperature_that_no_living_person_has_is_referred() {
    expect(&desk_with(&[]), &["--temp", "28"], 10, Verdict::Refer, &[Reason::TempImplausible]);
}

#[test]
fn a_thermometer_in_the_cold_is_referred() {
    let words = ["--temp", "36.4", "--ambient", "-3"];
    expect(&desk_with(&[]), &words, 10, Verdict::Refer, &[Reason::ThermometerAmbient]);
}

#[test]
fn a_phone_pass_has_expired_after_its_minutes_and_the_one_that_a_clock_may_be_off() {
    let desk = desk_with(&["--valid", "15m"]);
    let ran = desk.menshen(["check", PHOTO, "--at", "2020-03-01T08:16"]).ends(20);
    says(&ran, Verdict::Refuse, &[Reason::Expired]);
    desk.menshen(["check", PHOTO, "--at", "2020-03-01T08:15:59"]).ends(0);
}

#[test]
fn a_pass_of_next_week_is_not_valid_yet() {
    let desk = desk_with(&["--kind", "paper", "--not-before", "2020-03-08"]);
    expect(&desk, &[], 20, Verdict::Refuse, &[Reason::NotYetValid]);
}

#[test]
fn a_province_counts_where_an_agreement_says_so_and_not_elsewhere() {
    let desk = desk_with(&["--issuer", "410000"]);
    expect(&desk, &["--home", "330100"], 0, Verdict::Admit, &[]);
    expect(&desk, &["--home", "440000"], 20, Verdict::Refuse, &[Reason::NotRecognised]);
}

#[test]
fn a_level_without_a_meaning_is_referred() {
    expect(&desk_with(&["--colour", "7"]), &[], 10, Verdict::Refer, &[Reason::UnknownLevel]);
}

#[test]
fn a_pass_of_another_authority_is_of_an_unknown_issuer() {
    let stranger = Desk::new();
    let desk = Desk::new();
    a_photo_of(&stranger.issue(&[]), &desk);
    expect(&desk, &[], 20, Verdict::Refuse, &[Reason::UnknownIssuer]);
}

#[test]
fn another_code_is_not_a_pass() {
    let desk = Desk::new();
    a_photo_of("https://example.org/menu", &desk);
    expect(&desk, &[], 20, Verdict::Refuse, &[Reason::NotAPass]);
}

#[test]
fn a_picture_without_a_code_is_no_code_and_referred() {
    let desk = Desk::new();
    let frame = menshen::scene::empty(&menshen::scene::Camera::easy(), 1);
    menshen::scene::save_png(&frame, desk.path(PHOTO)).expect("the desk is writable");
    expect(&desk, &[], 10, Verdict::Refer, &[Reason::NoCode]);
}

#[test]
fn of_several_photos_the_gravest_gives_the_exit_code() {
    let desk = desk_with(&[]);
    desk.issue(&["--colour", "yellow", "--photo", "yellow.png"]);
    desk.issue(&["--colour", "red", "--photo", "red.png"]);
    desk.check(&[PHOTO, "yellow.png"]).ends(10);
    desk.check(&["red.png", "yellow.png", PHOTO]).ends(20);
    let ran = desk.check(&["red.png", "absent.png", PHOTO, "--json"]).ends(2);
    assert_eq!(ran.json().len(), 2, "those that are there are decided: {ran:#?}");
    assert!(ran.sentence().contains("absent.png"));
}

#[test]
fn check_has_the_stable_names() {
    let ran = desk_with(&["--name", "张*三", "--id-tail", "1234"]).check(&[PHOTO, "--temp", "37.9", "--json"]);
    let line = &ran.json()[0];
    let stable = [
        "file",
        "verdict",
        "reasons",
        "issuer",
        "colour",
        "expires_at",
        "cause",
        "evidence",
        "decode_ms",
        "verify_us",
        "diagnosis",
        "hint",
        "thermometry",
    ];
    assert_eq!(names(line), stable.into());
    assert_eq!(names(&line["reasons"][0]), ["code", "name"].into());
    assert_eq!((&line["file"], &line["issuer"], &line["colour"]), (&PHOTO.into(), &330_000.into(), &"green".into()));
    assert_eq!(line["expires_at"], "2020-03-01T00:15:00Z");
    assert!(line["evidence"].is_object() && line["decode_ms"].is_f64() && line["verify_us"].is_f64(), "{line}");
}

#[test]
fn nothing_that_is_not_verified_is_shown_as_the_issuers() {
    let (desk, stranger) = (Desk::new(), Desk::new());
    a_photo_of(&stranger.issue(&["--name", "王*"]), &desk);
    let line = desk.check(&[PHOTO, "--json"]).json().remove(0);
    for name in ["issuer", "colour", "expires_at"] {
        assert_eq!(line[name], Value::Null, "{name}");
    }
    assert!(!line.to_string().contains('王'), "{line}");
}

#[test]
fn a_missing_photo_is_2_and_one_sentence_that_names_it() {
    let desk = Desk::new();
    let ran = desk.check(&["absent.png"]).ends(2);
    assert!(ran.sentence().contains("absent.png") && ran.sentence().contains("check its path"), "{ran:#?}");
    assert_eq!(ran.stdout, "");
}

#[test]
fn what_is_not_a_picture_is_2_and_one_sentence_that_names_formats() {
    let desk = Desk::new();
    fs::write(desk.path(PHOTO), "not a picture").expect("the desk is writable");
    for ran in [desk.check(&[PHOTO]).ends(2), desk.menshen(["decode", PHOTO]).ends(2)] {
        assert!(ran.sentence().contains(PHOTO) && ran.sentence().contains("png"), "{ran:#?}");
    }
}

#[test]
fn a_trust_folder_that_is_absent_is_2_and_the_remedy_makes_one() {
    let desk = desk_with(&[]);
    let ran = desk.check(&[PHOTO, "--trust", "nowhere"]).ends(2);
    assert!(ran.sentence().contains("nowhere") && ran.sentence().contains("menshen trust init"), "{ran:#?}");
}

#[test]
fn words_that_mean_nothing_are_2_and_one_sentence() {
    let desk = desk_with(&[]);
    for (words, named) in [
        (["--at", "yesterday"], "yesterday"),
        (["--temp", "400"], "400"),
        (["--temp", "NaN"], "NaN"),
        (["--home", "33"], "33"),
    ] {
        let ran = desk.menshen(["check", PHOTO].iter().chain(&words)).ends(2);
        assert!(ran.sentence().contains(named), "{ran:#?}");
    }
    desk.menshen(["check"]).ends(2);
    desk.menshen(["check", PHOTO, "--no-such-flag"]).ends(2);
}

#[test]
fn the_day_of_the_tests_does_not_matter() {
    let desk = desk_with(&[]);
    let line = desk.menshen(["check", PHOTO, "--at", NOW, "--json"]).ends(0).json().remove(0);
    assert_eq!(line["evidence"]["time"], "2020-03-01T00:00:00Z");
}
