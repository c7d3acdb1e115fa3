//! axe-core in the page: what of WCAG 2.2 AA a machine can tell.
//!
//! The script is fetched once, pinned by its hash, from a Python package that ships it (`tests/browser/axe.sh`); it is
//! never a part of the product or of this repository.

use super::page::Page;
use super::skipped;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The rules that are asked for: WCAG 2.0, 2.1 and 2.2, levels A and AA.
pub const TAGS: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/// The script.
pub struct Axe(String);

/// What it found on a page.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What is wrong: rule, and which element.
    pub violations: Vec<String>,
    /// What it could not tell, which a person must look at.
    pub incomplete: Vec<String>,
    /// How many rules it found kept.
    pub passes: usize,
}

impl Axe {
    /// The script, kept in a folder; `None`, loudly, where it can not be had.
    pub fn fetch(cache: &Path) -> Option<Axe> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/axe.sh");
        let made = Command::new(script).arg(cache).output().expect("there is a shell");
        let said = String::from_utf8_lossy(&made.stderr);
        if made.status.code() == Some(3) {
            skipped("accessibility by axe-core was", &said);
            return None;
        }
        assert!(made.status.success(), "axe-core can not be unpacked: {said}");
        Some(Axe(fs::read_to_string(cache.join("axe.min.js")).expect("it was put there")))
    }

    /// Looks at a page as it is now.
    pub fn look(&self, page: &Page) -> Findings {
        let Axe(script) = self;
        page.evaluate(&format!("if (!window.axe) {{ {script} }}"));
        let asked = format!(
            "const done = arguments[arguments.length - 1];
             axe.run(document, {{ runOnly: {} }}).then(done, (error) => done({{ error: String(error) }}));",
            serde_json::json!(TAGS)
        );
        let found = page.evaluate_later(&asked);
        assert_eq!(found.get("error"), None, "axe-core ends in an error");
        Findings {
            violations: told(&found["violations"]),
            incomplete: told(&found["incomplete"]),
            passes: found["passes"].as_array().map_or(0, Vec::len),
        }
    }
}

/// Each rule with each element, in one line.
fn told(rules: &Value) -> Vec<String> {
    let mut told = Vec::new();
    for rule in rules.as_array().into_iter().flatten() {
        for node in rule["nodes"].as_array().into_iter().flatten() {
            let why = node["failureSummary"].as_str().unwrap_or_default().replace('\n', " ");
            told.push(format!("{} {}: {why}", rule["id"], node["target"]));
        }
    }
    told
}
