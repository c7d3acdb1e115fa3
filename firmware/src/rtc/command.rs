//! `menshen-gate rtc`: reads a gate's clock chip, or sets it, for whoever mounts or mends the gate.
//!
//! A person who sets the clock vouches for it: the order is left in the state folder too, so that a gate that runs,
//! or starts next, knows that its clock has been confirmed and does not take the change for a jump.
//!
//! Invariant: whatever the gate would not take is refused before the chip is touched: a folder where no gate looks, a
//! moment that can not be, and `now` from a system's clock that nobody has set since the start, which after an empty
//! battery is at 1970 or at the last shutdown.

use super::Rtc;
use crate::board::Board;
use crate::clock::{by_hand, could_be};
use menshen_core::clock::{Implausible, Look};
use menshen_lane::moment;
use menshen_lane::ports::PortError;
use std::io;
use std::path::{Path, PathBuf};

/// What a clock is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetTo {
    /// What the system's clock says.
    Now,
    /// This, in seconds since 1970.
    At(u64),
}

impl std::str::FromStr for SetTo {
    type Err = String;

    fn from_str(text: &str) -> Result<SetTo, String> {
        match text {
            "now" => Ok(SetTo::Now),
            text => moment::parse(text).map(SetTo::At).map_err(|error| format!("{error}, or now")),
        }
    }
}

/// Why a clock is neither read nor set.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The board has no clock chip.
    #[error(
        "the board {name} has no clock chip: write source = \"rtc\" below [clock] in its file, or set the system's clock"
    )]
    NoChip {
        /// The board's name.
        name: String,
    },
    /// The chip.
    #[error(transparent)]
    Chip(#[from] PortError),
    /// The order could not be left for the gate.
    #[error(
        "the clock is not set, because the gate would not learn of it: {path} can not be written ({source}); name the gate's own state folder with --state, as a user who may write there"
    )]
    State {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The order can not be left for the gate.
    #[error(
        "the clock is set, but {path} can not be written ({source}), so the gate does not know it: free or repair that disk and set the clock again"
    )]
    Order {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody has told the system what time it is.
    #[error(
        "the clock is not set: now would be {now} by this system's clock, which nothing has set since this device was started ({sign} is not there); connect the device to a time service, or read a clock that you trust and write the time, as in --set 2026-11-27T09:00:30"
    )]
    NotSynchronised {
        /// What it says.
        now: String,
        /// What a time service leaves.
        sign: PathBuf,
    },
    /// The gate would not believe that moment.
    #[error("the clock is not set: it can not be {asked}, {why}")]
    CanNotBe {
        /// The moment.
        asked: String,
        /// Why, and what to do.
        why: String,
    },
}

/// Sets the clock if told to, and says in one sentence what it reads.
///
/// # Errors
/// [`CommandError`].
pub fn run(board: &Board, state_dir: &Path, set_to: Option<SetTo>) -> Result<String, CommandError> {
    let open = super::opener(&board.clock.source, state_dir);
    let mut rtc = open.ok_or_else(|| CommandError::NoChip { name: board.name.clone() })?()?;
    if let Some(set_to) = set_to {
        set(rtc.as_mut(), board, state_dir, set_to)?;
    }
    Ok(match rtc.read()? {
        Look::Absent => "the clock chip says nothing: check its wires".to_owned(),
        Look::LostPower => {
            "the clock chip stood still: put a new battery in and set it, for example with --set now".to_owned()
        }
        Look::At(unix_s) => format!("the clock chip says {}, {}", moment::show_to_the_second(unix_s), beside(unix_s)),
    })
}

fn set(rtc: &mut dyn Rtc, board: &Board, state_dir: &Path, set_to: SetTo) -> Result<(), CommandError> {
    by_hand::may_leave(state_dir).map_err(|(path, source)| CommandError::State { path, source })?;
    let unix_s = match set_to {
        SetTo::Now if !board.clock.sign.exists() => {
            let (now, sign) = (moment::show_to_the_second(moment::now()), board.clock.sign.clone());
            return Err(CommandError::NotSynchronised { now, sign });
        }
        SetTo::Now => moment::now(),
        SetTo::At(unix_s) => unix_s,
    };
    could_be(state_dir, unix_s).map_err(|(implausible, passed_s)| can_not_be(unix_s, implausible, passed_s))?;
    rtc.set(unix_s)?;
    by_hand::leave(state_dir, unix_s).map_err(|(path, source)| CommandError::Order { path, source })
}

fn can_not_be(unix_s: u64, implausible: Implausible, passed_s: u64) -> CommandError {
    let why = match implausible {
        Implausible::BehindProof => format!(
            "because {} is known to have passed: that is when this program was built, or what the gate believes was \
             signed; write the right time",
            moment::show_to_the_second(passed_s)
        ),
        Implausible::TooLate => "which is years after this program was built; write the right time".to_owned(),
        Implausible::TooVague => implausible.to_string(),
    };
    CommandError::CanNotBe { asked: moment::show_to_the_second(unix_s), why }
}

fn beside(unix_s: u64) -> String {
    let system_s = moment::now();
    match unix_s.abs_diff(system_s) {
        0 | 1 => "as the system's clock does".to_owned(),
        apart_s if unix_s > system_s => format!("{apart_s} s ahead of the system's clock"),
        apart_s => format!("{apart_s} s behind the system's clock"),
    }
}
