//! Pictures through the real `menshen check`: passes with one defect each, and photographs that hold no pass.
//!
//! Each defect is made of bytes, drawn as a photo and read back, so that what is proven is what a gate does with
//! what a person can hold before it.

use menshen::scene::{Camera, Carrier};
use menshen::{qr, scene};
use menshen_core::base45;
use menshen_core::pass::PREFIX;
use menshen_tests::cli::{Desk, Ran};
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The signature is the last of a pass (RFC 9052 section 4.2).
const SIGNATURE_BYTES: usize = 64;
/// Tag, array, string head, then the map {1: -8, 4: key id} begin every pass; the key id is here.
const KID: std::ops::Range<usize> = 8..16;

/// A payload, and the first reason and exit code it must lead to.
struct Shown {
    name: &'static str,
    payload: Vec<u8>,
    reason: Option<&'static str>,
    code: i32,
}

fn shown(name: &'static str, payload: impl Into<Vec<u8>>, reason: &'static str, code: i32) -> Shown {
    Shown { name, payload: payload.into(), reason: Some(reason), code }
}

fn bytes_of(payload: &str) -> Vec<u8> {
    let text = payload.as_bytes().strip_prefix(PREFIX).expect("a pass has its prefix");
    let mut bytes = vec![0; text.len()];
    let size = base45::decode(text, &mut bytes).expect("a pass is Base45");
    bytes.truncate(size);
    bytes
}

fn pass_of(bytes: &[u8]) -> Vec<u8> {
    let mut text = PREFIX.to_vec();
    base45::encode(bytes, |character| text.push(character));
    text
}

fn with(payload: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = bytes_of(payload);
    change(&mut bytes);
    pass_of(&bytes)
}

/// What forgers try.
fn forged(desk: &Desk, good: &str) -> Vec<Shown> {
    let red = bytes_of(&desk.issue(&["--colour", "red", "--name", "张*"]));
    let green = bytes_of(&desk.issue(&["--colour", "green", "--name", "张*"]));
    let body = green.len() - SIGNATURE_BYTES;
    let repainted = [&green[..body], &red[body..]].concat();
    let kid = &bytes_of(good)[KID];
    let (other, stranger) = (desk.issue(&["--issuer", "410000"]), Desk::new().issue(&[]));
    let borrow = |bytes: &mut Vec<u8>| bytes[KID].copy_from_slice(kid);
    vec![
        shown("a bit of the signature turned", with(good, |b| *b.last_mut().expect("long") ^= 1), "bad_signature", 20),
        shown("a red pass painted green", pass_of(&repainted), "bad_signature", 20),
        shown("a stranger under a true key id", with(&stranger, borrow), "bad_signature", 20),
        shown("another issuer under this one's key id", with(&other, borrow), "bad_signature", 20),
        shown("a stranger under its own key id", stranger, "unknown_issuer", 20),
    ]
}

/// What water, scissors and bad printers do, and what is no pass at all.
fn broken(good: &str) -> Vec<Shown> {
    let cut = &good[..good.len() - 3];
    vec![
        shown("three letters missing", cut, "damaged", 20),
        shown("half of it missing", &good[..good.len() / 2], "damaged", 20),
        shown("a byte more", with(good, |bytes| bytes.push(0)), "damaged", 20),
        shown("another tag", with(good, |bytes| bytes[0] ^= 1), "damaged", 20),
        shown("a letter that Base45 has not", good.replacen("MS1:", "MS1:a", 1), "damaged", 20),
        shown("a prefix and nothing", "MS1:", "damaged", 20),
        shown("a prefix in small letters", good.replacen("MS1:", "ms1:", 1), "not_a_pass", 20),
        shown("a pass of another format", "HC1:6BFOXN%TS3DH0YOJ58S S-W5HDC *M0II5XHC9B5G2+$N IOP-IA", "not_a_pass", 20),
        shown("an address", "https://example.org/menu?table=7", "not_a_pass", 20),
        shown("a number", "6901234567892", "not_a_pass", 20),
        shown("bytes that are no text", vec![0xFF, 0x00, 0xC3, 0x28, 0x80], "not_a_pass", 20),
    ]
}

/// Passes that are genuine and do not open.
fn genuine(desk: &Desk) -> Vec<Shown> {
    // As old as it must be, it has expired as well; the key is the graver reason.
    let before_its_key = ["pass", "issue", "--at", "2019-01-01", "--kind", "paper", "--valid", "400d"];
    let before_its_key = desk.menshen(before_its_key).ends(0).stdout.trim_end().to_owned();
    vec![
        shown("expired", desk.issue(&["--valid", "5s"]), "expired", 20),
        shown("not yet valid", desk.issue(&["--not-before", "2020-03-02"]), "not_yet_valid", 20),
        shown("signed before its key was valid", before_its_key, "key_expired", 20),
        shown("of a province without agreement", desk.issue(&["--issuer", "420000"]), "not_recognised", 20),
        shown("red", desk.issue(&["--colour", "red"]), "red", 20),
        shown("yellow", desk.issue(&["--colour", "yellow"]), "yellow", 10),
        shown("of a level without meaning", desk.issue(&["--colour", "9"]), "unknown_level", 10),
    ]
}

fn check_all(desk: &Desk, photos: &[PathBuf]) -> Ran {
    let words = ["check", "--at", "2020-03-01T08:10", "--json"].map(OsString::from);
    desk.menshen(words.into_iter().chain(photos.iter().map(|path| path.clone().into_os_string())))
}

#[test]
fn every_defect_is_told_by_its_own_reason_through_a_photo() {
    let desk = Desk::new();
    let good = desk.issue(&["--name", "张*三", "--id-tail", "1234"]);
    let control = Shown { name: "no defect", payload: good.clone().into(), reason: None, code: 0 };
    let cases: Vec<Shown> =
        [vec![control], forged(&desk, &good), broken(&good), genuine(&desk)].into_iter().flatten().collect();
    for (seed, case) in (0..).zip(&cases) {
        let code = qr::qr(&case.payload).expect("every case fits a code");
        let photo = desk.path("photo.png");
        let carrier = if seed % 2 == 0 { Carrier::Phone } else { Carrier::Paper };
        scene::save_png(&scene::render(&code, &Camera::easy().showing(carrier), seed), &photo).expect("writable");
        let ran = check_all(&desk, &[photo]);
        let line = ran.json().pop().unwrap_or_else(|| panic!("{}: {ran:#?}", case.name));
        let told = (ran.code, line["reasons"][0]["name"].as_str());
        assert_eq!(told, (Some(case.code), case.reason), "{}: {line}", case.name);
    }
}

/// Photographs beside the repository that hold codes of others, or none; not every machine has them.
fn photographs() -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/photos");
    let mut found = Vec::new();
    for set in std::fs::read_dir(folder).ok()?.flatten().filter(|entry| entry.path().is_dir()) {
        let pictures = std::fs::read_dir(set.path()).ok()?.flatten().map(|entry| entry.path());
        found.extend(pictures.filter(|path| path.extension().is_some_and(|extension| extension == "png")));
    }
    found.sort();
    Some(found).filter(|found| !found.is_empty())
}

/// What `check` says of every photograph; `None`, said aloud, where there are none.
static CHECKED: LazyLock<Option<Ran>> = LazyLock::new(|| {
    let Some(photos) = photographs() else {
        // Not through a macro, which the test harness would keep to itself.
        let told = writeln!(std::io::stderr(), "SKIPPED: no photographs in ../shared/photos beside the repository");
        told.expect("a test has a stderr");
        return None;
    };
    let ran = check_all(&Desk::new(), &photos);
    assert_eq!(ran.json().len(), photos.len(), "every photograph is decided about: {}", ran.stderr);
    Some(ran)
});

#[test]
fn no_photograph_of_something_else_is_admitted_or_called_an_invalid_pass() {
    let Some(ran) = &*CHECKED else { return };
    assert!(matches!(ran.code, Some(10 | 20)) && ran.stderr.is_empty(), "{:?} {}", ran.code, ran.stderr);
    for line in ran.json() {
        let reasons: Vec<&str> =
            line["reasons"].as_array().into_iter().flatten().filter_map(|reason| reason["name"].as_str()).collect();
        let expected = match line["verdict"].as_str() {
            Some("refuse") => ["not_a_pass"],
            Some("refer") => ["no_code"],
            verdict => panic!("{verdict:?}: {line}"),
        };
        assert_eq!(reasons, expected, "{line}");
    }
}

#[test]
fn nothing_is_read_in_a_photograph_without_a_code() {
    let Some(ran) = &*CHECKED else { return };
    for line in ran.json().iter().filter(|line| line["file"].as_str().is_some_and(|f| f.contains("falsepositives"))) {
        assert_eq!(line["reasons"][0]["name"], "no_code", "{line}");
    }
}
