//! `menshen-gate rtc`: reads a gate's clock chip, or sets it, for whoever mounts or mends the gate.
//!
//! A person who sets the clock vouches for it: the order is left in the state folder too, so that a gate that runs,
//! or starts next, knows that its clock has been confirmed and does not take the change for a jump.

use super::Rtc;
use crate::board::Board;
use crate::clock::by_hand;
use menshen_core::clock::Look;
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
    /// The order can not be left for the gate.
    #[error(
        "the clock is set, but {path} can not be written ({source}): name the gate's own folder with --state, as a user who may write there"
    )]
    Order {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
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
        set(rtc.as_mut(), state_dir, set_to)?;
    }
    Ok(match rtc.read()? {
        Look::Absent => "the clock chip says nothing: check its wires".to_owned(),
        Look::LostPower => {
            "the clock chip stood still: put a new battery in and set it, for example with --set now".to_owned()
        }
        Look::At(unix_s) => format!("the clock chip says {}, {}", moment::show_to_the_second(unix_s), beside(unix_s)),
    })
}

fn set(rtc: &mut dyn Rtc, state_dir: &Path, set_to: SetTo) -> Result<(), CommandError> {
    let unix_s = match set_to {
        SetTo::Now => moment::now(),
        SetTo::At(unix_s) => unix_s,
    };
    rtc.set(unix_s)?;
    by_hand::leave(state_dir, unix_s).map_err(|(path, source)| CommandError::Order { path, source })
}

fn beside(unix_s: u64) -> String {
    let system_s = moment::now();
    match unix_s.abs_diff(system_s) {
        0 | 1 => "as the system's clock does".to_owned(),
        apart_s if unix_s > system_s => format!("{apart_s} s ahead of the system's clock"),
        apart_s => format!("{apart_s} s behind the system's clock"),
    }
}
