//! The rules of the house that a compiler does not know: who may depend on whom, where hardware may be named, what
//! lies at the top, and how long a file and a function may be.
//!
//! They are read from `cargo metadata` and from the sources, so that whoever breaks one is told by name.

mod source;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use source::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Who may depend on whom (design section 2). What is not here is refused.
const EDGES: [(&str, &[&str]); 8] = [
    ("menshen-core", &[]),
    ("menshen-optics", &[]),
    ("menshen-trust", &["menshen-core"]),
    ("menshen-lane", &["menshen-core", "menshen-optics", "menshen-trust"]),
    ("menshen-hub", &["menshen-core"]),
    ("menshen-gate", &["menshen-core", "menshen-lane", "menshen-trust"]),
    ("menshen", &["menshen-core", "menshen-gate", "menshen-hub", "menshen-lane", "menshen-trust"]),
    (
        "menshen-tests",
        &["menshen", "menshen-core", "menshen-gate", "menshen-hub", "menshen-lane", "menshen-optics", "menshen-trust"],
    ),
];
/// The only crate that may name a device.
const FIRMWARE: &str = "menshen-gate";
/// Crates that reach for a device.
const HARDWARE: [&str; 8] =
    ["rppal", "ds323x", "serialport", "linuxvideo", "v4l", "nokhwa", "gpio-cdev", "linux-embedded-hal"];
const CORE: &str = "menshen-core";
const CORE_MAY_USE: [&str; 5] = ["ed25519-dalek", "heapless", "minicbor", "rmodbus", "sha2"];
/// The packages this product was asked to be built of.
const ASKED_FOR: [&str; 8] =
    ["embedded-hal", "rppal", "image", "rqrr", "ed25519-dalek", "sled", "heapless", "serialport"];
/// What a newcomer finds at the top.
const TOP: [&str; 20] = [
    ".cargo",
    ".ci",
    ".git",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "README.zh.md",
    "boards",
    "deny.toml",
    "docs",
    "firmware",
    "fuzz",
    "keys",
    "rustfmt.toml",
    "src",
    "tests",
];
const MAX_FILE_LINES: usize = 700;
const MAX_FUNCTION_LINES: usize = 80;

static WORKSPACE: LazyLock<Metadata> = LazyLock::new(|| {
    let mut command = MetadataCommand::new();
    command.no_deps().other_options(["--offline".to_owned(), "--locked".to_owned()]).current_dir(root());
    command.exec().expect("the workspace is sound")
});
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let mut found = Vec::new();
    WORKSPACE.packages.iter().for_each(|package| collect(&folder(package), &mut found));
    found.sort();
    found.iter().map(|path| Source::read(path)).collect()
});

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is in the workspace")
}

fn folder(package: &Package) -> PathBuf {
    package.manifest_path.parent().expect("a manifest has a folder").into()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a package can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn package(name: &str) -> &'static Package {
    WORKSPACE.packages.iter().find(|package| *package.name == name).expect("the package exists")
}

/// A path as it is named in the repository.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The sources of one package.
fn sources_of(package: &Package) -> impl Iterator<Item = &'static Source> {
    let folder = folder(package);
    SOURCES.iter().filter(move |source| source.path.starts_with(&folder))
}

/// Whether the code of a file uses a crate by path.
fn uses(source: &Source, dependency: &str) -> bool {
    let name = dependency.replace('-', "_");
    source.words().any(|(at, word)| word == name && source.code[at + word.len()..].starts_with("::"))
}

#[track_caller]
fn none(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[test]
fn dependencies_go_one_way() {
    let members: BTreeSet<&str> = WORKSPACE.packages.iter().map(|package| package.name.as_str()).collect();
    let edges: BTreeMap<&str, &[&str]> = EDGES.into();
    let mut broken = Vec::new();
    for package in &WORKSPACE.packages {
        let Some(allowed) = edges.get(package.name.as_str()) else {
            broken.push(format!("{} is not in the design", package.name));
            continue;
        };
        let found = package.dependencies.iter().map(|dependency| dependency.name.as_str());
        let refused = found.filter(|name| members.contains(name) && !allowed.contains(name));
        broken.extend(refused.map(|name| format!("{} → {name}", package.name)));
    }
    none(&broken, "edges that design section 2 does not name");
    assert_eq!(members, edges.into_keys().collect(), "a crate of the design is gone");
}

#[test]
fn only_the_firmware_names_hardware() {
    let mut broken = Vec::new();
    for package in WORKSPACE.packages.iter().filter(|package| *package.name != FIRMWARE) {
        let named = package.dependencies.iter().filter(|dependency| HARDWARE.contains(&dependency.name.as_str()));
        broken.extend(named.map(|dependency| format!("{} depends on {}", package.name, dependency.name)));
        for source in sources_of(package) {
            let used = HARDWARE.iter().filter(|name| uses(source, name));
            broken.extend(used.map(|name| format!("{} uses {name}", shown(&source.path))));
        }
    }
    none(&broken, "hardware outside firmware/");
}

#[test]
fn the_core_needs_five_crates_and_neither_std_nor_unsafe() {
    let core = package(CORE);
    let normal = core.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
    let found: BTreeSet<&str> = normal.clone().map(|dependency| dependency.name.as_str()).collect();
    assert_eq!(found, CORE_MAY_USE.into());
    for dependency in normal.filter(|dependency| dependency.name != "heapless") {
        assert!(!dependency.uses_default_features, "{} may bring std", dependency.name);
    }
    let lib = Source::read(&folder(core).join("src/lib.rs"));
    let code: String = lib.code.split_whitespace().collect();
    assert!(code.contains("#![no_std]") && code.contains("#![forbid(unsafe_code)]"), "src/core/src/lib.rs");
    assert!(!code.contains("externcratealloc"), "the core has no allocator");
    assert!(!code.contains("externcratestd") || code.contains("#[cfg(test)]externcratestd"), "std only under test");
}

#[test]
fn no_crate_has_unsafe_code() {
    let mut broken = Vec::new();
    for source in SOURCES.iter() {
        let found = source.words().filter(|(_, word)| *word == "unsafe");
        let line = |at| source.code[..at].matches('\n').count() + 1;
        broken.extend(found.map(|(at, _)| format!("{}:{}", shown(&source.path), line(at))));
    }
    none(&broken, "unsafe code");
    let libraries = WORKSPACE.packages.iter().map(|package| folder(package).join("src/lib.rs"));
    let open = libraries.filter(|lib| !Source::read(lib).code.contains("#![forbid(unsafe_code)]"));
    none(&open.map(|lib| shown(&lib)).collect::<Vec<_>>(), "libraries that do not forbid it");
}

#[test]
fn the_packages_asked_for_are_depended_on_and_used() {
    let does_work = |package: &Package, name: &str| {
        let mut named = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        let src = folder(package).join("src");
        named.any(|dependency| dependency.name == name)
            && sources_of(package).any(|source| {
                let is_test = source.path.iter().any(|part| part == "tests" || part == "tests.rs");
                source.path.starts_with(&src) && !is_test && uses(source, name)
            })
    };
    let products = || WORKSPACE.packages.iter().filter(|package| *package.name != "menshen-tests");
    let absent = ASKED_FOR.iter().filter(|name| !products().any(|package| does_work(package, name)));
    none(&absent.map(|name| (*name).to_owned()).collect::<Vec<_>>(), "packages asked for that do no work");
}

#[test]
fn the_top_holds_what_the_design_names() {
    let ignored = fs::read_to_string(root().join(".gitignore")).expect("there is a .gitignore");
    let ignored: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('/')).collect();
    let entries = fs::read_dir(root()).expect("the repository can be read").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let strange = names.filter(|name| !TOP.contains(&name.as_str()) && !ignored.contains(&name.trim_end_matches('/')));
    none(&strange.collect::<Vec<_>>(), "entries at the top that the design does not name");
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent = SOURCES.iter().filter(|source| !source.text.starts_with("//! "));
    none(&silent.map(|source| shown(&source.path)).collect::<Vec<_>>(), "files that do not open with `//!`");
}

#[test]
fn no_file_and_no_function_is_too_long() {
    let mut broken = Vec::new();
    for source in SOURCES.iter() {
        let lines = source.text.lines().count();
        if lines > MAX_FILE_LINES {
            broken.push(format!("{} has {lines} lines", shown(&source.path)));
        }
        let long = source.functions().into_iter().filter(|(_, _, lines)| *lines > MAX_FUNCTION_LINES);
        broken.extend(long.map(|(name, at, lines)| format!("{}:{at} {name} has {lines}", shown(&source.path))));
    }
    none(&broken, "files over 700 lines or functions over 80");
}

#[test]
fn no_file_is_dead() {
    let targets = WORKSPACE.packages.iter().flat_map(|package| &package.targets);
    let roots: BTreeSet<PathBuf> = targets.map(|target| target.src_path.clone().into()).collect();
    let by_path: BTreeMap<&Path, &Source> = SOURCES.iter().map(|source| (source.path.as_path(), source)).collect();
    let (mut alive, mut open) = (BTreeSet::new(), Vec::from_iter(roots.iter().cloned()));
    while let Some(path) = open.pop() {
        if let Some(source) = by_path.get(path.as_path()) {
            open.extend(source.declares(roots.contains(&path)));
        }
        alive.insert(path);
    }
    let dead = SOURCES.iter().filter(|source| !alive.contains(&source.path));
    none(&dead.map(|source| shown(&source.path)).collect::<Vec<_>>(), "files that no target and no module names");
    let absent = alive.iter().filter(|path| !path.exists());
    none(&absent.map(|path| shown(path)).collect::<Vec<_>>(), "modules that have no file");
}
