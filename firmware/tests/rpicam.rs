//! What a gate sees of a camera program, with a script in its place.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use menshen_gate::board::{self, Board};
use menshen_gate::camera;
use menshen_lane::ports::{Camera, Open, PortError};

/// Far more than anything here takes, for a machine under load.
const PATIENCE: Duration = Duration::from_secs(30);

/// A picture of 128×96 in one shade, as a shell command that writes it; `$1` is the shade in octal.
const PICTURE: &str = r#"picture() { head -c 12288 /dev/zero | tr '\0' "\\$1"; head -c 6144 /dev/zero; }"#;

/// A program that does this, and its board.
fn program(folder: &Path, body: &str) -> board::Camera {
    let path = folder.join("rpicam-stand-in");
    std::fs::write(&path, format!("#!/bin/sh\ncd {}\n{PICTURE}\n{body}\n", folder.display())).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    board_of(folder, &path)
}

fn board_of(folder: &Path, program: &Path) -> board::Camera {
    let boards = Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards");
    let inherits = boards.join("base.toml").canonicalize().unwrap();
    let file = folder.join("board.toml");
    let keys = format!("kind = \"rpicam\"\nprogram = {program:?}\nwidth = 128\nheight = 96\nfps = 30\n");
    std::fs::write(&file, format!("inherits = [{inherits:?}]\n[camera]\n{keys}")).unwrap();
    Board::load(file).unwrap().camera
}

fn opener(camera: &board::Camera) -> Open<dyn Camera> {
    camera::opener(camera, Path::new("unused"))
}

/// The next frame's shade, which must be the same everywhere.
#[track_caller]
fn shade(camera: &mut dyn Camera) -> u8 {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "no frame");
        if let Some(frame) = camera.frame(Duration::from_millis(200)).unwrap() {
            assert_eq!((frame.width(), frame.height()), (128, 96));
            let shade = frame.luma()[0];
            assert!(frame.luma().iter().all(|luma| *luma == shade), "the stream slipped");
            camera.recycle(frame);
            return shade;
        }
    }
}

/// How the camera fails, after whatever frames it still gives.
#[track_caller]
fn failure(camera: &mut dyn Camera) -> String {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "it does not fail");
        match camera.frame(Duration::from_millis(200)) {
            Ok(_) => {}
            Err(PortError::Failed(said)) => return said,
            Err(error) => panic!("another end: {error}"),
        }
    }
}

#[test]
fn of_a_program_s_pictures_the_luma_of_the_newest_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    // A pipe holds three of these pictures and a part, so when all are written no more than four are unread.
    let shades: Vec<u8> = (0o101..0o171).filter(|shade| shade % 8 != 0).collect();
    let pictures: String = shades.iter().map(|shade| format!("picture {shade:o}; ")).collect();
    let board = program(folder.path(), &format!("{pictures} : >written; exec sleep 60"));
    let mut camera = opener(&board)().unwrap();
    wait_for(&folder.path().join("written"));
    let first = shade(camera.as_mut());
    assert!(first >= shades[shades.len() - 5], "{first:o} was still queued");
    let last = *shades.last().unwrap();
    let mut seen = first;
    while seen != last {
        seen = shade(camera.as_mut());
    }
    assert_eq!(camera.frame(Duration::from_millis(100)), Ok(None), "no queue");
}

#[test]
fn a_program_that_dies_is_told_with_its_last_line_and_started_anew() {
    let folder = tempfile::tempdir().unwrap();
    let board = program(
        folder.path(),
        "if [ -e again ]; then picture 22; exec sleep 60; fi\n: >again\npicture 11\n\
         echo 'ERROR: *** no cameras available ***' >&2\nexit 255",
    );
    let mut open = opener(&board);
    let mut camera = open().unwrap();
    let said = failure(camera.as_mut());
    for part in ["rpicam-stand-in ended", "255", "no cameras available", "ribbon cable"] {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    drop(camera);
    assert_eq!(shade(open().unwrap().as_mut()), 0o22);
}

#[test]
fn a_program_that_ends_inside_a_picture_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut camera = opener(&program(folder.path(), "picture 11; head -c 999 /dev/zero"))().unwrap();
    assert!(failure(camera.as_mut()).contains("it said nothing"));
}

#[test]
fn a_program_that_falls_silent_has_failed_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let mut camera = opener(&program(folder.path(), "picture 11; exec sleep 600"))().unwrap();
    assert_eq!(shade(camera.as_mut()), 0o11);
    let said = failure(camera.as_mut());
    assert!(said.contains("gives no pictures") && said.contains("started anew"), "{said}");
}

#[test]
fn a_program_is_ended_with_its_camera() {
    let folder = tempfile::tempdir().unwrap();
    let board = program(folder.path(), "echo $$ >pid.new; mv pid.new pid; picture 11; exec sleep 600");
    let camera = opener(&board)().unwrap();
    wait_for(&folder.path().join("pid"));
    let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
    let process = PathBuf::from("/proc").join(pid.trim());
    assert!(process.exists());
    drop(camera);
    assert!(!process.exists(), "{} is still there", process.display());
}

#[test]
fn a_program_that_is_not_there_is_told_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let board = board_of(folder.path(), &folder.path().join("no-such-program"));
    let Err(PortError::Absent(said)) = opener(&board)().map(drop) else { panic!("not absent") };
    for part in ["no-such-program", "rpicam-apps", "`camera.program`"] {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
}

fn wait_for(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < PATIENCE, "{} does not come", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}
