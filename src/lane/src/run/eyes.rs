//! The eyes thread: camera → optics → payloads.
//!
//! An adapter keeps to its timeouts as far as the system lets it; a driver may hold a call for as long as it likes.
//! So a second thread looks at the clock: a call to the camera that has not come back in time is told as a stalled
//! camera, whatever hangs in it. Invariant: what is told of the camera is never older than what it did last, because
//! both threads write it only with the watch in hand.

use super::{Input, Spectator, pause_before_reopening};
use crate::health::{Health, Part};
use crate::optics::{Diagnosis, Reader};
use crate::ports::{Camera, Light, Open, PortError};
use crate::threads::{self, Stop};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const FRAME_TIMEOUT: Duration = Duration::from_millis(200);
/// No further look at a frame begins after this: the next frame is another chance.
pub const LOOK_BUDGET: Duration = Duration::from_millis(25);
/// A camera that gives nothing for this long is told, within a look more.
const STALLED_AFTER: Duration = Duration::from_millis(1700);
/// How often the watch is looked at.
const LOOK_AT_WATCH: Duration = Duration::from_millis(100);
/// What is told of a camera that stays silent.
const SILENT: &str = "the camera gives no pictures: check its cable; it is used again as soon as it does";
/// What is told of a camera whose driver does not answer.
const HANGS: &str = "the camera does not answer: unplug it and plug it in again, or restart the gate if it is built in";

/// Since when a call to the camera has been out; `None` between calls.
#[derive(Default)]
struct Watch(Mutex<Option<Instant>>);

impl Watch {
    /// Makes a call under the watch.
    fn over<T>(&self, call: impl FnOnce() -> T) -> T {
        *self.lock() = Some(Instant::now());
        let came_back = call();
        *self.lock() = None;
        came_back
    }

    /// Tells of a call that has not come back in time.
    fn look(&self, health: &Health) {
        let out = self.lock();
        if out.is_some_and(|since| since.elapsed() >= STALLED_AFTER) {
            health.set(Part::Camera, Some(HANGS.into()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        // One assignment at a time, so what a panic leaves behind is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn spawn(
    mut open: Open<dyn Camera>,
    inputs: SyncSender<Input>,
    health: Arc<Health>,
    mut spectators: Vec<Box<dyn Spectator>>,
    stop: Stop,
) -> JoinHandle<()> {
    let watch = Arc::new(Watch::default());
    spawn_watch(Arc::downgrade(&watch), health.clone(), stop.clone());
    threads::spawn("eyes", move || {
        let mut reader = Reader::with_budget(LOOK_BUDGET);
        while !stop.is_set() {
            let ended = threads::guarded("camera", || {
                let mut camera = watch.over(&mut open)?;
                let ended = look(camera.as_mut(), &mut reader, &mut spectators, &inputs, &health, &watch, &stop);
                // Closing a camera is a call to its driver too.
                watch.over(|| drop(camera));
                ended
            });
            let Err(error) = ended else { return };
            *watch.lock() = None;
            health.set(Part::Camera, Some(error.to_string()));
            if matches!(error, PortError::Ended(_)) {
                return;
            }
            pause_before_reopening(&stop);
        }
    })
}

/// Looks at the watch until the eyes have ended. Nobody waits for this thread.
fn spawn_watch(watch: std::sync::Weak<Watch>, health: Arc<Health>, stop: Stop) {
    threads::spawn("eyes-watch", move || {
        while let Some(watch) = watch.upgrade().filter(|_| !stop.is_set()) {
            watch.look(&health);
            drop(watch);
            stop.sleep(LOOK_AT_WATCH);
        }
    });
}

/// Looks until told to stop or the camera fails.
fn look(
    camera: &mut dyn Camera,
    reader: &mut Reader,
    spectators: &mut [Box<dyn Spectator>],
    inputs: &SyncSender<Input>,
    health: &Health,
    watch: &Watch,
    stop: &Stop,
) -> Result<(), PortError> {
    let mut last_frame = Instant::now();
    while !stop.is_set() {
        let Some(frame) = watch.over(|| camera.frame(FRAME_TIMEOUT))? else {
            spectators.iter_mut().for_each(|spectator| spectator.nothing(camera.is_live()));
            if !camera.is_live() {
                // It answers, so whatever held it is over.
                health.set(Part::Camera, None);
            } else if last_frame.elapsed() >= STALLED_AFTER {
                health.set(Part::Camera, Some(SILENT.into()));
            }
            continue;
        };
        last_frame = Instant::now();
        health.set(Part::Camera, None);
        let sight = reader.read(&frame);
        spectators
            .iter_mut()
            .filter_map(|spectator| spectator.is_watched().then_some(spectator))
            .for_each(|spectator| spectator.frame(&frame, &sight));
        camera.recycle(frame);
        camera.hint(light_of(sight.diagnosis));
        if inputs.send(Input::Sight(sight)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// What a diagnosis says of the exposure.
fn light_of(diagnosis: Diagnosis) -> Light {
    match diagnosis {
        Diagnosis::OverExposed | Diagnosis::Glare => Light::TooBright,
        Diagnosis::TooDark => Light::TooDark,
        Diagnosis::Read
        | Diagnosis::NoCode
        | Diagnosis::TooSmall
        | Diagnosis::TooBlurred
        | Diagnosis::CutOff
        | Diagnosis::Unreadable => Light::Fine,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;
    use crate::optics::{Frame, Sight};
    use std::sync::mpsc::{Receiver, channel, sync_channel};

    /// Far more than anything here takes, for a machine under load.
    const PATIENCE: Duration = Duration::from_secs(30);

    struct Scripted(Receiver<Result<Option<Frame>, PortError>>);

    /// A folder that nobody puts pictures into, on a disk that sleeps once.
    struct Asleep(Option<Receiver<()>>);

    impl Camera for Asleep {
        fn frame(&mut self, timeout: Duration) -> Result<Option<Frame>, PortError> {
            match self.0.take() {
                Some(awakes) => awakes.recv().unwrap(),
                None => std::thread::sleep(timeout),
            }
            Ok(None)
        }

        fn is_live(&self) -> bool {
            false
        }
    }

    impl Camera for Scripted {
        fn frame(&mut self, timeout: Duration) -> Result<Option<Frame>, PortError> {
            self.0.recv_timeout(timeout).unwrap_or(Ok(None))
        }
    }

    fn frame() -> Result<Option<Frame>, PortError> {
        Ok(Some(Frame::new(32, 32, vec![128; 1024]).unwrap()))
    }

    #[track_caller]
    fn told(health: &Health, expected: impl Fn(Option<&str>) -> bool) {
        let begun = Instant::now();
        while !expected(health.faults().camera.as_deref()) {
            assert!(begun.elapsed() < PATIENCE, "told: {:?}", health.faults().camera);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn run(open: Open<dyn Camera>) -> (Arc<Health>, Stop, Receiver<Input>) {
        run_before(open, Vec::new())
    }

    fn run_before(open: Open<dyn Camera>, spectators: Vec<Box<dyn Spectator>>) -> (Arc<Health>, Stop, Receiver<Input>) {
        let (sender, inputs) = sync_channel(64);
        let (health, stop) = (Arc::new(Health::default()), Stop::new());
        spawn(open, sender, health.clone(), spectators, stop.clone());
        (health, stop, inputs)
    }

    /// Wants every other frame.
    struct Nodding(bool, SyncSender<u32>);

    impl Spectator for Nodding {
        fn is_watched(&mut self) -> bool {
            self.0 = !self.0;
            self.0
        }

        fn frame(&mut self, frame: &Frame, _: &Sight) {
            self.1.send(frame.width()).unwrap();
        }
    }

    #[test]
    fn a_spectator_sees_the_frames_that_it_wants_and_no_others() {
        let (script, scripted) = channel();
        let mut scripted = Some(scripted);
        let (seen, sees) = sync_channel(64);
        let open: Open<dyn Camera> = Box::new(move || Ok(Box::new(Scripted(scripted.take().unwrap()))));
        let (_health, stop, inputs) = run_before(open, vec![Box::new(Nodding(false, seen))]);
        for width in [30, 31, 32, 33] {
            script.send(Ok(Some(Frame::new(width, 32, vec![128; width as usize * 32]).unwrap()))).unwrap();
            assert!(matches!(inputs.recv_timeout(PATIENCE), Ok(Input::Sight(_))));
        }
        assert_eq!(sees.try_iter().collect::<Vec<_>>(), [30, 32]);
        stop.set();
    }

    #[test]
    fn an_open_that_hangs_is_told_and_forgotten_when_frames_come() {
        let (release, held) = channel::<()>();
        let (script, scripted) = channel();
        let mut scripted = Some(scripted);
        let (health, stop, _inputs) = run(Box::new(move || {
            held.recv().unwrap();
            Ok(Box::new(Scripted(scripted.take().unwrap())))
        }));
        told(&health, |fault| fault == Some(HANGS));
        release.send(()).unwrap();
        script.send(frame()).unwrap();
        told(&health, |fault| fault.is_none());
        stop.set();
    }

    #[test]
    fn a_folder_that_does_not_answer_is_told_and_forgotten_when_it_does_without_a_picture() {
        let (awake, awakes) = channel();
        let mut awakes = Some(awakes);
        let (health, stop, _inputs) = run(Box::new(move || Ok(Box::new(Asleep(awakes.take())))));
        told(&health, |fault| fault == Some(HANGS));
        awake.send(()).unwrap();
        told(&health, |fault| fault.is_none());
        stop.set();
    }

    #[test]
    fn a_camera_that_falls_silent_is_told_and_forgotten_when_frames_come() {
        let (script, scripted) = channel();
        let mut scripted = Some(scripted);
        let (health, stop, inputs) = run(Box::new(move || Ok(Box::new(Scripted(scripted.take().unwrap())))));
        script.send(frame()).unwrap();
        assert!(matches!(inputs.recv_timeout(PATIENCE), Ok(Input::Sight(_))));
        assert_eq!(health.faults().camera, None);
        told(&health, |fault| fault == Some(SILENT));
        script.send(frame()).unwrap();
        told(&health, |fault| fault.is_none());
        stop.set();
    }

    #[test]
    fn a_camera_that_fails_is_told_in_its_own_words_and_opened_again() {
        let mut times = 0;
        let (health, stop, inputs) = run(Box::new(move || {
            times += 1;
            let (script, scripted) = channel();
            let first = if times == 1 { Err(PortError::Failed("the lens fell off: fit it".into())) } else { frame() };
            script.send(first).unwrap();
            Ok(Box::new(Scripted(scripted)))
        }));
        told(&health, |fault| fault == Some("the lens fell off: fit it"));
        told(&health, |fault| fault.is_none());
        assert!(matches!(inputs.recv_timeout(PATIENCE), Ok(Input::Sight(_))));
        stop.set();
    }
}
