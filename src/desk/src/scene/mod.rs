//! Frames as a gate's camera sees them, made from a payload and a seed.
//!
//! The demo, the tests and the benchmarks need thousands of frames of codes
//! that exist only since a moment ago, on phones and on paper, well and badly
//! held. This draws them: a place and a person, a carrier with the code on it at
//! some pose, through a lens onto a sensor, with the habits of one [`Camera`]. It draws light, not
//! detector results: whatever reads such a frame reads it as it would a live one.
//!
//! Invariants: the same code, camera and seed give the same frame on one
//! machine; every frame is within a [`Frame`]'s bounds; nothing here fails but
//! the saving of a file.

pub mod camera;

mod carrier;
mod ground;
mod pose;
pub mod random;
mod sensor;

use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageError, ImageFormat};
use menshen_lane::optics::Frame;
use thiserror::Error;

use crate::qr::QrPicture;
pub use camera::{Camera, Carrier};
use pose::Pose;
use random::Random;
use sensor::Canvas;

/// A person holds `code` before `camera`; `seed` draws where, how and on what
/// ground, within the camera's habits.
pub fn render(code: &QrPicture, camera: &Camera, seed: u64) -> Frame {
    let mut random = Random::new(seed);
    let mut canvas = Canvas::new(camera, &mut random);
    ground::paint(&mut canvas, &mut random);
    ground::paint_person(&mut canvas, &mut random);
    let pose = Pose::draw(camera, &mut random);
    carrier::paint(&mut canvas, code, camera.carrier, &pose, &mut random);
    canvas.expose(camera, &mut random)
}

/// A person stands before `camera` and shows no code yet.
pub fn waiting(camera: &Camera, seed: u64) -> Frame {
    let mut random = Random::new(seed);
    let mut canvas = Canvas::new(camera, &mut random);
    ground::paint(&mut canvas, &mut random);
    ground::paint_person(&mut canvas, &mut random);
    canvas.expose(camera, &mut random)
}

/// The same place with nobody in it.
pub fn empty(camera: &Camera, seed: u64) -> Frame {
    let mut random = Random::new(seed);
    let mut canvas = Canvas::new(camera, &mut random);
    ground::paint(&mut canvas, &mut random);
    canvas.expose(camera, &mut random)
}

/// Writes `frame` as a PNG file.
///
/// # Errors
/// [`SaveError`] when the file cannot be written.
pub fn save_png(frame: &Frame, path: impl AsRef<Path>) -> Result<(), SaveError> {
    let path = path.as_ref();
    image::save_buffer_with_format(
        path,
        frame.luma(),
        frame.width(),
        frame.height(),
        ExtendedColorType::L8,
        ImageFormat::Png,
    )
    .map_err(|source| SaveError { path: path.to_owned(), source })
}

/// A picture that cannot be written.
#[derive(Debug, Error)]
#[error("cannot write the picture {}: {source}; check that its folder exists and has room", path.display())]
pub struct SaveError {
    /// The file.
    pub path: PathBuf,
    /// What the encoder or the system said.
    pub source: ImageError,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use menshen_lane::optics::{Diagnosis, Reader};

    use super::*;
    use crate::qr::qr;

    const ALPHANUMERIC: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

    fn payload(seed: u64, len: usize) -> String {
        let mut random = Random::new(!seed);
        let letters = (0..len).map(|_| {
            let at = random.below(ALPHANUMERIC.len());
            char::from(ALPHANUMERIC[at])
        });
        format!("MS1:{}", letters.collect::<String>())
    }

    fn every_easy_scene_is_read_exactly(carrier: Carrier) {
        let camera = Camera::easy().showing(carrier);
        let mut reader = Reader::new();
        for seed in 0..100 {
            // 204 to 303 characters: QR versions 8, 9 and 10.
            let payload = payload(seed, 200 + seed as usize);
            let code = qr(&payload).unwrap();
            assert!((8..=10).contains(&code.version()));
            let sight = reader.read(&render(&code, &camera, seed));
            let read: Vec<_> = sight.payloads.iter().map(|p| p.as_bytes()).collect();
            assert_eq!(read, [payload.as_bytes()], "{carrier:?}, seed {seed}");
        }
    }

    #[test]
    fn every_easy_phone_is_read_exactly() {
        every_easy_scene_is_read_exactly(Carrier::Phone);
    }

    #[test]
    fn every_easy_paper_is_read_exactly() {
        every_easy_scene_is_read_exactly(Carrier::Paper);
    }

    #[test]
    fn an_empty_place_and_a_person_without_a_code_show_none() {
        let mut reader = Reader::new();
        for seed in 0..20 {
            for frame in [empty(&Camera::easy(), seed), waiting(&Camera::easy(), seed)] {
                assert_eq!(reader.read(&frame).diagnosis, Diagnosis::NoCode, "seed {seed}");
            }
        }
    }

    #[test]
    fn a_seed_is_a_frame_and_another_seed_is_another() {
        let code = qr(payload(1, 100)).unwrap();
        let render = |seed| render(&code, &Camera::easy(), seed).luma().to_vec();
        assert!(render(1) == render(1));
        assert!(render(1) != render(2));
    }

    #[test]
    fn a_camera_of_senseless_settings_still_gives_a_frame() {
        let code = qr("MS1:").unwrap();
        for extreme in [0.0, -1e9, 1e9, f32::INFINITY, f32::NAN] {
            let camera = Camera {
                width: 0,
                height: 40,
                carrier: Carrier::Phone,
                module_px: extreme..=extreme,
                rotation_deg: extreme..=extreme,
                tilt_deg: extreme..=extreme,
                offset_px: extreme..=extreme,
                defocus_px: extreme..=extreme,
                noise_dn: extreme..=extreme,
                light_fall: extreme..=extreme,
                exposure: extreme..=extreme,
            };
            let frame = render(&code, &camera, 7);
            assert_eq!((frame.width(), frame.height()), (1, 40));
        }
    }

    #[test]
    fn a_saved_scene_is_the_same_picture_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scene.png");
        let frame = empty(&Camera::easy(), 3);
        save_png(&frame, &path).unwrap();
        assert!(Frame::from_picture(&path).unwrap().luma() == frame.luma());
        assert!(save_png(&frame, folder.path().join("absent/scene.png")).is_err());
    }
}
