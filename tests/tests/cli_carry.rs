//! Carrying a publication: onto a stick with `menshen trust publish --stick`, and from it with `menshen trust import`.
//!
//! Sticks pass through many hands, so what is on one may have been put there to do harm, and what is left of older
//! publications may be worn.

use menshen_tests::cli::{Desk, NOW};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A desk whose first publication is on a stick, and a hub's folder that has the anchor and nothing else.
fn with_stick() -> Desk {
    let desk = Desk::new();
    publish(&desk);
    fs::create_dir(desk.path("hub")).expect("makes a folder");
    fs::copy(desk.path("keys/dev/root.json"), desk.path("hub/root.json")).expect("copies");
    desk
}

fn publish(desk: &Desk) {
    desk.menshen(["trust", "publish", "--at", NOW, "--stick", "stick"]).ends(0);
}

fn import(desk: &Desk) -> menshen_tests::cli::Ran {
    desk.menshen(["trust", "import", "stick", "--trust", "hub", "--at", NOW])
}

/// Every file below a folder by its path in it.
fn files(dir: &Path) -> Vec<PathBuf> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("reads").flatten() {
            match entry.file_type().expect("has a type").is_dir() {
                true => walk(&entry.path(), found),
                false => found.push(entry.path()),
            }
        }
    }
    let mut found = Vec::new();
    walk(dir, &mut found);
    found.sort();
    found.iter().map(|path| path.strip_prefix(dir).expect("is below it").to_owned()).collect()
}

fn file(dir: &Path, end: &str) -> PathBuf {
    let found = files(dir).into_iter().find(|path| path.to_string_lossy().ends_with(end));
    dir.join(found.unwrap_or_else(|| panic!("{end} is not in {}", dir.display())))
}

/// Turns one bit in the middle of a file; its length stays.
fn turn(path: &Path) {
    let mut bytes = fs::read(path).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).expect("writes");
}

#[test]
fn a_prepared_stick_makes_nothing_public_and_hangs_nobody() {
    let desk = with_stick();
    let honest = files(&desk.path("stick/menshen"));
    let (targets, metadata) = (desk.path("stick/menshen/targets"), desk.path("stick/menshen/metadata"));
    symlink(desk.path("keys/dev/roles/targets.key"), targets.join("x")).expect("links");
    symlink(desk.path("keys/dev/issuers"), targets.join("all")).expect("links");
    symlink("loop", targets.join("loop")).expect("links");
    fs::copy(desk.path("keys/dev/hub.key"), metadata.join("9.json")).expect("copies");
    for pipe in [targets.join("pipe"), metadata.join("pipe.json")] {
        assert!(Command::new("mkfifo").arg(pipe).status().expect("mkfifo runs").success());
    }
    import(&desk).ends(0);
    assert_eq!(files(&desk.path("hub/repository")), honest);
}

#[test]
fn a_link_or_a_pipe_in_place_of_a_named_file_is_refused() {
    let desk = with_stick();
    let issuers = file(&desk.path("stick/menshen/targets"), ".issuers");
    let bytes = fs::read(&issuers).expect("reads");
    fs::remove_file(&issuers).expect("removes");
    fs::write(desk.path("elsewhere"), bytes).expect("writes");
    symlink(desk.path("elsewhere"), &issuers).expect("links");
    import(&desk).ends(2);
    let timestamp = desk.path("stick/menshen/metadata/timestamp.json");
    fs::remove_file(&timestamp).expect("removes");
    assert!(Command::new("mkfifo").arg(&timestamp).status().expect("mkfifo runs").success());
    import(&desk).ends(2);
    assert!(!desk.path("hub/repository/metadata/timestamp.json").exists());
}

#[test]
fn a_copy_that_was_altered_is_repaired_though_its_length_is_right() {
    let desk = with_stick();
    import(&desk).ends(0);
    desk.menshen(["trust", "show", "--trust", "hub"]).ends(0);
    // Of the nation: nothing there is believed any more. Of a province: it alone is not.
    for end in [".issuers", "/1.targets.json", "/1.330000.json", ".330000"] {
        turn(&file(&desk.path("hub/repository"), end));
        let ran = import(&desk).ends(0);
        let is_national = !end.contains("330000");
        assert_eq!(ran.stderr.contains("does not verify"), is_national, "{end}: {ran:#?}");
        desk.menshen(["trust", "show", "--trust", "hub"]).ends(0);
        assert_eq!(files(&desk.path("hub/repository")), files(&desk.path("stick/menshen")), "{end}");
    }
    turn(&file(&desk.path("stick/menshen"), ".issuers"));
    import(&desk).ends(2);
    publish(&desk);
    import(&desk).ends(0);
}

#[test]
fn a_damaged_folder_takes_a_newer_stick_and_an_older_one_is_refused_by_a_sound_folder() {
    let desk = with_stick();
    fs::rename(desk.path("stick"), desk.path("old")).expect("renames");
    publish(&desk);
    import(&desk).ends(0);
    let older = ["trust", "import", "old", "--trust", "hub", "--at", NOW];
    assert!(desk.menshen(older).ends(2).sentence().contains("older"));
    turn(&file(&desk.path("hub/repository"), "timestamp.json"));
    publish(&desk);
    let ran = import(&desk).ends(0);
    assert!(ran.sentence().contains("hub/repository") && ran.sentence().contains("root.json"), "{ran:#?}");
    desk.menshen(["trust", "show", "--trust", "hub"]).ends(0);
}

#[test]
fn a_stick_does_not_fill_with_what_is_over() {
    let desk = with_stick();
    let stick = desk.path("stick/menshen");
    let mut counts = Vec::new();
    for number in 0..4 {
        fs::write(stick.join("metadata/timestamp.part"), "{").expect("writes");
        let name = format!("Number {number}");
        desk.menshen(["trust", "status", "330000", "--at", NOW]).ends(0);
        desk.menshen(["trust", "recognise", "330000", "420000", "--until", &format!("203{number}-01-01")]).ends(0);
        publish(&desk);
        counts.push(files(&stick).iter().filter(|path| !path.to_string_lossy().contains("/330000/")).count());
        assert!(!stick.join("metadata/timestamp.part").exists(), "{name}");
    }
    assert_eq!(counts[1], counts[3], "{counts:?}");
}

#[test]
fn a_stick_that_was_prepared_is_not_written_through() {
    let desk = with_stick();
    let stick = desk.path("stick/menshen");
    fs::create_dir(desk.path("home")).expect("makes a folder");
    fs::write(desk.path("home/letter"), "dear").expect("writes");
    fs::remove_dir_all(stick.join("targets")).expect("removes");
    symlink(desk.path("home"), stick.join("targets")).expect("links");
    symlink(desk.path("home/letter"), stick.join("metadata/timestamp.part")).expect("links");
    symlink(desk.path("home/letter"), stick.join("metadata/timestamp.new")).expect("links");
    publish(&desk);
    assert_eq!(fs::read_to_string(desk.path("home/letter")).expect("reads"), "dear");
    assert_eq!(fs::read_dir(desk.path("home")).expect("reads").count(), 1);
    import(&desk).ends(0);
}

#[test]
fn what_lies_behind_a_link_on_a_stick_is_neither_read_nor_written_nor_removed() {
    let desk = with_stick();
    desk.menshen(["trust", "status", "330000", "--at", NOW]).ends(0);
    publish(&desk);
    let (stick, home) = (desk.path("stick/menshen"), desk.path("home"));
    let put_away = |path: &Path| {
        fs::rename(path, &home).expect("renames");
        symlink(&home, path).expect("links");
        fs::write(home.join("letter"), "dear").expect("writes");
    };
    let put_back = |path: &Path| {
        fs::remove_file(path).expect("removes");
        fs::remove_file(home.join("letter")).expect("is still there");
        fs::rename(&home, path).expect("renames");
    };
    for folder in ["metadata", "targets", "targets/issuers", "targets/status/330000"] {
        put_away(&stick.join(folder));
        let ran = import(&desk);
        // What provinces say lies deeper: they alone are not believed.
        let is_of_provinces = folder.contains('/');
        assert_eq!(ran.stderr.contains("what 330000 says is not believed"), is_of_provinces, "{folder}: {ran:#?}");
        ran.ends(if is_of_provinces { 0 } else { 2 });
        assert!(!desk.path("hub/repository").join(folder).exists(), "{folder}");
        if is_of_provinces {
            fs::remove_dir_all(desk.path("hub/repository")).expect("is there");
        }
        put_back(&stick.join(folder));
    }
    import(&desk).ends(0);
    put_away(&stick);
    let before = files(&home);
    assert!(import(&desk).ends(2).sentence().contains("stick/menshen is a link"));
    let ran = desk.menshen(["trust", "publish", "--at", NOW, "--stick", "stick"]).ends(2);
    assert!(ran.stderr.contains("stick/menshen is a link"), "{ran:#?}");
    assert_eq!(files(&home), before);
    put_back(&stick);
    publish(&desk);
    import(&desk).ends(0);
}

#[test]
fn what_a_province_signs_removes_nothing_behind_a_link() {
    let desk = Desk::new();
    let sign = || desk.menshen(["trust", "sign", "330000", "--at", NOW, "--out", "stick"]);
    sign().ends(0);
    let offer = desk.path("stick/menshen-330000");
    let honest = files(&offer);
    fs::create_dir_all(desk.path("home/targets")).expect("makes a folder");
    fs::create_dir_all(desk.path("home/metadata")).expect("makes a folder");
    fs::write(desk.path("home/targets/letter"), "dear").expect("writes");
    fs::write(desk.path("home/metadata/letter"), "dear").expect("writes");
    for part in ["targets", "metadata"] {
        fs::remove_dir_all(offer.join(part)).expect("removes");
        symlink(desk.path("home").join(part), offer.join(part)).expect("links");
    }
    sign().ends(0);
    assert_eq!(files(&offer).len(), honest.len());
    fs::remove_dir_all(&offer).expect("removes");
    symlink(desk.path("home"), &offer).expect("links");
    assert!(sign().ends(2).stderr.contains("it is a link"));
    assert_eq!(files(&desk.path("home")), [Path::new("metadata/letter"), Path::new("targets/letter")]);
}

#[test]
fn a_stick_of_another_authority_may_be_used_again() {
    let (desk, other) = (with_stick(), Desk::new());
    other.menshen(["trust", "rotate", "timestamp", "--at", NOW]).ends(0);
    let stick = desk.path("stick");
    other.menshen(["trust", "publish", "--at", NOW, "--stick", &stick.to_string_lossy()]).ends(0);
    let root = stick.join("menshen/metadata/2.root.json");
    assert!(root.exists());
    publish(&desk);
    assert!(!root.exists());
    import(&desk).ends(0);
}

#[test]
fn roots_that_nobody_vouches_for_are_not_copied_and_those_that_follow_stay() {
    let desk = with_stick();
    desk.menshen(["trust", "rotate", "timestamp", "--at", NOW]).ends(0);
    publish(&desk);
    let (hub, stick) = (desk.path("hub/repository/metadata"), desk.path("stick/menshen/metadata"));
    let first = fs::read(stick.join("1.root.json")).expect("reads");
    // A folder that has the second root does not lose it to a stick that lacks it.
    import(&desk).ends(0);
    fs::rename(stick.join("2.root.json"), desk.path("second")).expect("renames");
    import(&desk).ends(0);
    assert!(hub.join("2.root.json").exists());
    fs::rename(desk.path("second"), stick.join("2.root.json")).expect("renames");
    // One that is made with the second takes the first from no stick, and keeps its own unless that is none.
    fs::copy(stick.join("2.root.json"), desk.path("hub/root.json")).expect("copies");
    fs::write(stick.join("1.root.json"), "{}").expect("writes");
    import(&desk).ends(0);
    assert_eq!(fs::read(hub.join("1.root.json")).expect("stays"), first);
    fs::write(hub.join("1.root.json"), "{}").expect("writes");
    import(&desk).ends(0);
    assert!(!hub.join("1.root.json").exists() && hub.join("2.root.json").exists());
    // Its publisher repairs the stick.
    publish(&desk);
    assert_eq!(fs::read(stick.join("1.root.json")).expect("reads"), first);
}

#[test]
fn what_a_stick_lacks_of_a_province_is_told() {
    let desk = with_stick();
    let lacking = file(&desk.path("stick/menshen/targets"), ".330000");
    fs::remove_file(&lacking).expect("removes");
    let name = lacking.file_name().expect("has a name").to_string_lossy().into_owned();
    for _ in 0..2 {
        let ran = import(&desk).ends(0);
        assert!(ran.stderr.contains(&name) && ran.stderr.contains("could not be copied"), "{ran:#?}");
    }
}

#[test]
fn a_draft_that_is_a_pipe_hangs_nobody() {
    let desk = with_stick();
    fs::create_dir(desk.path("stick/menshen/draft")).expect("makes a folder");
    let pipe = desk.path("stick/menshen/draft/330000.json");
    assert!(Command::new("mkfifo").arg(pipe).status().expect("mkfifo runs").success());
    publish(&desk);
}

#[test]
fn a_folder_without_an_anchor_says_where_that_comes_from() {
    let desk = with_stick();
    fs::remove_file(desk.path("hub/root.json")).expect("removes");
    let ran = import(&desk).ends(2);
    assert!(ran.sentence().contains("hub/root.json") && ran.sentence().contains("first"), "{ran:#?}");
}
