//! The journal over restarts, damage and removal, on a real disk.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use super::*;
use crate::journal::{Inspection, Verification};
use menshen_core::decide::{Reasons, Verdict};
use menshen_core::record::Scan;
use sled::Tree;

fn scan(verdict: Verdict) -> Body {
    Body::Scan(Scan {
        verdict,
        reasons: Reasons::new(),
        issuer: None,
        colour: None,
        reading: None,
        trust_version: None,
        sealed_holder: None,
        cause: None,
    })
}

fn fill(journal: &SledJournal, count: usize) {
    for n in 0..count {
        journal.append(Time::trusted(1_600_000_000 + n as u64), 1, scan(Verdict::Admit)).unwrap();
    }
}

/// What an auditor finds, without touching anything.
fn verified(dir: &tempfile::TempDir) -> Verification {
    Inspection::open(dir.path()).unwrap().verify().unwrap()
}

/// Changes stored bytes behind the journal's back.
fn tamper(state: &Path, change: impl FnOnce(&Tree)) {
    let db = Tables::open(&state.join(FOLDER)).unwrap().db;
    change(&db.open_tree("records").unwrap());
    db.flush().unwrap();
}

#[test]
fn numbers_go_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    fill(&SledJournal::open(dir.path()).unwrap(), 3);
    let journal = SledJournal::open(dir.path()).unwrap();
    let stored = journal.append(Time::trusted(1), 1, scan(Verdict::Refer)).unwrap();
    assert_eq!(stored, Stored { epoch: Epoch(1), seq: Seq(4) });
    assert_eq!(verified(&dir), Verification { records: 4, faults: vec![] });
}

#[test]
fn pending_begins_after_the_ack_and_stops_at_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let journal = SledJournal::open(dir.path()).unwrap();
    fill(&journal, 10);
    journal.ack(Epoch(1), Seq(4)).unwrap();
    let pending = journal.pending(3).unwrap().unwrap();
    assert_eq!((pending.first, pending.records.len()), (Seq(5), 3));
    assert_eq!(journal.status().backlog, 6);
}

#[test]
fn a_late_ack_and_one_of_the_future_do_nothing_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let journal = SledJournal::open(dir.path()).unwrap();
    fill(&journal, 5);
    journal.ack(Epoch(1), Seq(4)).unwrap();
    journal.ack(Epoch(1), Seq(2)).unwrap();
    journal.ack(Epoch(7), Seq(2)).unwrap();
    assert_eq!(journal.acked(Epoch(1)).unwrap(), Some(Seq(4)));
    journal.ack(Epoch(1), Seq(u64::MAX)).unwrap();
    fill(&journal, 1);
    assert_eq!(
        journal.pending(9).unwrap().unwrap().first,
        Seq(6),
        "a record written after the ack is not acknowledged"
    );
}

#[test]
fn an_ack_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let journal = SledJournal::open(dir.path()).unwrap();
    fill(&journal, 5);
    journal.ack(Epoch(1), Seq(5)).unwrap();
    drop(journal);
    assert_eq!(SledJournal::open(dir.path()).unwrap().pending(9).unwrap(), None);
}

#[test]
fn a_damaged_tail_is_cut_told_and_kept_and_the_rest_is_still_pending() {
    let dir = tempfile::tempdir().unwrap();
    fill(&SledJournal::open(dir.path()).unwrap(), 5);
    tamper(dir.path(), |records| {
        records.insert(key(Epoch(1), Seq(4)), b"torn".as_slice()).unwrap();
    });
    let journal = SledJournal::open(dir.path()).unwrap();
    assert_eq!(verified(&dir).faults, []);
    assert_eq!(journal.pending(9).unwrap().unwrap().records.len(), 3, "what is whole is still sent");
    journal.ack(Epoch(1), Seq(3)).unwrap();
    let told = journal.pending(9).unwrap().unwrap();
    let loss = Record::from_bytes(&told.records[0]).unwrap();
    assert_eq!((told.epoch, told.first), (Epoch(2), Seq(1)));
    assert_eq!(loss.body, Body::Loss { epoch: Epoch(1), from: Seq(4), through: Seq(5) });
}

#[test]
fn a_journal_that_was_removed_begins_a_new_epoch() {
    let dir = tempfile::tempdir().unwrap();
    fill(&SledJournal::open(dir.path()).unwrap(), 2);
    fs::remove_dir_all(dir.path().join(FOLDER)).unwrap();
    let journal = SledJournal::open(dir.path()).unwrap();
    fill(&journal, 1);
    assert_eq!(journal.pending(1).unwrap().unwrap().epoch, Epoch(2), "numbers of the first epoch are not used again");
}

#[test]
fn a_log_that_lost_its_end_is_told_and_its_numbers_are_not_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let journal = SledJournal::open(dir.path()).unwrap();
    fill(&journal, 3);
    let old = journal.pending(9).unwrap().unwrap().records;
    drop(journal);
    tamper(dir.path(), |records| {
        records.remove(key(Epoch(1), Seq(3))).unwrap();
    });
    let journal = SledJournal::open(dir.path()).unwrap();
    fill(&journal, 1);
    assert_eq!(journal.pending(9).unwrap().unwrap().records, old[..2]);
    journal.ack(Epoch(1), Seq(2)).unwrap();
    let told = journal.pending(9).unwrap().unwrap();
    assert_eq!((told.epoch, told.records.len()), (Epoch(2), 2));
    let loss = Record::from_bytes(&told.records[0]).unwrap();
    assert_eq!(loss.body, Body::Loss { epoch: Epoch(1), from: Seq(3), through: Seq(3) });
}

#[test]
fn without_its_helper_files_a_journal_is_read_from_its_log() {
    let dir = tempfile::tempdir().unwrap();
    fill(&SledJournal::open(dir.path()).unwrap(), 200);
    fs::write(dir.path().join(FOLDER).join("conf"), b"garbage").unwrap();
    let journal = SledJournal::open(dir.path()).unwrap();
    assert_eq!(verified(&dir), Verification { records: 200, faults: vec![] });
    assert_eq!(journal.status().next_seq, 201);
}

#[test]
fn garbage_instead_of_a_journal_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    fill(&SledJournal::open(dir.path()).unwrap(), 200);
    for file in ["conf", SLED_FILE] {
        fs::write(dir.path().join(FOLDER).join(file), [b'g'; 4096]).unwrap();
    }
    let journal = SledJournal::open(dir.path()).unwrap();
    fill(&journal, 1);
    assert!(dir.path().join("journal.damaged-1").exists());
}

#[test]
fn a_changed_record_is_found_by_verify() {
    let dir = tempfile::tempdir().unwrap();
    let journal = SledJournal::open(dir.path()).unwrap();
    fill(&journal, 2000);
    // What the hub has not acknowledged is checked at every start.
    journal.ack(Epoch(1), Seq(2000)).unwrap();
    drop(journal);
    tamper(dir.path(), |records| {
        let other = records.get(key(Epoch(1), Seq(7))).unwrap().unwrap();
        let mut record = Record::from_bytes(&other).unwrap();
        record.lane = 9;
        records.insert(key(Epoch(1), Seq(7)), record.to_bytes().as_bytes()).unwrap();
    });
    let faults = verified(&dir).faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
}

#[test]
fn only_old_acknowledged_records_are_purged() {
    let dir = tempfile::tempdir().unwrap();
    let journal = SledJournal::open(dir.path()).unwrap();
    fill(&journal, 4);
    let later = Time::trusted(1_600_000_000 + RETENTION_S + 2);
    assert_eq!(journal.purge(later, false).unwrap(), 0, "without an ack nothing leaves");
    journal.ack(Epoch(1), Seq(4)).unwrap();
    assert_eq!(journal.purge(later, false).unwrap(), 2);
    drop(journal);
    let journal = SledJournal::open(dir.path()).unwrap();
    fill(&journal, 1);
    assert_eq!(verified(&dir), Verification { records: 3, faults: vec![] });
}

#[test]
fn a_state_folder_that_is_a_file_is_named_in_the_error() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    fs::write(&state, b"").unwrap();
    let error = SledJournal::open(&state).err().unwrap().to_string();
    assert!(error.contains("state") && error.contains("may write"), "{error}");
}

#[test]
fn a_second_program_is_told_that_the_journal_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let _first = SledJournal::open(dir.path()).unwrap();
    let error = SledJournal::open(dir.path()).err().unwrap();
    assert!(matches!(error, JournalError::InUse { .. }), "{error}");
}

#[test]
fn looking_changes_nothing_and_sees_what_the_engine_would_forget() {
    let dir = tempfile::tempdir().unwrap();
    fill(&SledJournal::open(dir.path()).unwrap(), 50);
    tamper(dir.path(), |records| {
        (30..=50).for_each(|seq| drop(records.remove(key(Epoch(1), Seq(seq))).unwrap()));
    });
    let log = fs::read(dir.path().join(FOLDER).join(SLED_FILE)).unwrap();
    let missing = ChainFault::Missing { from: Seq(30), through: Seq(50) };
    assert_eq!(verified(&dir), Verification { records: 29, faults: vec![(Epoch(1), missing)] });
    assert_eq!(fs::read(dir.path().join(FOLDER).join(SLED_FILE)).unwrap(), log);
}

#[test]
fn a_missing_beginning_that_nobody_acknowledged_is_found() {
    let dir = tempfile::tempdir().unwrap();
    fill(&SledJournal::open(dir.path()).unwrap(), 5);
    tamper(dir.path(), |records| {
        (1..=2).for_each(|seq| drop(records.remove(key(Epoch(1), Seq(seq))).unwrap()));
    });
    let missing = ChainFault::Missing { from: Seq(1), through: Seq(2) };
    assert_eq!(verified(&dir).faults, [(Epoch(1), missing)]);
}

#[test]
fn renumbered_records_are_pending_in_a_new_epoch_with_what_they_said() {
    let dir = tempfile::tempdir().unwrap();
    let journal = SledJournal::open(dir.path()).unwrap();
    fill(&journal, 5);
    journal.ack(Epoch(1), Seq(3)).unwrap();
    journal.renumber(Epoch(1), Seq(4)).unwrap();
    let pending = journal.pending(9).unwrap().unwrap();
    assert_eq!((pending.epoch, pending.first, pending.records.len()), (Epoch(2), Seq(1), 2));
    let first = Record::from_bytes(&pending.records[0]).unwrap();
    assert_eq!(first.time, Time::trusted(1_600_000_003));
    assert_eq!((verified(&dir).faults, journal.status().backlog), (vec![], 2));
}

#[test]
fn a_gate_without_a_hub_forgets_by_age_alone() {
    let dir = tempfile::tempdir().unwrap();
    let journal = SledJournal::open(dir.path()).unwrap();
    fill(&journal, 4);
    assert_eq!(journal.purge(Time::trusted(1_600_000_000 + RETENTION_S + 100), true).unwrap(), 3);
}

#[test]
fn a_gate_opens_with_a_closed_journal_where_it_may_not_write() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    fs::write(&state, b"in the way").unwrap();
    let (journal, fault) = SledJournal::open_or_closed(&state).unwrap();
    assert!(matches!(fault, Some(JournalError::Folder { .. })), "{fault:?}");
    assert!(journal.append(Time::trusted(1), 1, scan(Verdict::Admit)).is_err());
    fs::remove_file(&state).unwrap();
    assert!(journal.append(Time::trusted(1), 1, scan(Verdict::Admit)).is_ok(), "it is tried again");
}
