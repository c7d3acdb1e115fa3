//! The program starts, and tells a word that it does not know from one that it does.
//!
//! What its commands do is proven in the workspace's `tests` package, which runs the program that lies beside it.
//! Because of this file cargo builds that program whenever it tests the workspace.

use std::process::Command;

#[test]
fn a_word_that_is_no_command_is_2_and_names_help() {
    let output = Command::new(env!("CARGO_BIN_EXE_menshen")).arg("chekc").output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("chekc") && told.contains("--help") && output.stdout.is_empty(), "{told}");
}
