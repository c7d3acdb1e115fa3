//! Which function is on which pin, checked before anything is driven.

use std::path::Path;

use serde::Deserialize;

use super::BoardError;
use super::file::OutputsSection;

/// The highest BCM number on the 40-pin header.
const MAX_BCM: u8 = 27;

/// What a pin does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// Opens the gate.
    Relay,
    /// The lamp of an admission.
    LampAdmit,
    /// The lamp of a referral.
    LampRefer,
    /// The lamp of a refusal.
    LampRefuse,
    /// The buzzer.
    Buzzer,
}

impl Function {
    /// Every function.
    pub const ALL: [Function; 5] =
        [Function::Relay, Function::LampAdmit, Function::LampRefer, Function::LampRefuse, Function::Buzzer];

    /// Its name in board files and traces.
    pub const fn name(self) -> &'static str {
        match self {
            Function::Relay => "relay",
            Function::LampAdmit => "lamp_admit",
            Function::LampRefer => "lamp_refer",
            Function::LampRefuse => "lamp_refuse",
            Function::Buzzer => "buzzer",
        }
    }
}

/// A function on a pin of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// What it does.
    pub function: Function,
    /// Its BCM number, 0..=27.
    pub bcm: u8,
    /// Whether a low level switches it on.
    pub active_low: bool,
}

/// The pins of a board: each in range, none used twice, none that a bus needs.
pub(super) fn check(path: &Path, section: &OutputsSection, reserved: &[u8]) -> Result<Vec<Pin>, BoardError> {
    let active_low = section.active_low.as_deref().unwrap_or_default();
    let mut pins: Vec<Pin> = Vec::new();
    for (function, bcm) in Function::ALL.into_iter().zip(numbers(section)) {
        let Some(bcm) = bcm else { continue };
        let path = path.to_owned();
        if bcm > MAX_BCM {
            let (key, allowed) = (format!("outputs.pins.{}", function.name()), "it may be a BCM number of 0 to 27");
            return Err(BoardError::Value { path, key, found: bcm.to_string(), allowed: allowed.to_owned() });
        }
        if reserved.contains(&bcm) {
            return Err(BoardError::PinReserved { path, bcm, function: function.name() });
        }
        if let Some(taken) = pins.iter().find(|pin| pin.bcm == bcm) {
            let (first, second) = (taken.function.name(), function.name());
            return Err(BoardError::PinConflict { path, bcm, first, second });
        }
        pins.push(Pin { function, bcm, active_low: active_low.contains(&function) });
    }
    Ok(pins)
}

fn numbers(section: &OutputsSection) -> [Option<u8>; 5] {
    let pins = &section.pins;
    [pins.relay, pins.lamp_admit, pins.lamp_refer, pins.lamp_refuse, pins.buzzer]
}
