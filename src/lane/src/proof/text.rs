//! What a check is called, says and asks for, in the words of a language.
//!
//! The panel's page does the same from the same words; here it is for the terminal and for paper.

use super::{Check, State};
use crate::words::{Words, fill};

/// A check in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What was looked at.
    pub name: String,
    /// What was found.
    pub say: String,
    /// The one thing to do, where something is to be done.
    pub remedy: Option<String>,
}

impl Said {
    /// What was looked at and what was found, in one line.
    pub fn line(&self, words: &Words) -> String {
        format!("{}{}{}", self.name, words.proof.get("colon"), self.say)
    }
}

/// A check in the words of a language.
pub fn said(words: &Words, check: &Check) -> Said {
    let values: Vec<(&str, &str)> = check.values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let text = |key: &str| words.proof_check(check.name.name(), key).map(|text| fill(text, &values));
    let wants_remedy = matches!(check.state, State::Failed | State::WantsAttention);
    Said {
        name: text("name").unwrap_or_else(|| check.name.name().to_owned()),
        say: text(&check.code).unwrap_or_else(|| check.code.clone()),
        remedy: text(&format!("{}_remedy", check.code)).filter(|_| wants_remedy),
    }
}
