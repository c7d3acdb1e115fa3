//! `menshen-gate pin`, as a technician or a script runs it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use menshen_lane::panel::PinFile;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn pin(state: &Path, more: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_menshen-gate"));
    command.arg("pin").arg("--state").arg(state).args(more).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that does not read its input may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn what_comes_by_standard_input_is_the_pin_until_it_is_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    assert!(pin(dir.path(), &[], "284916\n").status.success());
    assert!(PinFile::of(dir.path()).is("284916").unwrap());
    assert!(pin(dir.path(), &["--clear"], "").status.success());
    assert!(!PinFile::of(dir.path()).is_set());
}

#[test]
fn what_is_no_pin_or_has_no_gate_is_told_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    for (state, input, told) in [
        (dir.path(), "1234", "6 to 12"),
        (dir.path(), "", "digits"),
        (dir.path(), "123456", "choose one"),
        (missing.as_path(), "284916", "--state"),
    ] {
        let ran = pin(state, &[], input);
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{said}");
        assert!(said.contains(told), "{said}");
    }
    assert!(!PinFile::of(dir.path()).is_set());
}
