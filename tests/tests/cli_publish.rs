//! `menshen trust publish`: what is published is believed by gates, or it is not published.

use menshen_tests::cli::{Desk, NOW, Ran};
use std::fs;

fn publish(desk: &Desk, words: &[&str]) -> Ran {
    desk.menshen(["trust", "publish", "--at", NOW].iter().chain(words))
}

/// Changes a draft by hand, as a fault of whoever makes drafts would.
fn change(desk: &Desk, role: &str, edit: impl Fn(&mut serde_json::Value)) {
    let path = desk.path("keys/dev/repository/draft").join(format!("{role}.json"));
    let mut whole = serde_json::from_slice(&fs::read(&path).expect("there is a draft")).expect("it is JSON");
    edit(&mut whole);
    fs::write(&path, whole.to_string()).expect("writes");
}

fn version_of(desk: &Desk, folder: &str, issuer: u64) -> (u64, Option<u64>) {
    let lines = desk.menshen(["trust", "show", "--json", "--trust", folder]).ends(0).json();
    let line = lines.iter().find(|line| line["issuer"] == issuer).expect("it is shown");
    (line["role_version"].as_u64().expect("it is believed"), line["status_number"].as_u64())
}

#[test]
fn a_role_that_gates_would_refuse_waits_and_the_others_do_not() {
    let desk = Desk::new();
    for issuer in ["330000", "410000"] {
        desk.menshen(["trust", "status", issuer, "--at", NOW]).ends(0);
    }
    change(&desk, "330000", |draft| {
        let targets = &mut draft["signed"]["targets"];
        targets["status/410000/delta-9"] = targets["status/330000/snapshot-1"].clone();
    });
    let ran = publish(&desk, &[]).ends(1);
    assert!(ran.stderr.contains("gates would refuse 330000"), "{ran:#?}");
    assert_eq!(version_of(&desk, "keys/dev", 330_000), (1, None));
    assert_eq!(version_of(&desk, "keys/dev", 410_000), (2, Some(1)));
}

#[test]
fn what_gates_would_refuse_altogether_is_not_published() {
    let desk = Desk::new();
    desk.menshen(["trust", "recognise", "330000", "420000"]).ends(0);
    change(&desk, "targets", |draft| {
        draft["signed"]["targets"].as_object_mut().expect("it lists").remove("issuers");
    });
    let metadata = desk.path("keys/dev/repository/metadata");
    let before = fs::read(metadata.join("timestamp.json")).expect("reads");
    let ran = publish(&desk, &[]).ends(2);
    assert!(ran.stderr.contains("gates would refuse this publication"), "{ran:#?}");
    assert_eq!(fs::read(metadata.join("timestamp.json")).expect("reads"), before);
    assert!(!metadata.join("2.targets.json").exists());
}
