//! A folder after whatever a power cut can leave in it.

use super::*;
use menshen_core::status::StatusSource;
use std::fs;
use std::path::PathBuf;

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Dir {
        Dir(tempfile::tempdir().expect("there is room"))
    }

    fn folder(&self) -> StatusFolder {
        StatusFolder::open(self.0.path()).expect("a folder")
    }

    fn loaded(&self) -> Loaded {
        self.folder().load().expect("a folder")
    }

    /// What the folder holds without a fault.
    fn book(&self) -> StatusBook {
        let Loaded { book, faults } = self.loaded();
        assert!(faults.is_empty(), "{faults:?}");
        book
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("a folder").flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put_list(&self, seq: u64, entries: &[(Tag, Status)]) -> StatusBook {
        let bytes = list_bytes(about(seq), entries);
        self.folder().put_list(&self.book(), &mut &bytes[..]).expect("a newer list")
    }

    fn put_delta(&self, seq: u64, changes: &[(u64, Change)]) -> StatusBook {
        self.folder().put_delta(&self.book(), &delta(seq, changes).to_bytes()).expect("a new delta")
    }
}

const LIST_7: &str = "330000-00000000000000000007.list";
const DELTA_8: &str = "330000-00000000000000000008.delta";
const DELTA_9: &str = "330000-00000000000000000009.delta";

#[track_caller]
fn says(book: &StatusBook, number: u64, expected: Option<Status>) {
    let found = book.look_up(id(ZHEJIANG), tag(number)).expect("a good disk");
    assert_eq!(found.map(|entry| entry.status), expected);
}

#[test]
fn what_was_put_in_is_there_after_the_power_went() {
    let dir = Dir::new();
    dir.put_list(7, &[(tag(1), RED)]);
    let now = dir.put_delta(8, &[(1, None), (2, Some(RED))]);
    for book in [now, dir.book()] {
        says(&book, 1, None);
        says(&book, 2, Some(RED));
        assert_eq!(book.as_of(id(ZHEJIANG)), Some(as_of(8)));
    }
    assert_eq!(dir.names(), [LIST_7, DELTA_8]);
}

#[test]
fn a_file_that_was_being_written_is_swept_out_and_counts_for_nothing() {
    let dir = Dir::new();
    dir.put_list(7, &[(tag(1), RED)]);
    fs::write(dir.path("arriving.new"), &delta(8, &[(1, None)]).to_bytes()[..45]).expect("there is room");
    says(&dir.book(), 1, Some(RED));
    assert_eq!(dir.names(), [LIST_7]);
}

#[test]
fn a_new_list_removes_what_it_makes_needless_and_a_cut_before_that_changes_nothing() {
    let dir = Dir::new();
    dir.put_list(7, &[(tag(1), RED)]);
    dir.put_delta(8, &[(1, Some(GREEN))]);
    dir.put_delta(9, &[(2, Some(RED))]);
    let before: Vec<_> = [LIST_7, DELTA_8].map(|name| (name, fs::read(dir.path(name)).expect("a file"))).into();
    dir.put_list(8, &[(tag(1), GREEN)]);
    assert_eq!(dir.names(), ["330000-00000000000000000008.list", DELTA_9]);
    for (name, bytes) in before {
        fs::write(dir.path(name), bytes).expect("there is room");
    }
    for book in [dir.book(), dir.put_list(8, &[(tag(1), GREEN)])] {
        says(&book, 1, Some(GREEN));
        says(&book, 2, Some(RED));
    }
    assert_eq!(dir.names(), ["330000-00000000000000000008.list", DELTA_9], "the next list tries again");
}

#[test]
fn who_reads_the_old_list_goes_on_reading_it() {
    let dir = Dir::new();
    let old = dir.put_list(7, &[(tag(1), RED)]);
    let new = dir.put_list(8, &[(tag(2), RED)]);
    says(&old, 1, Some(RED));
    says(&new, 1, None);
    says(&new, 2, Some(RED));
}

#[test]
fn the_same_delta_again_writes_nothing() {
    let dir = Dir::new();
    dir.put_list(7, &[]);
    let book = dir.put_delta(8, &[(1, Some(RED))]);
    fs::remove_file(dir.path(DELTA_8)).expect("it was written");
    dir.folder().put_delta(&book, &delta(8, &[(1, Some(RED))]).to_bytes()).expect("known already");
    assert_eq!(dir.names(), [LIST_7]);
}

#[test]
fn a_list_that_does_not_open_is_told_and_its_issuer_is_unreadable() {
    let dir = Dir::new();
    dir.put_list(7, &[(tag(1), RED)]);
    dir.put_delta(8, &[(2, Some(RED))]);
    let mut bytes = fs::read(dir.path(LIST_7)).expect("a file");
    bytes.pop();
    fs::write(dir.path(LIST_7), bytes).expect("there is room");
    let Loaded { book, faults } = dir.loaded();
    assert!(book.look_up(id(ZHEJIANG), tag(1)).is_err(), "never a silent pass");
    assert!(matches!(faults.as_slice(), [(path, StatusError::Damaged { .. })] if path.ends_with(LIST_7)));
    let again = list_bytes(about(7), &[(tag(1), RED)]);
    let book = dir.folder().put_list(&book, &mut &again[..]).expect("anew");
    [1, 2].into_iter().for_each(|number| says(&book, number, Some(RED)));
}

#[test]
fn a_delta_that_does_not_open_is_told_and_missing_until_it_comes_again() {
    let dir = Dir::new();
    dir.put_list(7, &[]);
    dir.put_delta(8, &[(1, Some(RED))]);
    dir.put_delta(9, &[(2, Some(RED))]);
    fs::write(dir.path(DELTA_8), b"MS-DELT").expect("there is room");
    let Loaded { book, faults } = dir.loaded();
    assert!(matches!(faults.as_slice(), [(path, StatusError::Damaged { .. })] if path.ends_with(DELTA_8)));
    assert_eq!(book.as_of(id(ZHEJIANG)), Some(as_of(7)));
    says(&book, 2, Some(RED));
    let again = delta(8, &[(1, Some(RED))]).to_bytes();
    let book = dir.folder().put_delta(&book, &again).expect("it is missing");
    says(&book, 1, Some(RED));
    assert_eq!(dir.book().as_of(id(ZHEJIANG)), Some(as_of(9)));
}

#[test]
fn a_delta_before_any_list_and_a_list_under_anothers_name_are_refused() {
    let dir = Dir::new();
    let bytes = delta(8, &[]).to_bytes();
    let refused = dir.folder().put_delta(&StatusBook::new(), &bytes);
    assert!(matches!(refused, Err(StatusError::NoList { .. })));
    dir.put_list(7, &[]);
    fs::rename(dir.path(LIST_7), dir.path("410000-00000000000000000007.list")).expect("a file");
    let Loaded { book, faults } = dir.loaded();
    assert!(matches!(faults.as_slice(), [(_, StatusError::OtherIssuer { .. })]));
    assert!(book.get(id(410_000)).is_none() && book.get(id(ZHEJIANG)).is_none());
}

#[test]
fn a_file_with_another_name_is_left_alone() {
    let dir = Dir::new();
    fs::write(dir.path("README.txt"), "mine").expect("there is room");
    dir.put_list(7, &[]);
    assert_eq!(dir.names(), [LIST_7, "README.txt"]);
}
