//! The inputs thread: presence sensor, button, fire alarm.

use super::{Input, pause_before_reopening};
use crate::health::{Health, Part};
use crate::ports::{GateInput, Open, PortError, Sensed};
use crate::threads::{self, Stop};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_millis(200);

pub(super) fn spawn(
    mut open: Open<dyn GateInput>,
    inputs: SyncSender<Input>,
    health: Arc<Health>,
    stop: Stop,
) -> JoinHandle<()> {
    threads::spawn("inputs", move || {
        while !stop.is_set() {
            let ended = threads::guarded("inputs", || listen(open()?.as_mut(), &inputs, &health, &stop));
            let Err(error) = ended else { return };
            health.set(Part::Inputs, Some(error.to_string()));
            // What a sensor said before it vanished proves nothing of who is there now. An alarm that it told lasts.
            let told = inputs.send(Input::Presence(None));
            if told.is_err() || matches!(error, PortError::Ended(_)) {
                return;
            }
            pause_before_reopening(&stop);
        }
    })
}

/// Listens until told to stop or the inputs fail.
fn listen(port: &mut dyn GateInput, inputs: &SyncSender<Input>, health: &Health, stop: &Stop) -> Result<(), PortError> {
    while !stop.is_set() {
        let sensed = port.sensed(TIMEOUT)?;
        health.set(Part::Inputs, None);
        let input = match sensed {
            None => continue,
            Some(Sensed::Presence(is_there)) => Input::Presence(Some(is_there)),
            Some(Sensed::Button) => Input::Button,
            Some(Sensed::FireAlarm(lasts)) => Input::FireAlarm(lasts),
        };
        if inputs.send(input).is_err() {
            return Ok(());
        }
    }
    Ok(())
}
