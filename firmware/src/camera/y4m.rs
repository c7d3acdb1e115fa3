//! A Y4M stream as a camera: from a named pipe, standard input or a recording.
//!
//! Any program that writes Y4M is a camera: `rpicam-vid | ffmpeg` on a Pi, `ffmpeg -f v4l2` for USB, a
//! test. A live stream is read by a thread of its own into a slot for one frame: the newest frame wins
//! and no queue grows, however slow the reader of codes is. A recording has no "now", so it is read
//! frame by frame as fast as it is looked at, and none is dropped.
//!
//! A stream that falls silent is kept open: its head came once, so a reader that began anew could not follow it. The
//! runtime tells of the silence, and it is over with the next frame.
//!
//! A pipe whose writer left has failed and is opened again; nobody has to be there when it is opened,
//! and a pipe that nobody writes to stays open, so that a writer never meets one that just closed. One that another has
//! replaced is let go.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use menshen_lane::optics::{Frame, Y4mError, Y4mReader};
use menshen_lane::ports::{Camera, Open, PortError};

use super::pipe::{self, State, Stoppable};
use super::slot::Slot;

/// Opens standard input.
pub(super) fn stdin_opener() -> Open<dyn Camera> {
    Box::new(|| {
        let end = End { name: "standard input".to_owned(), comes_back: false };
        Ok(Box::new(LiveCamera::start(io::stdin(), end)?))
    })
}

/// Opens the named pipe or the recording at `path`.
pub(super) fn opener(path: PathBuf) -> Open<dyn Camera> {
    let mut waiting = None;
    Box::new(move || {
        let file = path.metadata().map_err(|error| absent(&path, &error))?;
        // A camera program may take its pipe with it and make another of the same name.
        waiting = waiting.take().filter(|pipe| pipe::is_at(pipe, &file));
        let kind = file.file_type();
        if kind.is_file() { Recording::open(&path) } else { open_live(&path, kind.is_fifo(), &mut waiting) }
    })
}

fn absent(path: &Path, error: &io::Error) -> PortError {
    PortError::Absent(format!(
        "cannot open the camera stream {}: {error}; make it with mkfifo or correct `camera.path` in the board file",
        path.display()
    ))
}

fn open_live(path: &Path, is_fifo: bool, waiting: &mut Option<OwnedFd>) -> Result<Box<dyn Camera>, PortError> {
    let fault = |error| absent(path, &error);
    let mut source = match waiting.take() {
        Some(source) => source,
        None => pipe::open(path).map_err(fault)?,
    };
    let mut state = pipe::state(&source).map_err(fault)?;
    if state == State::Left {
        // A writer came and went without a byte: begin anew.
        source = pipe::open(path).map_err(fault)?;
        state = pipe::state(&source).map_err(fault)?;
    }
    if state != State::Bytes {
        *waiting = Some(source);
        return Err(PortError::Absent(format!(
            "nothing writes to the camera pipe {}: start the camera program",
            path.display()
        )));
    }
    let end = End { name: format!("the camera pipe {}", path.display()), comes_back: is_fifo };
    Ok(Box::new(LiveCamera::start(source, end)?))
}

/// How the end of a live stream is told.
struct End {
    name: String,
    comes_back: bool,
}

impl End {
    fn told(&self, error: Option<&Y4mError>) -> PortError {
        let what = match error {
            Some(error) => format!("{}: {error}", self.name),
            None => format!("{} is closed: start the camera program again", self.name),
        };
        if self.comes_back { PortError::Failed(what) } else { PortError::Ended(what) }
    }
}

struct LiveCamera {
    slot: Arc<Slot<Frame>>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl LiveCamera {
    fn start<F: std::os::fd::AsFd + Send + 'static>(source: F, end: End) -> Result<LiveCamera, PortError> {
        let (slot, stop) = (Arc::new(Slot::default()), Arc::new(AtomicBool::new(false)));
        let source = Stoppable { source, stop: Arc::clone(&stop) };
        let filled = Arc::clone(&slot);
        let reader = std::thread::Builder::new().name("camera".to_owned()).spawn(move || {
            let error = fill(&filled, source).err();
            filled.end(end.told(error.as_ref()));
        });
        let reader = reader.map_err(|error| PortError::Failed(format!("cannot start the camera's thread: {error}")))?;
        Ok(LiveCamera { slot, stop, reader: Some(reader) })
    }
}

fn fill(slot: &Slot<Frame>, source: impl Read) -> Result<(), Y4mError> {
    for frame in Y4mReader::new(source)? {
        slot.put(frame?);
    }
    Ok(())
}

impl Camera for LiveCamera {
    fn frame(&mut self, timeout: Duration) -> Result<Option<Frame>, PortError> {
        self.slot.take(timeout)
    }
}

impl Drop for LiveCamera {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take()
            && reader.join().is_err()
        {
            tracing::error!("the camera's thread panicked; the camera is opened again");
        }
    }
}

struct Recording {
    path: PathBuf,
    reader: Y4mReader<File>,
}

impl Recording {
    fn open(path: &Path) -> Result<Box<dyn Camera>, PortError> {
        let file = File::open(path).map_err(|error| absent(path, &error))?;
        let reader = Y4mReader::new(file).map_err(|error| ended(path, &error.to_string()))?;
        Ok(Box::new(Recording { path: path.to_owned(), reader }))
    }
}

impl Camera for Recording {
    fn frame(&mut self, _timeout: Duration) -> Result<Option<Frame>, PortError> {
        match self.reader.next_frame() {
            Ok(Some(frame)) => Ok(Some(frame)),
            Ok(None) => Err(ended(&self.path, "it is at its end; start the gate again to see it again")),
            Err(error) => Err(ended(&self.path, &error.to_string())),
        }
    }
}

fn ended(path: &Path, why: &str) -> PortError {
    PortError::Ended(format!("the recording {}: {why}", path.display()))
}
