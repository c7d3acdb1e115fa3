//! The default store: one SQLite file on the hub's own disk.
//!
//! Durability: `journal_mode=WAL` with `synchronous=FULL`. In WAL mode the usual `NORMAL` keeps the file
//! consistent and may forget the last commits when the power goes; an ack would then have promised what
//! is gone, and the gate has deleted its copy. `FULL` syncs the log at every commit, before it returns
//! (<https://www.sqlite.org/pragma.html#pragma_synchronous>). Batches carry up to 512 records, so one
//! sync serves many. The log also lets the pages read while a batch is written.
//!
//! One connection writes and one reads, each behind its lock. The record's bytes are the truth; the
//! other columns are for people with a SQL shell and for reports, and are never read back here.

use super::{AppendError, Gate, Held, Page, Store, StoreError};
use crate::run::{Entry, Run};
use menshen_core::ids::GateId;
use menshen_core::record::{Body, Epoch, Hash, Seq, hash};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// "MSHB": marks the file as a hub's store.
const APPLICATION_ID: i64 = 0x4d53_4842;
/// The format that this program writes and reads.
const FORMAT: i64 = 1;
/// How long to wait for another program that looks at the file.
const BUSY: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
    CREATE TABLE gates (
        id          BLOB PRIMARY KEY,
        public_key  BLOB NOT NULL,
        label       TEXT NOT NULL,
        enrolled_at INTEGER NOT NULL,
        last_seen   INTEGER NOT NULL,
        records     INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID, STRICT;
    CREATE TABLE records (
        gate    BLOB NOT NULL,
        epoch   INTEGER NOT NULL,
        seq     INTEGER NOT NULL,
        bytes   BLOB NOT NULL,
        unix_s  INTEGER NOT NULL,
        verdict INTEGER,
        reasons TEXT,
        PRIMARY KEY (gate, epoch, seq)
    ) WITHOUT ROWID, STRICT;
";

const GATES: &str = "SELECT id, public_key, label, enrolled_at, last_seen, records, epoch, seq, bytes FROM gates
    LEFT JOIN records ON gate = id AND (epoch, seq) =
        (SELECT epoch, seq FROM records WHERE gate = id ORDER BY epoch DESC, seq DESC LIMIT 1)";

/// Records in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
}

impl SqliteStore {
    /// Opens the store at `path`, or makes it. The folder must exist.
    pub fn open(path: &Path) -> Result<SqliteStore, StoreError> {
        let unopened = |reason: &dyn ToString| StoreError::Unopened { path: path.into(), reason: reason.to_string() };
        // Absolute, so that no path has a special meaning: SQLite takes ":memory:" and "" for places
        // that are gone after a restart.
        let file = std::path::absolute(path).map_err(|error| unopened(&error))?;
        let mut writer = connect(&file).map_err(|error| unopened(&error))?;
        prepare(&mut writer, path)?;
        let reader = connect(&file).map_err(|error| unopened(&error))?;
        reader.pragma_update(None, "query_only", true)?;
        Ok(SqliteStore { writer: Mutex::new(writer), reader: Mutex::new(reader) })
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        // A panic in the middle leaves the connection sound: a transaction rolls back when dropped.
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for SqliteStore {
    fn enrol(&self, public_key: &[u8; 32], label: &str, unix_s: u64) -> Result<(), StoreError> {
        self.writer().execute(
            "INSERT INTO gates (id, public_key, label, enrolled_at, last_seen) VALUES (?1, ?2, ?3, ?4, ?4)
             ON CONFLICT (id) DO UPDATE SET label = excluded.label, last_seen = excluded.last_seen",
            params![GateId::of(public_key).0, public_key, label, number(unix_s)],
        )?;
        Ok(())
    }

    fn append(&self, run: &Run, unix_s: u64) -> Result<Seq, AppendError> {
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
        let head = head(&transaction, run.gate(), run.epoch())?;
        let held = held(&transaction, run)?;
        let new = run.beyond(head, &held)?;
        insert(&transaction, run.gate(), new, unix_s)?;
        transaction.commit().map_err(StoreError::from)?;
        Ok(head.map_or(run.last(), |(seq, _)| seq.max(run.last())))
    }

    fn gate(&self, id: GateId) -> Result<Option<Gate>, StoreError> {
        let reader = self.reader();
        let mut query = reader.prepare_cached(&format!("{GATES} WHERE id = ?1"))?;
        Ok(query.query_row([id.0], gate_of_row).optional()?)
    }

    fn gates(&self) -> Result<Vec<Gate>, StoreError> {
        let reader = self.reader();
        let mut query = reader.prepare_cached(&format!("{GATES} ORDER BY label, id"))?;
        let gates = query.query_map([], gate_of_row)?.collect::<Result<_, _>>()?;
        Ok(gates)
    }

    fn records(&self, gate: GateId, page: Page) -> Result<Vec<Held>, StoreError> {
        let reader = self.reader();
        let mut query = reader.prepare_cached(
            "SELECT epoch, seq, bytes FROM records
             WHERE gate = ?1 AND (epoch, seq) > (?2, ?3) AND epoch <= ?4 ORDER BY epoch, seq LIMIT ?5",
        )?;
        let (after_epoch, after_seq) = match page.epoch {
            Some(epoch) => page.after.max((epoch, Seq(0))),
            None => page.after,
        };
        let last_epoch = page.epoch.map_or(u32::MAX, |epoch| epoch.0);
        let bounds = params![gate.0, after_epoch.0, number(after_seq.0), last_epoch, page.limit];
        let records = query.query_map(bounds, |row| held_of_row(row, 0))?.collect::<Result<_, _>>()?;
        Ok(records)
    }

    fn latest(&self, gate: GateId, limit: u32) -> Result<Vec<Held>, StoreError> {
        let reader = self.reader();
        let mut query = reader.prepare_cached(
            "SELECT epoch, seq, bytes FROM records WHERE gate = ?1 ORDER BY epoch DESC, seq DESC LIMIT ?2",
        )?;
        let records = query.query_map(params![gate.0, limit], |row| held_of_row(row, 0))?.collect::<Result<_, _>>()?;
        Ok(records)
    }
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

/// Refuses a file that is not ours before anything is written to it.
fn prepare(writer: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let unopened = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Foreign { path: path.into() },
        _ => StoreError::Unopened { path: path.into(), reason: error.to_string() },
    };
    let format = check_format(writer, path).map_err(unopened)??;
    let mode: String =
        writer.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(unopened)?;
    if mode != "wal" {
        return Err(StoreError::NoWriteAheadLog { path: path.into() });
    }
    writer.pragma_update(None, "synchronous", "FULL").map_err(unopened)?;
    if format == 0 {
        create(writer).map_err(unopened)?;
    }
    // Fails now rather than at the first batch if the file can be read and not written.
    writer.pragma_update(None, "user_version", FORMAT).map_err(unopened)
}

/// The format of the file; 0 for a new one.
fn check_format(connection: &Connection, path: &Path) -> rusqlite::Result<Result<i64, StoreError>> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let id: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let path = PathBuf::from(path);
    Ok(match (tables, id, format) {
        (0, ..) => Ok(0),
        (_, APPLICATION_ID, FORMAT) => Ok(FORMAT),
        (_, APPLICATION_ID, found) => Err(StoreError::Newer { path, found }),
        _ => Err(StoreError::Foreign { path }),
    })
}

fn create(writer: &mut Connection) -> rusqlite::Result<()> {
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}

/// The last record held of an epoch, and its hash.
fn head(transaction: &Transaction<'_>, gate: GateId, epoch: Epoch) -> Result<Option<(Seq, Hash)>, StoreError> {
    let mut query = transaction.prepare_cached(
        "SELECT epoch, seq, bytes FROM records WHERE gate = ?1 AND epoch = ?2 ORDER BY seq DESC LIMIT 1",
    )?;
    let held = query.query_row(params![gate.0, epoch.0], |row| held_of_row(row, 0)).optional()?;
    Ok(held.map(|held| (held.seq, hash(&held.bytes))))
}

/// The stored bytes of the numbers of this run.
fn held(transaction: &Transaction<'_>, run: &Run) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut query = transaction.prepare_cached(
        "SELECT bytes FROM records WHERE gate = ?1 AND epoch = ?2 AND seq BETWEEN ?3 AND ?4 ORDER BY seq",
    )?;
    let bounds = params![run.gate().0, run.epoch().0, number(run.first().0), number(run.last().0)];
    let held = query.query_map(bounds, |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(held)
}

fn insert(transaction: &Transaction<'_>, gate: GateId, new: &[Entry], unix_s: u64) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO records (gate, epoch, seq, bytes, unix_s, verdict, reasons) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for Entry { record, bytes } in new {
        let (verdict, reasons) = match &record.body {
            Body::Scan(scan) => (Some(scan.verdict as u8), Some(names(&scan.reasons))),
            Body::Loss { .. } | Body::Alarm(_) | Body::Tried(_) => (None, None),
        };
        let time = number(record.time.unix_s);
        statement.execute(params![gate.0, record.epoch.0, number(record.seq.0), bytes, time, verdict, reasons])?;
    }
    transaction
        .prepare_cached("UPDATE gates SET last_seen = ?2, records = records + ?3 WHERE id = ?1")?
        .execute(params![gate.0, number(unix_s), new.len() as i64])?;
    Ok(())
}

fn names(reasons: &[menshen_core::reason::Reason]) -> String {
    reasons.iter().map(|reason| reason.name()).collect::<Vec<_>>().join(",")
}

fn gate_of_row(row: &Row<'_>) -> rusqlite::Result<Gate> {
    let last = match row.get_ref(6)? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some(held_of_row(row, 6)?),
    };
    Ok(Gate {
        id: GateId(row.get(0)?),
        public_key: row.get(1)?,
        label: row.get(2)?,
        enrolled_at: row.get(3)?,
        last_seen: row.get(4)?,
        records: row.get(5)?,
        last,
    })
}

/// Reads `epoch, seq, bytes` from column `at` on.
fn held_of_row(row: &Row<'_>, at: usize) -> rusqlite::Result<Held> {
    Ok(Held { epoch: Epoch(row.get(at)?), seq: Seq(row.get(at + 1)?), bytes: row.get(at + 2)? })
}

/// SQLite counts in `i64`. No stored number is near its end: numbers run without gaps from 1, and a
/// time beyond it is wrong anyway and stays what it is in the record's bytes.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        StoreError::Failing { reason: error.to_string() }
    }
}

impl From<rusqlite::Error> for AppendError {
    fn from(error: rusqlite::Error) -> AppendError {
        AppendError::Store(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_synced_at_every_commit_also_after_reopening() {
        let folder = tempfile::tempdir().expect("a folder");
        for _ in 0..2 {
            let store = SqliteStore::open(&folder.path().join("hub.db")).expect("opens");
            let read = |name: &str| {
                store.writer().pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
            };
            assert_eq!(read("synchronous").expect("reads"), rusqlite::types::Value::Integer(2), "2 is FULL");
            assert_eq!(read("journal_mode").expect("reads"), rusqlite::types::Value::Text("wal".into()));
        }
    }

    #[test]
    fn a_store_of_a_newer_format_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hub.db");
        let store = SqliteStore::open(&path).expect("opens");
        store.writer().pragma_update(None, "user_version", FORMAT + 1).expect("own file");
        drop(store);
        assert!(matches!(SqliteStore::open(&path), Err(StoreError::Newer { found: 2, .. })));
    }

    #[test]
    fn no_file_name_is_a_store_in_memory() {
        assert!(SqliteStore::open(Path::new("")).is_err());
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(":memory:");
        drop(SqliteStore::open(&path).expect("opens"));
        assert!(path.is_file());
    }
}
