//! The loudspeaker of a board, as a board file says it.

use super::BoardError;
use super::outputs::Outputs;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The loudspeaker of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// Where it plays.
    pub at: SoundAt,
    /// Whether it sounds the rhythms too; else a buzzer does, and what is spoken waits for that.
    pub tones: bool,
}

/// Where a loudspeaker plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SoundAt {
    /// On a sound card, by the system's own program `aplay`.
    Alsa {
        /// The name that ALSA has for it, such as `default` or `plughw:CARD=Device`.
        device: String,
    },
    /// Into files, so that a test or a person hears what would be played.
    Recorded {
        /// The folder, within the state directory.
        folder: PathBuf,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SoundSection {
    kind: Option<SoundKind>,
    device: Option<String>,
    folder: Option<PathBuf>,
    tones: Option<bool>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SoundKind {
    None,
    Alsa,
    Recorded,
}

impl SoundSection {
    /// The loudspeaker; `None` where there is none.
    pub(super) fn resolve(self, outputs: &Outputs, path: &Path) -> Result<Option<Sound>, BoardError> {
        let at = match self.kind.unwrap_or(SoundKind::None) {
            SoundKind::None => return Ok(None),
            SoundKind::Alsa => {
                let device = self.device.unwrap_or_else(|| "default".to_owned());
                if device.is_empty() || device.starts_with('-') {
                    return Err(BoardError::Value {
                        path: path.to_owned(),
                        key: "sound.device".to_owned(),
                        found: format!("{device:?}"),
                        allowed: "it may be a name that `aplay -L` lists, such as \"default\"".to_owned(),
                    });
                }
                SoundAt::Alsa { device }
            }
            SoundKind::Recorded => SoundAt::Recorded { folder: self.folder.unwrap_or_else(|| "sound".into()) },
        };
        Ok(Some(Sound { at, tones: self.tones.unwrap_or(!outputs.has_buzzer()) }))
    }
}
