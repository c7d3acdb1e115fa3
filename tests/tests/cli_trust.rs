//! `menshen trust`, and what every command owes its caller: help, and a quiet end where the reader has gone.

use menshen_lane::trust::load;
use menshen_tests::cli::{Desk, Help, MENSHEN, NOW, PROGRAMS, names, program, run};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

#[test]
fn a_profile_says_that_it_is_unsafe_and_hides_its_keys() {
    let desk = Desk::empty();
    let ran = desk.menshen(["trust", "init"]).ends(0);
    assert!(ran.sentence().contains("UNSAFE"), "{ran:#?}");
    assert!(ran.stdout.contains("40 issuers"), "{ran:#?}");
    for key in ["roles/root-1.key", "roles/targets.key", "hub.key", "issuers/330000.key"] {
        let mode = fs::metadata(desk.path("keys/dev").join(key)).expect("the key is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{key}");
    }
}

#[test]
fn a_profile_is_not_made_over_another() {
    let desk = Desk::new();
    let anchor = fs::read(desk.path("keys/dev/root.json")).expect("the anchor is there");
    let ran = desk.menshen(["trust", "init"]).ends(2);
    assert!(ran.sentence().contains("keys/dev") && ran.sentence().contains("name another folder"), "{ran:#?}");
    assert_eq!(fs::read(desk.path("keys/dev/root.json")).expect("the anchor is there"), anchor);
}

#[test]
fn show_gives_forty_issuers_with_a_key_each() {
    let ran = Desk::new().menshen(["trust", "show", "--json"]).ends(0);
    let lines = ran.json();
    assert_eq!(lines.len(), 40);
    for line in &lines {
        let stable = [
            "issuer",
            "name_zh",
            "name_en",
            "hotline",
            "keys",
            "honours",
            "honoured_by",
            "role_version",
            "held_back",
            "status_number",
            "status_as_of",
        ];
        assert_eq!(names(line), stable.into());
        assert_eq!(line["keys"].as_array().map(Vec::len), Some(1), "{line}");
        assert_eq!(names(&line["keys"][0]), ["kid", "valid_from", "valid_until"].into());
        assert_ne!((line["name_zh"].as_str(), line["name_en"].as_str()), (Some(""), Some("")));
    }
    assert!(ran.sentence().contains("UNSAFE"), "{ran:#?}");
}

#[test]
fn show_says_the_same_to_people() {
    let desk = Desk::new();
    let text = desk.menshen(["trust", "show"]).ends(0).stdout;
    for line in desk.menshen(["trust", "show", "--json"]).ends(0).json() {
        let name = line["name_zh"].as_str().expect("a name");
        assert!(text.contains(name), "{name}");
    }
}

#[test]
fn the_matrix_says_by_which_way_and_whether_with_conditions() {
    let desk = Desk::new();
    let cell = |host: &str, issuer: &str| cell(&desk, NOW, host, issuer);
    for (host, issuer, mark) in [
        ("330000", "10", "N"),
        ("330000", "33", "="),
        ("330000", "31", "A"),
        ("330000", "42", "."),
        ("410000", "42", "r"),
        ("110000", "12", "A"),
        ("110000", "65", "r"),
    ] {
        assert_eq!(cell(host, issuer), mark, "{host} of {issuer}");
    }
    desk.menshen(["trust", "show", "--html", "matrix.html", "--at", NOW]).ends(0);
    let page = fs::read_to_string(desk.path("matrix.html")).expect("the page is written");
    assert!(page.contains("yellow counts as red") && page.contains("410000 ← 420000"), "conditions are in words");
}

/// A cell of the table.
fn cell(desk: &Desk, at: &str, host: &str, issuer: &str) -> String {
    let text = desk.menshen(["trust", "show", "--matrix", "--at", at]).ends(0).stdout;
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let row = words(text.lines().find(|line| line.starts_with(host)).expect("each province has a row"));
    let heads = words(text.lines().find(|line| line.trim().starts_with("10 ")).expect("there are heads"));
    let column = heads.iter().position(|head| *head == issuer).expect("each issuer with a rule has a column");
    row[column + 1].clone()
}

#[test]
fn the_matrix_says_what_the_gates_do() {
    let desk = Desk::new();
    let recognise = |words: &[&str]| desk.menshen(["trust", "recognise", "330000"].iter().chain(words)).ends(0);
    // Ended; by two ways, of which the stricter counts; for a city apart, and for another by its province's rule.
    recognise(&["420000", "--from", "2020-01-01", "--until", "2020-02-01"]);
    recognise(&["440000", "--from", "2020-01-01"]);
    recognise(&["440000", "--from", "2020-01-01", "--path", "relay", "--treat", "red,red,red"]);
    recognise(&["440100", "--from", "2020-01-01", "--kinds", "paper"]);
    desk.menshen(["trust", "recognise", "350000", "310100", "--from", "2020-01-01"]).ends(0);
    let names = ["--name-zh", "上海码", "--name-en", "Shanghai code", "--at", NOW];
    desk.menshen(["trust", "add-issuer", "310100"].iter().chain(&names)).ends(0);
    let names = ["--name-zh", "穗康码", "--name-en", "Guangzhou code", "--at", NOW];
    desk.menshen(["trust", "add-issuer", "440100"].iter().chain(&names)).ends(0);
    desk.menshen(["trust", "publish", "--at", NOW]).ends(0);
    for (host, issuer, mark) in [
        ("330000", "42", "."),
        ("330000", "44", "r"),
        ("330000", "4401", "ar"),
        ("330000", "3101", "A"),
        ("310000", "3101", "="),
        ("350000", "3101", "A"),
    ] {
        assert_eq!(cell(&desk, NOW, host, issuer), mark, "{host} of {issuer}");
    }
    assert_eq!(cell(&desk, "2020-01-15", "330000", "42"), "A", "as of a time before it ended");
}

#[test]
fn recognition_has_a_direction_and_an_end() {
    let desk = Desk::new();
    let refused = |home: &str| {
        let ran = desk.menshen(["check", "photo.png", "--at", NOW, "--home", home, "--json"]);
        ran.json()[0]["reasons"].to_string().contains("not_recognised")
    };
    desk.issue(&["--issuer", "420000", "--photo", "photo.png"]);
    assert!(refused("330000"));
    desk.menshen(["trust", "recognise", "330000", "420000", "--from", "2020-01-01", "--until", "2020-06-01"]).ends(0);
    assert!(refused("330000"), "a draft counts nowhere");
    desk.menshen(["trust", "publish", "--at", NOW]).ends(0);
    assert!(!refused("330000"));
    assert!(refused("350000"), "at gates of Zhejiang only");
    desk.menshen(["trust", "recognise", "330000", "420000", "--end"]).ends(0);
    desk.menshen(["trust", "publish", "--at", NOW]).ends(0);
    assert!(refused("330000"));
    let ran = desk.menshen(["trust", "recognise", "330000", "420000", "--end"]).ends(2);
    assert!(ran.stderr.contains("no such rule"), "{ran:#?}");
}

#[test]
fn a_rule_for_the_nation_is_shown_at_every_province() {
    let desk = Desk::new();
    let rule = ["trust", "recognise", "100000", "540000", "--from", "2020-01-01", "--treat", "green,red,red"];
    let ran = desk.menshen(rule).ends(0);
    assert!(ran.stdout.contains("100000 (every gate of the country) honours 540000 (agreement): said"), "{ran:#?}");
    desk.menshen(["trust", "publish", "--at", NOW]).ends(0);
    assert_eq!(cell(&desk, NOW, "330000", "54"), "a");
    desk.menshen(["trust", "show", "--html", "matrix.html", "--at", NOW]).ends(0);
    let page = fs::read_to_string(desk.path("matrix.html")).expect("the page is written");
    assert!(!page.contains("title=\"\""), "each cell that is honoured says why");
    assert!(page.contains("100000 (every gate of the country 全国) ← 540000"), "conditions are in words");
    let lines = desk.menshen(["trust", "show", "--json"]).ends(0).json();
    let honours = |of: u64| lines.iter().find(|line| line["issuer"] == of).expect("it is shown")["honours"].to_string();
    assert!(honours(330_000).contains("540000") && !honours(540_000).contains("540000"));
    for words in [["330000", "330100"], ["330100", "540000"]] {
        let ran = desk.menshen(["trust", "recognise"].iter().chain(&words)).ends(2);
        assert!(ran.stderr.contains("100000: every gate of the country"), "{ran:#?}");
    }
}

/// What is believed of an issuer.
fn issuer(desk: &Desk, code: u32) -> menshen_core::trust::Issuer {
    let believed = load(&desk.path("keys/dev"), None).expect("it is believed");
    believed.list.issuer(menshen_core::ids::IssuerId::new(code).expect("six digits")).expect("it is listed").clone()
}

#[test]
fn an_issuer_that_is_known_keeps_what_is_not_changed() {
    let desk = Desk::new();
    let words = ["trust", "add-issuer", "330106", "--name-zh", "西湖码", "--name-en", "West Lake code", "--at", NOW];
    desk.menshen(words.iter().chain(&["--hotline", "0571", "--level", "4=red"])).ends(0);
    desk.menshen(["trust", "status", "330106", "--at", NOW]).ends(0);
    desk.menshen(["trust", "publish", "--at", NOW]).ends(0);
    desk.menshen(["trust", "add-issuer", "330106", "--name-en", "Lake code"]).ends(0);
    desk.menshen(["trust", "publish", "--at", NOW]).ends(0);
    let known = issuer(&desk, 330_106);
    assert_eq!((known.name_zh.as_str(), known.name_en.as_str()), ("西湖码", "Lake code"));
    assert_eq!((known.hotline.as_str(), known.levels.len(), known.lists_status), ("0571", 1, true));
    let pass_key = desk.menshen(["trust", "key", "new.key"]).ends(0).stdout;
    for (flag, remedy) in [("--pass-key", "rotate 330106 --key"), ("--role-key", "rotate 330106 --role --key")] {
        let ran = desk.menshen(["trust", "add-issuer", "330106", flag, pass_key.trim()]).ends(2);
        assert!(ran.stderr.contains(remedy), "{ran:#?}");
    }
    let ran = desk.menshen(["trust", "add-issuer", "330107"]).ends(2);
    assert!(ran.stderr.contains("--name-zh"), "{ran:#?}");
}

#[test]
fn a_rotation_refuses_what_it_would_not_do() {
    let desk = Desk::new();
    let keys = ["a", "b"].map(|name| desk.menshen(["trust", "key", &format!("{name}.key")]).ends(0).stdout);
    let [a, b] = keys.each_ref().map(|key| key.trim());
    for words in [
        ["330000", "--role", "--stolen"].as_slice(),
        &["root", "--stolen", "--key", a],
        &["330000", "--role", "--overlap", "3d"],
        &["330000", "--key", a, "--key", b],
        &["330000", "--key", a, "--threshold", "1"],
    ] {
        desk.menshen(["trust", "rotate"].iter().chain(words)).ends(2);
    }
    desk.menshen(["trust", "rotate", "330000", "--key", a]).ends(0);
    let ran = desk.menshen(["trust", "rotate", "330000", "--stolen", "--key", a]).ends(2);
    assert!(ran.stderr.contains("already"), "{ran:#?}");
}

#[test]
fn a_key_that_is_replaced_is_never_overwritten() {
    let desk = Desk::new();
    let kept = |folder: &str| {
        let entries = fs::read_dir(desk.path("keys/dev").join(folder)).expect("reads").flatten();
        let of = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("330000"));
        of.map(|entry| fs::read(entry.path()).expect("reads")).collect::<std::collections::BTreeSet<_>>().len()
    };
    for number in 2..5 {
        desk.menshen(["trust", "rotate", "330000"]).ends(0);
        desk.menshen(["trust", "rotate", "330000", "--role"]).ends(0);
        assert_eq!((kept("issuers"), kept("roles")), (number, number));
    }
}

#[test]
fn a_pass_that_is_cleared_leaves_what_is_said_of_its_holder() {
    let desk = Desk::new();
    let pass = desk.issue(&["--photo", "photo.png"]);
    let set = |words: &[&str]| desk.menshen(["trust", "status", "330000", "--at", NOW].iter().chain(words)).ends(0);
    let refused = || {
        desk.menshen(["trust", "publish", "--at", NOW]).ends(0);
        desk.check(&["photo.png", "--json"]).json()[0]["verdict"] == "refuse"
    };
    set(&["--pass", &pass, "--set", "red"]);
    set(&["--pass", &pass, "--set", "revoked"]);
    assert!(refused());
    let ran = set(&["--pass", &pass, "--set", "clear"]);
    assert!(refused(), "its holder is red");
    let holder = ran.stderr.split("--holder ").nth(1).and_then(|rest| rest.split(' ').next()).expect("it says whose");
    set(&["--holder", holder, "--set", "clear"]);
    assert!(!refused());
}

#[test]
fn a_list_of_a_fast_clock_is_taken_back_by_a_whole_one() {
    let desk = Desk::new();
    let pass = desk.issue(&["--photo", "photo.png"]);
    let status = |words: &[&str]| desk.menshen(["trust", "status", "330000"].iter().chain(words));
    status(&["--at", NOW]).ends(0);
    let ran = status(&["--at", "2099-01-01"]).ends(2);
    assert!(ran.stderr.contains("has not come yet") && ran.stderr.contains("--ahead"), "{ran:#?}");
    status(&["--at", "2099-01-01", "--ahead", "--pass", &pass, "--set", "red"]).ends(0);
    let ran = status(&["--at", NOW]).ends(2);
    assert!(ran.stderr.contains("--whole"), "{ran:#?}");
    status(&["--at", NOW, "--whole"]).ends(0);
    status(&["--at", NOW]).ends(0);
    desk.menshen(["trust", "publish", "--at", NOW]).ends(0);
    let lines = desk.menshen(["trust", "show", "--json"]).ends(0).json();
    let line = lines.iter().find(|line| line["issuer"] == 330_000).expect("it is shown");
    assert_eq!((&line["status_number"], &line["status_as_of"]), (&4.into(), &"2020-03-01T00:00:00Z".into()));
    assert_eq!(desk.check(&["photo.png", "--json"]).json()[0]["verdict"], "refuse", "what was said stays said");
}

#[test]
fn a_repository_that_the_anchor_does_not_vouch_for_is_refused() {
    let (desk, stranger) = (Desk::new(), Desk::new());
    fs::copy(stranger.path("keys/dev/root.json"), desk.path("keys/dev/root.json")).expect("a copy");
    let ran = desk.menshen(["trust", "show"]).ends(2);
    assert!(ran.sentence().contains("is not signed by those who must sign it"), "{ran:#?}");
    assert_eq!(ran.stdout, "");
}

#[test]
fn top_level_metadata_with_any_byte_turned_are_refused() {
    let desk = Desk::new();
    for name in ["1.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"] {
        let path = desk.path("keys/dev/repository/metadata").join(name);
        let whole = fs::read(&path).expect("the metadata are there");
        for at in (1..whole.len()).step_by(whole.len() / 5) {
            let mut turned = whole.clone();
            turned[at] ^= 0x10;
            fs::write(&path, turned).expect("the desk is writable");
            // The first root counts as the trust folder has it, whatever the repository says it was.
            desk.menshen(["trust", "show"]).ends(if name == "1.root.json" { 0 } else { 2 });
        }
        fs::write(&path, whole).expect("the desk is writable");
    }
}

#[test]
fn every_command_has_help() {
    let commands: Vec<String> = PROGRAMS
        .iter()
        .flat_map(|name| Help::of(name).into_keys().map(move |words| format!("{name} {}", words.join(" "))))
        .collect();
    for expected in [
        "menshen demo",
        "menshen check",
        "menshen decode",
        "menshen pass issue",
        "menshen pass inspect",
        "menshen pass sheet",
        "menshen trust init",
        "menshen trust show",
        "menshen journal show",
        "menshen journal verify",
        "menshen bench check",
        "menshen-gate ",
        "menshen-hub ",
    ] {
        assert!(commands.iter().any(|command| command == expected), "{expected} is not in {commands:?}");
    }
}

#[test]
fn every_program_says_its_version() {
    for name in PROGRAMS {
        let ran = run(Command::new(program(name)).arg("--version")).ends(0);
        assert_eq!(ran.stdout, format!("{name} {}\n", env!("CARGO_PKG_VERSION")));
    }
}

#[test]
fn a_reader_that_has_gone_ends_a_command_without_a_word() {
    let desk = Desk::new();
    desk.issue(&["--photo", "photo.png"]);
    let payload = desk.issue(&[]);
    // 128 and the number of SIGPIPE, as a shell tells of a filter.
    const GONE: i32 = 141;
    for words in [
        ["trust", "show"].as_slice(),
        &["trust", "show", "--json"],
        &["check", "photo.png", "photo.png"],
        &["decode", "photo.png"],
        &["pass", "inspect", &payload],
        &["pass", "issue"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let ran = run(Command::new(program(MENSHEN)).args(words).current_dir(desk.path("")).stdout(writer)).ends(GONE);
        let told: Vec<&str> = ran.stderr.lines().filter(|line| !line.contains("UNSAFE")).collect();
        assert!(told.is_empty(), "{ran:#?}");
    }
}

#[test]
fn a_full_disk_behind_the_output_is_2_and_one_sentence() {
    let desk = Desk::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has a device that is always full");
    let mut command = Command::new(program(MENSHEN));
    let ran = run(command.args(["pass", "issue"]).current_dir(desk.path("")).stdout(full)).ends(2);
    assert!(ran.sentence().contains("output") && ran.sentence().contains("make room"), "{ran:#?}");
}
