//! Screens of a board, behind [`menshen_lane::ports::Display`]: what the gate paints itself, brought to where it is seen.
//!
//! The kernel's framebuffer is written to as a file, by rows, which needs no more than the permission to; a picture in a
//! file stands in for a screen where there is none. Both may come and go; neither retries or hides a failure.

mod framebuffer;
mod picture;
mod turned;

use std::path::Path;

use menshen_lane::display::Canvas;
use menshen_lane::ports::{self, Open, Picture};

use crate::board::{self, DisplayAt};

pub use framebuffer::{Console, Framebuffer, Place};
pub use picture::PictureFile;

/// Opens the screen of a board; relative paths are within `state_dir`.
pub fn opener(display: &board::Display, state_dir: &Path) -> Open<dyn ports::Display> {
    let rotate = display.rotate;
    match &display.at {
        DisplayAt::Framebuffer { device } => {
            let place = Place::of(state_dir.join(device));
            let mut console = Some(Console);
            Box::new(move || {
                let framebuffer = Framebuffer::open(&place, rotate)?;
                // Told once, however often the screen comes back.
                if let Some(console) = console.take() {
                    console.quieten(&place);
                }
                Ok(Box::new(framebuffer))
            })
        }
        DisplayAt::Picture { path, width, height } => {
            let (path, size) = (state_dir.join(path), (*width, *height));
            Box::new(move || Ok(Box::new(PictureFile::new(path.clone(), size, rotate))))
        }
    }
}

/// Darkens the screen of a board, for a gate that was killed and could not: what it showed last would stay.
///
/// # Errors
/// One sentence with its remedy.
pub fn darken(display: &board::Display, state_dir: &Path) -> Result<(), ports::PortError> {
    let mut display = opener(display, state_dir)()?;
    let (width, height) = display.size();
    let dark = Canvas::new(width, height);
    display.show(Picture::of(&dark), &[dark.area()])
}
