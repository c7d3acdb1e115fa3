//! What a gate is wired to, as a typed board file.
//!
//! A board file is TOML and may inherit others, so that a new board says only what differs. Unknown
//! keys are refused by file and line; a pin that two functions share, or that a bus needs, is refused
//! here and not found by a melted relay. What comes out is a [`Board`], in which every choice is made
//! and every number is in range; nobody reads the file again.

mod camera;
mod display;
mod file;
mod inherit;
mod inputs;
mod osdp;
mod outputs;
mod pins;
mod sound;

use std::path::{Path, PathBuf};

pub use crate::file::FileError;
pub use camera::{Camera, Metering, PixelFormat, Rpicam, Size, V4l2};
pub use display::{Display, DisplayAt, Rotate};
pub use inputs::{Input, Inputs, Pull, Switch, SwitchAt};
pub use osdp::Osdp;
pub use outputs::{BuzzerDrive, Fail, Outputs, RelayRules, Wiegand, WiegandFrame, Wiring};
pub use pins::{Function, Pin};
pub use sound::{Sound, SoundAt};

use file::{BoardFile, ThermometerKind};
use menshen_core::thermo::Protocol;
use menshen_core::thermo::correct::{Correction, Curve};
use menshen_core::thermo::modbus_head::{self, Map};
use menshen_lane::panel::{Listen, NoPlace};
use pins::Pins;

/// The board of one gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// A short name, such as `pi-4b`.
    pub name: String,
    /// What it is, for a person.
    pub description: String,
    /// Where frames come from.
    pub camera: Camera,
    /// Where readings come from; `None` where the lane has no thermometer.
    pub thermometer: Option<Thermometer>,
    /// What its readings are corrected by, but for its calibration, which is in the state directory.
    pub correction: Correction,
    /// Where the relay, the lamps and the buzzer are.
    pub outputs: Outputs,
    /// Its loudspeaker; `None` for none.
    pub sound: Option<Sound>,
    /// The access controller that admissions are reported to; `None` for none.
    pub osdp: Option<Osdp>,
    /// Its switches.
    pub inputs: Inputs,
    /// The device's own clock.
    pub clock: Clock,
    /// Below these folders sticks are mounted; within the state directory where they are relative.
    pub stick_mounts: Vec<PathBuf>,
    /// Where the panel is served, the gate's own screen first; empty for no panel.
    pub panel_listen: Vec<Listen>,
    /// The screen that the gate paints itself; `None` for none.
    pub display: Option<Display>,
    /// Further lanes of the same device: only their ports are their own.
    pub further_lanes: Vec<Board>,
}

/// What the maker of the GY-MCU90614 adds at 10, 30 and 50 cm, in hundredths of a degree.
const DISTANCE_CURVE: [(i16, i16); 3] = [(10, 89), (30, 136), (50, 241)];

/// Where readings come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thermometer {
    /// A unit on a serial port.
    Serial {
        /// The device, such as `/dev/serial0`.
        port: PathBuf,
        /// Its speed, in bits a second; the first to be tried where it is found out.
        baud: u32,
        /// What it speaks; `None` where the gate finds that out.
        protocol: Option<Protocol>,
    },
    /// A simulated unit behind a pseudo-terminal, with real bytes and the same adapter.
    Simulated {
        /// The file that steers it, within the state directory.
        control: PathBuf,
        /// What it speaks.
        protocol: Protocol,
    },
}

/// The device's own clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Where it is read.
    pub source: ClockSource,
    /// The file that the time service makes when the network has told the system the time: then that is shown.
    pub sign: PathBuf,
}

/// Where the device's own clock is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClockSource {
    /// A battery-backed clock chip (DS3231) on an I²C bus.
    Rtc {
        /// The bus, such as 1 for `/dev/i2c-1`.
        bus: u8,
    },
    /// A simulated clock chip behind the real driver.
    Simulated {
        /// The file that steers it, within the state directory.
        control: PathBuf,
    },
    /// The system's clock, which somebody vouches for: it is right from the start.
    System,
    /// There is none. The time of the network is nobody's signed word and is only shown.
    Synchronised,
}

/// Why a board is refused.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// The file is not there, is not TOML, or has an unknown key or value.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file that is inherited can not be read.
    #[error("{} inherits {}, which cannot be read: {source}; correct `inherits`", path.display(), parent.display())]
    Inherits {
        /// The file that inherits.
        path: PathBuf,
        /// The file it names.
        parent: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file inherits itself, perhaps through others.
    #[error("{} inherits itself through {}; remove one of the two from `inherits`", path.display(), through.display())]
    Cycle {
        /// The file.
        path: PathBuf,
        /// The last file of the circle.
        through: PathBuf,
    },
    /// Something that the board needs is not said.
    #[error("{} does not say `{key}`; add it or inherit boards/base.toml", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
    },
    /// A value that can not be.
    #[error("{}: `{key}` is {found}; {allowed}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What it is.
        found: String,
        /// What it may be.
        allowed: String,
    },
    /// Two functions on one pin.
    #[error("{}: GPIO {bcm} is both `{first}` and `{second}`; give one of them another pin", path.display())]
    PinConflict {
        /// The file.
        path: PathBuf,
        /// The pin, by BCM number.
        bcm: u8,
        /// One function.
        first: String,
        /// The other.
        second: String,
    },
    /// A function on a pin that a bus of the board uses.
    #[error("{}: GPIO {bcm} is `{function}`, but `board.reserved_pins` keeps it for a bus; use another pin", path.display())]
    PinReserved {
        /// The file.
        path: PathBuf,
        /// The pin, by BCM number.
        bcm: u8,
        /// The function.
        function: &'static str,
    },
    /// Two lanes of a device use one thing.
    #[error("{}: lane {lane} and the one before both use {what}; say in [[lanes]] which one it has of its own", path.display())]
    Shared {
        /// The file.
        path: PathBuf,
        /// The later of the two, from 2.
        lane: usize,
        /// What they use.
        what: String,
    },
    /// A fire alarm opens the ways of some lanes only.
    #[error("{}: lane {lane} has a relay that the fire alarm of another lane does not open; name the same `inputs.pins.fire_alarm` for it", path.display())]
    Unalarmed {
        /// The file.
        path: PathBuf,
        /// The lane, from 1.
        lane: usize,
    },
    /// Nothing opens the way.
    #[error("{}: nothing opens the way; say `outputs.pins.relay`, or `outputs.wiegand` for an access controller", path.display())]
    NothingOpens {
        /// The file.
        path: PathBuf,
    },
    /// The state directory can not be used.
    #[error("cannot use the state directory {}: {source}; make it writable for this program or give another", path.display())]
    State {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The outputs can not be opened.
    #[error("{0}")]
    Outputs(String),
}

impl Board {
    /// Its lanes, the first one first; each has ports of its own and shares the rest.
    pub fn all_lanes(&self) -> impl Iterator<Item = &Board> {
        std::iter::once(self).chain(&self.further_lanes)
    }

    /// Reads a board file with all that it inherits.
    ///
    /// # Errors
    /// [`BoardError`], which names the file and the key.
    pub fn load(path: impl AsRef<Path>) -> Result<Board, BoardError> {
        let path = path.as_ref();
        let (first, further) = inherit::load(path)?;
        Resolver { path }.boards(first, further)
    }
}

/// Makes every choice of a merged file, with the file's name at hand for errors.
struct Resolver<'a> {
    path: &'a Path,
}

impl Resolver<'_> {
    fn boards(&self, first: BoardFile, further: Vec<BoardFile>) -> Result<Board, BoardError> {
        let reserved = first.board.reserved_pins.clone().unwrap_or_default();
        let mut pins = Pins::new(self.path, &reserved);
        let mut board = self.board(first, &mut pins)?;
        for (file, number) in further.into_iter().zip(2..) {
            pins.next_lane();
            let lane = self.board(file, &mut pins)?;
            board.all_lanes().try_for_each(|other| self.is_apart(&lane, number, other))?;
            board.further_lanes.push(lane);
        }
        self.alarm_opens_all(&board)?;
        Ok(board)
    }

    /// People flee by every way: an alarm that some lanes hear and others do not is a mistake of the file.
    fn alarm_opens_all(&self, board: &Board) -> Result<(), BoardError> {
        let hears = |lane: &Board| lane.inputs.fire_alarm.is_some();
        let mut lanes = board.all_lanes().zip(1..);
        match lanes.find(|(lane, _)| lane.outputs.has_relay() && !hears(lane)) {
            Some((_, lane)) if board.all_lanes().any(hears) => {
                Err(BoardError::Unalarmed { path: self.path.to_owned(), lane })
            }
            _ => Ok(()),
        }
    }

    /// Whether a lane has ports of its own beside another one's.
    fn is_apart(&self, lane: &Board, number: usize, other: &Board) -> Result<(), BoardError> {
        let shared = |what: String| Err(BoardError::Shared { path: self.path.to_owned(), lane: number, what });
        if lane.camera.is_the_one_of(&other.camera) {
            return shared("one camera".into());
        }
        match (&lane.thermometer, &other.thermometer) {
            (Some(Thermometer::Serial { port, .. }), Some(Thermometer::Serial { port: others, .. }))
                if port == others =>
            {
                return shared(format!("the thermometer at {}", port.display()));
            }
            _ => {}
        }
        match (&lane.osdp, &other.osdp) {
            (Some(own), Some(others)) if own.port == others.port => {
                return shared(format!("the OSDP line at {}", own.port.display()));
            }
            _ => {}
        }
        let framebuffer = |board: &Board| match board.display.as_ref()?.at.clone() {
            DisplayAt::Framebuffer { device } => Some(device),
            DisplayAt::Picture { .. } => None,
        };
        if let (Some(device), Some(others)) = (framebuffer(lane), framebuffer(other))
            && device == others
        {
            return shared(format!("the screen {}", device.display()));
        }
        let is_others = |place: &&Listen| other.panel_listen.iter().any(|others| others.is(place));
        match lane.panel_listen.iter().find(is_others) {
            Some(place) => shared(format!("the panel's address {place}")),
            None => Ok(()),
        }
    }

    fn board(&self, file: BoardFile, pins: &mut Pins<'_>) -> Result<Board, BoardError> {
        let mut board = Board {
            name: self.need(file.board.name, "board.name")?,
            description: file.board.description.unwrap_or_default(),
            camera: self.camera(file.camera)?,
            correction: self.correction(&file.thermometer)?,
            thermometer: self.thermometer(file.thermometer)?,
            osdp: file.outputs.osdp.as_ref().map(|section| self.osdp(section)).transpose()?,
            sound: None,
            outputs: file.outputs.resolve(pins)?,
            inputs: file.inputs.resolve(pins)?,
            clock: self.clock(file.clock)?,
            stick_mounts: file.sticks.mounts.unwrap_or_default(),
            panel_listen: self.panel(file.panel.listen)?,
            display: self.display(&file.display)?,
            further_lanes: Vec::new(),
        };
        board.sound = file.sound.resolve(&board.outputs, self.path)?;
        if board.inputs.fire_alarm.is_some() && !board.outputs.has_relay() {
            let allowed = "the alarm holds a relay open: name outputs.pins.relay, or write \"none\"";
            return Err(pins.value("inputs.pins.fire_alarm", "wired", allowed));
        }
        Ok(board)
    }

    fn thermometer(&self, section: file::ThermometerSection) -> Result<Option<Thermometer>, BoardError> {
        let protocol = self.protocol(&section)?;
        Ok(match self.need(section.kind, "thermometer.kind")? {
            ThermometerKind::None => None,
            ThermometerKind::Serial => Some(Thermometer::Serial {
                port: self.need(section.port, "thermometer.port")?,
                baud: self.baud(section.baud)?,
                protocol,
            }),
            ThermometerKind::Simulated => {
                let control = self.need(section.control, "thermometer.control")?;
                Some(Thermometer::Simulated { control, protocol: protocol.unwrap_or(Protocol::GyMcu90614) })
            }
        })
    }

    /// What the thermometer speaks; `None` where the gate is to find that out.
    fn protocol(&self, section: &file::ThermometerSection) -> Result<Option<Protocol>, BoardError> {
        let protocol = match section.protocol.unwrap_or(file::ProtocolName::Auto) {
            file::ProtocolName::Auto => return Ok(None),
            file::ProtocolName::GyMcu90614 => Protocol::GyMcu90614,
            file::ProtocolName::Cjmcu90614 => Protocol::Cjmcu90614,
            file::ProtocolName::Rqvk002 => Protocol::Rqvk002,
            file::ProtocolName::ModbusRtu => Protocol::ModbusRtu(self.modbus(&section.modbus)?),
        };
        Ok(Some(protocol))
    }

    fn modbus(&self, section: &file::ModbusSection) -> Result<Map, BoardError> {
        let function = match self.need(section.function, "thermometer.modbus.function")? {
            3 => modbus_head::Function::Holding,
            4 => modbus_head::Function::Input,
            other => {
                let allowed = "it may be 3 (holding registers) or 4 (input registers)".to_owned();
                return Err(self.value("thermometer.modbus.function", other.to_string(), allowed));
            }
        };
        let map = Map {
            unit: self.need(section.unit, "thermometer.modbus.unit")?,
            function,
            object_register: self.need(section.object_register, "thermometer.modbus.object_register")?,
            ambient_register: self.need(section.ambient_register, "thermometer.modbus.ambient_register")?,
            step_centi_c: self.need(section.step_centi_c, "thermometer.modbus.step_centi_c")?,
        };
        match modbus_head::Parser::new(map) {
            Ok(_) => Ok(map),
            Err(error) => Err(self.value("thermometer.modbus", format!("{map:?}"), error.to_string())),
        }
    }

    fn correction(&self, section: &file::ThermometerSection) -> Result<Correction, BoardError> {
        let curve = |key: &str, points: &[(i16, i16)]| {
            Curve::new(points).map_err(|error| self.value(key, format!("{points:?}"), error.to_string()))
        };
        let by_distance = section.distance_curve.as_deref().unwrap_or(&DISTANCE_CURVE);
        let by_distance = curve("thermometer.distance_curve", by_distance)?;
        let by_ambient = section.ambient_curve.as_deref();
        Ok(Correction {
            calibration: None,
            distance_centi_c: section.distance_cm.map_or(0, |distance_cm| by_distance.at(distance_cm)),
            ambient: by_ambient.map(|points| curve("thermometer.ambient_curve", points)).transpose()?,
        })
    }

    fn baud(&self, baud: Option<u32>) -> Result<u32, BoardError> {
        const BAUDS: [u32; 6] = [9600, 19_200, 38_400, 57_600, 115_200, 230_400];
        let baud = self.need(baud, "thermometer.baud")?;
        if BAUDS.contains(&baud) {
            return Ok(baud);
        }
        Err(self.value("thermometer.baud", baud.to_string(), format!("it may be one of {BAUDS:?}")))
    }

    fn clock(&self, section: file::ClockSection) -> Result<Clock, BoardError> {
        let source = match self.need(section.source, "clock.source")? {
            file::ClockSource::Rtc => ClockSource::Rtc { bus: self.need(section.bus, "clock.bus")? },
            file::ClockSource::Simulated => {
                ClockSource::Simulated { control: self.need(section.control, "clock.control")? }
            }
            file::ClockSource::System => ClockSource::System,
            file::ClockSource::Synchronised => ClockSource::Synchronised,
        };
        Ok(Clock { source, sign: section.sign.unwrap_or_else(|| crate::clock::TIMESYNCD_SIGN.into()) })
    }

    fn panel(&self, listen: Option<file::Places>) -> Result<Vec<Listen>, BoardError> {
        let places = match listen {
            None => return Ok(Vec::new()),
            Some(file::Places::One(place)) if place == "off" => return Ok(Vec::new()),
            Some(file::Places::One(place)) => vec![place],
            Some(file::Places::Several(places)) => places,
        };
        let read = |place: &String| {
            let allowed = |why: NoPlace| format!("{why}, a list of such, or \"off\"");
            place.parse().map_err(|why| self.value("panel.listen", format!("{place:?}"), allowed(why)))
        };
        places.iter().map(read).collect()
    }

    fn need<T>(&self, value: Option<T>, key: &'static str) -> Result<T, BoardError> {
        value.ok_or_else(|| self.missing(key))
    }

    fn missing(&self, key: &'static str) -> BoardError {
        BoardError::Missing { path: self.path.to_owned(), key }
    }

    fn value(&self, key: &str, found: String, allowed: String) -> BoardError {
        BoardError::Value { path: self.path.to_owned(), key: key.to_owned(), found, allowed }
    }
}
