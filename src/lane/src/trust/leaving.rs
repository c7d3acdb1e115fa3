//! A source that can be left in the middle, because something better than waiting for it has come.
//!
//! A hub on a bad line takes an hour for a list, or never answers, and a stick is put in for that very reason. So a
//! thread of its own waits for the hub, and whoever imports looks every moment whether there is something better to
//! do: a stick that was just put in, or the end of the program. A thread that was left ends by itself, at the latest
//! when its connection times out.

use menshen_trust::tuf::{Source, SourceError};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// How often it is looked whether there is something better to do.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How much of a target is handed over at a time; one piece more may wait.
const PIECE_BYTES: usize = 64 * 1024;

/// Says whether there is something better to do than to wait.
pub(super) type Better = Arc<dyn Fn() -> bool + Send + Sync>;

/// A source that is left as soon as there is something better to do. Once it was left it gives nothing more.
#[derive(Clone)]
pub(super) struct Leaving {
    source: Arc<dyn Source>,
    better: Better,
    left: Arc<AtomicBool>,
}

impl Leaving {
    pub(super) fn new(source: Arc<dyn Source>, better: Better) -> Leaving {
        Leaving { source, better, left: Arc::default() }
    }

    /// Whether it was left.
    pub(super) fn is_left(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    /// Lets a thread work, and waits for what it sends first.
    fn ask<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&dyn Source, &SyncSender<T>) + Send + 'static,
    ) -> Result<(T, Receiver<T>), SourceError> {
        let failed = |error: io::Error| SourceError::Unreachable { name: name.into(), why: error.to_string() };
        let (sender, receiver) = sync_channel(1);
        let source = self.source.clone();
        // The thread is not waited for: it ends with its work, or with its first word to somebody who has left.
        thread::Builder::new()
            .name("trust-hub".into())
            .spawn(move || work(source.as_ref(), &sender))
            .map_err(failed)?;
        Ok((self.wait(&receiver).map_err(failed)?, receiver))
    }

    fn wait<T>(&self, receiver: &Receiver<T>) -> io::Result<T> {
        while !self.is_left() && !(self.better)() {
            match receiver.recv_timeout(LOOK_EVERY) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("the transfer ended by itself")),
            }
        }
        self.left.store(true, Ordering::Release);
        Err(io::Error::new(io::ErrorKind::TimedOut, "it was left for something better"))
    }
}

impl Source for Leaving {
    fn metadata(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let wanted = name.to_owned();
        self.ask(name, move |source, answer| drop(answer.send(source.metadata(&wanted, max_bytes))))?.0
    }

    fn target(&self, path: &str) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        let wanted = path.to_owned();
        let (first, pieces) = self.ask(path, move |source, answer| hand_over(source, &wanted, answer))?;
        match first {
            Told::Pieces => Ok(Some(Box::new(Pieces { source: self.clone(), pieces, piece: Vec::new(), taken: 0 }))),
            Told::Nothing => Ok(None),
            Told::Failed(error) => Err(error),
            Told::Piece(_) => Err(SourceError::Unreachable { name: path.into(), why: "it began in the middle".into() }),
        }
    }
}

/// What the thread that reads a target tells.
enum Told {
    Nothing,
    Failed(SourceError),
    /// It is there, and pieces follow; an empty one is the end.
    Pieces,
    Piece(io::Result<Vec<u8>>),
}

/// Reads a target to its end, for as long as somebody listens.
fn hand_over(source: &dyn Source, path: &str, out: &SyncSender<Told>) {
    let mut reader = match source.target(path) {
        Ok(Some(reader)) => reader,
        Ok(None) => return drop(out.send(Told::Nothing)),
        Err(error) => return drop(out.send(Told::Failed(error))),
    };
    let mut listens = out.send(Told::Pieces).is_ok();
    while listens {
        let mut piece = vec![0; PIECE_BYTES];
        let read = reader.read(&mut piece).map(|count| {
            piece.truncate(count);
            piece
        });
        let is_last = !matches!(&read, Ok(piece) if !piece.is_empty());
        listens = out.send(Told::Piece(read)).is_ok() && !is_last;
    }
}

/// A target as it arrives.
struct Pieces {
    source: Leaving,
    pieces: Receiver<Told>,
    piece: Vec<u8>,
    taken: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.piece.len() {
            (self.piece, self.taken) = match self.source.wait(&self.pieces)? {
                Told::Piece(piece) => (piece?, 0),
                Told::Nothing | Told::Failed(_) | Told::Pieces => return Err(io::ErrorKind::InvalidData.into()),
            };
        }
        let count = buffer.len().min(self.piece.len() - self.taken);
        buffer[..count].copy_from_slice(&self.piece[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// Gives this many bytes of a target and then nothing, for ever; has no metadata and says so late.
    struct Slow(usize);

    impl Source for Slow {
        fn metadata(&self, _: &str, _: u64) -> Result<Option<Vec<u8>>, SourceError> {
            thread::sleep(Duration::from_secs(30));
            Ok(None)
        }

        fn target(&self, _: &str) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
            Ok(Some(Box::new(io::repeat(7).take(self.0 as u64).chain(Silence))))
        }
    }

    struct Silence;

    impl Read for Silence {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            thread::sleep(Duration::from_secs(30));
            Ok(0)
        }
    }

    fn leaving(source: impl Source + 'static) -> (Leaving, Arc<AtomicBool>) {
        let better = Arc::new(AtomicBool::new(false));
        let asked = better.clone();
        (Leaving::new(Arc::new(source), Arc::new(move || asked.load(Ordering::Acquire))), better)
    }

    #[test]
    fn an_answer_that_does_not_come_is_not_waited_for_when_something_better_does() {
        let (source, better) = leaving(Slow(0));
        let begun = Instant::now();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            better.store(true, Ordering::Release);
        });
        assert!(matches!(source.metadata("timestamp.json", 9), Err(SourceError::Unreachable { .. })));
        assert!(source.is_left() && begun.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_target_that_stops_in_the_middle_is_left_and_what_came_of_it_was_right() {
        let (source, better) = leaving(Slow(200_000));
        let mut reader = source.target("list").expect("it answers").expect("it is there");
        let mut bytes = vec![0; 200_000];
        reader.read_exact(&mut bytes).expect("so much comes");
        assert!(bytes.iter().all(|byte| *byte == 7) && !source.is_left());
        better.store(true, Ordering::Release);
        assert!(reader.read(&mut [0; 9]).is_err() && source.is_left());
    }

    #[test]
    fn a_source_that_answers_gives_what_it_has_to_its_end() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("targets")).expect("makes a folder");
        std::fs::write(dir.path().join("targets/list"), vec![5; 100_001]).expect("writes");
        let (source, _) = leaving(menshen_trust::tuf::Folder::new(dir.path()));
        let mut bytes = Vec::new();
        source.target("list").expect("it answers").expect("it is there").read_to_end(&mut bytes).expect("it reads");
        assert_eq!(bytes, vec![5; 100_001]);
        assert!(source.target("none").expect("it answers").is_none());
        assert!(source.metadata("timestamp.json", 9).expect("it answers").is_none());
    }
}
