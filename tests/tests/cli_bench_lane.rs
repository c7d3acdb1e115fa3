//! `menshen bench lane`: a whole gate on ports at their real speed. What it measures is the machine's affair and not tested;
//! that everybody comes through exactly once, and that the names which others read stay, is.

use menshen_tests::cli::{Desk, names};
use serde_json::Value;

const STABLE: [&str; 19] = [
    "bench",
    "machine",
    "frame",
    "fps",
    "thermometry",
    "guard",
    "in_memory",
    "every_ms",
    "seed",
    "people",
    "admitted",
    "edges",
    "records",
    "people_per_min",
    "relay_edge_ms_p50",
    "relay_edge_ms_p99",
    "relay_edge_ms_max",
    "face_first",
    "phone_first",
];
const PARTS: [&str; 11] = [
    "people",
    "relay_edge_ms",
    "camera_ms",
    "frame_ms",
    "decode_ms",
    "decide_ms",
    "screen_ms",
    "reading_ms",
    "record_ms",
    "hold_off_ms",
    "relay_ms",
];

fn measured(words: &[&str]) -> Value {
    let desk = Desk::empty();
    let words = ["bench", "lane", "--people", "10", "--state", "lane", "--json"].iter().chain(words);
    let line = desk.menshen(words).ends(0).json().remove(0);
    assert_eq!(std::fs::read_dir(desk.path("lane")).expect("it was made").count(), 0, "it leaves nothing behind");
    line
}

#[test]
fn bench_lane_has_the_stable_names_and_lets_everybody_through_once() {
    let line = measured(&["--fps", "30", "--seed", "7"]);
    assert_eq!(names(&line), STABLE.into());
    for name in ["people", "admitted", "edges", "records"] {
        assert_eq!(line[name], 10, "{name}: {line}");
    }
    let mut people = 0;
    for group in ["face_first", "phone_first"] {
        assert_eq!(names(&line[group]), PARTS.into());
        people += line[group]["people"].as_u64().expect("a count");
        for part in PARTS.iter().skip(1) {
            assert_eq!(names(&line[group][part]), ["p50", "p99", "max"].into());
        }
    }
    assert_eq!(people, 10, "{line}");
    assert!(line["people_per_min"].as_f64().is_some_and(|rate| rate > 0.0), "{line}");
    assert_eq!((&line["bench"], &line["fps"], &line["seed"]), (&"lane".into(), &30.into(), &7.into()));
    assert_eq!((&line["thermometry"], &line["guard"]), (&"required".into(), &"process".into()));
}

#[test]
fn a_lane_without_a_thermometer_lets_everybody_through_once_too() {
    let line = measured(&["--thermometry", "off"]);
    assert_eq!((&line["edges"], &line["records"], &line["thermometry"]), (&10.into(), &10.into(), &"off".into()));
    assert_eq!((&line["face_first"]["people"], &line["phone_first"]["people"]), (&10.into(), &0.into()));
}

#[test]
fn bench_lane_of_one_person_is_2() {
    let ran = Desk::empty().menshen(["bench", "lane", "--people", "1"]).ends(2);
    assert!(ran.stderr.contains("--people"), "{ran:#?}");
}
