//! The touch thread: thermometer → readings.

use super::{Input, pause_before_reopening};
use crate::health::{Health, Part};
use crate::ports::{Open, PortError, Thermometer};
use crate::threads::{self, Stop};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const READING_TIMEOUT: Duration = Duration::from_millis(200);
/// A thermometer that says nothing for this long is as good as absent.
const SILENT_AFTER: Duration = Duration::from_secs(2);

pub(super) fn spawn(
    mut open: Open<dyn Thermometer>,
    inputs: SyncSender<Input>,
    health: Arc<Health>,
    stop: Stop,
) -> JoinHandle<()> {
    threads::spawn("touch", move || {
        while !stop.is_set() {
            let ended = threads::guarded("thermometer", || listen(open()?.as_mut(), &inputs, &health, &stop));
            let Err(error) = ended else { return };
            health.set(Part::Thermometer, Some(error.to_string()));
            let told = inputs.send(Input::Thermometer { present: false });
            if told.is_err() || matches!(error, PortError::Ended(_)) {
                return;
            }
            pause_before_reopening(&stop);
        }
    })
}

/// Listens until told to stop or the thermometer fails.
fn listen(
    unit: &mut dyn Thermometer,
    inputs: &SyncSender<Input>,
    health: &Health,
    stop: &Stop,
) -> Result<(), PortError> {
    let mut present = None;
    let mut last_reading = Instant::now();
    while !stop.is_set() {
        let reading = unit.reading(READING_TIMEOUT)?;
        if reading.is_some() {
            last_reading = Instant::now();
        }
        let speaks = last_reading.elapsed() < SILENT_AFTER;
        if present != Some(speaks) {
            present = Some(speaks);
            let fault =
                "the thermometer is silent: check its wires and its power; it is used again as soon as it speaks";
            health.set(Part::Thermometer, (!speaks).then(|| fault.into()));
            if inputs.send(Input::Thermometer { present: speaks }).is_err() {
                return Ok(());
            }
        }
        if let Some(reading) = reading
            && inputs.send(Input::Reading(reading, Instant::now())).is_err()
        {
            return Ok(());
        }
    }
    Ok(())
}
