//! The clock of a gate: its devices, its file, and the thread between them and whoever asks for the time.
//!
//! What a reading is worth is judged in [`menshen_core::clock`], which is pure; here are the chip or the system's
//! clock that is read, the counter that never stops, and the file that survives power cuts. A thread looks at all of
//! it once a second, so that asking for the time waits for neither a bus nor a disk.
//!
//! Invariants: the counter counts while the device sleeps (`CLOCK_BOOTTIME`), or a sleep would look like a clock that
//! jumped; the chip is set only to a time that somebody signed, or that a person set; the network's time, which a
//! time service may have put into the system's clock, is only shown.

pub(crate) mod by_hand;
mod kept;

use crate::board::{self, ClockSource};
use crate::rtc::{self, Rtc};
use kept::Found;
use menshen_core::clock::{Clock as Judge, Doubt, Implausible, Kept, Look, Published, Source, View};
use menshen_core::time::{SKEW_S, Time};
use menshen_lane::moment;
use menshen_lane::ports::{Clock, Open, PortError};
use menshen_lane::threads;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Made by systemd-timesyncd once it has set the clock since boot; `/run` is empty at boot.
pub const TIMESYNCD_SIGN: &str = "/run/systemd/timesync/synchronized";
/// When this program was built, in seconds since 1970.
pub const BUILD_UNIX_S: u64 = match u64::from_str_radix(env!("MENSHEN_BUILD_UNIX_S"), 10) {
    Ok(unix_s) => unix_s,
    Err(_) => 0,
};
/// No gate runs longer after it was built: a later moment is somebody's mistake, and a floor never falls again.
pub const LATEST_UNIX_S: u64 = BUILD_UNIX_S + 20 * 366 * 86_400;
/// What a person who sets a clock may be off, in seconds.
pub const HAND_ERROR_S: u32 = 20;

const KEPT_FILE: &str = "time-floor";
const LOOK_EVERY: Duration = Duration::from_secs(1);
const SAVE_EVERY_MS: u64 = 60_000;

/// Gives the system's time in seconds since 1970.
pub type SystemNow = Box<dyn Fn() -> u64 + Send>;
/// Gives milliseconds that only ever grow.
pub type Counter = Box<dyn Fn() -> u64 + Send + Sync>;

/// Who can tell a gate for certain what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// Its hub, which signs it.
    Hub,
    /// A person, at a gate without a hub.
    Technician,
}

impl Teller {
    /// The one thing to do about a clock that is not believed.
    const fn remedy(self) -> &'static str {
        match self {
            Teller::Hub => "connect the gate to its hub, which sets its clock",
            Teller::Technician => "call the technician to set its clock",
        }
    }
}

/// What a gate's clock is made of.
pub struct ClockParts {
    /// Which of them is the device's own clock.
    pub source: Source,
    /// The battery-backed clock, where there is one.
    pub rtc: Option<Open<dyn Rtc>>,
    /// The system's clock.
    pub system_now: SystemNow,
    /// Made when the network has told the system the time.
    pub sign: PathBuf,
    /// Who can tell it the time.
    pub teller: Teller,
    /// What counts while the gate runs.
    pub counter: Counter,
}

impl ClockParts {
    /// What a board says; relative paths are within `state_dir`.
    pub fn of(board: &board::Clock, state_dir: &Path, teller: Teller) -> ClockParts {
        let started_ms = by_hand::since_boot_ms();
        ClockParts {
            source: match board.source {
                ClockSource::Rtc { .. } | ClockSource::Simulated { .. } => Source::Rtc,
                ClockSource::System => Source::System,
                ClockSource::Synchronised => Source::None,
            },
            rtc: rtc::opener(&board.source, state_dir),
            system_now: Box::new(moment::now),
            sign: board.sign.clone(),
            teller,
            counter: Box::new(move || by_hand::since_boot_ms().saturating_sub(started_ms)),
        }
    }
}

/// The clock of a gate.
pub struct GateClock {
    shared: Arc<Shared>,
    stop: Option<SyncSender<()>>,
    looker: Option<JoinHandle<()>>,
}

impl GateClock {
    /// The clock of a board, with what it knows kept in `state_dir`.
    ///
    /// # Errors
    /// What the system says where no thread can be started.
    pub fn open(state_dir: &Path, board: &board::Clock, teller: Teller) -> io::Result<GateClock> {
        GateClock::of(state_dir, ClockParts::of(board, state_dir, teller))
    }

    /// The same of any parts, for tests and simulations. Looks at its devices once before it returns.
    ///
    /// # Errors
    /// As [`GateClock::open`].
    pub fn of(state_dir: &Path, parts: ClockParts) -> io::Result<GateClock> {
        let path = state_dir.join(KEPT_FILE);
        let (kept, lost) = match kept::read(&path) {
            Found::Kept(kept) => (kept, None),
            Found::Nothing => (Kept::default(), None),
            Found::Damaged => {
                let lost = format!(
                    "{} was damaged, so this gate knows no more of the time than that it was built: {}",
                    path.display(),
                    parts.teller.remedy()
                );
                tracing::warn!("{lost}");
                (Kept::default(), Some(lost))
            }
        };
        let looker = Looker {
            source: parts.source,
            open: parts.rtc,
            rtc: None,
            system_now: parts.system_now,
            sign: parts.sign,
            teller: parts.teller,
            state_dir: state_dir.to_owned(),
            saved: (lost.is_none()).then_some(kept),
            saved_at_ms: None,
            told: false,
            doubt: None,
        };
        let shared = Arc::new(Shared {
            judge: Mutex::new(Judge::new(parts.source, kept, BUILD_UNIX_S, LATEST_UNIX_S)),
            faults: Mutex::new(ClockFaults { device: None, lost }),
            counter: parts.counter,
            looker: Mutex::new(looker),
        });
        shared.look();
        let (stop, stopped) = sync_channel::<()>(0);
        let looking = Arc::clone(&shared);
        let run = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK_EVERY) {
                looking.look();
            }
        };
        let looker = std::thread::Builder::new().name("clock".to_owned()).spawn(run)?;
        Ok(GateClock { shared, stop: Some(stop), looker: Some(looker) })
    }

    /// Looks at its devices now, as its thread does once a second.
    pub fn look(&self) {
        self.shared.look();
    }
}

/// Whether the gate of `state_dir` would believe a person that it is `unix_s` now, by what it has kept.
///
/// # Errors
/// Why it would not, and the newest moment that it knows to have passed for certain.
pub(crate) fn could_be(state_dir: &Path, unix_s: u64) -> Result<(), (Implausible, u64)> {
    let kept = match kept::read(&state_dir.join(KEPT_FILE)) {
        Found::Kept(kept) => kept,
        Found::Nothing | Found::Damaged => Kept::default(),
    };
    let mut judge = Judge::new(Source::Rtc, kept, BUILD_UNIX_S, LATEST_UNIX_S);
    let passed_s = judge.kept().proof_s();
    judge.signed_now(0, unix_s, HAND_ERROR_S).map_err(|implausible| (implausible, passed_s))
}

impl Clock for GateClock {
    fn mono_ms(&self) -> u64 {
        (self.shared.counter)()
    }

    fn time(&self) -> Time {
        self.shared.judge().time(self.mono_ms())
    }

    fn published(&self, publication: Published) {
        tell_implausible(publication.at_s, self.shared.judge().published(self.mono_ms(), publication));
    }

    fn heard_not_before(&self, unix_s: u64) {
        tell_implausible(unix_s, self.shared.judge().heard_not_before(self.mono_ms(), unix_s));
    }

    fn signed_now(&self, unix_s: u64, error_s: u32) -> Result<(), Implausible> {
        self.shared.judge().signed_now(self.mono_ms(), unix_s, error_s)
    }

    fn without_publications(&self) -> u64 {
        self.shared.judge().without_publications(self.mono_ms())
    }

    fn signed_latest(&self) -> Option<u64> {
        self.shared.judge().signed_latest(self.mono_ms())
    }

    fn view(&self) -> View {
        self.shared.judge().view(self.mono_ms())
    }

    fn fault(&self) -> Option<String> {
        let ClockFaults { device, lost } = &*lock(&self.shared.faults);
        device.clone().or_else(|| lost.clone())
    }
}

fn tell_implausible(unix_s: u64, counted: Result<(), Implausible>) {
    if let Err(why) = counted {
        tracing::warn!("a signed moment ({unix_s} s) does not count: {why}");
    }
}

impl Drop for GateClock {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(looker) = self.looker.take() {
            // A thread that panicked leaves what it saved last.
            let _ = looker.join();
        }
        let kept = self.shared.judge().kept();
        lock(&self.shared.looker).save(kept);
    }
}

struct Shared {
    judge: Mutex<Judge>,
    faults: Mutex<ClockFaults>,
    counter: Counter,
    looker: Mutex<Looker>,
}

#[derive(Default)]
struct ClockFaults {
    /// The chip's.
    device: Option<String>,
    /// That what was kept is lost, until somebody signs what time it is.
    lost: Option<String>,
}

impl Shared {
    /// Looks, once a second. A panic on the way is a device that does not answer: the time goes on by the counter.
    fn look(&self) {
        if let Err(error) = threads::guarded("clock", || {
            self.look_and_keep();
            Ok(())
        }) {
            self.judge().device((self.counter)(), Look::Absent);
            lock(&self.faults).device = Some(error.to_string());
        }
    }

    /// The judge is locked only between looks, never while a device or a disk is waited for.
    fn look_and_keep(&self) {
        let mut looker = lock(&self.looker);
        if let Some(unix_s) = by_hand::take(&looker.state_dir) {
            tell_implausible(unix_s, self.judge().signed_now((self.counter)(), unix_s, HAND_ERROR_S));
        }
        let mut fault = self.look_at_device(&mut looker);
        let correction = self.judge().correction((self.counter)());
        if let Some(unix_s) = correction {
            fault = looker.set(unix_s).err().or_else(|| self.look_at_device(&mut looker));
        }
        let network_s = looker.network_s();
        let (kept, view) = {
            let mut judge = self.judge();
            judge.hint((self.counter)(), network_s);
            (judge.kept(), judge.view((self.counter)()))
        };
        looker.tell(&view);
        {
            let mut faults = lock(&self.faults);
            faults.device = fault;
            faults.lost = faults.lost.take().filter(|_| view.doubt.is_some());
        }
        looker.save_when_due(kept, (self.counter)());
    }

    fn look_at_device(&self, looker: &mut Looker) -> Option<String> {
        let (look, fault) = looker.look();
        self.judge().device((self.counter)(), look);
        fault
    }

    fn judge(&self) -> MutexGuard<'_, Judge> {
        lock(&self.judge)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is whole before anything that can panic; a chip in use is opened again after one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks at the devices and keeps the file.
struct Looker {
    source: Source,
    open: Option<Open<dyn Rtc>>,
    rtc: Option<Box<dyn Rtc>>,
    system_now: SystemNow,
    sign: PathBuf,
    teller: Teller,
    state_dir: PathBuf,
    /// What the file holds; `None` where it is damaged.
    saved: Option<Kept>,
    saved_at_ms: Option<u64>,
    told: bool,
    doubt: Option<Doubt>,
}

impl Looker {
    /// Tells the log once whenever what is wrong with the clock changes.
    fn tell(&mut self, view: &View) {
        let before = std::mem::replace(&mut self.doubt, view.doubt);
        let (time, remedy) = (moment::show_to_the_second, self.teller.remedy());
        match (view.doubt, view.device_s) {
            (doubt, _) if doubt == before => {}
            (None, _) => tracing::info!("the gate's clock is sure again: {}", time(view.time.unix_s)),
            (Some(doubt), Some(device_s)) if view.disagrees() => tracing::warn!(
                doubt = doubt.name(),
                "the gate's clock says {}, and {} is known to have passed: {remedy}",
                time(device_s),
                time(view.passed_s)
            ),
            (Some(doubt), _) => {
                tracing::warn!(doubt = doubt.name(), "the gate is not sure of its clock: {remedy}")
            }
        }
    }

    /// The device's clock, and what is wrong with it.
    fn look(&mut self) -> (Look, Option<String>) {
        match self.source {
            Source::None => (Look::Absent, None),
            Source::System => (Look::At((self.system_now)()), None),
            Source::Rtc => {
                self.with_rtc(|rtc| rtc.read()).map_or_else(|fault| (Look::Absent, Some(fault)), |look| (look, None))
            }
        }
    }

    fn set(&mut self, unix_s: u64) -> Result<(), String> {
        self.with_rtc(|rtc| rtc.set(unix_s))?;
        tracing::info!("the clock chip was set to {}", moment::show_to_the_second(unix_s));
        Ok(())
    }

    /// Uses the chip, opened if need be; one that fails is opened again next time.
    fn with_rtc<T>(&mut self, act: impl FnOnce(&mut dyn Rtc) -> Result<T, PortError>) -> Result<T, String> {
        let mut rtc = match (self.rtc.take(), &mut self.open) {
            (Some(rtc), _) => rtc,
            (None, Some(open)) => open().map_err(|error| error.to_string())?,
            (None, None) => return Err("this gate has no clock chip: correct `clock.source` in the board file".into()),
        };
        let done = act(rtc.as_mut()).map_err(|error| error.to_string())?;
        self.rtc = Some(rtc);
        Ok(done)
    }

    /// What the network told the system, where the system's clock is not the gate's own.
    fn network_s(&self) -> Option<u64> {
        (self.source != Source::System && self.sign.exists()).then(|| (self.system_now)())
    }

    /// Once a minute, and at once what must not be lost.
    fn save_when_due(&mut self, kept: Kept, now_ms: u64) {
        let due = self.saved_at_ms.is_none_or(|at_ms| now_ms >= at_ms + SAVE_EVERY_MS);
        // A disk that refuses is not asked every second.
        if due || (!self.told && self.saved.is_none_or(|saved| is_news(&saved, &kept))) {
            self.save(kept);
            self.saved_at_ms = Some(now_ms);
        }
    }

    fn save(&mut self, kept: Kept) {
        if self.saved == Some(kept) {
            return;
        }
        let path = self.state_dir.join(KEPT_FILE);
        match kept::write(&path, &kept) {
            Ok(()) => (self.saved, self.told) = (Some(kept), false),
            Err(error) if !self.told => {
                self.told = true;
                tracing::warn!("cannot keep the time in {}: {error}; free or repair that disk", path.display());
            }
            Err(_) => {}
        }
    }
}

/// Whether a power cut in the next minute would lose more than a minute.
fn is_news(saved: &Kept, kept: &Kept) -> bool {
    let sure = |kept: &Kept| (kept.proven_s, kept.published, kept.confirmed, kept.contradicted);
    sure(saved) != sure(kept) || saved.seen_s.abs_diff(kept.seen_s) > SKEW_S + SAVE_EVERY_MS / 1000
}
