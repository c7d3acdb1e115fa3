//! A camera that is live: a program that writes Y4M into the gate's pipe, and can be pulled at any moment.
//!
//! It stands where `ffmpeg` stands at a gate. Pulled in the middle of a picture it leaves half of one behind; with its
//! device gone the pipe goes too, and another one is made when it is back.

use menshen_lane::optics::Frame;
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The time between two pictures.
const FRAME_EVERY: Duration = Duration::from_millis(70);
/// How long a pipe that is full is left alone.
const FULL_FOR: Duration = Duration::from_millis(2);

/// How the camera stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cable {
    /// Pictures come.
    In,
    /// Its program runs and gives no picture.
    Silent,
    /// Its program has ended.
    Out,
    /// The pipe is gone, too.
    Gone,
}

/// The camera; it ends when dropped.
pub struct Lens {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Clone)]
struct State {
    view: Arc<Frame>,
    cable: Cable,
    ends: bool,
}

impl Lens {
    /// A camera that sees `view` and writes into a pipe at `path`, which it makes.
    pub fn start(path: PathBuf, view: Frame) -> Lens {
        let state = State { view: Arc::new(view), cable: Cable::In, ends: false };
        let shared = Arc::new(Shared { path, state: Mutex::new(state) });
        let filming = shared.clone();
        Lens { shared, thread: Some(thread::spawn(move || filming.film())) }
    }

    /// What it sees from now on.
    pub fn show(&self, view: Arc<Frame>) {
        self.shared.lock().view = view;
    }

    /// How it stands from now on.
    pub fn cable(&self, cable: Cable) {
        self.shared.lock().cable = cable;
    }
}

impl Drop for Lens {
    fn drop(&mut self) {
        self.shared.lock().ends = true;
        let ended = self.thread.take().is_none_or(|thread| thread.join().is_ok());
        assert!(ended || thread::panicking(), "the camera panicked");
    }
}

impl Shared {
    fn film(&self) {
        let mut pipe = None;
        loop {
            let State { view, cable, ends } = self.now();
            if ends {
                return;
            }
            if cable == Cable::Gone {
                // It may be gone already.
                drop(fs::remove_file(&self.path));
            }
            pipe = match cable {
                Cable::Out | Cable::Gone => None,
                Cable::Silent => pipe.or_else(|| self.begin(&view)),
                Cable::In => pipe.or_else(|| self.begin(&view)).and_then(|pipe| self.picture(pipe, &view)),
            };
            thread::sleep(FRAME_EVERY);
        }
    }

    /// The pipe with the head of a stream in it; `None` while nobody reads.
    fn begin(&self, view: &Frame) -> Option<File> {
        if !self.path.exists() {
            mknodat(CWD, &self.path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("the folder is ours");
        }
        let nonblocking = OFlags::NONBLOCK.bits() as i32;
        let pipe = File::options().write(true).custom_flags(nonblocking).open(&self.path).ok()?;
        let head = format!("YUV4MPEG2 W{} H{} F14:1 Ip A1:1 Cmono\n", view.width(), view.height());
        self.write(pipe, head.as_bytes())
    }

    fn picture(&self, pipe: File, view: &Frame) -> Option<File> {
        let pipe = self.write(pipe, b"FRAME\n")?;
        self.write(pipe, view.luma())
    }

    /// Writes all of it, unless the reader leaves or the camera is pulled meanwhile.
    fn write(&self, mut pipe: File, mut bytes: &[u8]) -> Option<File> {
        while !bytes.is_empty() {
            match pipe.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(FULL_FOR),
                Err(_) => return None,
            }
            let State { cable, ends, .. } = self.now();
            if ends || matches!(cable, Cable::Out | Cable::Gone) {
                return None;
            }
        }
        Some(pipe)
    }

    fn now(&self) -> State {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // One assignment at a time, so what a panic leaves behind is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
