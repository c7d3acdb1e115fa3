//! The device's loudspeaker: a sound card by way of the system's own player, or files that say what would be played.
//!
//! What is played, how loud and when is decided above (`menshen_lane::sound`); an adapter here starts one sound, ends it
//! when it is told to, and tells what failed.

mod alsa;
mod recorded;

use std::path::Path;

use menshen_lane::ports::{Open, Speaker};

use crate::board::{Sound, SoundAt};

/// Opens the loudspeaker of a board; relative paths are within `state_dir`.
pub fn opener(sound: &Sound, state_dir: &Path) -> Open<dyn Speaker> {
    match sound.at.clone() {
        SoundAt::Alsa { device } => {
            let lingering = alsa::Lingering::default();
            Box::new(move || Ok(Box::new(alsa::Aplay::open(&device, &lingering)?)))
        }
        SoundAt::Recorded { folder } => {
            let folder = state_dir.join(folder);
            Box::new(move || Ok(Box::new(recorded::Recorder::open(&folder)?)))
        }
    }
}
