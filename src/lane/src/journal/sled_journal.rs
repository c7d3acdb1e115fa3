//! The journal on sled.
//!
//! sled 0.34 makes a flush durable with `sync_file_range`, which on Linux syncs neither the file's size
//! nor the drive's cache. All of its log is in one file, so after each flush this module calls
//! `fdatasync` on that file by a handle of its own: the same inode, hence all of its written pages and
//! the metadata needed to find them (fdatasync(2)). See `docs/decisions/0003-durable-journal.md`.

use super::damage::{is_damage, set_aside};
use super::mark::Mark;
use super::tables::{FOLDER, SLED_FILE, Tables, check, key, split_key};
use super::{
    ChainFault, Journal, JournalError, KEPT_S, MIN_FREE_BYTES, PURGED_AT_ONCE, Pending, RETENTION_S, Status, Stored,
};
use crate::durable;
use menshen_core::record::{Body, Epoch, Hash, Link, Record, Seq};
use menshen_core::time::Time;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const EPOCH_FILE: &str = "epoch";
/// How many of the newest records are checked when a journal is opened, acknowledged or not.
const CHECKED_AT_OPEN: u64 = 1024;

/// A journal in a folder of the gate's state.
pub struct SledJournal {
    /// `None` after a failure, until it could be opened again.
    open: Mutex<Option<Opened>>,
    /// Apart, so that whoever asks how much there is does not wait for the disk.
    status: Mutex<Status>,
    state: PathBuf,
}

struct Opened {
    state: PathBuf,
    tables: Tables,
    /// For `fdatasync`.
    log: File,
    mark: Mark,
    epoch: Epoch,
    link: Link,
}

impl SledJournal {
    /// Opens the journal of a state folder, or begins one; what does not verify is set aside and told.
    pub fn open(state: &Path) -> Result<SledJournal, JournalError> {
        match SledJournal::open_or_closed(state)? {
            (journal, None) => Ok(journal),
            (_, Some(error)) => Err(error),
        }
    }

    /// The same for a gate, which must scan: a journal that can not be opened just now (a full disk, a folder that may
    /// not be written) is closed, says why, takes no record, and is tried again at every append. Only a journal that
    /// another program has is refused.
    pub fn open_or_closed(state: &Path) -> Result<(SledJournal, Option<JournalError>), JournalError> {
        let made =
            fs::create_dir_all(state).map_err(|source| JournalError::Folder { path: state.join(FOLDER), source });
        let opened = match made.and_then(|()| Opened::open_whole(state)) {
            Err(error @ JournalError::InUse { .. }) => return Err(error),
            other => other,
        };
        let status = match &opened {
            Ok(opened) => opened.status()?,
            Err(_) => Status::default(),
        };
        let (open, fault) = match opened {
            Ok(opened) => (Some(opened), None),
            Err(error) => (None, Some(error)),
        };
        Ok((SledJournal { open: Mutex::new(open), status: Mutex::new(status), state: state.into() }, fault))
    }

    /// The last number of an epoch that the hub acknowledged.
    pub fn acked(&self, epoch: Epoch) -> Result<Option<Seq>, JournalError> {
        self.with(|opened| opened.tables.acked(epoch))
    }

    /// Runs an operation on the open store; a failed store is closed and opened again at the next call.
    fn with<T>(&self, operation: impl FnOnce(&mut Opened) -> Result<T, JournalError>) -> Result<T, JournalError> {
        let mut open = lock(&self.open);
        let opened = match &mut *open {
            Some(opened) => opened,
            closed @ None => closed.insert(Opened::open_whole(&self.state)?),
        };
        let result = operation(opened);
        match &result {
            Err(JournalError::Store { .. } | JournalError::Folder { .. }) => *open = None,
            _ => {
                if let Ok(status) = opened.status() {
                    *lock(&self.status) = status;
                }
            }
        }
        result
    }
}

/// A panic while a lock was held left at most a failed operation behind: what is open is rebuilt from the disk.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Journal for SledJournal {
    fn append_with(&self, time: Time, lane: u8, body: Body, kept: Option<&[u8]>) -> Result<Stored, JournalError> {
        self.with(|opened| {
            check_room(&opened.state)?;
            opened.append(time, lane, body, kept)
        })
    }

    fn kept(&self) -> Result<Vec<(u64, Vec<u8>)>, JournalError> {
        self.with(|opened| opened.kept())
    }

    fn pending(&self, max: usize) -> Result<Option<Pending>, JournalError> {
        self.with(|opened| {
            let found = opened.pending(max)?;
            opened.hand_on(found)
        })
    }

    fn read(&self, epoch: Epoch, from: Seq, max: usize) -> Result<Option<Pending>, JournalError> {
        self.with(|opened| {
            let found = opened.read(epoch, from, max)?;
            opened.hand_on(found)
        })
    }

    fn ack(&self, epoch: Epoch, through: Seq) -> Result<(), JournalError> {
        self.with(|opened| opened.ack(epoch, through))
    }

    fn renumber(&self, epoch: Epoch, from: Seq) -> Result<(), JournalError> {
        self.with(|opened| opened.renumber(epoch, from))
    }

    fn takes_records(&self) -> Result<(), JournalError> {
        self.with(|opened| check_room(&opened.state))
    }

    fn purge(&self, now: Time, without_acks: bool) -> Result<u64, JournalError> {
        self.with(|opened| opened.purge(now, without_acks))
    }

    fn status(&self) -> Status {
        *lock(&self.status)
    }
}

impl Opened {
    /// Opens a journal; one that is damaged is kept aside and begun again, first with its log, then with nothing.
    fn open_whole(state: &Path) -> Result<Opened, JournalError> {
        let folder = |source| JournalError::Folder { path: state.join(FOLDER), source };
        match Opened::open(state) {
            Err(error) if is_damage(&error) => set_aside(state).map_err(folder)?,
            other => return other,
        }
        match Opened::open(state) {
            Err(error) if is_damage(&error) => {
                fs::remove_dir_all(state.join(FOLDER)).map_err(folder)?;
                Opened::open(state)
            }
            other => other,
        }
    }

    fn open(state: &Path) -> Result<Opened, JournalError> {
        let path = state.join(FOLDER);
        let folder = |source| JournalError::Folder { path: path.clone(), source };
        fs::create_dir_all(state).map_err(folder)?;
        // sled at the end of a disk damages what it has: it is not even opened there.
        check_room(state)?;
        let tables = Tables::open(&path)?;
        let log = File::open(path.join(SLED_FILE)).map_err(folder)?;
        let mark = Mark::open(state).map_err(folder)?;
        let (epoch, link) = (Epoch(0), Link::genesis(Epoch(0)));
        let mut opened = Opened { state: state.into(), tables, log, mark, epoch, link };
        opened.go_on()?;
        opened.status()?;
        opened.sync()?;
        durable::sync_folder_of(&path.join(SLED_FILE)).map_err(folder)?;
        Ok(opened)
    }

    /// Goes on after the last record, if the newest ones are whole and none is missing; else begins a new epoch and
    /// says so.
    fn go_on(&mut self) -> Result<(), JournalError> {
        let newest = self.tables.newest()?;
        let reached = newest.max(self.mark.at());
        let mut whole = newest;
        if let Some((epoch, last)) = newest {
            match self.check_tail(epoch, last)? {
                Ok(link) if reached == newest => {
                    (self.epoch, self.link) = (epoch, link);
                    return self.set_mark(epoch, last);
                }
                Ok(_) => {}
                Err((from, fault)) => {
                    tracing::error!(%fault, epoch = epoch.0, "the journal's tail does not verify");
                    self.cut(epoch, from, last)?;
                    whole = Some((epoch, Seq(from.0.saturating_sub(1))));
                }
            }
        }
        self.begin_epoch(newest.map(|(epoch, _)| epoch))?;
        let Some((epoch, through)) = reached else { return Ok(()) };
        let from = whole.filter(|(of, _)| *of == epoch).map_or(Seq(1), |(_, last)| last.next());
        tracing::error!(
            "the journal lost its records {} to {} of epoch {}; a new epoch begins: check the card",
            from.0,
            through.0,
            epoch.0
        );
        self.append(Time::floor(0), 0, Body::Loss { epoch, from, through }, None).map(|_| ())
    }

    /// Takes records out of the chain and keeps them for an expert.
    fn cut(&mut self, epoch: Epoch, from: Seq, through: Seq) -> Result<(), JournalError> {
        let damaged = self.tables.db.open_tree("damaged")?;
        for entry in self.tables.records.range(key(epoch, from)..=key(epoch, through)) {
            let (at, bytes) = entry?;
            damaged.insert(&at, bytes)?;
            self.tables.records.remove(&at)?;
        }
        Ok(())
    }

    /// The place after the newest record, or where the newest records, and all that the hub has not acknowledged,
    /// stop being a chain: what waits behind a hole would never reach the hub.
    fn check_tail(&self, epoch: Epoch, last: Seq) -> Result<Result<Link, (Seq, ChainFault)>, JournalError> {
        let unsent = self.tables.acked(epoch)?.unwrap_or(Seq(0)).next();
        let first = unsent.min(Seq(last.0.saturating_sub(CHECKED_AT_OPEN).max(1)));
        let mut link = if first.0 == 1 { Link::genesis(epoch) } else { Link { epoch, next: first, previous: None } };
        let mut begun = false;
        for entry in self.tables.records.range(key(epoch, first)..=key(epoch, last)) {
            let (at, bytes) = entry?;
            let (_, seq) = split_key(&at);
            if !begun && seq > link.next {
                // Older ones were purged.
                link = Link { epoch, next: seq, previous: None };
            }
            begun = true;
            match check(link, seq, &bytes) {
                Ok(next) => link = next,
                Err(fault) => return Ok(Err((seq, fault))),
            }
        }
        Ok(Ok(link))
    }

    /// The number of a new epoch is above every one this device had, also one whose records are gone.
    fn begin_epoch(&mut self, after: Option<Epoch>) -> Result<(), JournalError> {
        let file = self.state.join(EPOCH_FILE);
        let stored = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        let marked = self.mark.at().map_or(0, |(epoch, _)| epoch.0);
        let epoch = Epoch(stored.max(marked).max(after.map_or(0, |epoch| epoch.0)).saturating_add(1));
        durable::replace(&file, format!("{}\n", epoch.0).as_bytes(), 0o644)
            .map_err(|source| JournalError::Folder { path: file, source })?;
        (self.epoch, self.link) = (epoch, Link::genesis(epoch));
        Ok(())
    }

    fn append(&mut self, time: Time, lane: u8, body: Body, kept: Option<&[u8]>) -> Result<Stored, JournalError> {
        let previous: Hash = self.link.previous.unwrap_or(menshen_core::record::GENESIS);
        let (epoch, seq) = (self.epoch, self.link.next);
        let record = Record { epoch, seq, time, lane, body, previous };
        let bytes = record.to_bytes();
        self.tables.records.insert(key(epoch, seq), bytes.as_bytes())?;
        if let Some(kept) = kept {
            // After the record, so that nothing is kept of what was not recorded.
            self.tables.kept.insert(key(epoch, seq), kept)?;
        }
        self.sync()?;
        self.link = Link { epoch, next: seq.next(), previous: Some(menshen_core::record::hash(bytes.as_bytes())) };
        self.set_mark(epoch, seq)?;
        Ok(Stored { epoch, seq })
    }

    fn set_mark(&mut self, epoch: Epoch, seq: Seq) -> Result<(), JournalError> {
        self.mark.set(epoch, seq).map_err(|error| JournalError::Store { source: sled::Error::Io(error) })
    }

    /// Lets records out only when their numbers can not be used again, whatever becomes of the store.
    fn hand_on(&mut self, found: Option<Pending>) -> Result<Option<Pending>, JournalError> {
        if found.is_some() {
            self.mark.sync().map_err(|error| JournalError::Store { source: sled::Error::Io(error) })?;
        }
        Ok(found)
    }

    fn sync(&self) -> Result<(), JournalError> {
        self.tables.db.flush()?;
        self.log.sync_data().map_err(|error| JournalError::Store { source: sled::Error::Io(error) })
    }

    fn pending(&self, max: usize) -> Result<Option<Pending>, JournalError> {
        let mut from = Epoch(0);
        while let Some((at, _)) = self.tables.records.get_gt(key(from, Seq(0)))? {
            let (epoch, oldest) = split_key(&at);
            let acked = self.tables.acked(epoch)?.unwrap_or(Seq(0));
            let found = self.read(epoch, oldest.max(acked.next()), max)?;
            if found.is_some() {
                return Ok(found);
            }
            let Some(next) = epoch.0.checked_add(1) else { break };
            from = Epoch(next);
        }
        Ok(None)
    }

    fn read(&self, epoch: Epoch, from: Seq, max: usize) -> Result<Option<Pending>, JournalError> {
        let mut records = Vec::new();
        let mut first = None;
        for entry in self.tables.records.range(key(epoch, from)..=key(epoch, Seq(u64::MAX))).take(max) {
            let (at, bytes) = entry?;
            let (_, seq) = split_key(&at);
            let first = *first.get_or_insert(seq);
            if seq.0 != first.0 + records.len() as u64 {
                break;
            }
            records.push(bytes.to_vec());
        }
        Ok(first.map(|first| Pending { epoch, first, records }))
    }

    fn ack(&mut self, epoch: Epoch, through: Seq) -> Result<(), JournalError> {
        let newest = self.tables.records.get_lt(key(epoch, Seq(u64::MAX)))?.map(|(at, _)| split_key(&at));
        let Some((_, newest)) = newest.filter(|(found, _)| *found == epoch) else { return Ok(()) };
        let through = through.min(newest);
        if self.tables.acked(epoch)?.is_none_or(|acked| acked < through) {
            self.tables.acks.insert(epoch.0.to_be_bytes(), &through.0.to_be_bytes())?;
            self.sync()?;
        }
        Ok(())
    }

    fn renumber(&mut self, epoch: Epoch, from: Seq) -> Result<(), JournalError> {
        let superseded = self.tables.db.open_tree("superseded")?;
        let old: Vec<_> =
            self.tables.records.range(key(epoch, from)..=key(epoch, Seq(u64::MAX))).collect::<Result<_, _>>()?;
        self.begin_epoch(Some(epoch.max(self.epoch)))?;
        tracing::warn!(
            "the hub holds other records under numbers {} on of epoch {}; {} records get new numbers in epoch {}",
            from.0,
            epoch.0,
            old.len(),
            self.epoch.0
        );
        // One batch, which sled applies whole or not at all: a record under two numbers would be delivered twice.
        let (mut batch, mut link) = (sled::Batch::default(), self.link);
        for (at, bytes) in old {
            if let Ok(record) = Record::from_bytes(&bytes) {
                let previous: Hash = link.previous.unwrap_or(menshen_core::record::GENESIS);
                let new = Record { epoch: link.epoch, seq: link.next, previous, ..record }.to_bytes();
                batch.insert(&key(link.epoch, link.next), new.as_bytes());
                let previous = Some(menshen_core::record::hash(new.as_bytes()));
                link = Link { epoch: link.epoch, next: link.next.next(), previous };
            }
            batch.remove(&at);
            superseded.insert(&at, bytes)?;
        }
        self.tables.records.apply_batch(batch)?;
        self.sync()?;
        self.link = link;
        match link.next.0 {
            1 => Ok(()),
            next => self.set_mark(link.epoch, Seq(next - 1)),
        }
    }

    fn purge(&mut self, now: Time, without_acks: bool) -> Result<u64, JournalError> {
        let mut purged = 0;
        for entry in self.tables.records.iter().take(PURGED_AT_ONCE) {
            let (at, bytes) = entry?;
            let (epoch, seq) = split_key(&at);
            let acked = without_acks || self.tables.acked(epoch)?.is_some_and(|acked| seq <= acked);
            let newest = (epoch, seq.next()) == (self.epoch, self.link.next);
            let old = Record::from_bytes(&bytes).is_ok_and(|record| now.since(record.time.unix_s) > RETENTION_S);
            if !acked || !old || newest {
                break;
            }
            self.tables.records.remove(&at)?;
            purged += 1;
        }
        if purged + self.forget_kept(now)? > 0 {
            self.sync()?;
        }
        Ok(purged)
    }

    fn kept(&self) -> Result<Vec<(u64, Vec<u8>)>, JournalError> {
        let numbered = |(at, bytes): (sled::IVec, sled::IVec)| {
            let (epoch, seq) = split_key(&at);
            (Stored { epoch, seq }.number(), bytes.to_vec())
        };
        self.tables.kept.iter().map(|entry| Ok(entry.map(numbered)?)).collect()
    }

    fn forget_kept(&self, now: Time) -> Result<u64, JournalError> {
        let mut forgotten = 0;
        for entry in self.tables.kept.iter() {
            let (at, bytes) = entry?;
            let unix_s = bytes.first_chunk::<8>().map_or(0, |unix_s| u64::from_be_bytes(*unix_s));
            // One that is dated ahead keeps no other.
            if now.since(unix_s) <= KEPT_S {
                continue;
            }
            self.tables.kept.remove(&at)?;
            forgotten += 1;
            if forgotten >= PURGED_AT_ONCE as u64 {
                break;
            }
        }
        Ok(forgotten)
    }

    fn status(&self) -> Result<Status, JournalError> {
        let mut backlog = 0;
        let mut after = Epoch(0);
        while let Some((at, _)) = self.tables.records.get_gt(key(after, Seq(0)))? {
            let (epoch, oldest) = split_key(&at);
            let end = self.tables.records.get_lt(key(epoch, Seq(u64::MAX)))?.map_or(oldest, |(at, _)| split_key(&at).1);
            let from = oldest.max(self.tables.acked(epoch)?.unwrap_or(Seq(0)).next());
            backlog += (end.0 + 1).saturating_sub(from.0);
            let Some(next) = epoch.0.checked_add(1) else { break };
            after = Epoch(next);
        }
        Ok(Status { epoch: self.epoch.0, next_seq: self.link.next.0, backlog })
    }
}

fn check_room(state: &Path) -> Result<(), JournalError> {
    let free_bytes = match rustix::fs::statvfs(state) {
        Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize),
        Err(error) => return Err(JournalError::Folder { path: state.into(), source: error.into() }),
    };
    if free_bytes < MIN_FREE_BYTES { Err(JournalError::Full { free_bytes }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
