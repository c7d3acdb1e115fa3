//! `menshen-gate pin`: sets the PIN of a gate's panel, or takes it away, for whoever mounts or serves the gate.
//!
//! Beside the panel itself, because a PIN that was forgotten is taken away only by somebody who can reach the state
//! folder, and hundreds of gates get theirs by a script. The digits come by standard input and never as an argument,
//! which every program of the device could read; at a terminal they are not shown.

use menshen_lane::panel::{PinError, PinFile};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Why there is no other PIN now.
#[derive(Debug, thiserror::Error)]
pub enum PinCommandError {
    /// There is no such state folder, so no gate would learn of it.
    #[error("{} is no state folder of a gate: name the gate's own with --state", .0.display())]
    NoState(PathBuf),
    /// Nothing was typed.
    #[error("no PIN came by standard input ({0}): type it, or write it to the program's input")]
    Input(io::Error),
    /// It is no PIN, or can not be kept.
    #[error(transparent)]
    Pin(#[from] PinError),
}

/// Sets the PIN that comes by standard input, or takes it away; says in one sentence what counts now.
///
/// # Errors
/// [`PinCommandError`].
pub fn run(state: &Path, clear: bool) -> Result<&'static str, PinCommandError> {
    if !state.is_dir() {
        return Err(PinCommandError::NoState(state.to_owned()));
    }
    let file = PinFile::of(state);
    if clear {
        file.clear()?;
        return Ok("this gate has no PIN: only its own screen shows it and may open it by hand");
    }
    let typed = typed("New PIN, six to twelve digits: ").map_err(PinCommandError::Input)?;
    file.set(typed.trim())?;
    Ok(
        "the new PIN counts from now on; screens that are unlocked stay so until they are locked or the gate starts again",
    )
}

/// A line of standard input, asked for and unseen where somebody types it.
///
/// # Errors
/// Where standard input can not be read.
pub fn typed(question: &str) -> io::Result<String> {
    let input = io::stdin();
    let mut line = String::new();
    if !input.is_terminal() {
        input.lock().read_line(&mut line)?;
        return Ok(line);
    }
    write!(io::stderr(), "{question}")?;
    let shown = tcgetattr(&input)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&input, OptionalActions::Now, &hidden)?;
    let read = input.lock().read_line(&mut line);
    tcsetattr(&input, OptionalActions::Now, &shown)?;
    writeln!(io::stderr())?;
    read.map(|_| line)
}
