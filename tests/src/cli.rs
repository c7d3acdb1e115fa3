//! The programs as others meet them: found, run with words, and heard through exit code, stdout and stderr.
//!
//! A package with programs gets their paths from cargo (`CARGO_BIN_EXE_…`); this one has none of its own, so they
//! are looked for beside the running test, in `target/<profile>`. `cargo test --workspace` builds them there, each
//! for the tests of its own package; `cargo test` of this package alone does not. So the first test of a process
//! that needs one compares all of them with the sources that their `.d` files name, and has cargo build them where
//! one is stale. The whole workspace is named to cargo then, because with fewer packages it would choose other
//! features of the shared dependencies and compile those a second time.
//!
//! Invariant of [`run`]: a program that panics fails the test, whatever the test asked.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;
use std::time::SystemTime;
use tempfile::TempDir;

/// The host tool.
pub const MENSHEN: &str = "menshen";
/// The device program.
pub const GATE: &str = "menshen-gate";
/// The hub.
pub const HUB: &str = "menshen-hub";
/// Every program of the workspace.
pub const PROGRAMS: [&str; 3] = [MENSHEN, GATE, HUB];

/// When the passes of a [`Desk`] are issued, in China time: no test depends on the day it runs.
pub const NOW: &str = "2020-03-01T08:00";

static BUILT: Once = Once::new();

/// The path of a program that is as new as its source.
pub fn program(name: &str) -> PathBuf {
    let folder = programs();
    BUILT.call_once(|| {
        if !PROGRAMS.iter().all(|name| is_fresh(&folder.join(name))) {
            build(&folder);
        }
    });
    folder.join(name)
}

/// What a program did.
#[derive(Debug)]
pub struct Ran {
    /// The words it was run with, for messages.
    pub words: Vec<OsString>,
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// Runs a command to its end.
///
/// # Panics
/// Where it can not be started, prints what is not UTF-8, or panics itself.
pub fn run(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().expect("the program was built");
    let words = command.get_args().map(OsStr::to_owned).collect();
    let text = |bytes| String::from_utf8(bytes).expect("programs speak UTF-8");
    let ran = Ran { words, code: status.code(), stdout: text(stdout), stderr: text(stderr) };
    assert!(ran.code != Some(101) && !ran.stderr.contains("panicked at"), "a panic: {ran:?}");
    ran
}

impl Ran {
    /// The same, once its exit code has been compared.
    #[track_caller]
    pub fn ends(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// The one sentence on stderr, without the program's name.
    #[track_caller]
    pub fn sentence(&self) -> &str {
        let sentence = self.stderr.strip_prefix("menshen: ").and_then(|text| text.strip_suffix('\n'));
        let sentence = sentence.unwrap_or_else(|| panic!("stderr is not `menshen: sentence`: {self:#?}"));
        assert!(!sentence.contains('\n'), "more than one sentence: {self:#?}");
        sentence
    }

    /// Every line of stdout as a JSON object.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let lines = self.stdout.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line"));
        lines.inspect(|value: &Value| assert!(value.is_object(), "{value}")).collect()
    }
}

/// A desk: a folder with a development profile where `menshen` looks for it, made at [`NOW`].
#[derive(Debug)]
pub struct Desk {
    dir: TempDir,
}

impl Desk {
    /// A desk of its own for one test; it is cleared away when dropped.
    pub fn new() -> Desk {
        let desk = Desk::empty();
        desk.menshen(["trust", "init", "--at", NOW]).ends(0);
        desk
    }

    /// A folder without a profile.
    pub fn empty() -> Desk {
        Desk { dir: tempfile::tempdir().expect("there is room for temporary files") }
    }

    /// A file or folder on it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs `menshen` with the desk as its working folder.
    pub fn menshen<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Ran {
        run(Command::new(program(MENSHEN)).current_dir(self.dir.path()).args(words))
    }

    /// Issues one pass at [`NOW`] with these further words and returns its text.
    #[track_caller]
    pub fn issue(&self, words: &[&str]) -> String {
        let ran = self.menshen(["pass", "issue", "--at", NOW].iter().chain(words)).ends(0);
        ran.stdout.trim_end().to_owned()
    }

    /// Checks a picture as of a minute after [`NOW`] with these further words.
    pub fn check(&self, words: &[&str]) -> Ran {
        self.menshen(["check", "--at", "2020-03-01T08:01"].iter().chain(words))
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

/// The names of a JSON object.
pub fn names(object: &Value) -> BTreeSet<&str> {
    object.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

/// What the `--help` of a program or of one of its commands offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Help {
    /// The commands below it, without `help` itself.
    pub commands: BTreeSet<String>,
    /// Its flags, such as `--json` and `-h`.
    pub flags: BTreeSet<String>,
}

impl Help {
    /// Reads a help text as clap prints it.
    pub fn parse(text: &str) -> Help {
        let mut help = Help::default();
        let mut section = "";
        for line in text.lines() {
            // A long help has blank lines between its flags.
            if !line.starts_with(' ') && !line.is_empty() {
                section = line;
            } else if section == "Commands:" {
                let name = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '));
                let name = name.and_then(|rest| rest.split_whitespace().next()).filter(|name| *name != "help");
                help.commands.extend(name.map(str::to_owned));
            } else if section == "Options:" && line.trim_start().starts_with('-') {
                let words = line.split_whitespace().take_while(|word| word.starts_with('-') || word.starts_with('<'));
                let flags = words.filter(|word| word.starts_with('-'));
                help.flags.extend(flags.map(|flag| flag.trim_end_matches(',').to_owned()));
            }
        }
        help
    }

    /// The help of every command of a program by its words; the program's own by none.
    pub fn of(name: &str) -> BTreeMap<Vec<String>, Help> {
        let mut found = BTreeMap::new();
        let mut open = vec![Vec::new()];
        while let Some(words) = open.pop() {
            let help = run(Command::new(program(name)).args(&words).arg("--help")).ends(0);
            assert!(help.stderr.is_empty() && help.stdout.contains("Usage:"), "{help:#?}");
            let help = Help::parse(&help.stdout);
            let below = |command: &String| words.iter().chain([command]).cloned().collect::<Vec<_>>();
            open.extend(help.commands.iter().map(below));
            found.insert(words, help);
        }
        found
    }
}

/// `target/<profile>`: a test runs in `target/<profile>/deps`.
fn programs() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let deps = test.parent().expect("a file has a folder");
    deps.parent().expect("cargo keeps tests in target/<profile>/deps").to_owned()
}

/// Whether a program is newer than every source that its `.d` file names.
fn is_fresh(program: &Path) -> bool {
    let Some(built) = modified(program) else { return false };
    let Ok(rule) = fs::read_to_string(program.with_extension("d")) else { return false };
    let sources = rule.split_once(": ").map_or("", |(_, sources)| sources).replace("\\ ", "\0");
    sources.split_whitespace().all(|source| modified(Path::new(&source.replace('\0', " "))).is_some_and(|m| m <= built))
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

fn build(folder: &Path) {
    let target = folder.parent().expect("target/<profile> is in target");
    let profile = match folder.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = ["build", "--offline", "--workspace", "--bins", "--profile", profile, "--target-dir"];
    let status = Command::new(cargo).args(words).arg(target).current_dir(env!("CARGO_MANIFEST_DIR")).status();
    assert!(status.is_ok_and(|status| status.success()), "cargo could not build the programs under test");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_help_text_gives_commands_and_flags_and_nothing_of_the_prose() {
        let text = "Tool\n\nUsage: x [OPTIONS] <COMMAND>\n\nCommands:\n  go    Run --fast\n  help  Print this\n\n\
                    Options:\n      --at <TIME>  When, see --now\n  -j, --json       One line\n\n      --wide <A>\n          \
                    Wrapped --prose\n";
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        let expected = Help { commands: set(&["go"]), flags: set(&["--at", "-j", "--json", "--wide"]) };
        assert_eq!(Help::parse(text), expected);
    }
}
