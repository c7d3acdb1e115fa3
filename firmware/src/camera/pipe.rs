//! Reading a pipe that may stay silent for ever, by a thread that must be able to stop.
//!
//! A plain read of a named pipe blocks until somebody writes, and opening one blocks until somebody
//! opens the other end; neither can be called off. Here both wait in short steps.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

/// How long a reader waits before it looks whether it should stop, in nanoseconds.
pub(super) const STEP_NS: i64 = 100_000_000;

/// What is to be had of a pipe just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody has written since it was opened.
    Unwritten,
    /// There are bytes.
    Bytes,
    /// Its writer has come and gone, and there are no bytes.
    Left,
}

/// Opens a named pipe at once, whether or not somebody writes to it.
pub(super) fn open(path: &Path) -> io::Result<OwnedFd> {
    let nonblocking = OFlags::NONBLOCK.bits() as i32;
    Ok(File::options().read(true).custom_flags(nonblocking).open(path)?.into())
}

/// Whether `pipe` is what is found at a path.
pub(super) fn is_at(pipe: &OwnedFd, found: &Metadata) -> bool {
    let open = pipe.try_clone().and_then(|pipe| File::from(pipe).metadata());
    open.is_ok_and(|open| (open.dev(), open.ino()) == (found.dev(), found.ino()))
}

/// What is to be had of `pipe` now.
pub(super) fn state(pipe: &impl AsFd) -> io::Result<State> {
    Ok(match wait(pipe, 0)? {
        flags if flags.contains(PollFlags::IN) => State::Bytes,
        flags if flags.is_empty() => State::Unwritten,
        _ => State::Left,
    })
}

/// A reader that ends with an error once `stop` is set.
pub(super) struct Stoppable<F> {
    pub(super) source: F,
    pub(super) stop: Arc<AtomicBool>,
}

impl<F: AsFd> Read for Stoppable<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other("the camera was closed"));
            }
            if wait(&self.source, STEP_NS)?.is_empty() {
                continue;
            }
            match rustix::io::read(&self.source, &mut *buffer) {
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                read => return Ok(read?),
            }
        }
    }
}

/// Waits at most this many nanoseconds for bytes, or for the end of them.
pub(super) fn wait(pipe: &impl AsFd, at_most_ns: i64) -> io::Result<PollFlags> {
    let mut fds = [PollFd::new(pipe, PollFlags::IN)];
    match poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: at_most_ns })) {
        Ok(_) => Ok(fds[0].revents()),
        Err(rustix::io::Errno::INTR) => Ok(PollFlags::empty()),
        Err(error) => Err(error.into()),
    }
}
