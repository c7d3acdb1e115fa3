//! Finds the languages: every `src/words/*.toml` is one, named by its file.
//!
//! So a language is added by adding its file and nothing else. The first is Chinese, which every gate speaks until its
//! site says otherwise; the second is English; the others follow by name.

use std::path::{Path, PathBuf};
use std::{env, fs};

const FIRST: [&str; 2] = ["zh", "en"];

fn main() {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo names the package")).join("src/words");
    println!("cargo:rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(&folder).expect("the words are part of the sources");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort_by_key(|path| (FIRST.iter().position(|tag| *tag == tag_of(path)).unwrap_or(FIRST.len()), path.clone()));
    assert!(files.iter().map(|path| tag_of(path)).take(FIRST.len()).eq(FIRST), "zh.toml and en.toml are always there");
    let lines: String =
        files.iter().map(|path| format!("    ({:?}, include_str!({path:?})),\n", tag_of(path))).collect();
    let code = format!("const FILES: [(&str, &str); {}] = [\n{lines}];\n", files.len());
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo names the output folder")).join("languages.rs");
    fs::write(out, code).expect("the output folder can be written");
}

/// The BCP 47 tag of a language: the name of its file.
fn tag_of(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).expect("a language's file is named by its tag")
}
