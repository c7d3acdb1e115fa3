//! `menshen doctor`: a gate proves itself on a terminal, alone or by its panel.

use menshen_tests::cli::{MENSHEN, Ran, names, program, run};
use menshen_tests::faults::ledger::relay_edges;
use menshen_tests::faults::watched::Watched;
use menshen_tests::faults::world::World;
use std::fs;
use std::io::{Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs the command with these words and answers.
fn doctor<'a>(words: impl IntoIterator<Item = &'a str>, answers: &str) -> Ran {
    let mut input = tempfile::tempfile().expect("there is room for temporary files");
    input.write_all(answers.as_bytes()).and_then(|()| input.rewind()).expect("the file is ours");
    run(Command::new(program(MENSHEN)).arg("doctor").args(words).stdin(Stdio::from(input)))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The same on the device of a world, with more words.
fn at(world: &World, more: &[&str], answers: &str) -> Ran {
    let (board, site, state) = (world.board_file(), world.site_file(), world.state());
    let words = ["--board", text(&board), "--site", text(&site), "--state", text(&state)];
    doctor(words.into_iter().chain(more.iter().copied()), answers)
}

#[test]
fn a_gate_that_is_well_is_ready_in_both_languages_and_on_paper() {
    let world = World::new();
    let page = world.path("card.html");
    let ran = at(&world, &["--html", text(&page)], "").ends(0);
    for said in ["✓ 好的绿码：放行了 / A good green code: It was let in", "✓ 可以开班 / Ready", "Trial gate"]
    {
        assert!(ran.stdout.contains(said), "{said}: {ran:#?}");
    }
    let page = fs::read_to_string(page).expect("it was written");
    assert!(page.contains("可以开班") && page.contains("Ready") && page.contains("Checked by"), "{page}");
    assert!(relay_edges(&world).is_empty());
    let one = at(&world, &["--lang", "en"], "").ends(0);
    assert!(one.stdout.contains("Ready") && !one.stdout.contains("可以开班"), "{one:#?}");
}

#[test]
fn one_object_a_check_and_one_of_the_card_have_stable_names() {
    let world = World::new();
    let lines = at(&world, &["--json"], "").ends(0).json();
    let (card, checks) = lines.split_last().expect("there are lines");
    for check in checks {
        assert_eq!(names(check), ["name", "state", "code", "values", "message"].into());
    }
    let of_card = [
        "format",
        "number",
        "ready",
        "at",
        "clock",
        "took_ms",
        "gate",
        "site_zh",
        "site_en",
        "lane",
        "trust_version",
        "trust_as_of",
        "program",
    ];
    assert_eq!(names(card), of_card.into());
    assert_eq!((&card["ready"], &card["number"]), (&true.into(), &1.into()));
    assert!(checks.iter().any(|check| check["name"] == "code_forged" && check["state"] == "ok"));
}

#[test]
fn a_gate_without_its_camera_is_not_ready_and_says_what_helps() {
    let world = World::new();
    fs::remove_dir_all(world.camera()).expect("the folder is ours");
    let ran = at(&world, &["--lang", "en"], "").ends(1);
    assert!(ran.stdout.contains("✗ Camera: It gives no pictures"), "{ran:#?}");
    assert!(ran.stdout.contains("→ Check the cable of the camera"), "{ran:#?}");
    assert!(ran.stdout.contains("✗ Not ready, because:\n"), "{ran:#?}");
}

#[test]
fn each_output_is_tried_and_asked_about() {
    let world = World::new();
    let ran = at(&world, &["--outputs", "--lang", "en"], "y\ny\ny\ny\ny\nn\ny\nyes\n").ends(1);
    assert!(
        ran.stdout.contains("✓ Green lamp: It lit") && ran.stdout.contains("✓ Opening the gate: It opened"),
        "{ran:#?}"
    );
    assert!(ran.stdout.contains("✗ Sound of a refusal: It did not sound"), "{ran:#?}");
    assert_eq!(relay_edges(&world), [true, false]);
    let played = fs::read_to_string(world.state().join("sound/sounds.jsonl")).expect("the loudspeaker was tried");
    assert!(ran.stdout.contains("✓ Sound of the loudspeaker: It sounded") && played.lines().count() == 1, "{played}");
}

#[test]
fn a_gate_that_runs_is_asked_by_its_panel() {
    let world = World::new();
    let gate = Watched::start(&world).expect("the gate starts");
    let ran = at(&world, &[], "").ends(2);
    assert!(ran.sentence().contains("--panel http://127.0.0.1:8460"), "{ran:#?}");
    let panel = format!("http://{}/", gate.panel().expect("it has one"));
    let ran = doctor(["--panel", &panel, "--lang", "en"], "").ends(0);
    assert!(ran.stdout.contains("✓ Ready"), "{ran:#?}");
    gate.stop();
    let ran = doctor(["--panel", &panel], "").ends(2);
    assert!(ran.sentence().contains("does not answer") && ran.sentence().contains("start the gate"), "{ran:#?}");
}

#[test]
fn a_state_folder_that_is_not_there_is_refused_and_not_made() {
    let world = World::new();
    let (board, site, absent) = (world.board_file(), world.site_file(), world.path("mistyped"));
    let words = ["--board", text(&board), "--site", text(&site), "--state", text(&absent)];
    let ran = doctor(words, "").ends(2);
    assert!(ran.sentence().contains("mistyped") && ran.sentence().contains("--state"), "{ran:#?}");
    assert!(!absent.exists(), "nothing was made and nothing moved");
    fs::write(&absent, "").expect("the folder is ours");
    assert!(doctor(words, "").ends(2).sentence().contains("is no folder"));
}

#[test]
fn where_there_are_pins_a_folder_in_which_no_gate_has_run_is_refused_before_they_are_touched() {
    let world = World::new();
    let (site, state) = (world.site_file(), world.state());
    let board = Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/pi-4b.toml");
    let words = ["--board", text(&board), "--site", text(&site), "--state", text(&state)];
    let ran = doctor(words, "").ends(2);
    assert!(ran.sentence().contains("no gate has ever") && ran.sentence().contains("--state"), "{ran:#?}");
    assert!(!state.join("journal").exists(), "nothing was made");
}

#[test]
fn a_state_folder_of_another_user_is_refused() {
    // Only root can give a folder away and become somebody else.
    if !rustix::process::geteuid().is_root() {
        let told =
            b"\n*** SKIPPED: the state folder of another user was NOT tested: only root can give one away ***\n\n";
        std::io::Write::write_all(&mut std::io::stderr(), told).expect("there is a stderr");
        return;
    }
    let world = World::new();
    let everybody = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    [world.path(""), world.state()].iter().for_each(|path| everybody(path));
    let (board, site, state) = (world.board_file(), world.site_file(), world.state());
    // Where anybody may run it.
    let copy = world.path("menshen");
    fs::copy(program(MENSHEN), &copy).expect("there is room");
    everybody(&copy);
    let mut command = Command::new(copy);
    command.args(["doctor", "--board", text(&board), "--site", text(&site), "--state", text(&state)]).uid(65534);
    let ran = run(command.stdin(Stdio::null())).ends(2);
    assert!(ran.sentence().contains("another user's (number 0)"), "{ran:#?}");
    // Nor does root leave anything behind in a gate's folder.
    std::os::unix::fs::chown(&state, Some(4711), Some(4711)).expect("root may");
    let mut command = Command::new(program(MENSHEN));
    command.args(["doctor", "--board", text(&board), "--site", text(&site), "--state", text(&state)]);
    let ran = run(command.stdin(Stdio::null())).ends(2);
    assert!(ran.sentence().contains("another user's (number 4711)"), "{ran:#?}");
}

#[test]
fn a_card_that_can_not_be_kept_is_told_at_once_each_time() {
    let world = World::new();
    fs::create_dir_all(world.state()).expect("the folder is ours");
    fs::write(world.state().join("proofs"), "in the way").expect("the folder is ours");
    let gate = Watched::start(&world).expect("the gate starts");
    let panel = format!("http://{}/", gate.panel().expect("it has one"));
    let begun = Instant::now();
    for number in 1..=2 {
        let ran = doctor(["--panel", &panel, "--json"], "").ends(0);
        assert_eq!(ran.json().last().expect("there is a card")["number"], number, "{ran:#?}");
        assert!(ran.stderr.contains("the card is not kept"), "{ran:#?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(110), "it did not wait for what does not come");
    gate.stop();
}

#[test]
fn words_that_name_no_gate_are_usage() {
    assert!(doctor([], "").ends(2).stderr.contains("--board"));
    assert!(doctor(["--board", "absent.toml", "--site", "absent.toml"], "").ends(2).sentence().contains("absent.toml"));
    assert!(doctor(["--panel", "http://127.0.0.1:1", "--lang", "xx"], "").ends(2).stderr.contains("zh"));
    let help = doctor(["--help"], "").ends(0);
    assert!(help.stdout.contains("0 ready, 1 not ready"), "{help:#?}");
}
