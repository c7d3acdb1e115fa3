//! The commands that the READMEs and other texts show: each exists with each of its flags, and both languages show
//! the same. So whoever renames a flag is told which text still has the old one.
//!
//! What is asked is the `--help` of the very programs. The texts that are not there are passed over; a README that
//! is there must show the two commands that a newcomer needs.

mod shell;

use menshen_tests::cli::{Help, MENSHEN, PROGRAMS};
use shell::{Command, commands};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// What the help of each program offers, by the words of its commands.
type Offered = BTreeMap<&'static str, BTreeMap<Vec<String>, Help>>;

static OFFERED: LazyLock<Offered> = LazyLock::new(|| PROGRAMS.iter().map(|name| (*name, Help::of(name))).collect());

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is in the workspace")
}

/// Every text that shows commands, with what it says.
fn texts() -> Vec<(String, String)> {
    let docs = fs::read_dir(root().join("docs")).into_iter().flatten().flatten().map(|entry| entry.path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let named = ["README.md", "README.zh.md", "keys/README.md", "keys/dev/README.md"].map(|name| root().join(name));
    let paths: Vec<PathBuf> = named.into_iter().chain(docs).filter(|path| path.exists()).collect();
    let name = |path: &Path| path.strip_prefix(root()).unwrap_or(path).display().to_string();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).expect("a text is UTF-8"))).collect()
}

/// The program of ours that a command runs, with the words it gets.
fn ours(command: &Command) -> Option<(&'static str, &[String])> {
    let (program, words) = command.split_first()?;
    let known = |name: &str| PROGRAMS.into_iter().find(|program| *program == name);
    if program == "cargo" && words.first().is_some_and(|word| word == "run") {
        let at = words.iter().position(|word| word == "-p" || word == "--package")?;
        let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
        return Some((known(words.get(at + 1)?)?, words.get(end + 1..).unwrap_or_default()));
    }
    Some((known(Path::new(program).file_name()?.to_str()?)?, words))
}

/// What of a command does not exist; `None` where all of it does.
fn unknown(program: &str, words: &[String], offered: &BTreeMap<Vec<String>, Help>) -> Option<String> {
    let mut path = Vec::new();
    let mut help = offered.get(&path)?;
    let named =
        |path: &[String]| [program].into_iter().chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    // A program with commands may be run without one, by flags with values alone.
    let mut by_flags = false;
    for word in words.iter().take_while(|word| *word != "--") {
        // A number below zero begins with the same sign as a flag.
        let is_flag = word.starts_with('-') && word.len() > 1 && word.parse::<f64>().is_err();
        let flag = word.split('=').next().unwrap_or_default();
        if is_flag && !help.flags.contains(flag) {
            return Some(format!("{} has no {flag}", named(&path)));
        }
        by_flags |= is_flag && path.is_empty();
        if !is_flag && !help.commands.is_empty() && !by_flags {
            path.push(word.clone());
            match offered.get(&path) {
                Some(below) => help = below,
                None => return Some(format!("there is no {}", named(&path))),
            }
        }
    }
    let is_asked = words.iter().any(|word| ["--help", "-h", "--version", "-V"].contains(&word.as_str()));
    (!help.commands.is_empty() && !is_asked && !by_flags).then(|| format!("{} needs a command", named(&path)))
}

fn faults(markdown: &str) -> Vec<String> {
    let commands = commands(markdown);
    let ours = commands.iter().filter_map(ours);
    ours.filter_map(|(program, words)| unknown(program, words, &OFFERED[program])).collect()
}

#[test]
fn every_command_that_a_text_shows_exists_with_its_flags() {
    let broken: Vec<String> = texts()
        .iter()
        .flat_map(|(name, text)| faults(text).into_iter().map(move |fault| format!("{name}: {fault}")))
        .collect();
    assert!(broken.is_empty(), "commands that do not exist:\n  {}", broken.join("\n  "));
}

#[test]
fn a_readme_shows_how_to_see_it_and_how_to_test_it() {
    for (name, text) in texts().iter().filter(|(name, _)| name.starts_with("README")) {
        let commands = commands(text);
        let demo = commands
            .iter()
            .filter_map(ours)
            .any(|(program, words)| program == MENSHEN && words.first().is_some_and(|w| w == "demo"));
        let test = commands.iter().any(|command| command.starts_with(&["cargo".to_owned(), "test".to_owned()]));
        assert!(demo && test, "{name} shows {commands:?}");
    }
}

#[test]
fn both_languages_show_the_same_commands() {
    let texts = texts();
    let shown = |name: &str| texts.iter().find(|(found, _)| found == name).map(|(_, text)| commands(text));
    if let (Some(en), Some(zh)) = (shown("README.md"), shown("README.zh.md")) {
        assert_eq!(en, zh);
    }
}

#[test]
fn a_text_that_is_out_of_date_is_told_what_is() {
    for (line, expected) in [
        ("menshen demo --headless --json", None),
        ("cargo run --release -p menshen -- demo", None),
        ("cargo run -p menshen-gate -- --board boards/sim.toml --site site.toml", None),
        ("./target/release/menshen-hub --listen 127.0.0.1:8470 --store hub.sqlite --trust keys/dev", None),
        ("menshen check photo.png --temp -3 --at=2020-03-01 | head", None),
        ("menshen --help", None),
        ("grep --no-such-flag", None),
        ("menshen demo --headles", Some("menshen demo has no --headles")),
        ("true && menshen pass isue", Some("there is no menshen pass isue")),
        ("menshen pass inspect \"$(menshen pass issue --color green)\"", Some("menshen pass issue has no --color")),
        ("menshen pass", Some("menshen pass needs a command")),
        ("cargo run -p menshen-hub -- --port 80", Some("menshen-hub has no --port")),
        ("menshen-gate --bord=x", Some("menshen-gate has no --bord")),
    ] {
        let found = faults(&format!("```console\n$ {line}\n```"));
        assert_eq!(found.first().map(String::as_str), expected, "{line}");
        assert_eq!(faults(&format!("```text\n$ {line}\n```")), Vec::<String>::new());
    }
}
