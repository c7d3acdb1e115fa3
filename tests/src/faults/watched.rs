//! The real gate program in this process, with somebody who looks on.

use super::world::World;
use super::{as_main, until};
use menshen_core::lane::Screen;
use menshen_core::trust::TrustList;
use menshen_gate::program::{Gate, StartError};
use menshen_lane::probe::Probe;
use menshen_lane::run::{Device, Timing, Watcher};
use menshen_lane::threads::Stop;
use menshen_lane::view::DecisionView;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What the gate told.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Every verdict that was shown, with the moment.
    pub verdicts: Vec<(Instant, DecisionView)>,
    /// Everything that was shown, with the moment.
    pub screens: Vec<(Instant, Screen)>,
    /// How the device is.
    pub device: Option<Device>,
    /// How many times that was told.
    pub told: u64,
}

/// A gate that runs until it is stopped or dropped.
pub struct Watched {
    seen: Arc<Mutex<Seen>>,
    panel: Option<SocketAddr>,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Watched {
    /// Starts the gate of a world.
    ///
    /// # Errors
    /// As the program.
    pub fn start(world: &World) -> Result<Watched, StartError> {
        Watched::start_with(world, Probe::default())
    }

    /// Starts it with a probe between its steps.
    ///
    /// # Errors
    /// As the program.
    pub fn start_with(world: &World, probe: Probe) -> Result<Watched, StartError> {
        let (board, site, state) = (world.board_file(), world.site_file(), world.state());
        let mut gate = as_main(move || Gate::open(&board, &site, &state))?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        gate.watch(Box::new(Onlooker(seen.clone())));
        gate.probe(probe);
        let (panel, stop) = (gate.panel(), Stop::new());
        let running = stop.clone();
        let thread = thread::spawn(move || gate.run(&running));
        Ok(Watched { seen, panel, stop, thread: Some(thread) })
    }

    /// Where its panel is.
    pub fn panel(&self) -> Option<SocketAddr> {
        self.panel
    }

    /// What it has told so far.
    pub fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }

    /// Waits until it has shown `count` verdicts, and gives the newest.
    pub fn verdict(&self, count: usize) -> DecisionView {
        self.when(&format!("verdict {count}"), |seen| seen.verdicts.get(count - 1).map(|(_, view)| view.clone()))
    }

    /// Waits until its device is as wanted, and gives what was found.
    pub fn device<T>(&self, what: &str, mut find: impl FnMut(&Device) -> Option<T>) -> T {
        self.when(what, |seen| seen.device.as_ref().and_then(&mut find))
    }

    /// Ends it in good order; gives how long that took.
    pub fn stop(mut self) -> Duration {
        let begun = Instant::now();
        self.end();
        begun.elapsed()
    }

    /// Waits until what it has told is as wanted, and gives what was found.
    pub fn when<T>(&self, what: &str, mut find: impl FnMut(&Seen) -> Option<T>) -> T {
        until(what, Duration::from_secs(30), || find(&lock(&self.seen)))
    }

    fn end(&mut self) {
        self.stop.set();
        if let Some(thread) = self.thread.take() {
            if !thread::panicking() {
                // A gate that is stuck is told, not waited for.
                until("a gate that stops", Duration::from_secs(30), || thread.is_finished().then_some(()));
            }
            assert!(thread.join().is_ok() || thread::panicking(), "the gate panicked");
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.end();
    }
}

struct Onlooker(Arc<Mutex<Seen>>);

impl Watcher for Onlooker {
    fn screen(&mut self, screen: &Screen, trust: Option<&TrustList>, _: Timing) {
        let (mut seen, now) = (lock(&self.0), Instant::now());
        if let Screen::Verdict(decision) = screen {
            seen.verdicts.push((now, DecisionView::of(decision, trust)));
        }
        seen.screens.push((now, screen.clone()));
    }

    fn device(&mut self, device: &Device) {
        let mut seen = lock(&self.0);
        seen.device = Some(device.clone());
        seen.told += 1;
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    // A failed assertion elsewhere leaves a whole value.
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
