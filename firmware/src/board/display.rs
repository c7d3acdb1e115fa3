//! The screen that the gate paints itself, as it is written in a board file and as it comes out.
//!
//! Which way up a screen is mounted and which language is large on it belong to the place where it hangs, so they are here
//! and not in the site file.

use std::path::PathBuf;

use menshen_lane::words::Lang;
use serde::Deserialize;

use super::{BoardError, Resolver};

/// A screen that the gate paints itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Display {
    /// Where it is.
    pub at: DisplayAt,
    /// How it is mounted.
    pub rotate: Rotate,
    /// The language that is large; the next one's word stands small beside it.
    pub lang: Lang,
}

/// Where a screen is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisplayAt {
    /// A framebuffer of the kernel.
    Framebuffer {
        /// The device, such as `/dev/fb0`.
        device: PathBuf,
    },
    /// A PNG file that always shows what a screen would.
    Picture {
        /// The file, within the state directory where it is relative.
        path: PathBuf,
        /// How wide the picture is, in pixels.
        width: u32,
        /// How high it is.
        height: u32,
    },
}

/// How far clockwise what is painted is turned, for a screen that is mounted the other way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotate {
    /// As it is.
    #[default]
    None,
    /// By 90 degrees.
    Right,
    /// By 180 degrees.
    Half,
    /// By 270 degrees.
    Left,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DisplaySection {
    kind: Option<DisplayKind>,
    device: Option<PathBuf>,
    picture: Option<PathBuf>,
    width: Option<u32>,
    height: Option<u32>,
    rotate: Option<u16>,
    lang: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DisplayKind {
    None,
    Framebuffer,
    Picture,
}

/// Below this nothing can be read, beyond it there is no screen.
const SIDE_PX: std::ops::RangeInclusive<u32> = 240..=4096;

impl Resolver<'_> {
    /// The screen; `None` where the gate paints none.
    pub(super) fn display(&self, section: &DisplaySection) -> Result<Option<Display>, BoardError> {
        let rotate = self.rotate(section.rotate)?;
        let lang = self.lang(section.lang.as_deref())?;
        let at = match section.kind.unwrap_or(DisplayKind::None) {
            DisplayKind::None => return Ok(None),
            DisplayKind::Framebuffer => {
                DisplayAt::Framebuffer { device: self.need(section.device.clone(), "display.device")? }
            }
            DisplayKind::Picture => DisplayAt::Picture {
                path: self.need(section.picture.clone(), "display.picture")?,
                width: self.side("display.width", section.width)?,
                height: self.side("display.height", section.height)?,
            },
        };
        Ok(Some(Display { at, rotate, lang }))
    }

    fn rotate(&self, degrees: Option<u16>) -> Result<Rotate, BoardError> {
        match degrees.unwrap_or(0) {
            0 => Ok(Rotate::None),
            90 => Ok(Rotate::Right),
            180 => Ok(Rotate::Half),
            270 => Ok(Rotate::Left),
            other => {
                let allowed = "it may be 0, 90, 180 or 270 (degrees clockwise)".to_owned();
                Err(self.value("display.rotate", other.to_string(), allowed))
            }
        }
    }

    fn lang(&self, name: Option<&str>) -> Result<Lang, BoardError> {
        let Some(name) = name else { return Ok(Lang::default()) };
        Lang::parse(name).ok_or_else(|| {
            let known: Vec<String> = Lang::ALL.into_iter().map(|lang| format!("{:?}", lang.name())).collect();
            self.value("display.lang", format!("{name:?}"), format!("it may be {}", known.join(" or ")))
        })
    }

    fn side(&self, key: &'static str, side_px: Option<u32>) -> Result<u32, BoardError> {
        let side_px = self.need(side_px, key)?;
        if SIDE_PX.contains(&side_px) {
            return Ok(side_px);
        }
        let (least, most) = SIDE_PX.into_inner();
        Err(self.value(key, side_px.to_string(), format!("it may be {least} to {most} pixels")))
    }
}
