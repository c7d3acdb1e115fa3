//! The camera of a measured lane: frames that were drawn beforehand, given into a named pipe at a camera's rate.
//!
//! Drawing costs more than reading, so all of it is done before anybody comes, and what was drawn lies in a file: the memory
//! of a small device does not hold it. Each frame with a code is one that a reader with a gate's budget reads at first sight,
//! so the first that is written is the first that can be read. As a camera it keeps to its rate: a frame whose time has
//! passed, because the pipe was full, is left out and never made up for.

use super::crowd::Person;
use super::said::{Said, What, say};
use crate::outcome::{Failure, Result, at};
use crate::qr;
use crate::scene::{self, Camera, Carrier};
use indicatif::ProgressBar;
use menshen_lane::optics::{Frame, Payload, Reader, Y4mWriter};
use menshen_lane::run::LOOK_BUDGET;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Frames of each view: a hand never holds still.
const VARIANTS: usize = 2;
/// So many poses are tried until one is read at first sight.
const TRIES: u64 = 20;

/// What the camera has before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Nobody,
    /// A person who shows nothing yet.
    Person,
    /// The person of this number shows their code.
    Code(usize),
}

impl View {
    /// Where its frames are in the film.
    fn first(self) -> usize {
        match self {
            View::Nobody => 0,
            View::Person => VARIANTS,
            View::Code(person) => (2 + person) * VARIANTS,
        }
    }
}

/// Frames of everything that the camera will see.
pub(super) struct Film {
    store: File,
    width: u32,
    height: u32,
}

impl Film {
    /// Draws all frames into a file in `dir`.
    pub(super) fn shoot(dir: &Path, crowd: &[Person], seed: u64, bar: &ProgressBar) -> Result<Film> {
        let path = dir.join("film.luma");
        let remedy = "choose a folder that you may write, on a disk with a megabyte of room for each frame";
        let mut store =
            OpenOptions::new().create_new(true).read(true).write(true).open(&path).map_err(at(&path, remedy))?;
        let camera = Camera::easy();
        let mut keep = |frame: &Frame| store.write_all(frame.luma()).map_err(at(&path, remedy));
        for variant in 0..VARIANTS as u64 {
            keep(&scene::empty(&camera, seed.wrapping_add(variant)))?;
        }
        for variant in 0..VARIANTS as u64 {
            keep(&scene::waiting(&camera, seed.wrapping_add(variant)))?;
        }
        let mut poses = seed;
        for person in crowd {
            for _ in 0..VARIANTS {
                keep(&readable(person, &camera, &mut poses)?)?;
            }
            bar.inc(1);
        }
        Ok(Film { store, width: camera.width, height: camera.height })
    }

    /// The size of a frame, in pixels.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn frame(&self, view: View, number: usize) -> io::Result<Frame> {
        let size = self.width as usize * self.height as usize;
        let mut luma = vec![0; size];
        let offset = (view.first() + number % VARIANTS) as u64 * size as u64;
        self.store.read_exact_at(&mut luma, offset)?;
        Frame::new(self.width, self.height, luma).map_err(io::Error::other)
    }
}

/// A person holds their code in a pose that is read at first sight.
fn readable(person: &Person, camera: &Camera, poses: &mut u64) -> Result<Frame> {
    let code = qr::qr(&person.payload)?;
    let camera = camera.clone().showing(person.carrier);
    for _ in 0..TRIES {
        *poses = poses.wrapping_add(1);
        let frame = scene::render(&code, &camera, *poses);
        let sight = Reader::with_budget(LOOK_BUDGET).read(&frame);
        if sight.payloads.iter().map(Payload::as_bytes).eq([person.payload.as_bytes()]) {
            return Ok(frame);
        }
    }
    let what = match person.carrier {
        Carrier::Phone => "a phone",
        Carrier::Paper => "paper",
    };
    Err(Failure::new(format!("a code on {what} is not read at first sight here: measure with a release build")))
}

/// A camera that runs until this is dropped.
pub(super) struct Projector {
    view: Arc<Mutex<View>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Projector {
    /// Makes the pipe and begins, as soon as somebody reads it, with nobody in view.
    pub(super) fn start(film: Film, pipe: PathBuf, fps: u32, said: Sender<Said>) -> Result<Projector> {
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0)
            .map_err(|error| at(&pipe, "choose another folder with --state")(io::Error::from(error)))?;
        let (view, stop) = (Arc::new(Mutex::new(View::Nobody)), Arc::new(AtomicBool::new(false)));
        let (seen, stopped) = (view.clone(), stop.clone());
        let thread = thread::Builder::new().name("film".to_owned()).spawn(move || {
            // It ends when the gate closes the pipe; whoever waits for frames then says so.
            let _ = roll(&film, &pipe, fps, &seen, &stopped, &said);
        })?;
        Ok(Projector { view, stop, thread: Some(thread) })
    }

    /// From the next frame on the camera sees this.
    pub(super) fn see(&self, view: View) {
        *lock(&self.view) = view;
    }
}

impl Drop for Projector {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // One whose pipe nobody ever opened waits for that, and ends with the program.
        if let Some(thread) = self.thread.take().filter(JoinHandle::is_finished) {
            let _ = thread.join();
        }
    }
}

fn roll(
    film: &Film,
    pipe: &Path,
    fps: u32,
    view: &Mutex<View>,
    stop: &AtomicBool,
    said: &Sender<Said>,
) -> io::Result<()> {
    // Opening waits for the gate.
    let sink = BufWriter::new(OpenOptions::new().write(true).open(pipe)?);
    let mut y4m = Y4mWriter::new(sink, film.width, film.height, fps).map_err(io::Error::other)?;
    let interval = Duration::from_secs(1) / fps;
    let (mut due, mut number, mut last) = (Instant::now(), 0, View::Nobody);
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let now_in_view = *lock(view);
        let frame = film.frame(now_in_view, number)?;
        if let View::Code(person) = now_in_view
            && now_in_view != last
        {
            say(said, What::Written(person));
        }
        y4m.write(&frame).map_err(io::Error::other)?;
        (number, last, due) = (number + 1, now_in_view, due + interval);
        while due < Instant::now() {
            due += interval;
        }
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A view is replaced whole, so a panic elsewhere leaves a whole one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
