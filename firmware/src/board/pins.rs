//! Which function is on which pin, checked before anything is driven.

use super::BoardError;
use super::inputs::Switch;
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// The highest BCM number on the 40-pin header.
const MAX_BCM: u8 = 27;

/// Whether the chip pulls a pin to 3.3 V until a program says otherwise; it pulls the others to ground.
pub(super) const fn is_pulled_up(bcm: u8) -> bool {
    bcm <= 8
}

/// What an output pin does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// A pin as it is written: its BCM number, or `"none"` to leave out one that is inherited.
#[derive(Clone, Copy, Debug)]
pub(super) enum PinChoice {
    Bcm(u8),
    None,
}

/// The number that was chosen.
pub(super) fn chosen(choice: Option<PinChoice>) -> Option<u8> {
    match choice {
        Some(PinChoice::Bcm(bcm)) => Some(bcm),
        Some(PinChoice::None) | None => None,
    }
}

impl<'de> Deserialize<'de> for PinChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PinChoice, D::Error> {
        struct Choice;

        impl Visitor<'_> for Choice {
            type Value = PinChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a BCM number of 0 to {MAX_BCM}, or \"none\"")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<PinChoice, E> {
                u8::try_from(number)
                    .map(PinChoice::Bcm)
                    .map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<PinChoice, E> {
                let none = (word == "none").then_some(PinChoice::None);
                none.ok_or_else(|| E::invalid_value(Unexpected::Str(word), &self))
            }
        }

        deserializer.deserialize_any(Choice)
    }
}

/// The pins of a board that are taken: each in range, none taken twice, none that a bus needs.
pub(super) struct Pins<'a> {
    path: &'a Path,
    reserved: &'a [u8],
    taken: Vec<(u8, String)>,
    /// Fire alarms, which several lanes may read.
    alarms: Vec<(u8, Switch)>,
    /// Which lane of the device takes pins now, from 1.
    lane: usize,
}

impl<'a> Pins<'a> {
    pub(super) fn new(path: &'a Path, reserved: &'a [u8]) -> Pins<'a> {
        Pins { path, reserved, taken: Vec::new(), alarms: Vec::new(), lane: 1 }
    }

    /// The same header with nothing taken.
    pub(super) fn apart(&self) -> Pins<'a> {
        Pins { path: self.path, reserved: self.reserved, taken: Vec::new(), alarms: Vec::new(), lane: self.lane }
    }

    /// The next lane of the device takes its pins.
    pub(super) fn next_lane(&mut self) {
        self.lane += 1;
    }

    /// Gives the pin to a function, which `table` names: `relay` of `outputs.pins`.
    pub(super) fn take(&mut self, bcm: u8, table: &str, function: &'static str) -> Result<(), BoardError> {
        if bcm > MAX_BCM {
            return Err(self.value(format!("{table}.{function}"), bcm, "it may be a BCM number of 0 to 27"));
        }
        let path = self.path.to_owned();
        if self.reserved.contains(&bcm) {
            return Err(BoardError::PinReserved { path, bcm, function });
        }
        let function = match self.lane {
            1 => function.to_owned(),
            lane => format!("{function} of lane {lane}"),
        };
        if let Some((_, first)) = self.taken.iter().find(|(taken, _)| *taken == bcm) {
            return Err(BoardError::PinConflict { path, bcm, first: first.clone(), second: function });
        }
        self.taken.push((bcm, function));
        Ok(())
    }

    /// Gives the pin to the fire alarm. It is only read, so another lane may have it with the same settings.
    pub(super) fn take_alarm(&mut self, bcm: u8, alarm: &Switch) -> Result<(), BoardError> {
        match self.alarms.iter().find(|(taken, _)| *taken == bcm) {
            Some((_, same)) if same == alarm => Ok(()),
            Some(_) => {
                let allowed = "lanes share it with the same `active_low`, `pull` and `debounce_ms`, or have other pins";
                Err(self.value("inputs.pins.fire_alarm", bcm, allowed))
            }
            None => {
                self.take(bcm, "inputs.pins", "fire_alarm")?;
                self.alarms.push((bcm, alarm.clone()));
                Ok(())
            }
        }
    }

    pub(super) fn value(
        &self,
        key: impl Into<String>,
        found: impl fmt::Display,
        allowed: impl Into<String>,
    ) -> BoardError {
        BoardError::Value {
            path: self.path.to_owned(),
            key: key.into(),
            found: found.to_string(),
            allowed: allowed.into(),
        }
    }

    pub(super) fn missing(&self, key: &'static str) -> BoardError {
        BoardError::Missing { path: self.path.to_owned(), key }
    }

    pub(super) fn path(&self) -> &Path {
        self.path
    }
}
