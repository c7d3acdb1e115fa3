//! The camera of a board: its keys as they are written, and what they come to.
//!
//! Separate because a camera has more to choose than everything else of a board. Keys of another kind than the board's
//! are allowed, because a board that inherits a camera and names another keeps them; a key that no kind has is not.

use std::path::PathBuf;

use serde::Deserialize;

use super::{BoardError, Resolver};

/// Where frames come from. Relative paths are within the state directory.
#[derive(Clone, Debug, PartialEq)]
pub enum Camera {
    /// Pictures put into a folder; each stays in view for `show_ms` (0: one frame).
    Folder {
        /// The folder.
        path: PathBuf,
        /// How long a picture stays in view, in milliseconds.
        show_ms: u32,
    },
    /// A Y4M stream: a named pipe, a file, or `-` for standard input.
    Y4m {
        /// Where it is read.
        path: PathBuf,
    },
    /// A camera that the kernel drives, most often on USB.
    V4l2(V4l2),
    /// A camera on the ribbon cable of a Raspberry Pi, through its camera program.
    Rpicam(Rpicam),
}

impl Camera {
    /// Whether two lanes that have these would look through one camera. What is relative is within each lane's folder.
    pub(super) fn is_the_one_of(&self, other: &Camera) -> bool {
        match (self, other) {
            (Camera::V4l2(own), Camera::V4l2(others)) => own.device == others.device,
            (Camera::Rpicam(_), Camera::Rpicam(_)) => true,
            (Camera::Y4m { path }, Camera::Y4m { path: others }) => {
                path == others && (path.is_absolute() || path.as_os_str() == "-")
            }
            (Camera::Folder { path, .. }, Camera::Folder { path: others, .. }) => path == others && path.is_absolute(),
            _ => false,
        }
    }
}

/// The size and speed that are asked of a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames a second.
    pub fps: u32,
}

/// A camera that the kernel drives.
#[derive(Clone, Debug, PartialEq)]
pub struct V4l2 {
    /// A path such as `/dev/video0`, or a part of the camera's name.
    pub device: String,
    /// What is asked of it; the mode that comes nearest is taken.
    pub size: Size,
    /// In which format; `None` for the one that costs least.
    pub format: Option<PixelFormat>,
    /// How long a frame is exposed, in microseconds; `None` where the camera decides.
    pub exposure_us: Option<u32>,
    /// Where it is focused, in the camera's own units; `None` where the camera decides.
    pub focus: Option<u32>,
    /// The gain, in the camera's own units; `None` where the camera decides.
    pub gain: Option<f64>,
    /// What lamps flicker with, in hertz: 50, 60 or 0 for no matter.
    pub power_line_hz: u32,
    /// Whether other exposures are tried when codes drown in light or darkness.
    pub bracketing: bool,
}

/// The format of a kernel camera's pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    /// One byte a pixel.
    Grey,
    /// A plane of luma and one of colour.
    Nv12,
    /// Luma and colour in turn.
    Yuyv,
    /// A JPEG each.
    Mjpeg,
}

/// A camera on the ribbon cable.
#[derive(Clone, Debug, PartialEq)]
pub struct Rpicam {
    /// The camera program; `None` for whichever of `rpicam-vid` and `libcamera-vid` is there.
    pub program: Option<PathBuf>,
    /// What is asked of it.
    pub size: Size,
    /// How long a frame is exposed, in microseconds; `None` where the camera decides.
    pub exposure_us: Option<u32>,
    /// The gain; `None` where the camera decides.
    pub gain: Option<f64>,
    /// Where it is focused, in dioptres (1 / metres); `None` for a camera of fixed focus, or one that decides.
    pub lens_position: Option<f64>,
    /// Which part of the picture the exposure is measured in.
    pub metering: Metering,
    /// A correction of the exposure, in stops.
    pub ev: f64,
}

/// Which part of a picture the exposure is measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metering {
    /// Mostly the middle.
    #[default]
    Centre,
    /// Only the middle.
    Spot,
    /// All of it.
    Average,
}

impl Metering {
    /// The name that the camera program has for it.
    pub fn name(self) -> &'static str {
        match self {
            Metering::Centre => "centre",
            Metering::Spot => "spot",
            Metering::Average => "average",
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CameraSection {
    kind: Option<CameraKind>,
    path: Option<PathBuf>,
    show_ms: Option<u32>,
    device: Option<String>,
    program: Option<PathBuf>,
    width: Option<u32>,
    height: Option<u32>,
    fps: Option<u32>,
    format: Option<FormatKey>,
    exposure_us: Option<u32>,
    gain: Option<f64>,
    focus: Option<u32>,
    lens_position: Option<f64>,
    metering: Option<Metering>,
    ev: Option<f64>,
    power_line_hz: Option<u32>,
    bracketing: Option<bool>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CameraKind {
    Folder,
    Y4m,
    V4l2,
    Rpicam,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FormatKey {
    Auto,
    Grey,
    Nv12,
    Yuyv,
    Mjpeg,
}

/// The longest side, as [`menshen_lane::optics::frame::MAX_SIDE_PX`] has it.
const SIDES: std::ops::RangeInclusive<u32> = 16..=menshen_lane::optics::frame::MAX_SIDE_PX;
/// A line of this many pixels has no gap after it, in luma and in colour, on every Raspberry Pi.
const RPICAM_WIDTH_STEP: u32 = 128;

impl Resolver<'_> {
    pub(super) fn camera(&self, section: CameraSection) -> Result<Camera, BoardError> {
        Ok(match self.need(section.kind, "camera.kind")? {
            CameraKind::Folder => {
                Camera::Folder { path: self.need(section.path, "camera.path")?, show_ms: section.show_ms.unwrap_or(0) }
            }
            CameraKind::Y4m => Camera::Y4m { path: self.need(section.path, "camera.path")? },
            CameraKind::V4l2 => Camera::V4l2(self.v4l2(section)?),
            CameraKind::Rpicam => Camera::Rpicam(self.rpicam(section)?),
        })
    }

    fn v4l2(&self, section: CameraSection) -> Result<V4l2, BoardError> {
        let size = self.size(&section)?;
        let device = self.need(section.device, "camera.device")?;
        if device.trim().is_empty() {
            let allowed = "it may be a path such as \"/dev/video0\" or a part of the camera's name";
            return Err(self.value("camera.device", "empty".to_owned(), allowed.to_owned()));
        }
        let power_line_hz = section.power_line_hz.unwrap_or(50);
        if ![0, 50, 60].contains(&power_line_hz) {
            let allowed = "it may be 50, 60 or 0".to_owned();
            return Err(self.value("camera.power_line_hz", power_line_hz.to_string(), allowed));
        }
        Ok(V4l2 {
            device,
            size,
            format: section.format.and_then(FormatKey::pixels),
            exposure_us: section.exposure_us.filter(|us| *us > 0),
            focus: section.focus,
            gain: self.within(section.gain, "camera.gain", 0.0, 1_000_000.0)?,
            power_line_hz,
            bracketing: section.bracketing.unwrap_or(true),
        })
    }

    fn rpicam(&self, section: CameraSection) -> Result<Rpicam, BoardError> {
        let size = self.size(&section)?;
        if size.width % RPICAM_WIDTH_STEP != 0 {
            let allowed = "with kind = \"rpicam\" it may be a multiple of 128, such as 1280 or 1536".to_owned();
            return Err(self.value("camera.width", size.width.to_string(), allowed));
        }
        if size.height % 2 != 0 {
            let allowed = "with kind = \"rpicam\" it may be an even number".to_owned();
            return Err(self.value("camera.height", size.height.to_string(), allowed));
        }
        Ok(Rpicam {
            program: section.program,
            size,
            exposure_us: section.exposure_us.filter(|us| *us > 0),
            gain: self.within(section.gain, "camera.gain", 0.0, 64.0)?.filter(|gain| *gain > 0.0),
            lens_position: self.within(section.lens_position, "camera.lens_position", 0.0, 32.0)?,
            metering: section.metering.unwrap_or_default(),
            ev: self.within(section.ev, "camera.ev", -10.0, 10.0)?.unwrap_or(0.0),
        })
    }

    fn size(&self, section: &CameraSection) -> Result<Size, BoardError> {
        let sides = format!("it may be {} to {}", SIDES.start(), SIDES.end());
        let side = |side: Option<u32>, key: &'static str| match self.need(side, key)? {
            side if SIDES.contains(&side) => Ok(side),
            side => Err(self.value(key, side.to_string(), sides.clone())),
        };
        let fps = self.need(section.fps, "camera.fps")?;
        if !(1..=120).contains(&fps) {
            return Err(self.value("camera.fps", fps.to_string(), "it may be 1 to 120".to_owned()));
        }
        Ok(Size { width: side(section.width, "camera.width")?, height: side(section.height, "camera.height")?, fps })
    }

    fn within(&self, value: Option<f64>, key: &str, least: f64, most: f64) -> Result<Option<f64>, BoardError> {
        match value {
            Some(value) if !(least..=most).contains(&value) => {
                Err(self.value(key, value.to_string(), format!("it may be {least} to {most}")))
            }
            value => Ok(value),
        }
    }
}

impl FormatKey {
    fn pixels(self) -> Option<PixelFormat> {
        match self {
            FormatKey::Auto => None,
            FormatKey::Grey => Some(PixelFormat::Grey),
            FormatKey::Nv12 => Some(PixelFormat::Nv12),
            FormatKey::Yuyv => Some(PixelFormat::Yuyv),
            FormatKey::Mjpeg => Some(PixelFormat::Mjpeg),
        }
    }
}
