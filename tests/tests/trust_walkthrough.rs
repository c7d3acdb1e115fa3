//! The walkthrough of docs/trust.md, as it is written: every command of it, and what it says that happens.

use menshen_tests::cli::{GATE, MENSHEN, program};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const WALKTHROUGH: &str = "A morning with a stick";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is in the workspace")
}

/// The blocks of a language in the walkthrough.
fn blocks(language: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("docs/trust.md")).expect("the document is there");
    let section = text.split("\n## ").find(|section| section.starts_with(WALKTHROUGH)).expect("the section is there");
    let opening = format!("\n```{language}\n");
    section.split(&opening).skip(1).filter_map(|rest| Some(rest.split_once("\n```")?.0.to_owned())).collect()
}

/// A gate that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has seen by then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the journal has of each decision: verdict and reasons.
fn journal(dir: &Path) -> Vec<(String, Vec<String>)> {
    let ran =
        Command::new(program(MENSHEN)).args(["journal", "show", "gate/state", "--json"]).current_dir(dir).output();
    let lines = String::from_utf8(ran.expect("it runs").stdout).expect("JSON is text");
    let record = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        let reasons = line["reasons"].as_array().into_iter().flatten().filter_map(|reason| {
            let name = reason.as_str().or_else(|| reason["name"].as_str());
            name.map(str::to_owned)
        });
        (line["verdict"].as_str().unwrap_or_default().to_owned(), reasons.collect())
    };
    lines.lines().map(record).collect()
}

#[test]
fn the_walkthrough_of_the_document_is_true() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    let programs: PathBuf = program(GATE).parent().expect("programs are in a folder").into();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    // A board of the test's own: the panel's usual port may be another's.
    fs::create_dir(dir.join("boards")).expect("makes a folder");
    for name in ["base.toml", "sim.toml"] {
        let text = fs::read_to_string(root().join("boards").join(name)).expect("the board is there");
        fs::write(dir.join("boards").join(name), text.replace("127.0.0.1:8460", "127.0.0.1:0")).expect("writes");
    }
    let site = blocks("toml").pop().expect("the site file is in the document");
    let mut gate = None;
    for block in blocks("sh") {
        for line in block.lines() {
            let shell = |line: &str| {
                let mut command = Command::new("sh");
                command.arg("-ec").arg(line).current_dir(dir).env("PATH", &path);
                command
            };
            if let Some(start) = line.strip_suffix(" &") {
                fs::write(dir.join("gate/site.toml"), &site).expect("writes");
                let child = shell(&format!("exec {start}")).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
                gate = Some(Running(child.expect("the gate starts")));
                std::thread::sleep(Duration::from_secs(2));
                continue;
            }
            let ran = shell(line).output().expect("a shell");
            assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
        }
    }
    let begun = Instant::now();
    let mut decided = journal(dir);
    while decided.len() < 6 && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(200));
        decided = journal(dir);
    }
    drop(gate);
    let expected = [
        ("refuse", &["not_recognised"][..]),
        ("admit", &[]),
        ("refuse", &["unknown_issuer"]),
        ("admit", &[]),
        // It was let in a moment before it was revoked.
        ("refuse", &["revoked", "shown_again"]),
        ("admit", &[]),
    ];
    let expected: Vec<(String, Vec<String>)> = expected
        .iter()
        .map(|(verdict, reason)| ((*verdict).to_owned(), reason.iter().map(|name| (*name).to_owned()).collect()))
        .collect();
    assert_eq!(decided, expected);
}
