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

    /// Keeps a card in the place of an earlier one of its number.
    pub(super) fn put(&self, card: &Proof) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        durable::sync_folder_of(&self.folder)?;
        let bytes = serde_json::to_vec_pretty(card).map_err(io::Error::other)?;
        durable::replace(&self.path(card.number), &bytes, 0o600)
    }

    /// Forgets the oldest beyond [`KEPT_CARDS`]. One that can not be removed stays with no harm to the newer ones.
    pub(super) fn forget_old(&self) -> io::Result<()> {
        let numbers = self.numbers();
        for number in numbers.iter().rev().skip(KEPT_CARDS) {
            fs::remove_file(self.path(*number))?;
        }
        Ok(())
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;

    fn card(number: u64) -> Proof {
        Proof {
            format: 1,
            number,
            ready: true,
            at: "2020-03-01T00:00:00Z".into(),
            clock: "trusted".into(),
            took_ms: 1,
            gate: None,
            site_zh: "东门".into(),
            site_en: "East Gate".into(),
            lane: 1,
            trust_version: None,
            trust_as_of: None,
            program: "0.1.0".into(),
            checks: Vec::new(),
        }
    }

    #[test]
    fn the_newest_sixty_are_kept_and_numbers_rise_whatever_is_gone() {
        let state = tempfile::tempdir().unwrap();
        let keep = Keep::of(state.path());
        assert_eq!((keep.next_number(), keep.all().len()), (1, 0));
        for number in 1..=KEPT_CARDS as u64 + 5 {
            assert_eq!(keep.next_number(), number);
            keep.put(&card(number)).unwrap();
            keep.forget_old().unwrap();
        }
        let numbers: Vec<u64> = keep.all().iter().map(|card| card["number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (6..=KEPT_CARDS as u64 + 5).rev().collect::<Vec<_>>());
    }

    #[test]
    fn a_card_is_kept_also_where_an_old_one_can_not_be_removed() {
        let state = tempfile::tempdir().unwrap();
        let keep = Keep::of(state.path());
        // What nobody removes as a file.
        fs::create_dir_all(keep.path(1)).unwrap();
        for number in 2..=KEPT_CARDS as u64 + 1 {
            keep.put(&card(number)).unwrap();
        }
        assert!(keep.forget_old().is_err());
        assert_eq!(keep.all()[0]["number"], KEPT_CARDS + 1);
    }

    #[test]
    fn a_card_that_is_written_again_replaces_itself_and_what_is_no_card_is_left_alone() {
        let state = tempfile::tempdir().unwrap();
        let keep = Keep::of(state.path());
        keep.put(&card(1)).unwrap();
        keep.put(&Proof { ready: false, ..card(1) }).unwrap();
        fs::write(state.path().join(FOLDER).join("000002.json"), "{ torn").unwrap();
        fs::write(state.path().join(FOLDER).join("notes.txt"), "mine").unwrap();
        let all = keep.all();
        assert_eq!((all.len(), &all[0]["ready"]), (1, &false.into()));
        assert_eq!(keep.next_number(), 3, "a torn card keeps its number");
        assert!(state.path().join(FOLDER).join("notes.txt").exists());
    }
}
