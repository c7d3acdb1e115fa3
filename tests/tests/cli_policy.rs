//! `menshen trust policy`: from a file of rules to what gates of a class of site believe.

use menshen_core::ids::IssuerId;
use menshen_core::policy::{Policy, SiteClass};
use menshen_lane::trust::load;
use menshen_tests::cli::{Desk, NOW, Ran, names};
use menshen_trust::names::{Target, paths_before_policies};
use menshen_trust::publish::{Repository, Signers};
use std::fs;

fn policy(desk: &Desk, words: &[&str]) -> Ran {
    desk.menshen(["trust", "policy"].iter().chain(words))
}

/// Writes a file of rules; gives its name.
fn rules<'a>(desk: &Desk, name: &'a str, text: &str) -> &'a str {
    fs::write(desk.path(name), text).expect("the desk is writable");
    name
}

fn publish(desk: &Desk) -> Ran {
    desk.menshen(["trust", "publish", "--at", NOW])
}

fn id(code: u32) -> IssuerId {
    IssuerId::new(code).expect("six digits")
}

/// What is signed for metro stations of a division.
fn metro(desk: &Desk, home: u32) -> Option<Policy> {
    let believed = load(&desk.path("keys/dev"), None).expect("it is believed");
    believed.list.policy(&Policy::of(SiteClass::Metro), id(home)).expect("no contradiction")
}

#[test]
fn rules_of_the_nation_and_of_a_province_are_drafts_until_they_are_published() {
    let desk = Desk::new();
    let nation = rules(&desk, "nation.toml", "threshold_c = 37.5\nmanual = \"referred\"\n");
    let zhejiang = rules(&desk, "zhejiang.toml", "threshold_c = 37.2\nquota = { outings = 1, days = 2 }\n");
    let ran = policy(&desk, &["--class", "metro", "--file", nation]).ends(0);
    assert!(ran.stdout.contains("threshold_c = 37.5") && ran.stdout.contains("said by targets"), "{ran:#?}");
    policy(&desk, &["--class", "metro", "--division", "330000", "--file", zhejiang]).ends(0);
    assert_eq!(metro(&desk, 330_000), None, "a draft counts nowhere");
    publish(&desk).ends(0);
    let found = |home| metro(&desk, home).map(|own| (own.threshold_centi_c, own.manual.name(), own.quota.is_some()));
    assert_eq!(found(310_000), Some((3750, "referred", false)));
    assert_eq!(found(330_100), Some((3720, "referred", true)));

    let text = desk.menshen(["trust", "show"]).ends(0).stdout;
    for line in ["metro at gates of 330000", "    says threshold_c = 37.2, quota = { outings = 1, days = 2 }"] {
        assert!(text.contains(line), "{text}");
    }
    let lines = desk.menshen(["trust", "show", "--json"]).ends(0).json();
    let [nation, zhejiang] = &lines[40..] else { panic!("two policies come after the issuers: {lines:?}") };
    assert_eq!(names(zhejiang), ["class", "division", "says", "in_force"].into());
    assert_eq!((&nation["division"], &zhejiang["division"]), (&100_000.into(), &330_000.into()));
    assert_eq!((&zhejiang["class"], &zhejiang["says"]["threshold_c"]), (&"metro".into(), &37.2.into()));
    assert_eq!(
        (&zhejiang["in_force"]["manual"], &zhejiang["in_force"]["yellow"]),
        (&"referred".into(), &"refuse".into())
    );

    let forget = ["--class", "metro", "--division", "330000", "--forget"];
    policy(&desk, &forget).ends(0);
    publish(&desk).ends(0);
    assert_eq!(found(330_100), Some((3750, "referred", false)));
    let ran = policy(&desk, &forget).ends(2);
    assert!(ran.stderr.contains("330000 says no rules of metro"), "{ran:#?}");
}

#[test]
fn what_can_not_be_a_rule_is_refused_in_a_sentence() {
    let desk = Desk::new();
    for (text, words) in [
        ("threshold_c = 373\n", "rules.toml: `threshold_c` is 373: it may be 36.0 to 40.0"),
        ("\ntreshold_c = 37\n", "rules.toml line 2: unknown field `treshold_c`"),
        ("relay_pulse_ms = 700\n", "rules.toml line 1: unknown field `relay_pulse_ms`"),
        ("yellow = \n", "rules.toml line 1: "),
        ("", "rules.toml has no rule"),
        ("trust_stale_after_h = 24\n", "metro gates of 100000 could not follow it beside what others say"),
    ] {
        let file = rules(&desk, "rules.toml", text);
        let ran = policy(&desk, &["--class", "metro", "--file", file]).ends(2);
        assert!(ran.stderr.contains(words) && ran.stderr.lines().count() == 2, "{text}: {ran:#?}");
    }
    let file = rules(&desk, "rules.toml", "yellow = \"refer\"\n");
    let ran = policy(&desk, &["--class", "airport", "--file", file]).ends(2);
    assert!(ran.stderr.contains("metro") && ran.stderr.contains("school"), "{ran:#?}");
    policy(&desk, &["--class", "metro"]).ends(2);
    policy(&desk, &["--class", "metro", "--file", file, "--forget"]).ends(2);
    let ran = policy(&desk, &["--class", "metro", "--division", "330106", "--file", file]).ends(2);
    assert!(ran.stderr.contains("there is no role 330106"), "{ran:#?}");
    let ran = policy(&desk, &["--class", "metro", "--file", "nothing.toml"]).ends(2);
    assert!(ran.stderr.contains("nothing.toml"), "{ran:#?}");
    assert!(desk.menshen(["trust", "show", "--json"]).ends(0).json().len() == 40);
}

#[test]
fn who_is_above_changes_nothing_that_those_below_lean_on() {
    let desk = Desk::new();
    let long = rules(&desk, "long.toml", "trust_ageing_after_h = 24\ntrust_stale_after_h = 48\n");
    let short = rules(&desk, "short.toml", "trust_stale_after_h = 36\n");
    policy(&desk, &["--class", "school", "--file", long]).ends(0);
    policy(&desk, &["--class", "school", "--division", "330000", "--file", short]).ends(0);
    let ran = policy(&desk, &["--class", "school", "--forget"]).ends(2);
    assert!(ran.stderr.contains("school gates of 330000") && ran.stderr.contains("trust_stale_after_h"), "{ran:#?}");
    policy(&desk, &["--class", "school", "--division", "330000", "--forget"]).ends(0);
    policy(&desk, &["--class", "school", "--forget"]).ends(0);
}

#[test]
fn a_province_signs_its_rules_at_home_and_hands_them_over() {
    let (nation, home) = (Desk::new(), Desk::empty());
    let copy = |from: &Desk, name: &str, to: &Desk| {
        let target = to.path(name);
        fs::create_dir_all(target.parent().expect("a folder")).expect("makes a folder");
        let mut cp = std::process::Command::new("cp");
        assert!(cp.arg("-r").arg(from.path(name)).arg(target).status().expect("it runs").success());
    };
    // At home there are the anchor, what is published, and one key.
    for name in ["keys/dev/root.json", "keys/dev/repository", "keys/dev/roles/330000.key"] {
        copy(&nation, name, &home);
    }
    let file = rules(&home, "metro.toml", "manual = \"never\"\n");
    policy(&home, &["--class", "metro", "--division", "330000", "--file", file]).ends(0);
    home.menshen(["trust", "sign", "330000", "--out", ".", "--at", NOW]).ends(0);
    let stick = home.path("menshen-330000");
    nation.menshen(["trust", "take", stick.to_str().expect("plain"), "--at", NOW]).ends(0);
    fs::remove_file(nation.path("keys/dev/roles/330000.key")).expect("the nation has no key of a province");
    publish(&nation).ends(0);
    assert_eq!(metro(&nation, 330_000).map(|own| own.manual.name()), Some("never"));
    assert_eq!(metro(&nation, 310_000), None);
}

#[test]
fn a_delegation_of_before_is_told_and_brought_up_to_date_by_the_next_publication() {
    let desk = Desk::new();
    let (path, repository) = (Target::Policy(id(330_000), SiteClass::Metro).path(), desk.path("keys/dev/repository"));
    let mut edited = Repository::open(&repository).expect("a repository");
    let signers: Signers = edited.signers("330000").expect("it has a role");
    edited.delegate("targets", "330000", &signers, &paths_before_policies(id(330_000))).expect("delegates");
    assert!(!edited.may_sign("330000", &path));
    edited.save().expect("a draft as a program of before left it");
    let file = rules(&desk, "metro.toml", "manual = \"never\"\n");
    let words = ["--class", "metro", "--division", "330000", "--file", file];
    let ran = policy(&desk, &words).ends(2);
    assert!(ran.stderr.contains("targets") && ran.stderr.contains("`menshen trust publish`"), "{ran:#?}");
    publish(&desk).ends(0);
    policy(&desk, &words).ends(0);
    publish(&desk).ends(0);
    assert_eq!(metro(&desk, 330_100).map(|own| own.manual.name()), Some("never"));
}
