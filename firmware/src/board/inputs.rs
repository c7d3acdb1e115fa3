//! The switches of a board: which there are, where, and which way round they are wired.

use super::BoardError;
use super::pins::{self, PinChoice, Pins};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// How long a contact must stand still may be set within this, in milliseconds.
const DEBOUNCE_MS: RangeInclusive<u16> = 20..=1000;

/// What a gate can feel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The volunteer's button.
    Button,
    /// A sensor that knows whether somebody stands at the gate.
    Presence,
    /// The building's fire alarm.
    FireAlarm,
}

impl Input {
    /// Every input.
    pub const ALL: [Input; 3] = [Input::Button, Input::Presence, Input::FireAlarm];

    /// Its name in board files.
    pub const fn name(self) -> &'static str {
        match self {
            Input::Button => "button",
            Input::Presence => "presence",
            Input::FireAlarm => "fire_alarm",
        }
    }

    const fn debounce_ms(self) -> u16 {
        match self {
            Input::Button => 30,
            Input::Presence => 100,
            Input::FireAlarm => 50,
        }
    }

    /// Where a pin goes that nothing drives. A torn wire of the fire alarm is an alarm; of anything else it is nothing.
    const fn pull(self, active_low: bool) -> Pull {
        match (matches!(self, Input::FireAlarm), active_low) {
            (true, false) | (false, true) => Pull::Up,
            (true, true) | (false, false) => Pull::Down,
        }
    }
}

/// The resistor inside the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pull {
    /// To 3.3 V.
    Up,
    /// To ground.
    Down,
    /// None: there is one outside.
    Off,
}

/// One switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// Where it is read.
    pub at: SwitchAt,
    /// Whether a low level is "on".
    pub active_low: bool,
    /// How long it must stand still to count, in milliseconds.
    pub debounce_ms: u16,
}

/// Where a switch is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SwitchAt {
    /// A pin of the header.
    Header {
        /// Its BCM number, 0..=27.
        bcm: u8,
        /// The resistor inside the chip.
        pull: Pull,
    },
    /// A word in a text file.
    File {
        /// The file; within the state directory where it is relative.
        control: PathBuf,
    },
}

/// The switches of a board.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// The volunteer's button.
    pub button: Option<Switch>,
    /// The presence sensor.
    pub presence: Option<Switch>,
    /// The fire alarm.
    pub fire_alarm: Option<Switch>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct InputsSection {
    kind: Option<InputsKind>,
    active_low: Option<Vec<Input>>,
    control: Option<PathBuf>,
    pins: Each<PinChoice>,
    pull: Each<Pull>,
    debounce_ms: Each<u16>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum InputsKind {
    Rppal,
    Simulated,
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Each<T> {
    button: Option<T>,
    presence: Option<T>,
    fire_alarm: Option<T>,
}

impl<T> Default for Each<T> {
    fn default() -> Each<T> {
        Each { button: None, presence: None, fire_alarm: None }
    }
}

impl<T: Copy> Each<T> {
    fn of(&self, input: Input) -> Option<T> {
        match input {
            Input::Button => self.button,
            Input::Presence => self.presence,
            Input::FireAlarm => self.fire_alarm,
        }
    }
}

impl InputsSection {
    /// The switches, whose pins are added to those that are taken.
    pub(super) fn resolve(&self, pins: &mut Pins<'_>) -> Result<Inputs, BoardError> {
        let mut switch = |input: Input| self.switch(input, pins);
        Ok(Inputs {
            button: switch(Input::Button)?,
            presence: switch(Input::Presence)?,
            fire_alarm: switch(Input::FireAlarm)?,
        })
    }

    fn switch(&self, input: Input, pins: &mut Pins<'_>) -> Result<Option<Switch>, BoardError> {
        let debounce_ms = self.debounce_ms.of(input).unwrap_or(input.debounce_ms());
        if !DEBOUNCE_MS.contains(&debounce_ms) {
            let (least, most) = DEBOUNCE_MS.into_inner();
            let key = format!("inputs.debounce_ms.{}", input.name());
            return Err(pins.value(key, debounce_ms, format!("it may be {least} to {most}")));
        }
        let listed = self.active_low.as_deref().unwrap_or_default().contains(&input);
        let (at, active_low) = match self.kind.unwrap_or(InputsKind::None) {
            InputsKind::None => return Ok(None),
            InputsKind::Simulated => {
                let control = self.control.clone().ok_or_else(|| pins.missing("inputs.control"))?;
                (SwitchAt::File { control }, false)
            }
            InputsKind::Rppal => {
                let Some(bcm) = pins::chosen(self.pins.of(input)) else { return Ok(None) };
                let pull = self.pull.of(input).unwrap_or(input.pull(listed));
                let at = SwitchAt::Header { bcm, pull };
                match input {
                    Input::FireAlarm => {
                        pins.take_alarm(bcm, &Switch { at: at.clone(), active_low: listed, debounce_ms })?;
                    }
                    Input::Button | Input::Presence => pins.take(bcm, "inputs.pins", input.name())?,
                }
                (at, listed)
            }
        };
        Ok(Some(Switch { at, active_low, debounce_ms }))
    }
}
