//! The eyes thread: camera → optics → payloads.

use super::{Input, guarded, pause_before_reopening};
use crate::health::{Health, Part};
use crate::optics::Reader;
use crate::ports::{Camera, Open, PortError};
use crate::threads::{self, Stop};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const FRAME_TIMEOUT: Duration = Duration::from_millis(200);
/// No further look at a frame begins after this: the next frame is another chance.
const LOOK_BUDGET: Duration = Duration::from_millis(25);
/// A camera that gives nothing for this long is told.
const STALLED_AFTER: Duration = Duration::from_secs(2);

pub(super) fn spawn(
    mut open: Open<dyn Camera>,
    inputs: SyncSender<Input>,
    health: Arc<Health>,
    stop: Stop,
) -> JoinHandle<()> {
    threads::spawn("eyes", move || {
        let mut reader = Reader::with_budget(LOOK_BUDGET);
        while !stop.is_set() {
            let ended = guarded("camera", || watch(open()?.as_mut(), &mut reader, &inputs, &health, &stop));
            let Err(error) = ended else { return };
            health.set(Part::Camera, Some(error.to_string()));
            if matches!(error, PortError::Ended(_)) {
                return;
            }
            pause_before_reopening(&stop);
        }
    })
}

/// Looks until told to stop or the camera fails.
fn watch(
    camera: &mut dyn Camera,
    reader: &mut Reader,
    inputs: &SyncSender<Input>,
    health: &Health,
    stop: &Stop,
) -> Result<(), PortError> {
    let mut last_frame = Instant::now();
    if !camera.is_live() {
        health.set(Part::Camera, None);
    }
    while !stop.is_set() {
        let Some(frame) = camera.frame(FRAME_TIMEOUT)? else {
            if camera.is_live() && last_frame.elapsed() >= STALLED_AFTER {
                let fault = "the camera gives no pictures: check its cable; it is used again as soon as it does";
                health.set(Part::Camera, Some(fault.into()));
            }
            continue;
        };
        last_frame = Instant::now();
        health.set(Part::Camera, None);
        if inputs.send(Input::Sight(reader.read(&frame))).is_err() {
            return Ok(());
        }
    }
    Ok(())
}
