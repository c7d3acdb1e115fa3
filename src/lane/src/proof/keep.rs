//! Where cards are kept: one JSON file each in a folder of the gate's state, the newest sixty.
//!
//! Invariants: a card is whole or not there, also after a power cut; its number rises and is its file's name, whatever the
//! clock said; there is nothing about a person in it.

use super::Proof;
use crate::durable;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder within the state folder of a lane.
pub const FOLDER: &str = "proofs";
/// How many cards are kept.
pub const KEPT_CARDS: usize = 60;
const EXTENSION: &str = "json";

/// The cards of one lane.
#[derive(Clone, Debug)]
pub(super) struct Keep {
    folder: PathBuf,
}

impl Keep {
    pub(super) fn of(state: &Path) -> Keep {
        Keep { folder: state.join(FOLDER) }
    }

    /// The number of the next card.
    pub(super) fn next_number(&self) -> u64 {
        self.numbers().last().map_or(1, |last| last.saturating_add(1))
    }

    /// Keeps a card in the place of an earlier one of its number, and forgets the oldest beyond [`KEPT_CARDS`].
    pub(super) fn put(&self, card: &Proof) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        durable::sync_folder_of(&self.folder)?;
        let bytes = serde_json::to_vec_pretty(card).map_err(io::Error::other)?;
        durable::replace(&self.path(card.number), &bytes, 0o600)?;
        let numbers = self.numbers();
        for number in numbers.iter().rev().skip(KEPT_CARDS) {
            fs::remove_file(self.path(*number))?;
        }
        Ok(())
    }

    /// The newest card that this program can read.
    pub(super) fn newest(&self) -> Option<Proof> {
        let read = |number: &u64| serde_json::from_slice(&fs::read(self.path(*number)).ok()?).ok();
        self.numbers().iter().rev().find_map(read)
    }

    /// Every card, the newest first, as it was kept: a card of an older program may have other checks.
    pub(super) fn all(&self) -> Vec<Value> {
        let read = |number: &u64| serde_json::from_slice(&fs::read(self.path(*number)).ok()?).ok();
        self.numbers().iter().rev().filter_map(read).collect()
    }

    fn numbers(&self) -> Vec<u64> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut numbers: Vec<u64> = entries
            .filter_map(|entry| {
                let path = entry.path();
                let is_card = path.extension().is_some_and(|extension| extension == EXTENSION);
                path.file_stem().filter(|_| is_card)?.to_str()?.parse().ok()
            })
            .collect();
        numbers.sort_unstable();
        numbers
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:06}.{EXTENSION}"))
    }
}
