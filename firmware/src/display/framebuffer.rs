//! The kernel's framebuffer, `/dev/fb0`: every graphics driver of a Raspberry Pi has one, for HDMI, for the ribbon and for
//! small panels on SPI.
//!
//! It is a file whose bytes are the screen's pixels, and `/sys/class/graphics` says how they lie; so it is written with
//! plain writes, by a user of the group `video`, without mapping memory or asking the driver by ioctl. What sysfs does not
//! say, the order of the colours, is taken to be what Linux has everywhere by default: red above green above blue.
//!
//! Invariants: nothing is written beyond the screen's edge; a screen that is gone, or is another one now, is a failure.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use menshen_lane::ports::{Area, Display, Picture, PortError};

use crate::board::Rotate;

/// Where the kernel describes graphics.
const SYSFS: &str = "/sys/class/graphics";
/// The text console that is in front.
const TTY: &str = "/dev/tty0";
/// So many whole rows are written at once.
const ROWS_AT_ONCE: u32 = 32;
/// Hides the cursor, and keeps the console from darkening the screen when no key is pressed.
const QUIET: &[u8] = b"\x1b[?25l\x1b[9;0]\x1b[14;0]";

/// A framebuffer and what is known of it elsewhere.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its device, such as `/dev/fb0`.
    pub device: PathBuf,
    /// The folder that describes graphics.
    pub sysfs: PathBuf,
    /// The text console that may be on it.
    pub tty: PathBuf,
}

impl Place {
    /// A framebuffer of this system.
    pub fn of(device: PathBuf) -> Place {
        Place { device, sysfs: SYSFS.into(), tty: TTY.into() }
    }

    /// The folder that describes this very framebuffer.
    fn folder(&self) -> PathBuf {
        // A name of one's own for it, such as a udev link, leads to the kernel's.
        let device = self.device.canonicalize().unwrap_or_else(|_| self.device.clone());
        self.sysfs.join(device.file_name().unwrap_or_default())
    }

    fn value(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.folder().join(name)).ok().map(|text| text.trim().to_owned())
    }
}

/// How the pixels of a framebuffer lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Geometry {
    size: (u32, u32),
    /// What of the memory is seen begins here.
    origin: (u32, u32),
    /// From one row to the next, in bytes.
    stride: u32,
    depth: Depth,
}

/// What a pixel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Rgb565,
    Rgb888,
    Xrgb8888,
}

impl Depth {
    const fn bytes(self) -> u32 {
        match self {
            Depth::Rgb565 => 2,
            Depth::Rgb888 => 3,
            Depth::Xrgb8888 => 4,
        }
    }

    fn put(self, pixel: u32, row: &mut Vec<u8>) {
        match self {
            Depth::Rgb565 => {
                let packed = pixel >> 8 & 0xf800 | pixel >> 5 & 0x07e0 | pixel >> 3 & 0x001f;
                row.extend_from_slice(&packed.to_le_bytes()[..2]);
            }
            Depth::Rgb888 => row.extend_from_slice(&pixel.to_le_bytes()[..3]),
            Depth::Xrgb8888 => row.extend_from_slice(&pixel.to_le_bytes()),
        }
    }
}

impl Geometry {
    fn read(place: &Place) -> Result<Geometry, PortError> {
        let device = place.device.display();
        let absent = || {
            PortError::Absent(format!(
                "the screen {device} is not there: check its cable and its driver, or correct `display.device` in the board file"
            ))
        };
        let pair = |text: &str| -> Option<(u32, u32)> {
            let (a, b) = text.split_once(',')?;
            Some((a.parse().ok()?, b.parse().ok()?))
        };
        let whole = place.value("virtual_size").as_deref().and_then(pair).ok_or_else(absent)?;
        let number = |name: &str| place.value(name).and_then(|text| text.parse::<u32>().ok());
        let depth = match number("bits_per_pixel").ok_or_else(absent)? {
            16 => Depth::Rgb565,
            24 => Depth::Rgb888,
            32 => Depth::Xrgb8888,
            bits => {
                return Err(PortError::Failed(format!(
                    "the screen {device} has {bits} bits a pixel and the gate paints 16, 24 or 32: change its driver's settings"
                )));
            }
        };
        let origin = place.value("pan").as_deref().and_then(pair).unwrap_or_default();
        let seen = place.value("mode").as_deref().and_then(size_of_mode);
        let is_within = |size: &(u32, u32)| size.0 + origin.0 <= whole.0 && size.1 + origin.1 <= whole.1;
        let (size, origin) = seen.filter(is_within).map_or((whole, (0, 0)), |seen| (seen, origin));
        let stride = number("stride").unwrap_or(0).max(whole.0.saturating_mul(depth.bytes()));
        if size.0 < 240 || size.1 < 240 || size.0.max(size.1) > 8192 {
            return Err(PortError::Failed(format!(
                "the screen {device} has {} × {} pixels, on which nothing can be read: use one with 320 × 240 or more",
                size.0, size.1
            )));
        }
        Ok(Geometry { size, origin, stride, depth })
    }
}

/// The size in a mode's name, such as `U:800x480p-60`.
fn size_of_mode(mode: &str) -> Option<(u32, u32)> {
    let (width, rest) = mode.split_once(':')?.1.split_once('x')?;
    let height: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// A framebuffer that is open.
#[derive(Debug)]
pub struct Framebuffer {
    place: Place,
    file: File,
    geometry: Geometry,
    rotate: Rotate,
    /// Some rows, to be filled again.
    row: Vec<u8>,
}

impl Framebuffer {
    /// Opens it.
    ///
    /// # Errors
    /// [`PortError`] where it is not there, may not be used, or has a form that is not known.
    pub fn open(place: &Place, rotate: Rotate) -> Result<Framebuffer, PortError> {
        let geometry = Geometry::read(place)?;
        let file = OpenOptions::new().write(true).open(&place.device).map_err(|error| {
            let remedy = match error.kind() {
                io::ErrorKind::PermissionDenied => "let the gate's user be in the group `video`",
                io::ErrorKind::NotFound => {
                    "check its cable and its driver, or correct `display.device` in the board file"
                }
                _ => "restart the device if it stays so",
            };
            PortError::Absent(format!("cannot use the screen {} ({error}): {remedy}", place.device.display()))
        })?;
        Ok(Framebuffer { place: place.clone(), file, geometry, rotate, row: Vec::new() })
    }

    fn write(&mut self, picture: Picture<'_>, area: Area) -> io::Result<()> {
        let Geometry { size, depth, .. } = self.geometry;
        let Area { x, y, width, height } = self.rotate.on_device(area, size);
        let (right, bottom) = ((x + width).min(size.0), (y + height).min(size.1));
        let ends_its_line = right == size.0 && size.0 * depth.bytes() == self.geometry.stride;
        if !ends_its_line {
            return (y..bottom).try_for_each(|row| self.write_rows(picture, row..row + 1, x..right));
        }
        // Linux 6.1 takes a write that is in one line and ends where that ends to have changed nothing, and a driver with a
        // shadow of the memory never shows it. So such rows go out whole and two at least at a time.
        let mut from = y.min(bottom.saturating_sub(2));
        while from < bottom {
            let rest = bottom - from;
            let rows = if rest <= ROWS_AT_ONCE + 1 { rest } else { ROWS_AT_ONCE };
            self.write_rows(picture, from..from + rows, 0..size.0)?;
            from += rows;
        }
        Ok(())
    }

    /// Writes a piece of some rows at once: one row, or whole rows that follow each other without a gap.
    fn write_rows(&mut self, picture: Picture<'_>, rows: Range<u32>, columns: Range<u32>) -> io::Result<()> {
        let Geometry { size, origin, stride, depth } = self.geometry;
        let at = u64::from(rows.start + origin.1) * u64::from(stride)
            + u64::from(columns.start + origin.0) * u64::from(depth.bytes());
        self.row.clear();
        let bytes = &mut self.row;
        for row in rows {
            self.rotate.row(picture, size, row, columns.clone(), |pixel| depth.put(pixel, bytes));
        }
        self.file.write_all_at(&self.row, at)
    }
}

impl Display for Framebuffer {
    fn size(&self) -> (u32, u32) {
        self.rotate.looked_at(self.geometry.size)
    }

    fn show(&mut self, picture: Picture<'_>, changed: &[Area]) -> Result<(), PortError> {
        self.check()?;
        changed.iter().try_for_each(|area| self.write(picture, *area)).map_err(|error| {
            let device = self.place.device.display();
            PortError::Failed(format!(
                "cannot write to the screen {device} ({error}): check its cable and its driver; it is used again as soon as it works"
            ))
        })
    }

    fn check(&mut self) -> Result<(), PortError> {
        if Geometry::read(&self.place)? == self.geometry {
            return Ok(());
        }
        let device = self.place.device.display();
        Err(PortError::Failed(format!("the screen {device} is another one now: it is used again in a moment")))
    }
}

/// The text console that the kernel puts on a framebuffer.
#[derive(Debug)]
pub struct Console;

impl Console {
    /// Switches off its cursor and its darkening, which would write over the screen or take its light, and tells what can
    /// not be switched off and how to.
    pub fn quieten(self, place: &Place) {
        let sys = |path: PathBuf| fs::write(&path, "0").map_err(|error| format!("{} ({error})", path.display()));
        let told = |tty: &Path| {
            OpenOptions::new()
                .write(true)
                .open(tty)
                .and_then(|mut tty| io::Write::write_all(&mut tty, QUIET))
                .map_err(|error| format!("{} ({error})", tty.display()))
        };
        // Without a console on it there is no such file, and nothing to switch off.
        let cursor = Some(place.sysfs.join("fbcon/cursor_blink")).filter(|path| path.exists());
        let tries = [cursor.map_or(Ok(()), sys), sys(place.folder().join("blank")), told(&place.tty)];
        let failed: Vec<String> = tries.into_iter().filter_map(Result::err).collect();
        if !failed.is_empty() {
            tracing::warn!(
                "the text console may write over the screen or darken it, because the gate can not write to {}: \
                 add `vt.global_cursor_default=0 consoleblank=0 fbcon=map:9` to the kernel's command line",
                failed.join(", ")
            );
        }
    }
}
