//! A program that is asked for what it prints, and does not hold up whoever asks.
//!
//! A proof runs such programs: itself, for the walk, and a board's own tool. Invariants: nobody waits for one longer than
//! they want to and a moment more, also where it can not be killed or has left its output to a program of its own; each
//! that has ended is collected, late ones by a thread that waits for nothing else. What a program prints must fit into a
//! pipe (64 KiB): it is read when the program is over.

use rustix::fs::{OFlags, fcntl_setfl};
use std::io::{self, ErrorKind, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What is killed ends in so long, unless the system itself holds it.
const DEATH: Duration = Duration::from_secs(2);

/// Why a program said nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotSaid {
    /// There is none, or it may not be run.
    #[error("the system does not start it ({0}): check that the program is there and may be run")]
    NotStarted(io::Error),
    /// It failed.
    #[error("it ended with {0}: see what it says on a terminal")]
    Ended(ExitStatus),
    /// It hung, and was killed.
    #[error("it did not end within {} s and was killed: try again, and start the device again if it stays so", .0.as_secs())]
    Hung(Duration),
    /// It hung, and could not even be killed.
    #[error("it did not end within {} s, nor when it was killed: start the device again", .0.as_secs())]
    Undying(Duration),
    /// What it said can not be had.
    #[error("what it said can not be read ({0}): try again")]
    Unread(io::Error),
}

/// Runs a command without input, and gives what it printed; it may take so long.
///
/// # Errors
/// [`NotSaid`].
pub fn said_within(command: &mut Command, patience: Duration) -> Result<String, NotSaid> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(NotSaid::NotStarted)?;
    match ended_within(&mut child, patience).map_err(NotSaid::Unread)? {
        Some(status) if status.success() => {
            let read = child.stdout.take().map_or_else(|| Ok(String::new()), read_now);
            read.map_err(NotSaid::Unread)
        }
        Some(status) => Err(NotSaid::Ended(status)),
        None => Err(kill(child, patience)),
    }
}

fn ended_within(child: &mut Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        let status = child.try_wait()?;
        if status.is_some() || begun.elapsed() >= patience {
            return Ok(status);
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn kill(mut child: Child, patience: Duration) -> NotSaid {
    // One that has just ended by itself can not be killed, and is waited for all the same.
    let _ = child.kill();
    if matches!(ended_within(&mut child, DEATH), Ok(Some(_))) {
        return NotSaid::Hung(patience);
    }
    // Where there is no thread for it, it stays a zombie until this program ends.
    let _ = thread::Builder::new().name("collects".into()).spawn(move || child.wait());
    NotSaid::Undying(patience)
}

/// What is in the pipe: whoever holds its other end by now is not who was asked.
fn read_now(mut pipe: ChildStdout) -> io::Result<String> {
    fcntl_setfl(&pipe, OFlags::NONBLOCK)?;
    let mut said = Vec::new();
    match pipe.read_to_end(&mut said) {
        Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
        _ => {}
    }
    String::from_utf8(said).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;

    fn shell(script: &str, patience: Duration) -> Result<String, NotSaid> {
        said_within(Command::new("/bin/sh").args(["-c", script]), patience)
    }

    #[test]
    fn a_program_that_hangs_is_killed_and_collected_and_nobody_waits_for_it() {
        let begun = Instant::now();
        let hung = shell("exec sleep 600", Duration::from_millis(100)).unwrap_err();
        assert!(matches!(hung, NotSaid::Hung(_)), "{hung}");
        assert!(begun.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn whoever_inherits_its_output_is_not_waited_for_either() {
        let begun = Instant::now();
        assert_eq!(shell("sleep 60 & echo here", Duration::from_secs(30)).unwrap(), "here\n");
        assert!(begun.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_program_that_fails_has_said_nothing() {
        let failed = shell("echo half; exit 3", Duration::from_secs(30)).unwrap_err();
        assert!(matches!(failed, NotSaid::Ended(status) if status.code() == Some(3)));
    }
}
