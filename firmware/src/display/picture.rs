//! A file as a screen: a PNG that always shows what a screen would, for a bench, a demo, a test, and whoever has no screen.
//!
//! Invariants: whoever opens the file sees a whole picture, the old one or the new one; nobody but the gate's user opens
//! it, whatever the umask is.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, BufWriter};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use menshen_lane::ports::{Area, Display, Picture, PortError};

use crate::board::Rotate;

/// For the gate's user alone: who is at the gate is nobody else's business.
const MODE: u32 = 0o600;

/// A PNG file that shows what a screen would.
#[derive(Debug)]
pub struct PictureFile {
    path: PathBuf,
    /// Of the file.
    size: (u32, u32),
    rotate: Rotate,
}

impl PictureFile {
    /// A file of this size; it is made when something is shown.
    pub fn new(path: PathBuf, size: (u32, u32), rotate: Rotate) -> PictureFile {
        PictureFile { path, size, rotate }
    }

    fn write(&self, picture: Picture<'_>) -> io::Result<()> {
        let (width, height) = self.size;
        let mut bytes = Vec::with_capacity(width as usize * height as usize * 3);
        for y in 0..height {
            self.rotate
                .row(picture, self.size, y, 0..width, |pixel| bytes.extend_from_slice(&pixel.to_be_bytes()[1..]));
        }
        let beside = self.path.with_extension("png.new");
        // What a gate that was killed left there may have had another mode.
        let _ = fs::remove_file(&beside);
        let file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&beside)?;
        // A umask takes bits away.
        file.set_permissions(Permissions::from_mode(MODE))?;
        let mut encoder = png::Encoder::new(BufWriter::new(file), width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&bytes)?;
        writer.finish()?;
        fs::rename(&beside, &self.path)
    }
}

impl Display for PictureFile {
    fn size(&self) -> (u32, u32) {
        self.rotate.looked_at(self.size)
    }

    fn show(&mut self, picture: Picture<'_>, _: &[Area]) -> Result<(), PortError> {
        self.write(picture).map_err(|error| {
            let path = self.path.display();
            PortError::Failed(format!(
                "the screen's picture {path} can not be written ({error}): make room, or correct `display` in the board file"
            ))
        })
    }

    fn keeps(&self) -> bool {
        true
    }
}
