//! What a gate sees of its camera, for a test on a machine that has only this program.
//!
//! ```text
//! camera-probe frames BOARD            opens the board's camera and says what its frames are like
//! camera-probe gate BOARD SITE STATE   runs the very gate and says how its camera is, until told to stop
//! ```

#![forbid(unsafe_code)]

use menshen_core::lane::Screen;
use menshen_core::trust::TrustList;
use menshen_gate::board::Board;
use menshen_gate::camera;
use menshen_gate::program::Gate;
use menshen_lane::ports::Light;
use menshen_lane::run::{Device, Timing, Watcher};
use menshen_lane::threads::Stop;
use std::path::Path;
use std::time::{Duration, Instant};

/// How many frames are looked at.
const FRAMES: u32 = 20;
/// How long they may take.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["frames", board] => frames(board),
        ["gate", board, site, state] => gate(board, site, state),
        _ => panic!("frames BOARD | gate BOARD SITE STATE"),
    }
}

fn frames(board: &str) {
    let board = Board::load(board).expect("the board file is right");
    let mut open = camera::opener(&board.camera, Path::new("."));
    let mut camera = match open() {
        Ok(camera) => camera,
        Err(error) => return println!("FRAMES none: {error}"),
    };
    let (begun, mut seen, mut last) = (Instant::now(), 0, None);
    while seen < FRAMES && begun.elapsed() < PATIENCE {
        match camera.frame(Duration::from_millis(200)) {
            Ok(Some(frame)) => {
                let luma = frame.luma();
                let (darkest, brightest) = (luma.iter().min().copied(), luma.iter().max().copied());
                last = Some((frame.width(), frame.height(), darkest.unwrap_or(0), brightest.unwrap_or(0)));
                camera.recycle(frame);
                // A camera that has no exposure to set is left in peace.
                camera.hint(Light::TooBright);
                seen += 1;
            }
            Ok(None) => {}
            Err(error) => return println!("FRAMES {seen}, then: {error}"),
        }
    }
    let fps = f64::from(seen) / begun.elapsed().as_secs_f64();
    let (width, height, darkest, brightest) = last.unwrap_or_default();
    println!("FRAMES {seen} of {width}x{height}, luma {darkest} to {brightest}, {fps:.1} a second");
}

fn gate(board: &str, site: &str, state: &str) {
    let mut gate = Gate::open(Path::new(board), Path::new(site), Path::new(state)).expect("board and site are right");
    gate.watch(Box::new(Teller { began: Instant::now(), told: None }));
    let stop = Stop::new();
    let on_signal = stop.clone();
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGTERM]).expect("it may be caught");
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            on_signal.set();
        }
    });
    gate.run(&stop);
}

/// Says how the camera is whenever that changes.
struct Teller {
    began: Instant,
    told: Option<Option<String>>,
}

impl Watcher for Teller {
    fn screen(&mut self, _: &Screen, _: Option<&TrustList>, _: Timing) {}

    fn device(&mut self, device: &Device) {
        let camera = &device.faults.camera;
        if self.told.as_ref() != Some(camera) {
            let at_ms = self.began.elapsed().as_millis();
            println!("CAMERA {at_ms} ms: {}", camera.as_deref().unwrap_or("works"));
            self.told = Some(camera.clone());
        }
    }
}
