//! A sound card, through `aplay` of the package alsa-utils.
//!
//! A process a sound: what is outdated is killed with its process, a sound card that hangs takes nothing with it, and no
//! library of sound is part of this program. The sound is a file in memory that the player reads as its standard input,
//! so that nobody writes to a pipe that nobody empties.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use menshen_lane::ports::{PortError, Speaker};
use menshen_lane::sound::{Sounded, pcm};
use rustix::fs::{MemfdFlags, memfd_create};

const PROGRAM: &str = "aplay";
/// A player that takes so much longer than its sound hangs.
const PATIENCE: Duration = Duration::from_secs(3);
/// So much of what the player says is read; its last line is told.
const SAID_BYTES: u64 = 4096;
/// The silence by which it is found out whether the card can play at all.
const TRIAL_MS: u32 = 50;

/// The player of a sound card.
pub(super) struct Aplay {
    device: String,
    playing: Option<Playing>,
}

struct Playing {
    child: Child,
    said: File,
    until: Instant,
}

impl Aplay {
    /// Begins with a silence: a card that is not there is told before somebody should have heard something.
    pub(super) fn open(device: &str) -> Result<Aplay, PortError> {
        let mut aplay = Aplay { device: device.to_owned(), playing: None };
        let silence = vec![0; (pcm::RATE_HZ * TRIAL_MS / 1000) as usize];
        aplay.start(&pcm::wav(&silence), pcm::length(&silence))?;
        Ok(aplay)
    }

    fn start(&mut self, wav: &[u8], length: Duration) -> Result<(), PortError> {
        let held = || -> std::io::Result<(File, File)> {
            let mut sound = File::from(memfd_create("menshen-sound", MemfdFlags::CLOEXEC)?);
            sound.write_all(wav)?;
            sound.seek(SeekFrom::Start(0))?;
            Ok((sound, File::from(memfd_create("menshen-aplay-says", MemfdFlags::CLOEXEC)?)))
        };
        let memory = |error| PortError::Failed(format!("no memory for a sound ({error}): free some and start again"));
        let (sound, said) = held().map_err(memory)?;
        let says = said.try_clone().map_err(memory)?;
        let mut command = Command::new(PROGRAM);
        // In English, because what it says is told to a technician.
        command.env("LC_ALL", "C").args(["--quiet", "--device", &self.device]).arg("-");
        command.stdin(Stdio::from(sound)).stdout(Stdio::null()).stderr(Stdio::from(says));
        let child = command.spawn().map_err(|error| {
            PortError::Absent(format!(
                "the loudspeaker does not play, {PROGRAM} can not be started ({error}): install the package alsa-utils, \
                 or write kind = \"none\" for `sound` in the board file"
            ))
        })?;
        self.playing = Some(Playing { child, said, until: Instant::now() + length + PATIENCE });
        Ok(())
    }

    fn failed(&self, how: &str, said: &mut File) -> PortError {
        let mut text = String::new();
        let read = said.seek(SeekFrom::Start(0)).and_then(|_| said.take(SAID_BYTES).read_to_string(&mut text));
        let last = text.lines().rfind(|line| !line.trim().is_empty()).filter(|_| read.is_ok());
        let said = last.map_or_else(|| "it said nothing".to_owned(), |line| format!("it said: {}", line.trim()));
        PortError::Failed(format!(
            "the loudspeaker {:?} does not play ({PROGRAM}: {how}; {said}): plug it in, or name another of `aplay -L` as \
             `sound.device` in the board file",
            self.device
        ))
    }
}

impl Speaker for Aplay {
    fn play(&mut self, sound: &Sounded) -> Result<(), PortError> {
        // A card plays for one player at a time.
        let before = self.is_playing();
        self.hush();
        before?;
        self.start(&sound.wav, sound.length)
    }

    fn hush(&mut self) {
        if let Some(mut playing) = self.playing.take() {
            // One that has ended already is fine too.
            let _ = playing.child.kill();
            let _ = playing.child.wait();
        }
    }

    fn is_playing(&mut self) -> Result<bool, PortError> {
        let Some(playing) = &mut self.playing else { return Ok(false) };
        let ended = playing.child.try_wait();
        let how = match ended {
            Ok(None) if Instant::now() < playing.until => return Ok(true),
            Ok(None) => "it hangs".to_owned(),
            Ok(Some(status)) if ExitStatus::success(&status) => {
                self.playing = None;
                return Ok(false);
            }
            Ok(Some(status)) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let mut said = playing.said.try_clone();
        self.hush();
        Err(match &mut said {
            Ok(said) => self.failed(&how, said),
            Err(error) => PortError::Failed(format!("the loudspeaker {:?} does not play: {error}", self.device)),
        })
    }
}

impl Drop for Aplay {
    fn drop(&mut self) {
        self.hush();
    }
}
