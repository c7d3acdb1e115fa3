//! The board file as it is written: every key optional, no unknown key.
//!
//! Separate from [`Board`](super::Board) because a fragment that others inherit is not whole: it says
//! some keys and leaves the rest. Each fragment is read as this type, so a typo is told with the line
//! of the file it is in; then the fragments are laid over each other and read as this type again.

use std::path::PathBuf;

use serde::Deserialize;

use super::camera::CameraSection;
use super::display::DisplaySection;
use super::inputs::InputsSection;
use super::outputs::OutputsSection;
use super::sound::SoundSection;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BoardFile {
    pub(super) inherits: Vec<PathBuf>,
    pub(super) board: BoardSection,
    pub(super) camera: CameraSection,
    pub(super) thermometer: ThermometerSection,
    pub(super) outputs: OutputsSection,
    pub(super) inputs: InputsSection,
    pub(super) sound: SoundSection,
    pub(super) clock: ClockSection,
    pub(super) sticks: SticksSection,
    pub(super) panel: PanelSection,
    pub(super) display: DisplaySection,
    pub(super) lanes: Vec<LaneOverlay>,
}

/// What differs at a further lane of the same device.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LaneOverlay {
    camera: CameraSection,
    thermometer: ThermometerSection,
    outputs: OutputsSection,
    inputs: InputsSection,
    sound: SoundSection,
    panel: PanelSection,
    display: DisplaySection,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BoardSection {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) reserved_pins: Option<Vec<u8>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ThermometerSection {
    pub(super) kind: Option<ThermometerKind>,
    pub(super) port: Option<PathBuf>,
    pub(super) baud: Option<u32>,
    pub(super) protocol: Option<ProtocolName>,
    pub(super) control: Option<PathBuf>,
    pub(super) modbus: ModbusSection,
    pub(super) distance_cm: Option<i16>,
    pub(super) distance_curve: Option<Vec<(i16, i16)>>,
    pub(super) ambient_curve: Option<Vec<(i16, i16)>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) enum ProtocolName {
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = "gy-mcu90614")]
    GyMcu90614,
    #[serde(rename = "cjmcu-90614")]
    Cjmcu90614,
    #[serde(rename = "rqvk002")]
    Rqvk002,
    #[serde(rename = "modbus-rtu")]
    ModbusRtu,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ModbusSection {
    pub(super) unit: Option<u8>,
    pub(super) function: Option<u8>,
    pub(super) object_register: Option<u16>,
    pub(super) ambient_register: Option<u16>,
    pub(super) step_centi_c: Option<i16>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ThermometerKind {
    Serial,
    Simulated,
    None,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ClockSection {
    pub(super) source: Option<ClockSource>,
    pub(super) bus: Option<u8>,
    pub(super) control: Option<PathBuf>,
    pub(super) sign: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ClockSource {
    Rtc,
    Simulated,
    System,
    Synchronised,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SticksSection {
    pub(super) mounts: Option<Vec<PathBuf>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PanelSection {
    pub(super) listen: Option<Places>,
}

/// One place or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Places {
    One(String),
    Several(Vec<String>),
}
