//! The system's clock, and what it is worth.
//!
//! A Raspberry Pi wakes up in 1970 or at the last shutdown. So the system's clock is believed only
//! where the board says that it may be, and only when it is not before the floor: the newest of the
//! moment this program was built, the latest believed moment of any earlier run, and what a signed ack
//! or trust list has said. The floor is kept in the state directory and only rises.
//!
//! Invariants: [`time`](SystemClock::time) is trusted only from a source that may be believed; it is
//! never before the floor; a clock that lags the floor by no more than
//! [`SKEW_S`] is a slow clock, one that lags more is a wrong one. The floor
//! is written by a thread, so that asking the time never waits for a disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use menshen_core::time::{SKEW_S, Time};
use menshen_lane::durable;
use menshen_lane::ports::Clock;

use crate::board;

/// Made by systemd-timesyncd once it has set the clock since boot; `/run` is empty at boot.
pub const TIMESYNCD_SIGN: &str = "/run/systemd/timesync/synchronized";
/// When this program was built, in seconds since 1970.
pub const BUILD_UNIX_S: u64 = match u64::from_str_radix(env!("MENSHEN_BUILD_UNIX_S"), 10) {
    Ok(unix_s) => unix_s,
    Err(_) => 0,
};

const FLOOR_FILE: &str = "time-floor";
const SAVE_EVERY: Duration = Duration::from_secs(60);

/// Gives the system's time in seconds since 1970.
pub type SystemNow = Box<dyn Fn() -> u64 + Send + Sync>;

/// No gate runs longer after it was built: a later moment is somebody's mistake, and a floor never falls again.
pub const LATEST_UNIX_S: u64 = BUILD_UNIX_S + 20 * 366 * 86_400;

/// The clock of a gate.
pub struct SystemClock {
    started: Instant,
    now: SystemNow,
    source: board::Clock,
    floor: Arc<AtomicU64>,
    told_behind: AtomicBool,
    path: PathBuf,
    jumped: Option<SyncSender<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl SystemClock {
    /// The clock of this machine, with the floor kept in `state_dir`.
    ///
    /// # Errors
    /// What the system says where no thread can be started.
    pub fn open(state_dir: &Path, source: board::Clock) -> io::Result<SystemClock> {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        SystemClock::with_now(state_dir, source, Box::new(now))
    }

    /// The same with another idea of the system's time, for tests and simulations.
    ///
    /// # Errors
    /// As [`SystemClock::open`].
    pub fn with_now(state_dir: &Path, source: board::Clock, now: SystemNow) -> io::Result<SystemClock> {
        let path = state_dir.join(FLOOR_FILE);
        let kept = read_floor(&path).min(LATEST_UNIX_S);
        let floor = Arc::new(AtomicU64::new(kept.max(BUILD_UNIX_S)));
        let (jumped, jumps) = sync_channel(1);
        let keeper = Keeper { path: path.clone(), floor: Arc::clone(&floor), saved: kept, told: false };
        let keeper = std::thread::Builder::new().name("time-floor".to_owned()).spawn(move || keeper.run(&jumps))?;
        let (jumped, keeper) = (Some(jumped), Some(keeper));
        Ok(SystemClock { started: Instant::now(), now, source, floor, told_behind: false.into(), path, jumped, keeper })
    }

    fn believed(&self) -> bool {
        match &self.source {
            board::Clock::System => true,
            board::Clock::Synchronised { sign } => sign.exists(),
        }
    }

    fn tell_behind(&self, system: u64, floor: u64) {
        if !self.told_behind.swap(true, Ordering::Relaxed) {
            let path = self.path.display();
            tracing::warn!(
                "the system clock ({system} s) is behind a moment that has passed ({floor} s): set it, or, if it once \
                 ran ahead, stop the gate and remove {path}"
            );
        }
    }
}

impl Clock for SystemClock {
    fn mono_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn time(&self) -> Time {
        let floor = self.floor.load(Ordering::Relaxed);
        if !self.believed() {
            return Time::floor(floor);
        }
        let system = (self.now)();
        if system.saturating_add(SKEW_S) < floor {
            self.tell_behind(system, floor);
            return Time::floor(floor);
        }
        self.told_behind.store(false, Ordering::Relaxed);
        self.floor.fetch_max(system.min(LATEST_UNIX_S), Ordering::Relaxed);
        Time::trusted(system.max(floor))
    }

    fn raise_floor(&self, unix_s: u64) {
        if unix_s > LATEST_UNIX_S {
            tracing::warn!(
                "a moment of {unix_s} s can not be: it does not count as the time; its signer's clock is wrong"
            );
            return;
        }
        let before = self.floor.fetch_max(unix_s, Ordering::Relaxed);
        if unix_s > before.saturating_add(SKEW_S)
            && let Some(jumped) = &self.jumped
        {
            // A keeper that has been told already will see this jump too.
            let _ = jumped.try_send(());
        }
    }
}

impl Drop for SystemClock {
    fn drop(&mut self) {
        self.jumped = None;
        if let Some(keeper) = self.keeper.take() {
            // A keeper that panicked leaves the floor of its last save.
            let _ = keeper.join();
        }
    }
}

/// Writes the floor down: once a minute, after a jump, and at the end.
struct Keeper {
    path: PathBuf,
    floor: Arc<AtomicU64>,
    saved: u64,
    told: bool,
}

impl Keeper {
    fn run(mut self, jumps: &Receiver<()>) {
        loop {
            let woken = jumps.recv_timeout(SAVE_EVERY);
            self.save();
            if woken == Err(RecvTimeoutError::Disconnected) {
                return;
            }
        }
    }

    fn save(&mut self) {
        let floor = self.floor.load(Ordering::Relaxed);
        if floor <= self.saved {
            return;
        }
        match write_floor(&self.path, floor) {
            Ok(()) => (self.saved, self.told) = (floor, false),
            Err(error) if !self.told => {
                self.told = true;
                tracing::warn!(
                    "cannot keep the time floor in {}: {error}; free or repair that disk",
                    self.path.display()
                );
            }
            Err(_) => {}
        }
    }
}

/// The floor in a file; 0 where there is none.
fn read_floor(path: &Path) -> u64 {
    match std::fs::read_to_string(path).map(|text| text.trim().parse()) {
        Ok(Ok(floor)) => floor,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        _ => {
            tracing::warn!("{} holds no time: the floor starts again at the build of this program", path.display());
            0
        }
    }
}

/// Replaces the file whole, so that a power cut leaves the old floor or the new one.
fn write_floor(path: &Path, floor: u64) -> io::Result<()> {
    durable::replace(path, format!("{floor}\n").as_bytes(), 0o644)
}
