//! The ceremony of keys/README.md, as it is written: every command of it, with folders in place of sticks.

use menshen_tests::cli::{MENSHEN, program};
use menshen_trust::publish::{Keyring, Repository};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const STICKS: [&str; 11] =
    ["platform", "zhejiang", "henan", "post", "li", "wang", "zhao", "sun", "national", "out", "back"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is in the workspace")
}

/// The commands of a section, in order.
fn commands(section: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("keys/README.md")).expect("the document is there");
    let section = text.split("\n## ").find(|part| part.starts_with(section)).expect("the section is there");
    let blocks = section.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```"));
    blocks
        .flat_map(|(block, _)| block.lines().map(|line| line.trim().to_owned()))
        .filter(|line| !line.is_empty())
        .collect()
}

/// A machine with sticks, and what was printed on it.
struct Place {
    dir: TempDir,
    said: String,
}

impl Place {
    fn new() -> Place {
        let dir = tempfile::tempdir().expect("a folder");
        for stick in STICKS {
            fs::create_dir_all(dir.path().join("media").join(stick)).expect("makes a folder");
        }
        Place { dir, said: String::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a line of a shell; gives its exit code.
    fn shell(&mut self, line: &str) -> i32 {
        let programs = program(MENSHEN).parent().expect("programs are in a folder").to_owned();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
        let ran = Command::new("sh").arg("-ec").arg(line).current_dir(self.dir.path()).env("PATH", path).output();
        let ran = ran.expect("a shell");
        self.said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        ran.status.code().unwrap_or(-1)
    }

    #[track_caller]
    fn says(&mut self, code: i32, line: &str, words: &str) {
        assert_eq!(self.shell(line), code, "{line}: {}", self.said);
        assert!(self.said.contains(words), "{line}: {}", self.said);
    }

    /// Runs a line of the document: its sticks are folders, on the disk of everything else.
    #[track_caller]
    fn follow(&mut self, line: &str) {
        let trial = line.replace("/media/", "media/").replace("trust init ", "trust init --same-disk ");
        assert_eq!(self.shell(&trial), 0, "{line}: {}", self.said);
    }

    /// Follows the ceremony to its end.
    fn after_the_ceremony() -> Place {
        let mut place = Place::new();
        let followed = commands("The ceremony of a real authority");
        assert!(followed.len() >= 20, "{followed:?}");
        for line in followed {
            place.follow(&line);
        }
        place
    }
}

#[test]
fn the_ceremony_of_the_document_can_be_followed_line_by_line() {
    let mut place = Place::new();
    for line in commands("The ceremony of a real authority") {
        place.follow(&line);
        if line.contains("publish") && line.contains("/media/national") {
            assert!(place.said.contains("330000, 410000 wait for their first publication"), "{}", place.said);
            place.says(0, "menshen trust show --trust authority", "has not published yet");
        }
    }
    // Where private keys are afterwards, and where not.
    let keys = |folder: &str| {
        let names = fs::read_dir(place.path(folder)).expect("reads").flatten();
        let mut names: Vec<String> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    };
    assert_eq!(keys("authority/roles"), ["100000.key", "snapshot.key", "timestamp.key"]);
    assert!(keys("authority/issuers").is_empty() && !place.path("authority/hub.key").exists());
    assert_eq!(keys("media/li"), ["root.key"]);
    place.says(0, "menshen trust show --trust authority", "status list 1");
    // A gate that is made with the anchor believes what is on the stick.
    place.says(0, "mkdir gate; cp authority/root.json gate/; menshen trust import media/out --trust gate", "version");
    place.says(0, "menshen trust show --trust gate", "status list 1");
}

#[test]
fn a_lost_root_key_is_replaced_as_the_document_says() {
    let mut place = Place::after_the_ceremony();
    for line in commands("When a root key is lost or stolen") {
        place.follow(&line);
    }
    place.says(0, "menshen trust show --trust authority", "root 2");
    place.says(0, "menshen trust publish --trust authority --stick media/out", "version");
    place.says(0, "menshen trust import media/out --trust zhejiang", "version");
    place.says(0, "menshen trust show --trust zhejiang", "root 2");
    // The new holder counts from now on, and the lost key no more.
    let rotate = "menshen trust rotate root --trust authority --key li.pub --key sun.pub --threshold 1";
    place.says(0, rotate, "draft");
    place.says(1, "menshen trust publish --trust authority --keys media/sun --keys media/zhao", "root has 1 of the 2");
    place.says(0, "menshen trust publish --trust authority --keys media/li", "new from root");
}

#[test]
fn provinces_that_sign_on_the_same_day_do_not_undo_each_other() {
    let mut place = Place::after_the_ceremony();
    place.says(0, "mkdir henan; cp media/out/root.json henan/", "");
    for (province, code) in [("zhejiang", "330000"), ("henan", "410000")] {
        place.says(0, &format!("menshen trust import media/out --trust {province}"), "");
        place.says(0, &format!("menshen trust status {code} --trust {province}"), "number");
        let sign = format!("menshen trust sign {code} --trust {province} --keys media/{province} --out media/back");
        place.says(0, &sign, "ready to be carried");
    }
    place.says(0, "menshen trust take media/back --trust authority", "410000 version 1: taken");
    place.says(0, "menshen trust publish --trust authority --stick media/out", "new from 330000, 410000");
    // What was given away has come back published: nothing waits, and the next has the next number.
    place.says(0, "menshen trust import media/out --trust zhejiang", "version");
    assert!(!place.said.contains("dropped") && !place.path("zhejiang/repository/draft/330000.json").exists());
    place.says(0, "menshen trust show --trust zhejiang", "status list 2");
    place.says(0, "menshen trust show --trust authority", "status list 1");
}

#[test]
fn a_second_offer_before_the_first_is_published_takes_its_place() {
    let mut place = Place::after_the_ceremony();
    let sign = "menshen trust sign 330000 --trust zhejiang --keys media/zhejiang --out media/back";
    place.says(0, "menshen trust import media/out --trust zhejiang", "");
    place.says(0, &format!("menshen trust status 330000 --trust zhejiang && {sign}"), "330000 version 2");
    place.says(0, "cp -r media/back media/older; menshen trust take media/back --trust authority", "version 2: taken");
    place.says(0, &format!("menshen trust status 330000 --trust zhejiang && {sign}"), "330000 version 3");
    place.says(0, "menshen trust take media/back --trust authority", "version 3: taken");
    place.says(1, "menshen trust take media/older --trust authority", "older");
    place.says(0, "menshen trust publish --trust authority", "new from 330000");
    place.says(0, "menshen trust show --trust authority", "status list 3");
}

#[test]
fn what_is_not_a_provinces_own_word_is_not_taken() {
    let mut place = Place::after_the_ceremony();
    let sign = |keys: &str| format!("menshen trust sign 330000 --trust zhejiang --keys {keys} --out media/back");
    place.says(0, "menshen trust import media/out --trust zhejiang", "");
    place.says(0, "menshen trust status 330000 --trust zhejiang", "number 2");
    assert!(place.said.contains("`menshen trust sign 330000`"), "{}", place.said);
    place.says(1, &sign("media/henan"), "330000 has 0 of the 1 signatures");
    place.says(2, "menshen trust publish --trust zhejiang --keys media/zhejiang", "menshen trust sign");
    place.says(0, &sign("media/zhejiang"), "ready");
    let offer = place.path("media/back/menshen-330000/metadata/2.330000.json");
    let whole = fs::read_to_string(&offer).expect("reads");
    fs::write(&offer, whole.replace("snapshot-1", "snapshot-7")).expect("writes");
    place.says(1, "menshen trust take media/back --trust authority", "not signed by those who must sign it");
    fs::write(&offer, &whole).expect("writes");
    place.says(0, "mv media/back/menshen-330000/targets media/hidden", "");
    place.says(1, "menshen trust take media/back --trust authority", "lacks");
    place.says(0, "mv media/hidden media/back/menshen-330000/targets", "");
    place.says(0, "menshen trust take media/back --trust authority", "taken");
    place.says(2, "menshen trust take media/li --trust authority", "menshen-330000");
}

#[test]
fn a_role_whose_key_was_replaced_signs_again() {
    let mut place = Place::after_the_ceremony();
    place.says(0, "menshen trust key media/zhejiang/next.key > next.pub", "");
    place.says(0, "menshen trust rotate 330000 --role --key next.pub --trust authority", "menshen trust sign 330000");
    let publish = "menshen trust publish --trust authority --keys media/national --stick media/out";
    place.says(1, publish, "330000 has 0 of the 1");
    place.says(0, "menshen trust import media/out --trust zhejiang", "version");
    let sign = "menshen trust sign 330000 --trust zhejiang --keys media/zhejiang --out media/back";
    place.says(0, sign, "version 2");
    place.says(0, "menshen trust take media/back --trust authority", "taken");
    place.says(0, publish, "new from 330000");
    place.says(0, "menshen trust show --trust authority", "status list 1");
}

#[test]
fn the_nation_says_its_list_every_day_without_the_key_that_speaks_for_it() {
    let mut place = Place::after_the_ceremony();
    assert!(!place.path("authority/roles/targets.key").exists());
    for number in 1..3 {
        place.says(0, "menshen trust status 100000 --trust authority", &format!("number {number}"));
        assert!(place.said.contains("said by 100000"), "{}", place.said);
        place.says(0, "menshen trust publish --trust authority --stick media/out", "new from 100000");
    }
    place.says(0, "mkdir gate; cp authority/root.json gate/; menshen trust import media/out --trust gate", "version");
    place.says(0, "menshen trust show --trust gate | head -6", "status list 2");
}

#[test]
fn a_publication_that_was_refused_leaves_no_word_of_its_own() {
    let mut place = Place::after_the_ceremony();
    place.says(0, "menshen trust import media/out --trust zhejiang", "");
    place.says(0, "menshen trust status 330000 --trust zhejiang", "number 2");
    place.says(2, "menshen trust publish --trust zhejiang --keys media/zhejiang", "menshen trust sign");
    let kept = |place: &Place, folder: &str| {
        let names = fs::read_dir(place.path(folder).join("repository/draft")).expect("reads").flatten();
        names.filter_map(|entry| entry.file_name().into_string().ok()).collect::<Vec<_>>()
    };
    assert_eq!(kept(&place, "zhejiang"), ["330000.json"]);
    // One that an older program kept says nothing either.
    place.says(0, "cp zhejiang/repository/draft/330000.json zhejiang/repository/draft/snapshot.json", "");
    place.says(
        0,
        "menshen trust status 100000 --trust authority && menshen trust publish --trust authority",
        "version",
    );
    place.says(0, "menshen trust publish --trust authority --stick media/out", "ready to be carried");
    place.says(0, "menshen trust import media/out --trust zhejiang", "version");
    assert!(!place.said.contains("dropped"), "{}", place.said);
    assert_eq!(kept(&place, "zhejiang"), ["330000.json"]);
    // Its moment was never that of a publication.
    let publish = "menshen trust publish --trust authority";
    place.says(0, "mv authority/roles/timestamp.key media/li/", "");
    place.says(2, &format!("{publish} --at 2099-01-01 --ahead"), "timestamp has 0 of the 1");
    let mut repository = Repository::open(&place.path("authority/repository")).expect("there is one");
    let last = repository.as_of();
    let mut keyring = Keyring::new();
    keyring.add_folder(&place.path("authority/roles")).expect("keys");
    assert!(repository.publish(&keyring, 4_000_000_000).is_err() && last.is_some());
    assert_eq!(repository.as_of(), last);
    place.says(0, &format!("{publish} --keys media/li"), "version");
    assert!(!place.said.contains("clocks was wrong"), "{}", place.said);
}

#[test]
fn a_new_root_waits_for_those_whom_it_names_and_the_days_news_does_not() {
    let mut place = Place::after_the_ceremony();
    let publish = "menshen trust publish --trust authority";
    let shows = |place: &mut Place, words: &str| place.says(0, "menshen trust show --trust authority", words);
    place.says(0, "menshen trust key media/sun/targets.key > new.pub", "");
    place.says(0, "menshen trust rotate targets --key new.pub --trust authority", "draft");
    place.says(1, &format!("{publish} --keys media/li --keys media/wang"), "root is signed and waits");
    assert!(place.said.contains("targets has 0 of the 1") && place.said.contains("nothing new, but"), "{}", place.said);
    shows(&mut place, "root 1");
    // No day is lost meanwhile.
    place.says(0, "menshen trust status 100000 --trust authority", "number 1");
    place.says(1, &format!("{publish} --stick media/out"), "new from 100000");
    assert!(place.said.contains("root is signed and waits"), "{}", place.said);
    // The signatures so far are kept: the last one comes alone.
    place.says(0, &format!("{publish} --keys media/sun"), "new from root, targets");
    shows(&mut place, "root 2");
}

#[test]
fn whoever_a_new_root_names_may_sign_before_it_is_complete() {
    let mut place = Place::after_the_ceremony();
    let publish = "menshen trust publish --trust authority";
    place.says(0, "menshen trust key media/sun/targets.key > new.pub", "");
    place.says(0, "menshen trust rotate targets --key new.pub --trust authority", "draft");
    place.says(1, &format!("{publish} --keys media/sun --keys media/li"), "root has 1 of the 2");
    assert!(place.said.contains("targets waits for root"), "{}", place.said);
    place.says(0, &format!("{publish} --keys media/wang"), "new from root, targets");
    // Also where the draft that a rotation makes of them is gone.
    place.says(0, "menshen trust key media/zhao/targets.key > new.pub", "");
    place.says(0, "menshen trust rotate targets --key new.pub --trust authority", "draft");
    place.says(0, "rm authority/repository/draft/targets.json", "");
    let sticks = "--keys media/zhao --keys media/li --keys media/wang";
    place.says(0, &format!("{publish} {sticks}"), "new from root, targets");
}

#[test]
fn a_new_root_waits_for_the_keys_of_every_day_too() {
    let mut place = Place::after_the_ceremony();
    let publish = "menshen trust publish --trust authority";
    place.says(0, "menshen trust key media/sun/daily.key > new.pub", "");
    for role in ["snapshot", "timestamp"] {
        place.says(0, &format!("menshen trust rotate {role} --key new.pub --trust authority"), "draft");
    }
    place.says(1, &format!("{publish} --keys media/li --keys media/wang"), "must sign too, snapshot (");
    assert!(place.said.contains("timestamp (") && place.said.contains("version"), "{}", place.said);
    place.says(0, "menshen trust show --trust authority", "root 1");
    place.says(0, &format!("{publish} --keys media/sun"), "new from root");
    place.says(0, "menshen trust show --trust authority", "root 2");
}

#[test]
fn what_waits_is_told_also_where_nothing_is_published() {
    let mut place = Place::after_the_ceremony();
    place.says(0, "menshen trust rotate targets --trust authority", "draft");
    place.says(0, "mv authority/roles/timestamp.key media/li/", "");
    place.says(2, "menshen trust publish --trust authority", "timestamp has 0 of the 1");
    assert!(place.said.contains("root has 0 of the 2"), "{}", place.said);
}

#[test]
fn a_damaged_file_of_another_province_stops_nobody_else() {
    let mut place = Place::after_the_ceremony();
    place.says(0, "mkdir henan; cp media/out/root.json henan/; menshen trust import media/out --trust henan", "");
    place.says(0, "menshen trust status 410000 --trust henan", "number 1");
    place.says(0, "menshen trust sign 410000 --trust henan --keys media/henan --out media/back", "ready");
    place.says(0, "menshen trust take media/back --trust authority", "410000 version 1: taken");
    place.says(0, "menshen trust publish --trust authority --stick media/out", "new from 410000");
    let file = "menshen/metadata/1.410000.json";
    place.says(0, "mkdir new; cp media/out/root.json new/; cp -r media/out media/worn", "");
    for damage in ["rm", "echo worn >"] {
        place.says(0, &format!("cp media/out/{file} media/worn/{file}; {damage} media/worn/{file}"), "");
        place.says(
            0,
            "rm -rf new/repository; menshen trust import media/worn --trust new",
            "what 410000 says is not believed",
        );
        place.says(0, "menshen trust status 330000 --trust new", "number 2");
        place.says(0, "menshen trust sign 330000 --trust new --keys media/zhejiang --out media/li", "version 2");
        // Who lacks a good copy is told where to get one, and it is enough.
        place.says(2, "menshen trust status 410000 --trust new", "import a good copy");
        assert!(place.said.contains("1.410000.json"), "{damage}: {}", place.said);
        place.says(0, "menshen trust import media/out --trust new", "version");
        place.says(0, "menshen trust status 410000 --trust new", "number 2");
    }
    // Whoever publishes keeps naming what gates may have, and may take a new version in its place.
    place.says(0, "rm authority/repository/metadata/1.410000.json", "");
    place.says(0, "menshen trust status 100000 --trust authority", "number 1");
    place.says(0, "menshen trust publish --trust authority", "gates do not believe what 410000 said last");
    let newest = "$(ls -v authority/repository/metadata/*.snapshot.json | tail -1)";
    place.says(0, &format!("grep -o 410000.json {newest}"), "410000.json");
    place.says(0, "cp -r authority spare; cp media/out/menshen/metadata/1.410000.json spare/repository/metadata/", "");
    place.says(0, "menshen trust status 410000 --trust spare", "number 2");
    place.says(0, "rm -r spare; cp -r authority spare; menshen trust key media/henan/next.key > next.pub", "");
    place.says(0, "menshen trust rotate 410000 --role --key next.pub --trust spare", "menshen trust sign 410000");
    place.says(0, "menshen trust status 410000 --trust henan", "number 2");
    place.says(0, "menshen trust sign 410000 --trust henan --keys media/henan --out media/back", "410000 version 2");
    place.says(0, "menshen trust take media/back --trust authority", "410000 version 2: taken");
    place.says(0, "menshen trust publish --trust authority --stick media/out", "new from 410000");
    assert!(!place.said.contains("do not believe"), "{}", place.said);
    place.says(0, "menshen trust import media/out --trust zhejiang", "version");
    place.says(0, "menshen trust show --trust zhejiang | grep -A9 ^410000", "status list 2");
}

#[test]
fn root_keys_go_onto_sticks_or_nowhere() {
    let mut place = Place::new();
    let init = |words: &str| format!("menshen trust init authority {words}");
    place.says(2, &init("--root media/li --root media/wang"), "on the disk of the authority itself");
    place.says(2, &init("--same-disk --root media/li --root media/li"), "named twice");
    place.says(2, &init("--same-disk --root media/li --root media/nobody"), "put in the stick");
    place.says(2, &init("--same-disk --root media/li --root media/wang --threshold 3"), "can not sign");
    place.says(0, "mkdir -p broken/root.new", "");
    place.says(2, &init("--same-disk --root media/li --root broken"), "broken");
    assert!(!place.path("authority").exists() && !place.path("media/li/root.key").exists());
    place.says(0, &init("--same-disk --root media/li --root media/wang"), "media/wang/root.key");
    let told = place.said.split_whitespace().next().expect("it prints public halves first").to_owned();
    place.says(0, "menshen trust key --show media/li/root.key", &told);
    place.says(2, "menshen trust key media/li/root.key", "is a key already");
}
