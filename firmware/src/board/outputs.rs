//! What a gate moves, lights and sounds, as a board file says it: the relay and its limits, lamps, buzzer, Wiegand.
//!
//! Invariants of an [`Outputs`]: something in it opens the way; every number is in range; on the header every pin is its
//! own.

use super::BoardError;
use super::osdp::OsdpSection;
use super::pins::{self, Function, Pin, PinChoice, Pins};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// The hard maximum of the relay may be set within this, in milliseconds.
const RELAY_MAX_MS: RangeInclusive<u32> = 500..=30_000;
const BUZZER_HZ: RangeInclusive<u16> = 100..=10_000;
const BUZZER_DUTY_PERCENT: RangeInclusive<u8> = 1..=50;
const WIEGAND_PULSE_US: RangeInclusive<u32> = 20..=200;
const WIEGAND_GAP_US: RangeInclusive<u32> = 200..=20_000;
/// The pins of the header that have a PWM channel.
const PWM_PINS: [u8; 4] = [12, 13, 18, 19];

/// Where outputs go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outputs {
    /// What they are wired to.
    pub wiring: Wiring,
    /// What the relay's guard keeps.
    pub relay: RelayRules,
    /// How the buzzer is driven.
    pub buzzer: BuzzerDrive,
    /// What an existing access controller is told.
    pub wiegand: Option<Wiegand>,
}

impl Outputs {
    /// Whether there is a relay.
    pub fn has_relay(&self) -> bool {
        self.has(Function::Relay)
    }

    /// Whether there is a buzzer.
    pub fn has_buzzer(&self) -> bool {
        self.has(Function::Buzzer)
    }

    /// Whether a function is wired.
    pub fn has(&self, function: Function) -> bool {
        match &self.wiring {
            Wiring::Header(pins) => pins.iter().any(|pin| pin.function == function),
            Wiring::Trace { .. } => true,
        }
    }
}

/// What outputs are wired to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wiring {
    /// The GPIO header of a Raspberry Pi.
    Header(Vec<Pin>),
    /// A file of level changes, one JSON object a line.
    Trace {
        /// The file, within the state directory.
        path: PathBuf,
        /// Functions that are switched on by a low level.
        active_low: Vec<Function>,
    },
}

/// What the relay's guard keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayRules {
    /// No opening lasts longer, in milliseconds.
    pub max_ms: u32,
    /// What happens without power or program.
    pub fail: Fail,
}

/// What happens to the way when there is no power or no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fail {
    /// It is locked: the relay has power only to let somebody through.
    Secure,
    /// It is open: the relay has power at rest and loses it to let somebody through.
    Safe,
}

/// How the buzzer is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuzzerDrive {
    /// It sounds when it has power.
    Active,
    /// It sounds when it is moved to and fro.
    Passive {
        /// How often a second.
        hz: u16,
        /// How much of each period it has power: the louder, the nearer to 50.
        duty_percent: u8,
        /// Whether a channel of the chip moves it, or a thread.
        hardware: bool,
    },
}

/// What an existing access controller is told of an admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wiegand {
    /// How many bits a frame has, and which number is in it.
    pub frame: WiegandFrame,
    /// The pin of line D0, by BCM number; 0 in a trace.
    pub d0: u8,
    /// The pin of line D1, by BCM number; 0 in a trace.
    pub d1: u8,
    /// Whether a high level of the pin pulls the line low, as a transistor does.
    pub inverted: bool,
    /// How long a bit's line is low, in microseconds.
    pub pulse_us: u32,
    /// How long both lines are high between two bits, in microseconds.
    pub gap_us: u32,
}

/// The number of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WiegandFrame {
    /// 26 bits.
    W26 {
        /// The site.
        facility: u8,
        /// The card.
        card: u16,
    },
    /// 34 bits.
    W34 {
        /// The site.
        facility: u16,
        /// The card.
        card: u16,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OutputsSection {
    kind: Option<OutputsKind>,
    trace: Option<PathBuf>,
    active_low: Option<Vec<Function>>,
    relay_max_ms: Option<u32>,
    fail: Option<Fail>,
    buzzer: Option<BuzzerWord>,
    buzzer_hz: Option<u16>,
    buzzer_duty_percent: Option<u8>,
    buzzer_pwm: Option<PwmWord>,
    pins: PinsSection,
    wiegand: Option<WiegandSection>,
    pub(super) osdp: Option<OsdpSection>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OutputsKind {
    Rppal,
    Trace,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BuzzerWord {
    Active,
    Passive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PwmWord {
    Software,
    Hardware,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PinsSection {
    relay: Option<PinChoice>,
    lamp_admit: Option<PinChoice>,
    lamp_refer: Option<PinChoice>,
    lamp_refuse: Option<PinChoice>,
    buzzer: Option<PinChoice>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WiegandSection {
    format: Option<u8>,
    facility: Option<u16>,
    card: Option<u16>,
    d0: Option<u8>,
    d1: Option<u8>,
    inverted: Option<bool>,
    pulse_us: Option<u32>,
    gap_us: Option<u32>,
}

impl OutputsSection {
    /// The outputs, whose pins are added to those that are taken.
    pub(super) fn resolve(&self, pins: &mut Pins<'_>) -> Result<Outputs, BoardError> {
        let kind = self.kind.ok_or_else(|| pins.missing("outputs.kind"))?;
        let is_header = matches!(kind, OutputsKind::Rppal);
        // A trace is a file of the lane's own: what it names takes no pin from another lane.
        let wired = if is_header { self.wired(pins)? } else { self.wired(&mut pins.apart())? };
        let wiegand = self.wiegand.as_ref().map(|section| section.resolve(is_header, pins)).transpose()?;
        let max_ms = within(pins, "outputs.relay_max_ms", self.relay_max_ms.unwrap_or(5000), RELAY_MAX_MS)?;
        let relay = RelayRules { max_ms, fail: self.fail.unwrap_or(Fail::Secure) };
        if is_header && relay.fail == Fail::Safe {
            self.holds_nobody_in(&wired, pins)?;
        }
        let buzzer = self.buzzer_drive(&wired, pins)?;
        let wiring = match kind {
            OutputsKind::Rppal => Wiring::Header(wired),
            OutputsKind::Trace => Wiring::Trace {
                path: self.trace.clone().ok_or_else(|| pins.missing("outputs.trace"))?,
                active_low: self.active_low.clone().unwrap_or_default(),
            },
        };
        let outputs = Outputs { wiring, relay, buzzer, wiegand };
        if !outputs.has_relay() && outputs.wiegand.is_none() && self.osdp.is_none() {
            return Err(BoardError::NothingOpens { path: pins.path().to_owned() });
        }
        Ok(outputs)
    }

    fn wired(&self, pins: &mut Pins<'_>) -> Result<Vec<Pin>, BoardError> {
        let active_low = self.active_low.as_deref().unwrap_or_default();
        let PinsSection { relay, lamp_admit, lamp_refer, lamp_refuse, buzzer } = self.pins;
        let mut wired = Vec::new();
        for (function, choice) in Function::ALL.into_iter().zip([relay, lamp_admit, lamp_refer, lamp_refuse, buzzer]) {
            let Some(bcm) = pins::chosen(choice) else { continue };
            pins.take(bcm, "outputs.pins", function.name())?;
            wired.push(Pin { function, bcm, active_low: active_low.contains(&function) });
        }
        Ok(wired)
    }

    /// A magnet must not hold while there is no program: the pull of the pin then must leave the relay without power.
    fn holds_nobody_in(&self, wired: &[Pin], pins: &Pins<'_>) -> Result<(), BoardError> {
        let energised = |pin: &&Pin| pin.function == Function::Relay && pins::is_pulled_up(pin.bcm) != pin.active_low;
        let Some(relay) = wired.iter().find(energised) else { return Ok(()) };
        let (pulled, others) = if relay.active_low { ("down", "4 to 8") } else { ("up", "9 to 27") };
        let allowed = format!(
            "with fail = \"safe\" this one is pulled {pulled} until the program starts, so that the relay would have power \
             and lock the way: use one of {others}"
        );
        Err(pins.value("outputs.pins.relay", relay.bcm, allowed))
    }

    fn buzzer_drive(&self, wired: &[Pin], pins: &Pins<'_>) -> Result<BuzzerDrive, BoardError> {
        let hardware = self.buzzer_pwm == Some(PwmWord::Hardware);
        let pin = wired.iter().find(|pin| pin.function == Function::Buzzer);
        let hz = within(pins, "outputs.buzzer_hz", self.buzzer_hz.unwrap_or(2700), BUZZER_HZ)?;
        let duty_percent = self.buzzer_duty_percent.unwrap_or(50);
        let duty_percent = within(pins, "outputs.buzzer_duty_percent", duty_percent, BUZZER_DUTY_PERCENT)?;
        match (self.buzzer.unwrap_or(BuzzerWord::Active), pin) {
            (BuzzerWord::Active, _) if hardware => {
                let allowed = "only a buzzer = \"passive\" is driven by PWM";
                Err(pins.value("outputs.buzzer_pwm", "\"hardware\"", allowed))
            }
            (BuzzerWord::Active, _) => Ok(BuzzerDrive::Active),
            (BuzzerWord::Passive, Some(pin)) if hardware && !PWM_PINS.contains(&pin.bcm) => {
                let allowed = "with buzzer_pwm = \"hardware\" it may be 12, 13, 18 or 19";
                Err(pins.value("outputs.pins.buzzer", pin.bcm, allowed))
            }
            (BuzzerWord::Passive, _) => Ok(BuzzerDrive::Passive { hz, duty_percent, hardware }),
        }
    }
}

impl WiegandSection {
    fn resolve(&self, is_header: bool, pins: &mut Pins<'_>) -> Result<Wiegand, BoardError> {
        let facility = self.facility.ok_or_else(|| pins.missing("outputs.wiegand.facility"))?;
        let card = self.card.ok_or_else(|| pins.missing("outputs.wiegand.card"))?;
        let frame = match self.format.ok_or_else(|| pins.missing("outputs.wiegand.format"))? {
            26 => {
                let facility = u8::try_from(facility).map_err(|_| {
                    let allowed = "with format = 26 it may be 0 to 255";
                    pins.value("outputs.wiegand.facility", facility, allowed)
                })?;
                WiegandFrame::W26 { facility, card }
            }
            34 => WiegandFrame::W34 { facility, card },
            other => return Err(pins.value("outputs.wiegand.format", other, "it may be 26 or 34")),
        };
        let inverted = self.inverted.unwrap_or(true);
        let mut line = |bcm: Option<u8>, key: &'static str, name: &'static str| match bcm {
            _ if !is_header => Ok(0),
            Some(bcm) => {
                pins.take(bcm, "outputs", name)?;
                // The pull until the program starts must leave the line high: a low one is a bit without end.
                if pins::is_pulled_up(bcm) == inverted {
                    let (pulled, others) = if inverted { ("up", "9 to 27") } else { ("down", "0 to 8") };
                    let allowed = format!(
                        "with inverted = {inverted} this one is pulled {pulled} until the program starts, so that the \
                         line would be low: use one of {others}"
                    );
                    return Err(pins.value(key, bcm, allowed));
                }
                Ok(bcm)
            }
            None => Err(pins.missing(key)),
        };
        let d0 = line(self.d0, "outputs.wiegand.d0", "wiegand.d0")?;
        let d1 = line(self.d1, "outputs.wiegand.d1", "wiegand.d1")?;
        Ok(Wiegand {
            frame,
            d0,
            d1,
            inverted,
            pulse_us: within(pins, "outputs.wiegand.pulse_us", self.pulse_us.unwrap_or(100), WIEGAND_PULSE_US)?,
            gap_us: within(pins, "outputs.wiegand.gap_us", self.gap_us.unwrap_or(2000), WIEGAND_GAP_US)?,
        })
    }
}

fn within<T: PartialOrd + std::fmt::Display>(
    pins: &Pins<'_>,
    key: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<T, BoardError> {
    if range.contains(&value) {
        return Ok(value);
    }
    let (least, most) = range.into_inner();
    Err(pins.value(key, value, format!("it may be {least} to {most}")))
}
