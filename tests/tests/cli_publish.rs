//! `menshen trust publish`: what is published is believed by gates, or it is not published.

use menshen_core::ids::IssuerId;
use menshen_core::status::Tag;
use menshen_tests::cli::{Desk, NOW, Ran};
use menshen_trust::publish::{Keyring, Repository, Signers, TopSigners, read_key};
use std::fs;
use std::path::Path;

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

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("makes a folder");
    for entry in fs::read_dir(from).expect("reads").flatten() {
        let place = to.join(entry.file_name());
        match entry.file_type().expect("has a type").is_dir() {
            true => copy(&entry.path(), &place),
            false => drop(fs::copy(entry.path(), place).expect("copies")),
        }
    }
}

#[test]
fn one_key_does_not_sign_twice() {
    let desk = Desk::new();
    for name in ["a", "b"] {
        let ran = desk.menshen(["trust", "key", &format!("{name}.key")]).ends(0);
        fs::write(desk.path(&format!("{name}.pub")), ran.stdout).expect("writes");
    }
    let rotate = |words: &[&str]| desk.menshen(["trust", "rotate", "root", "--threshold", "2"].iter().chain(words));
    let ran = rotate(&["--key", "a.pub", "--key", "a.pub"]).ends(2);
    assert!(ran.stderr.contains("named twice"), "{ran:#?}");
    let ran = rotate(&["--key", "a.pub"]).ends(2);
    assert!(ran.stderr.contains("name another threshold"), "{ran:#?}");
    let ran = rotate(&["--key", "a.key", "--key", "b.pub"]).ends(2);
    assert!(ran.stderr.contains("private key"), "{ran:#?}");
    let words = ["trust", "add-issuer", "330106", "--name-zh", "西湖码", "--name-en", "West Lake code"];
    let ran = desk.menshen(words.iter().chain(&["--pass-key", "a.pub", "--role-key", "a.pub"])).ends(2);
    assert!(ran.stderr.contains("one purpose"), "{ran:#?}");
    publish(&desk, &[]).ends(0);
    let name = "root.json";
    assert!(!desk.path("keys/dev/repository/metadata").join(format!("2.{name}")).exists());
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

#[test]
fn a_signature_of_another_number_is_no_signature() {
    let desk = Desk::new();
    for name in ["a", "b"] {
        fs::create_dir(desk.path(name)).expect("makes a folder");
        let ran = desk.menshen(["trust", "key", &format!("{name}/role.key")]).ends(0);
        fs::write(desk.path(&format!("{name}.pub")), ran.stdout).expect("writes");
    }
    let rotate = ["trust", "rotate", "330000", "--role", "--key", "a.pub", "--key", "b.pub", "--threshold", "2"];
    desk.menshen(rotate).ends(0);
    let at = |time: &str, keys: &[&str]| {
        desk.menshen(["trust", "publish", "--at", time].iter().chain(keys)).stderr.contains("330000 has 1 of the 2")
    };
    assert!(at("2020-03-01T08:00", &["--keys", "a"]));
    // The draft has ended before the other one came: it is numbered anew, and what the first signed is void.
    assert!(at("2021-04-01T08:00", &["--keys", "b"]));
    assert!(!at("2021-04-01T08:00", &["--keys", "a"]));
    assert_eq!(version_of(&desk, "keys/dev", 330_000).0, 2);
}

#[test]
fn a_draft_of_before_what_was_imported_takes_nothing_back() {
    let desk = Desk::new();
    copy(&desk.path("keys/dev"), &desk.path("other"));
    desk.menshen(["trust", "status", "330000", "--at", NOW]).ends(0);
    publish(&desk, &["--stick", "stick"]).ends(0);
    desk.menshen(["trust", "recognise", "330000", "420000", "--by-host", "--trust", "other"]).ends(0);
    let ran = desk.menshen(["trust", "import", "stick", "--trust", "other", "--at", NOW]).ends(0);
    assert!(ran.stderr.contains("draft of 330000") && ran.stderr.contains("dropped"), "{ran:#?}");
    let ran = publish(&desk, &["--trust", "other"]).ends(0);
    assert!(!ran.stderr.contains("dropped"), "it is told once: {ran:#?}");
    assert_eq!(version_of(&desk, "other", 330_000), (2, Some(1)));
}

/// An authority as one was made before the nation's list had a role of its own.
fn old_authority(desk: &Desk) {
    let names = ["root", "targets", "snapshot", "timestamp"];
    let [root, targets, snapshot, timestamp] = names.map(|name| {
        let path = desk.path("old/roles").join(format!("{name}.key"));
        desk.menshen([Path::new("trust"), Path::new("key"), &path]).ends(0);
        Signers::one(read_key(&path).expect("it was made").verifying_key().to_bytes())
    });
    let dir = desk.path("old/repository");
    let signers = TopSigners { root, targets, snapshot, timestamp };
    let mut repository = Repository::create(&dir, &signers).expect("a new repository");
    let other = Repository::open(&desk.path("keys/dev/repository")).expect("a repository");
    let issuers = other.get("targets", "issuers").expect("reads").expect("it is listed");
    repository.put("targets", "issuers", &issuers).expect("lists");
    let mut keyring = Keyring::new();
    keyring.add_folder(&desk.path("old/roles")).expect("reads");
    let now = menshen::moment::parse(NOW).expect("a moment");
    repository.publish(&keyring, now).expect("publishes");
    fs::copy(dir.join("metadata/1.root.json"), desk.path("old/root.json")).expect("copies");
}

#[test]
fn an_authority_without_a_role_for_its_list_goes_on_and_may_get_one() {
    let desk = Desk::new();
    old_authority(&desk);
    let words = ["--trust", "old", "--at", NOW];
    let holder = "00112233445566778899aabbccddeeff";
    let said = |ran: Ran, by: &str| assert!(ran.stdout.contains(by), "{ran:#?}");
    let red = ["trust", "status", "100000", "--holder", holder, "--set", "red"];
    said(desk.menshen(red.iter().chain(&words)).ends(0), "number 1");
    publish(&desk, &["--trust", "old"]).ends(0);
    let key = desk.menshen(["trust", "key", "old/roles/100000.key"]).ends(0).stdout;
    desk.menshen(["trust", "add-issuer", "100000", "--role-key", key.trim()].iter().chain(&words)).ends(0);
    let later = ["--trust", "old", "--at", "2020-03-01T09:00"];
    said(desk.menshen(["trust", "status", "100000"].iter().chain(&later)).ends(0), "number 2");
    said(desk.menshen(["trust", "publish"].iter().chain(&later)).ends(0), "100000");
    let id = IssuerId::NATIONAL;
    let believed = menshen_lane::trust::load(&desk.path("old"), None).expect("it is believed");
    let mut bytes = [0; 16];
    menshen_core::ids::unhex(holder, &mut bytes).expect("hexadecimal");
    let entry = believed.status.get(id).expect("there is a list").look_up(Tag::of_holder(id, &bytes));
    assert!(matches!(entry, Ok(Some(_))), "what was said before still is: {entry:?}");
    assert_eq!(believed.status.get(id).map(|list| list.complete().seq), Some(2));
}

#[test]
fn a_clock_that_is_ahead_does_not_become_the_gates() {
    let desk = Desk::new();
    let ran = desk.menshen(["trust", "publish", "--at", "2099-01-01"]).ends(2);
    assert!(ran.stderr.contains("has not come") && ran.stderr.contains("--ahead"), "{ran:#?}");
    let ran = desk.menshen(["trust", "publish"]).ends(2);
    assert!(ran.stderr.contains("more than a year") && ran.stderr.contains("say --at"), "{ran:#?}");
    desk.menshen(["trust", "publish", "--at", "2020-06-01"]).ends(0);
    let ran = publish(&desk, &[]).ends(0);
    assert!(ran.stderr.contains("before the last publication"), "{ran:#?}");
    desk.menshen(["trust", "publish", "--at", "2099-01-01", "--ahead"]).ends(0);
}
