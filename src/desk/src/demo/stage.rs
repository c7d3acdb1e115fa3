//! The stage of the demonstration: what the gate's camera and thermometer get to see.
//!
//! The camera is a named pipe into which a thread writes Y4M, as a camera program would on a device; the
//! thermometer is the board's simulated unit, steered by its control file, which speaks the real unit's bytes on
//! a real pseudo-terminal. The gate opens both with the adapters it has on a device.

use crate::outcome::{Result, at};
use crate::qr;
use crate::scene::{self, Camera, Carrier};
use menshen_lane::optics::Frame;
use menshen_lane::optics::Y4mWriter;
use std::fs::{self, OpenOptions};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

const FRAMES_PER_S: u32 = 12;
/// How many frames of one scene there are; a hand never holds a phone still.
const VARIANTS: u64 = 4;
const AMBIENT_C: f32 = 22.5;

/// The stage of one gate.
pub struct Stage {
    scene: Arc<Mutex<Vec<Frame>>>,
    control: PathBuf,
}

impl Stage {
    /// Makes the pipe and the control file in a gate's state folder and begins with nobody there.
    pub fn set(state: &Path) -> Result<Stage> {
        fs::create_dir_all(state).map_err(at(state, "choose a folder that you may write"))?;
        let pipe = state.join("camera.y4m");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0)
            .map_err(|error| at(&pipe, "choose another folder with --state")(std::io::Error::from(error)))?;
        let stage = Stage { scene: Arc::new(Mutex::new(nobody())), control: state.join("thermometer.txt") };
        stage.measure(None)?;
        let scene = stage.scene.clone();
        thread::spawn(move || film(&pipe, &scene));
        Ok(stage)
    }

    /// Somebody shows a code.
    pub fn show(&self, payload: &str, carrier: Carrier, seed: u64) -> Result<()> {
        let code = qr::qr(payload)?;
        let camera = Camera::easy().showing(carrier);
        *lock(&self.scene) = (0..VARIANTS).map(|n| scene::render(&code, &camera, seed * VARIANTS + n)).collect();
        Ok(())
    }

    /// Nobody is there.
    pub fn clear(&self) -> Result<()> {
        *lock(&self.scene) = nobody();
        self.measure(None)
    }

    /// What is before the thermometer: a forehead, or the wall.
    pub fn measure(&self, temp_centi_c: Option<i16>) -> Result<()> {
        let object_c = temp_centi_c.map_or(AMBIENT_C, |centi_c| f32::from(centi_c) / 100.0);
        let beside = self.control.with_extension("new");
        fs::write(&beside, format!("{object_c:.2} {AMBIENT_C:.2}\n"))
            .and_then(|()| fs::rename(&beside, &self.control))
            .map_err(at(&self.control, "choose a folder that you may write"))
    }
}

fn nobody() -> Vec<Frame> {
    vec![scene::empty(&Camera::easy(), 0)]
}

/// Writes frames until the gate closes the pipe for good.
fn film(pipe: &Path, scene: &Mutex<Vec<Frame>>) {
    let mut number = 0;
    loop {
        // Opening waits for the gate; an error means that the stage was taken down.
        let Ok(file) = OpenOptions::new().write(true).open(pipe) else { return };
        let size = lock(scene).first().map(|frame| (frame.width(), frame.height()));
        let Some((width, height)) = size else { return };
        let Ok(mut y4m) = Y4mWriter::new(BufWriter::new(file), width, height, FRAMES_PER_S) else { continue };
        loop {
            let frame = {
                let frames = lock(scene);
                frames[number % frames.len()].clone()
            };
            number += 1;
            if y4m.write(&frame).is_err() {
                break;
            }
            thread::sleep(Duration::from_secs(1) / FRAMES_PER_S);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Scenes are replaced whole, so a panic elsewhere leaves a whole one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
