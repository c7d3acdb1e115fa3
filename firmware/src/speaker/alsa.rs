//! A sound card, through `aplay` of the package alsa-utils.
//!
//! A process a sound: what is outdated is killed with its process, a sound card that hangs takes nothing with it, and no
//! library of sound is part of this program. The sound is a file in memory that the player reads as its standard input,
//! so that nobody writes to a pipe that nobody empties.
//!
//! Invariants: nothing here waits for a player for long, not even for one that does not end when it is killed because its
//! driver hangs; beside such a one no other is started, so that however long that lasts there is one of them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

/// A player that was killed is gone within this, but for one whose driver hangs.
const END_WITHIN: Duration = Duration::from_millis(300);

/// A player's process.
trait Process: Send {
    fn kill(&mut self) -> io::Result<()>;
    /// How it ended; `None` while it has not.
    fn ended(&mut self) -> io::Result<Option<ExitStatus>>;
}

impl Process for Child {
    fn kill(&mut self) -> io::Result<()> {
        Child::kill(self)
    }

    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.try_wait()
    }
}

/// The player that was killed and has not ended, if any; of a loudspeaker, however often it is opened.
#[derive(Clone, Default)]
pub(super) struct Lingering(Arc<Mutex<Option<Box<dyn Process>>>>);

impl Lingering {
    fn lock(&self) -> MutexGuard<'_, Option<Box<dyn Process>>> {
        // Replaced as a whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is one; one that has ended meanwhile is forgotten.
    fn is_there(&self) -> bool {
        let mut lingering = self.lock();
        let lives = lingering.as_mut().is_some_and(|process| matches!(process.ended(), Ok(None)));
        if !lives {
            *lingering = None;
        }
        lives
    }

    /// Kills a player, and keeps it if it does not end.
    fn end(&self, mut process: Box<dyn Process>) {
        // One that has ended already is fine too.
        let _ = process.kill();
        let begun = Instant::now();
        while matches!(process.ended(), Ok(None)) {
            if begun.elapsed() >= END_WITHIN {
                *self.lock() = Some(process);
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The player of a sound card.
pub(super) struct Aplay {
    device: String,
    playing: Option<Playing>,
    lingering: Lingering,
}

struct Playing {
    process: Box<dyn Process>,
    said: File,
    until: Instant,
}

impl Aplay {
    /// Begins with a silence: a card that is not there is told before somebody should have heard something.
    pub(super) fn open(device: &str, lingering: &Lingering) -> Result<Aplay, PortError> {
        let mut aplay = Aplay { device: device.to_owned(), playing: None, lingering: lingering.clone() };
        aplay.check()?;
        Ok(aplay)
    }

    fn start(&mut self, wav: &[u8], length: Duration) -> Result<(), PortError> {
        if self.lingering.is_there() {
            return Err(PortError::Failed(format!(
                "the loudspeaker {:?} does not play, its driver hangs: pull it out and plug it in again, or start the \
                 device again",
                self.device
            )));
        }
        let held = || -> io::Result<(File, File)> {
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
        self.playing = Some(Playing { process: Box::new(child), said, until: Instant::now() + length + PATIENCE });
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
        if let Some(playing) = self.playing.take() {
            self.lingering.end(playing.process);
        }
    }

    fn check(&mut self) -> Result<(), PortError> {
        self.hush();
        let silence = vec![0; (pcm::RATE_HZ * TRIAL_MS / 1000) as usize];
        self.start(&pcm::wav(&silence), pcm::length(&silence))
    }

    fn is_playing(&mut self) -> Result<bool, PortError> {
        let Some(playing) = &mut self.playing else { return Ok(false) };
        let ended = playing.process.ended();
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A player whose driver hangs: it does not end when it is killed.
    struct Hangs(Arc<AtomicBool>);

    impl Process for Hangs {
        fn kill(&mut self) -> io::Result<()> {
            Ok(())
        }
        fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
            Ok(self.0.load(Ordering::SeqCst).then(ExitStatus::default))
        }
    }

    #[test]
    fn a_player_that_does_not_end_is_not_waited_for_and_no_other_is_started_beside_it() {
        let (lets_go, lingering) = (Arc::new(AtomicBool::new(false)), Lingering::default());
        let said = File::from(memfd_create("said", MemfdFlags::CLOEXEC).expect("there is memory"));
        let process = Box::new(Hangs(Arc::clone(&lets_go)));
        let playing = Some(Playing { process, said, until: Instant::now() });
        let mut aplay = Aplay { device: "usb".to_owned(), playing, lingering: lingering.clone() };
        let begun = Instant::now();
        let told = aplay.is_playing().map_err(|error| error.to_string());
        assert!(told.is_err_and(|told| told.contains("it hangs")));
        drop(aplay);
        assert!(begun.elapsed() < Duration::from_secs(20), "it was waited for");
        // However often it is opened.
        for _ in 0..3 {
            let told = Aplay::open("usb", &lingering).err().map(|error| error.to_string());
            assert!(told.as_ref().is_some_and(|told| told.contains("its driver hangs")), "{told:?}");
        }
        lets_go.store(true, Ordering::SeqCst);
        assert!(!lingering.is_there(), "one that has ended is forgotten");
    }
}
