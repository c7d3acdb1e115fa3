//! `menshen demo --headless --json`: the whole mission in one command, and the journal and benchmark commands on
//! what it leaves.
//!
//! It runs once for all tests of this file; what they look at is gathered before its folder is cleared away.

use menshen_core::record::{Body, Epoch, Record, Seq};
use menshen_core::time::Time;
use menshen_lane::journal::{Journal, SledJournal};
use menshen_tests::cli::{Desk, Ran, names};
use menshen_tests::faults::until;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

struct Demo {
    walked: Ran,
    took: Duration,
    verify: Ran,
    verify_json: Ran,
    show: Ran,
    show_json: Ran,
}

static DEMO: LazyLock<Demo> = LazyLock::new(|| {
    let desk = Desk::empty();
    menshen_tests::cli::program(menshen_tests::cli::MENSHEN);
    let begun = Instant::now();
    let walked = desk.menshen(["demo", "--headless", "--json", "--state", "demo"]);
    let took = begun.elapsed();
    let journal = |words: &[&str]| desk.menshen(["journal"].iter().chain(words).chain(&["demo/state"]));
    Demo {
        walked,
        took,
        verify: journal(&["verify"]),
        verify_json: journal(&["verify", "--json"]),
        show: journal(&["show"]),
        show_json: journal(&["show", "--json"]),
    }
});

fn people() -> Vec<Value> {
    let mut lines = DEMO.walked.json();
    lines.pop().expect("a summary comes last");
    lines
}

fn summary() -> Value {
    DEMO.walked.json().pop().expect("a summary comes last")["summary"].take()
}

#[test]
fn it_ends_well_in_under_a_minute() {
    assert_eq!(DEMO.walked.code, Some(0), "{:#?}", DEMO.walked);
    assert!(DEMO.took < Duration::from_secs(60), "{:?}", DEMO.took);
}

#[test]
fn every_kind_of_person_comes() {
    let found: Vec<Value> = people();
    let found: BTreeSet<&str> = found.iter().filter_map(|line| line["person"].as_str()).collect();
    for person in [
        "green_phone",
        "green_paper",
        "yellow",
        "red",
        "expired",
        "forged_signature",
        "unknown_issuer",
        "recognised_province",
        "high_temperature",
        "cold_then_measured_again",
    ] {
        assert!(found.contains(person), "{person} is not in {found:?}");
    }
}

#[test]
fn everybody_gets_the_verdict_they_must() {
    let verdict = |person: &str| {
        let line = people().into_iter().find(|line| line["person"] == person).expect("everybody comes");
        assert_eq!(line["as_expected"], true, "{line}");
        (line["verdict"].as_str().unwrap_or_default().to_owned(), line["reasons"][0]["name"].clone())
    };
    for (person, expected, reason) in [
        ("green_phone", "admit", Value::Null),
        ("green_paper", "admit", Value::Null),
        ("yellow", "refer", "yellow".into()),
        ("red", "refuse", "red".into()),
        ("expired", "refuse", "expired".into()),
        ("forged_signature", "refuse", "bad_signature".into()),
        ("unknown_issuer", "refuse", "unknown_issuer".into()),
        ("recognised_province", "admit", Value::Null),
        ("high_temperature", "refuse", "temp_high".into()),
        ("cold_then_measured_again", "admit", Value::Null),
    ] {
        assert_eq!(verdict(person), (expected.into(), reason), "{person}");
    }
    assert!(people().iter().all(|line| line["as_expected"] == true));
}

#[test]
fn a_line_has_the_stable_names_of_check_and_the_person() {
    let stable = [
        "person",
        "verdict",
        "reasons",
        "issuer",
        "colour",
        "expires_at",
        "cause",
        "evidence",
        "decode_ms",
        "verify_us",
        "durable_ms",
        "as_expected",
    ];
    for line in people() {
        assert_eq!(names(&line), stable.into(), "{line}");
    }
}

#[test]
fn the_summary_loses_nobody_and_doubles_nobody() {
    let summary = summary();
    let stable = ["decisions", "journal_records", "hub_records", "lost", "doubled", "unexpected"];
    assert_eq!(names(&summary), stable.into());
    let decisions = people().len();
    for (name, expected) in [
        ("decisions", decisions),
        ("journal_records", decisions),
        ("hub_records", decisions),
        ("lost", 0),
        ("doubled", 0),
        ("unexpected", 0),
    ] {
        assert_eq!(summary[name], expected, "{name}");
    }
}

#[test]
fn stderr_names_the_panel_and_the_hub_and_complains_of_nothing() {
    let lines: Vec<&str> = DEMO.walked.stderr.lines().collect();
    let [panel, hub] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(panel.contains("panel http://127.0.0.1:") && hub.contains("http://127.0.0.1:"), "{lines:?}");
}

#[test]
fn its_journal_verifies_with_a_record_a_decision() {
    assert_eq!(DEMO.verify.code, Some(0), "{:#?}", DEMO.verify);
    assert!(DEMO.verify.stdout.contains("the chain is whole"), "{:#?}", DEMO.verify);
    let line = DEMO.verify_json.json().remove(0);
    assert_eq!(names(&line), ["records", "whole", "faults"].into());
    assert_eq!((&line["records"], &line["whole"]), (&people().len().into(), &true.into()));
}

#[test]
fn its_journal_tells_what_was_decided_and_names_nobody() {
    let records = DEMO.show_json.json();
    let verdicts = |lines: &[Value]| lines.iter().map(|line| line["verdict"].clone()).collect::<Vec<_>>();
    assert_eq!(verdicts(&records), verdicts(&people()));
    let stable = [
        "epoch",
        "seq",
        "time",
        "clock",
        "lane",
        "hash",
        "verdict",
        "reasons",
        "issuer",
        "colour",
        "temp_c",
        "ambient_c",
        "raw_c",
        "cause",
        "trust_version",
    ];
    for (line, seq) in records.iter().zip(1..) {
        assert_eq!(names(line), stable.into());
        assert_eq!(line["seq"], seq);
    }
    assert_eq!(DEMO.show.stdout.lines().count(), records.len());
    for name in ["张", "李", "1234", "MS1:"] {
        assert!(!DEMO.show.stdout.contains(name) && !DEMO.show_json.stdout.contains(name), "{name}");
    }
}

#[test]
fn a_changed_record_is_told_each_time_and_stays_where_it_is() {
    let desk = Desk::empty();
    let journal = SledJournal::open(&desk.path("state")).expect("a new journal");
    for n in 0..20 {
        let loss = Body::Loss { epoch: Epoch(n), from: Seq(1), through: Seq(2) };
        journal.append(Time::trusted(1_583_020_800), 1, loss).expect("there is room");
    }
    drop(journal);
    tamper(&desk);
    let shown = desk.menshen(["journal", "show", "state"]).ends(0).stdout;
    for _ in 0..2 {
        let line = desk.menshen(["journal", "verify", "state", "--json"]).ends(1).json().remove(0);
        assert_eq!((&line["records"], &line["whole"]), (&20.into(), &false.into()), "{line}");
        assert_eq!(line["faults"].as_array().map(Vec::len), Some(1), "{line}");
    }
    let ran = desk.menshen(["journal", "verify", "state"]).ends(1);
    assert!(ran.stdout.contains("the chain is broken"), "{ran:#?}");
    assert_eq!(desk.menshen(["journal", "show", "state"]).ends(0).stdout, shown);
}

/// Another lane in the seventh record, behind the journal's back.
fn tamper(desk: &Desk) {
    // A test beside this one that just starts a program still holds the lock until that runs.
    let db = until("the journal is closed", Duration::from_secs(30), || sled::open(desk.path("state/journal")).ok());
    let records = db.open_tree("records").expect("a journal has records");
    let (at, bytes) = records.iter().nth(6).expect("there are twenty").expect("readable");
    let mut record = Record::from_bytes(&bytes).expect("a record");
    record.lane = 9;
    records.insert(at, record.to_bytes().as_bytes()).expect("writable");
    db.flush().expect("writable");
}

#[test]
fn a_folder_without_a_journal_is_2_and_none_is_made_there() {
    let desk = Desk::empty();
    for command in ["show", "verify"] {
        let ran = desk.menshen(["journal", command, "."]).ends(2);
        assert!(ran.sentence().contains("holds no journal"), "{ran:#?}");
    }
    assert_eq!(std::fs::read_dir(desk.path("")).expect("the desk is there").count(), 0);
}

#[test]
fn a_state_folder_that_exists_is_not_played_in() {
    let desk = Desk::empty();
    let ran = desk.menshen(["demo", "--headless", "--state", "."]).ends(2);
    assert!(ran.sentence().contains("name a folder that does not exist yet"), "{ran:#?}");
}

#[test]
fn bench_check_of_no_frames_is_2() {
    let ran = Desk::empty().menshen(["bench", "check", "--frames", "0"]).ends(2);
    assert!(ran.stderr.contains("--frames"), "{ran:#?}");
}

#[test]
fn bench_check_has_the_stable_names_and_admits_every_frame() {
    let desk = Desk::empty();
    let line = desk.menshen(["bench", "check", "--frames", "5", "--json"]).ends(0).json().remove(0);
    let stable = [
        "bench",
        "machine",
        "frame",
        "frames",
        "admitted",
        "decision_ms_p50",
        "decision_ms_p99",
        "durable_ms_p50",
        "durable_ms_p99",
    ];
    assert_eq!(names(&line), stable.into());
    assert_eq!((&line["bench"], &line["admitted"]), (&"check".into(), &5.into()), "{line}");
    for name in stable.iter().filter(|name| name.contains("_ms_")) {
        assert!(line[*name].as_f64().is_some_and(|ms| ms > 0.0), "{name}: {line}");
    }
}

#[test]
fn bench_journal_has_the_stable_names_and_writes_the_same_bytes_in_three_ways() {
    let desk = Desk::empty();
    let words = ["bench", "journal", "--records", "60", "--held", "100", "--state", "bench", "--json"];
    let lines = desk.menshen(words).ends(0).json();
    let stable = [
        "bench",
        "way",
        "machine",
        "records",
        "record_bytes",
        "durable_ms_p50",
        "durable_ms_p99",
        "durable_ms_max",
        "device_bytes_per_record",
    ];
    let [journal, append, in_place] = &lines[..] else { panic!("three ways: {lines:?}") };
    for (line, way) in [(journal, "journal"), (append, "append"), (in_place, "in_place")] {
        assert_eq!((&line["bench"], &line["way"], &line["records"]), (&"journal".into(), &way.into(), &60.into()));
        assert_eq!(line["record_bytes"], journal["record_bytes"]);
        assert!(line["durable_ms_p50"].as_f64().is_some_and(|ms| ms > 0.0), "{line}");
    }
    assert_eq!(names(append), stable.into());
    assert_eq!(names(journal), stable.into_iter().chain(["opens_ms", "held"]).collect());
    let status = desk.menshen(["journal", "verify", "bench/state", "--json"]).ends(0).json().remove(0);
    assert_eq!((&status["records"], &status["whole"]), (&160.into(), &true.into()), "it was the gate's own journal");
}

#[test]
fn bench_status_has_the_stable_names_and_finds_what_it_listed() {
    let desk = Desk::empty();
    let words =
        ["bench", "status", "--entries", "20000", "--issuers", "3", "--lookups", "1000", "--state", ".", "--json"];
    let line = desk.menshen(words).ends(0).json().remove(0);
    let stable = [
        "bench",
        "entries",
        "lookup_ns_p50",
        "lookup_ns_p99",
        "resident_mib",
        "bytes_per_entry",
        "delta_entries",
        "delta_apply_s",
    ];
    for name in stable {
        assert!(!line[name].is_null(), "{name}: {line}");
    }
    assert_eq!((&line["bench"], &line["entries"], &line["issuers"]), (&"status".into(), &20000.into(), &3.into()));
    assert!(line["bytes_per_entry"].as_f64().is_some_and(|bytes| bytes <= 9.0), "{line}");
    assert!(!desk.path("bench-status").exists(), "it leaves nothing behind");
}
