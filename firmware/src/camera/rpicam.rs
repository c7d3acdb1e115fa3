//! The camera on the ribbon cable of a Raspberry Pi, through its own program.
//!
//! `rpicam-vid` (older systems: `libcamera-vid`) knows every camera module and the tuning of its sensor. It is started
//! with raw pictures on its output, of which only the luma is kept. Sizes are such that no line has a gap after it, so
//! a picture is as many bytes as its size says and the stream can not slip.
//!
//! The program is this port's: it is ended with it, and when it dies by itself the port has failed, with the last line
//! that the program said. A program that is silent for [`SILENT_FOR`] is ended and started anew.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use menshen_lane::optics::Frame;
use menshen_lane::ports::{Camera, Open, PortError};

use super::pipe::Stoppable;
use super::slot::Slot;
use crate::board;

/// What the program may be called.
const PROGRAMS: [&str; 2] = ["rpicam-vid", "libcamera-vid"];
/// A program that has given pictures and gives none for this long is started anew.
const SILENT_FOR: Duration = Duration::from_secs(4);
/// How long the first picture may take: a small board loads the tuning of a sensor from a slow card.
const STARTS_WITHIN: Duration = Duration::from_secs(8);
/// What is kept of a line that the program says.
const LINE_BYTES: u64 = 400;

/// Opens the camera of a board.
pub(super) fn opener(board: board::Rpicam) -> Open<dyn Camera> {
    Box::new(move || Ok(Box::new(RpicamCamera::start(&board)?)))
}

/// The arguments for a board.
fn arguments(board: &board::Rpicam) -> Vec<String> {
    let mut said: Vec<String> =
        ["--codec", "yuv420", "--nopreview", "--timeout", "0", "--flush", "--output", "-"].map(str::to_owned).to_vec();
    let mut say = |option: &str, value: String| said.extend([option.to_owned(), value]);
    say("--width", board.size.width.to_string());
    say("--height", board.size.height.to_string());
    say("--framerate", board.size.fps.to_string());
    say("--metering", board.metering.name().to_owned());
    if board.ev != 0.0 {
        say("--ev", board.ev.to_string());
    }
    if let Some(us) = board.exposure_us {
        say("--shutter", us.to_string());
    }
    if let Some(gain) = board.gain {
        say("--gain", gain.to_string());
    }
    if let Some(dioptres) = board.lens_position {
        say("--autofocus-mode", "manual".to_owned());
        say("--lens-position", dioptres.to_string());
    }
    said
}

fn spawn(board: &board::Rpicam) -> Result<(Child, String), PortError> {
    let programs: Vec<PathBuf> = match &board.program {
        Some(program) => vec![program.clone()],
        None => PROGRAMS.map(PathBuf::from).to_vec(),
    };
    let mut why = String::new();
    for program in &programs {
        let mut command = Command::new(program);
        command.args(arguments(board)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        match command.spawn() {
            Ok(child) => return Ok((child, name(program))),
            Err(error) => why = format!("{}: {error}", program.display()),
        }
    }
    Err(PortError::Absent(format!(
        "cannot start the camera program {why}; install rpicam-apps, or correct `camera.program` in the board file"
    )))
}

fn name(program: &Path) -> String {
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

struct RpicamCamera {
    program: String,
    child: Arc<Mutex<Child>>,
    slot: Arc<Slot<Picture>>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    size: (u32, u32),
    started: bool,
    last_good: Instant,
}

#[derive(Debug)]
struct Picture {
    luma: Vec<u8>,
    at: Instant,
}

impl RpicamCamera {
    fn start(board: &board::Rpicam) -> Result<RpicamCamera, PortError> {
        let (mut child, program) = spawn(board)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let mut camera = RpicamCamera {
            program,
            child: Arc::new(Mutex::new(child)),
            slot: Arc::default(),
            stop: Arc::default(),
            reader: None,
            size: (board.size.width, board.size.height),
            started: false,
            last_good: Instant::now(),
        };
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
            return Err(PortError::Failed(format!(
                "the camera program {} has no output: start it anew",
                camera.program
            )));
        };
        let cannot = |error| PortError::Failed(format!("cannot start the camera's thread: {error}"));
        let said = listen(stderr).map_err(cannot)?;
        let (slot, child, program) = (Arc::clone(&camera.slot), Arc::clone(&camera.child), camera.program.clone());
        let (size, source) = (camera.size, Stoppable { source: stdout, stop: Arc::clone(&camera.stop) });
        let body = move || {
            let error = fill(&slot, source, size);
            slot.end(died(&program, &child, said, &error));
        };
        camera.reader = Some(std::thread::Builder::new().name("camera".to_owned()).spawn(body).map_err(cannot)?);
        Ok(camera)
    }

    fn silent(&self) -> PortError {
        PortError::Failed(format!(
            "the camera program {} gives no pictures: it is started anew; if that does not help, check the ribbon cable",
            self.program
        ))
    }
}

/// Keeps reading what the program says; the last line is what the thread ends with.
fn listen(stderr: ChildStderr) -> io::Result<JoinHandle<String>> {
    std::thread::Builder::new().name("camera-says".to_owned()).spawn(move || {
        let (mut source, mut last) = (BufReader::new(stderr), String::new());
        loop {
            let mut line = Vec::new();
            match source.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return last,
                Ok(_) => {
                    let line = String::from_utf8_lossy(&line).trim().to_owned();
                    if !line.is_empty() {
                        tracing::debug!("the camera program: {line}");
                        last = line;
                    }
                }
            }
        }
    })
}

/// Reads pictures until the stream ends; gives how.
fn fill(slot: &Slot<Picture>, mut source: impl Read, (width, height): (u32, u32)) -> io::Error {
    let pixels = width as usize * height as usize;
    let mut colour = vec![0; pixels / 2];
    loop {
        let mut picture = slot.spare().unwrap_or_else(|| Picture { luma: Vec::new(), at: Instant::now() });
        picture.luma.resize(pixels, 0);
        let read = source.read_exact(&mut picture.luma).and_then(|()| source.read_exact(&mut colour));
        picture.at = Instant::now();
        match read {
            Ok(()) => slot.put(picture),
            Err(error) => return error,
        }
    }
}

/// Ends the program if need be and tells how it ended.
fn died(program: &str, child: &Mutex<Child>, said: JoinHandle<String>, error: &io::Error) -> PortError {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    let closed = error.kind() == io::ErrorKind::UnexpectedEof;
    // One whose output has ended is as good as dead, and most are by now; give it a moment to say how.
    let begun = Instant::now();
    while closed && matches!(child.try_wait(), Ok(None)) && begun.elapsed() < Duration::from_millis(500) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let how = child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
    // Whoever it started may still hold its error output open: it is not waited for.
    let begun = Instant::now();
    while !said.is_finished() && begun.elapsed() < Duration::from_millis(500) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let said = if said.is_finished() { said.join().unwrap_or_default() } else { String::new() };
    let said = if said.is_empty() { "it said nothing".to_owned() } else { format!("it said: {said}") };
    PortError::Failed(format!(
        "the camera program {program} ended ({how}; {said}): it is started anew; check the ribbon cable and the camera \
         keys of the board file"
    ))
}

impl Camera for RpicamCamera {
    fn frame(&mut self, timeout: Duration) -> Result<Option<Frame>, PortError> {
        let Some(picture) = self.slot.take(timeout)? else {
            let patience = if self.started { SILENT_FOR } else { STARTS_WITHIN };
            return if self.last_good.elapsed() >= patience { Err(self.silent()) } else { Ok(None) };
        };
        (self.started, self.last_good) = (true, Instant::now());
        let frame = Frame::new(self.size.0, self.size.1, picture.luma);
        frame.map(|frame| Some(frame.at(picture.at))).map_err(|error| PortError::Failed(error.to_string()))
    }

    fn recycle(&mut self, frame: Frame) {
        let at = frame.captured_at();
        self.slot.give_back(Picture { luma: frame.into_luma(), at });
    }
}

impl Drop for RpicamCamera {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        match &mut self.reader {
            // The thread ends the program and takes its exit status.
            Some(_) => {}
            None => {
                let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = child.kill();
                let _ = child.wait();
            }
        }
        if let Some(reader) = self.reader.take()
            && reader.join().is_err()
        {
            tracing::error!("the camera's thread panicked; the camera is opened again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_told_what_the_board_says_and_nothing_else() {
        let plain = board::Rpicam {
            program: None,
            size: board::Size { width: 1280, height: 720, fps: 15 },
            exposure_us: None,
            gain: None,
            lens_position: None,
            metering: board::Metering::Spot,
            ev: 0.0,
        };
        let told = |board: &board::Rpicam| arguments(board).join(" ");
        assert_eq!(
            told(&plain),
            "--codec yuv420 --nopreview --timeout 0 --flush --output - --width 1280 --height 720 --framerate 15 \
             --metering spot"
        );
        let full =
            board::Rpicam { exposure_us: Some(4000), gain: Some(2.5), lens_position: Some(4.0), ev: -1.5, ..plain };
        let told = told(&full);
        assert!(
            told.ends_with("--ev -1.5 --shutter 4000 --gain 2.5 --autofocus-mode manual --lens-position 4"),
            "{told}"
        );
    }
}
