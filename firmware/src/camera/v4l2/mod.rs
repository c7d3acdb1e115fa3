//! A kernel camera (V4L2, most often USB) as a port.
//!
//! A thread of its own opens the camera, takes every picture from the driver at once and keeps the newest, so what is
//! looked at is never older than one picture, however slow the reader of codes is. A JPEG is decoded only when it is
//! looked at.
//!
//! Every call to a driver may hang, that of a pulled cable for seconds, so none is made by whoever asks for frames: a
//! thread that does not come back is left behind and told, and no second one is started before it has ended.
//!
//! A camera that was pulled out has failed and is opened again by the runtime, also under another number when the
//! board names it by its name. One that streams nothing for [`SILENT_FOR`] has failed too: opening it anew is what
//! brings most of them back.

mod controls;
mod device;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use linuxvideo::stream::ReadBufferView;
use menshen_lane::optics::Frame;
use menshen_lane::ports::{Camera, Light, Open, PortError};

use super::exposure::{Bracket, Step};
use super::luma::{self, Damaged, Layout, Pixels};
use super::mjpeg;
use super::pipe;
use super::slot::Slot;
use crate::board;
use device::Opened;

/// How long a camera may take to open; a slow webcam takes half a second.
const OPENS_WITHIN: Duration = Duration::from_millis(1500);
/// A camera without a picture for this long is opened anew.
const SILENT_FOR: Duration = Duration::from_secs(4);
/// How long whoever closes a camera waits for its driver.
const CLOSES_WITHIN: Duration = Duration::from_millis(1000);

/// A thread that a driver holds; nobody waits for it, and no other is started meanwhile.
type Held = Arc<Mutex<Option<JoinHandle<()>>>>;

/// Says that a camera is open: its name and how its pictures lie.
type Opens = SyncSender<(String, Layout)>;
/// What a camera's thread does: opens it, says so, puts pictures into the slot, and gives why it ended.
type Capture = dyn Fn(&board::V4l2, &Shared, Opens) -> PortError + Send + Sync;

/// Opens the camera of a board.
pub(super) fn opener(board: board::V4l2) -> Open<dyn Camera> {
    opener_of(board, Arc::new(capture))
}

fn opener_of(board: board::V4l2, capture: Arc<Capture>) -> Open<dyn Camera> {
    let held = Held::default();
    Box::new(move || {
        if is_held(&held) {
            return Err(hangs(&board.device));
        }
        let shared = Arc::new(Shared::default());
        let (opened, opens) = sync_channel(1);
        let thread = start(board.clone(), Arc::clone(&shared), opened, Arc::clone(&capture))?;
        match opens.recv_timeout(OPENS_WITHIN) {
            Ok((name, layout)) => {
                Ok(Box::new(V4l2Camera::new(&board, name, layout, shared, thread, Arc::clone(&held))))
            }
            Err(RecvTimeoutError::Disconnected) => match shared.slot.take(OPENS_WITHIN) {
                Err(error) => Err(error),
                Ok(_) => Err(hangs(&board.device)),
            },
            Err(RecvTimeoutError::Timeout) => {
                shared.stop.store(true, Ordering::Relaxed);
                hold(&held, thread);
                Err(hangs(&board.device))
            }
        }
    })
}

fn hangs(name: &str) -> PortError {
    PortError::Failed(format!("the camera {name} does not answer: unplug it and plug it in again"))
}

fn is_held(held: &Held) -> bool {
    let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
    if held.as_ref().is_some_and(JoinHandle::is_finished) {
        *held = None;
    }
    held.is_some()
}

fn hold(held: &Held, thread: JoinHandle<()>) {
    *held.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
}

/// What the thread and the port share.
#[derive(Default)]
struct Shared {
    slot: Slot<Picture>,
    stop: AtomicBool,
    /// The [`Step`] that is wanted of the exposure.
    step: AtomicU8,
    damaged: AtomicU64,
}

impl Shared {
    /// Counts a picture that can not be used; tells of the first, the second, the fourth and so on.
    fn drop_damaged(&self, name: &str, damaged: &Damaged) {
        let times = self.damaged.fetch_add(1, Ordering::Relaxed) + 1;
        if times.is_power_of_two() {
            tracing::warn!(
                "the camera {name} gave a picture that is dropped, {times} so far: {damaged}; check its cable"
            );
        }
    }
}

/// What the thread took from the driver: luma, or a JPEG.
#[derive(Debug)]
struct Picture {
    bytes: Vec<u8>,
    at: Instant,
}

fn start(
    board: board::V4l2,
    shared: Arc<Shared>,
    opened: Opens,
    capture: Arc<Capture>,
) -> Result<JoinHandle<()>, PortError> {
    let body = move || {
        // What is shared is whole after any panic: a slot for one picture, flags and a count.
        let end = catch_unwind(AssertUnwindSafe(|| capture(&board, &shared, opened)));
        let panicked = |_| PortError::Failed(format!("the camera {} answers nonsense: use another", board.device));
        shared.slot.end(end.unwrap_or_else(panicked));
    };
    let thread = std::thread::Builder::new().name("camera".to_owned()).spawn(body);
    thread.map_err(|error| PortError::Failed(format!("cannot start the camera's thread: {error}")))
}

/// Takes pictures until told to stop or the camera fails; gives why it ended.
fn capture(board: &board::V4l2, shared: &Shared, opened: Opens) -> PortError {
    let mut camera = match device::open(board) {
        Ok(camera) => camera,
        Err(error) => return error,
    };
    // Nobody waits for one that took too long; it is told to stop.
    let _ = opened.send((camera.name.clone(), camera.layout));
    drop(opened);
    let mut step = Step::Auto;
    while !shared.stop.load(Ordering::Relaxed) {
        let wanted = Step::of(shared.step.load(Ordering::Relaxed));
        if wanted != step {
            step = wanted;
            expose(&mut camera, step);
        }
        if let Err(error) = take(&mut camera, shared) {
            return failed(&camera.name, &error);
        }
    }
    PortError::Failed(format!("the camera {} was closed", camera.name))
}

fn expose(camera: &mut Opened, step: Step) {
    if !camera.exposure.can_step() {
        return;
    }
    match camera.exposure.step(&mut camera.knobs, step) {
        Ok(()) => tracing::debug!("the camera {} exposes: {step:?}", camera.name),
        Err(error) => tracing::debug!("the camera {} does not expose {step:?}: {error}", camera.name),
    }
}

/// Waits a moment for the next picture and puts it into the slot.
fn take(camera: &mut Opened, shared: &Shared) -> io::Result<()> {
    if pipe::wait(&camera.stream, pipe::STEP_NS)?.is_empty() {
        return Ok(());
    }
    let mut picture = shared.slot.spare().unwrap_or_else(|| Picture { bytes: Vec::new(), at: Instant::now() });
    let layout = camera.layout;
    let copied = camera.stream.dequeue(|view| Ok(copy(&view, layout, &mut picture.bytes)))?;
    picture.at = Instant::now();
    match copied {
        Ok(()) => shared.slot.put(picture),
        Err(damaged) => {
            shared.drop_damaged(&camera.name, &damaged);
            shared.slot.give_back(picture);
        }
    }
    Ok(())
}

fn copy(view: &ReadBufferView<'_>, layout: Layout, bytes: &mut Vec<u8>) -> Result<(), Damaged> {
    if view.is_error() {
        return Err(Damaged("the driver says that it is damaged".to_owned()));
    }
    if layout.pixels != Pixels::Mjpeg {
        return luma::of_raw(view, layout, bytes);
    }
    bytes.clear();
    bytes.extend_from_slice(view);
    Ok(())
}

fn failed(name: &str, error: &io::Error) -> PortError {
    PortError::Failed(format!(
        "the camera {name} is gone or broken ({error}): plug it in again; it is used again as soon as it is there"
    ))
}

struct V4l2Camera {
    name: String,
    layout: Layout,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    held: Held,
    bracket: Option<Bracket>,
    decoder: mjpeg::Decoder,
    /// The memory of a frame that was looked at, for the next that is decoded.
    spare: Vec<u8>,
    last_good: Instant,
}

impl V4l2Camera {
    fn new(
        board: &board::V4l2,
        name: String,
        layout: Layout,
        shared: Arc<Shared>,
        thread: JoinHandle<()>,
        held: Held,
    ) -> V4l2Camera {
        V4l2Camera {
            name,
            layout,
            shared,
            thread: Some(thread),
            held,
            bracket: board.bracketing.then(Bracket::default),
            decoder: mjpeg::Decoder::default(),
            spare: Vec::new(),
            last_good: Instant::now(),
        }
    }

    fn frame_of(&mut self, picture: Picture) -> Result<Frame, Damaged> {
        let Layout { width, height, pixels, .. } = self.layout;
        let at = picture.at;
        let luma = if pixels == Pixels::Mjpeg {
            let mut luma = std::mem::take(&mut self.spare);
            let read = self.decoder.luma(&picture.bytes, (width, height), &mut luma);
            self.shared.slot.give_back(picture);
            if let Err(damaged) = read {
                self.spare = luma;
                return Err(damaged);
            }
            luma
        } else {
            picture.bytes
        };
        Frame::new(width, height, luma).map(|frame| frame.at(at)).map_err(|error| Damaged(error.to_string()))
    }

    fn silent(&self) -> PortError {
        let damaged = self.shared.damaged.load(Ordering::Relaxed);
        let why = if damaged > 0 { format!(" ({damaged} damaged ones were dropped)") } else { String::new() };
        PortError::Failed(format!(
            "the camera {} has given no picture for {} s{why}: it is started anew; if that does not help, check its cable",
            self.name,
            SILENT_FOR.as_secs()
        ))
    }
}

impl Camera for V4l2Camera {
    fn frame(&mut self, timeout: Duration) -> Result<Option<Frame>, PortError> {
        let deadline = Instant::now() + timeout;
        while let Some(picture) = self.shared.slot.take(deadline.saturating_duration_since(Instant::now()))? {
            match self.frame_of(picture) {
                Ok(frame) => {
                    self.last_good = Instant::now();
                    return Ok(Some(frame));
                }
                Err(damaged) => self.shared.drop_damaged(&self.name, &damaged),
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        if self.last_good.elapsed() >= SILENT_FOR { Err(self.silent()) } else { Ok(None) }
    }

    fn hint(&mut self, light: Light) {
        if let Some(step) = self.bracket.as_mut().and_then(|bracket| bracket.hint(light)) {
            self.shared.step.store(step as u8, Ordering::Relaxed);
        }
    }

    fn recycle(&mut self, frame: Frame) {
        let at = frame.captured_at();
        match self.layout.pixels {
            Pixels::Mjpeg => self.spare = frame.into_luma(),
            _ => self.shared.slot.give_back(Picture { bytes: frame.into_luma(), at }),
        }
    }
}

impl Drop for V4l2Camera {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else { return };
        let begun = Instant::now();
        while !thread.is_finished() {
            if begun.elapsed() >= CLOSES_WITHIN {
                return hold(&self.held, thread);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc::channel;

    /// Far more than anything here takes, for a machine under load.
    const PATIENCE: Duration = Duration::from_secs(30);
    const RAMP: &[u8] = include_bytes!("../../../tests/data/ramp-422-no-tables.mjpeg");

    fn board() -> board::V4l2 {
        board::V4l2 {
            device: "webcam".into(),
            size: board::Size { width: 64, height: 48, fps: 15 },
            format: None,
            exposure_us: None,
            focus: None,
            gain: None,
            power_line_hz: 50,
            bracketing: true,
        }
    }

    fn says_open(opened: &Opens, pixels: Pixels) {
        opened.send(("webcam".into(), Layout { width: 64, height: 48, stride: 0, pixels })).unwrap();
    }

    fn put(shared: &Shared, bytes: &[u8]) {
        shared.slot.put(Picture { bytes: bytes.to_vec(), at: Instant::now() });
    }

    fn wait_until(mut done: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn until_stopped(shared: &Shared) -> PortError {
        wait_until(|| shared.stop.load(Ordering::Relaxed));
        PortError::Failed("closed".into())
    }

    #[test]
    fn damaged_pictures_are_dropped_and_counted_and_the_next_whole_one_is_seen() {
        let (counts, counted) = channel();
        let counts = Mutex::new(counts);
        let mut open = opener_of(
            board(),
            Arc::new(move |_, shared: &Shared, opened: Opens| {
                says_open(&opened, Pixels::Mjpeg);
                for damaged in [&RAMP[..200], b"", b"no picture at all"] {
                    let before = shared.damaged.load(Ordering::Relaxed);
                    put(shared, damaged);
                    wait_until(|| shared.damaged.load(Ordering::Relaxed) > before);
                }
                put(shared, RAMP);
                counts.lock().unwrap().send(shared.damaged.load(Ordering::Relaxed)).unwrap();
                until_stopped(shared)
            }),
        );
        let mut camera = open().unwrap();
        let mut seen = None;
        wait_until(|| {
            seen = camera.frame(Duration::from_millis(50)).unwrap();
            seen.is_some()
        });
        let frame = seen.unwrap();
        assert_eq!((frame.width(), frame.height()), (64, 48));
        assert!(frame.luma()[0].abs_diff(20) < 6);
        assert_eq!(counted.recv_timeout(PATIENCE), Ok(3));
    }

    #[test]
    fn a_camera_whose_pictures_are_all_damaged_has_failed_after_a_while() {
        let mut open = opener_of(
            board(),
            Arc::new(|_, shared: &Shared, opened: Opens| {
                says_open(&opened, Pixels::Mjpeg);
                while !shared.stop.load(Ordering::Relaxed) {
                    put(shared, &RAMP[..100]);
                    std::thread::sleep(Duration::from_millis(20));
                }
                until_stopped(shared)
            }),
        );
        let mut camera = open().unwrap();
        let mut told = None;
        wait_until(|| {
            told = camera.frame(Duration::from_millis(100)).err();
            told.is_some()
        });
        let said = told.unwrap().to_string();
        assert!(said.contains("webcam") && said.contains("damaged ones were dropped"), "{said}");
    }

    #[test]
    fn a_driver_that_hangs_is_told_and_no_second_thread_is_lost_to_it() {
        let (release, started) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (released, starts) = (Arc::clone(&release), Arc::clone(&started));
        let mut open = opener_of(
            board(),
            Arc::new(move |_, shared: &Shared, opened: Opens| {
                starts.fetch_add(1, Ordering::Relaxed);
                wait_until(|| released.load(Ordering::Relaxed));
                let _ =
                    opened.send(("webcam".into(), Layout { width: 64, height: 48, stride: 0, pixels: Pixels::Grey }));
                until_stopped(shared)
            }),
        );
        for _ in 0..3 {
            let Err(PortError::Failed(said)) = open().map(drop) else { panic!("it did not fail") };
            assert!(said.contains("webcam does not answer: unplug it"), "{said}");
        }
        assert_eq!(started.load(Ordering::Relaxed), 1);
        release.store(true, Ordering::Relaxed);
        let mut camera = None;
        wait_until(|| {
            camera = open().ok();
            camera.is_some()
        });
        assert_eq!(started.load(Ordering::Relaxed), 2, "the first has ended");
    }

    #[test]
    fn a_camera_that_can_not_be_opened_is_told_in_its_own_words_and_a_panic_is_told_too() {
        let mut open = opener_of(board(), Arc::new(|_, _: &Shared, _| PortError::Absent("no webcam".into())));
        assert_eq!(open().map(drop), Err(PortError::Absent("no webcam".into())));
        let mut open = opener_of(board(), Arc::new(|_, _: &Shared, _| panic!("a name that is no text")));
        let Err(PortError::Failed(said)) = open().map(drop) else { panic!("it did not fail") };
        assert!(said.contains("webcam answers nonsense"), "{said}");
    }

    #[test]
    fn what_the_frames_say_of_the_light_reaches_the_camera() {
        let steps = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&steps);
        let mut open = opener_of(
            board(),
            Arc::new(move |_, shared: &Shared, opened: Opens| {
                says_open(&opened, Pixels::Grey);
                wait_until(|| Step::of(shared.step.load(Ordering::Relaxed)) == Step::Quarter);
                taken.lock().unwrap().push(Step::Quarter);
                until_stopped(shared)
            }),
        );
        let mut camera = open().unwrap();
        for _ in 0..10 {
            camera.hint(Light::TooBright);
        }
        wait_until(|| !steps.lock().unwrap().is_empty());
    }

    #[test]
    fn the_memory_of_a_frame_serves_the_next() {
        let mut open = opener_of(
            board(),
            Arc::new(|_, shared: &Shared, opened: Opens| {
                says_open(&opened, Pixels::Grey);
                put(shared, &[7; 64 * 48]);
                wait_until(|| match shared.slot.spare() {
                    Some(used) => {
                        assert_eq!(used.bytes, [7; 64 * 48]);
                        put(shared, &[8; 64 * 48]);
                        true
                    }
                    None => false,
                });
                until_stopped(shared)
            }),
        );
        let mut camera = open().unwrap();
        let frame = camera.frame(PATIENCE).unwrap().unwrap();
        camera.recycle(frame);
        assert_eq!(camera.frame(PATIENCE).unwrap().unwrap().luma()[0], 8);
    }
}
