//! A relay that a stuck program can not hold: whoever decides does not own the pin.
//!
//! The pin of the relay, and the fire alarm's, belong to a guard: a small loop that opens the way when its gate asks, and
//! shuts it by itself at a hard maximum. At a gate the guard is a process of its own (`menshen-gate relay-guard`), so a
//! gate that is stopped, killed or caught in a loop can not hold the way open: neither its memory nor its locks are the
//! guard's. A guard can be stopped or killed as well: the gate asks for a sign of life four times a second and for an
//! answer to each order, kills a guard that gives none and starts another, whose first act is to put the pin to rest. What
//! neither of them survives is the watchdog's affair (docs/outputs.md).
//!
//! Where there is no such program (a demonstration, a test of something else) the same loop runs in a thread. It keeps the
//! maximum against a gate that forgets, not against one that is stopped.

mod hold;
mod link;
mod order;
mod watch;

pub use order::{Order, RelayAt};

use crate::board::BoardError;
use link::{Link, Word, is_late};
use menshen_lane::ports::PortError;
use menshen_lane::threads::Stop;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The hidden command of `menshen-gate` that is a guard.
pub const COMMAND: &str = "relay-guard";
/// An order is answered within this, or its guard is taken to be stuck.
const ANSWER: Duration = Duration::from_millis(100);
/// So often a guard is asked for a sign of life, in milliseconds.
const HEARTBEAT: Duration = Duration::from_millis(250);
/// A guard that has just been started listens within this.
const READY: Duration = Duration::from_secs(2);
/// A guard that was told to end has ended within this.
const ENDED: Duration = Duration::from_millis(500);

/// How a guard runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuardAs {
    /// As a process, from this executable of `menshen-gate`: survives whatever its gate does.
    Process(PathBuf),
    /// As a thread of the gate: for a program that is no `menshen-gate`.
    Thread,
}

/// The gate's end: gives orders and sees to it that somebody guards.
pub(super) struct Guard {
    shared: Arc<Shared>,
    max_ms: u32,
    supervisor: Option<JoinHandle<()>>,
}

struct Shared {
    order: Order,
    run_as: GuardAs,
    running: Mutex<State>,
    alarm: Arc<AtomicBool>,
    stop: Stop,
}

#[derive(Default)]
struct State {
    number: u32,
    guard: Option<Running>,
}

/// A guard that runs.
struct Running {
    link: Link,
    body: Body,
    heard: Instant,
}

enum Body {
    Process(Child),
    Thread(JoinHandle<()>),
}

impl Guard {
    /// Starts a guard; the pin is at rest when this returns.
    pub(super) fn start(order: Order, run_as: GuardAs) -> Result<Guard, BoardError> {
        let max_ms = order.rules.max_ms;
        let (running, alarm) = (Mutex::new(State::default()), Arc::new(AtomicBool::new(false)));
        let shared = Arc::new(Shared { order, run_as, running, alarm, stop: Stop::new() });
        shared.start(&mut shared.lock()).map_err(|error| BoardError::Outputs(error.to_string()))?;
        let watching = Arc::clone(&shared);
        let supervisor = std::thread::Builder::new()
            .name("relay-guard".to_owned())
            .spawn(move || watching.supervise())
            .map_err(|error| BoardError::Outputs(format!("cannot start the thread that minds the relay: {error}")))?;
        Ok(Guard { shared, max_ms, supervisor: Some(supervisor) })
    }

    /// Whether the fire alarm lasts.
    pub(super) fn alarm(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.shared.alarm)
    }

    /// Lets somebody pass, at most for the maximum, or nobody any more.
    pub(super) fn pass(&self, open: bool) -> Result<(), PortError> {
        let max_ms = self.max_ms;
        let word = |number| if open { Word::Pass { number, for_ms: max_ms } } else { Word::Shut { number } };
        let state = &mut *self.shared.lock();
        let answered = match &mut state.guard {
            Some(_) => self.shared.ask(state, ANSWER, word),
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        let obeyed = match answered {
            Ok(obeyed) => obeyed,
            Err(error) => {
                tracing::warn!("the relay's guard did not answer ({error}): another one is started");
                self.shared.start(state)?;
                self.shared.ask(state, ANSWER, word).map_err(|error| no_guard(&error))?
            }
        };
        if obeyed { Ok(()) } else { Err(PortError::Failed(NOT_OBEYED.to_owned())) }
    }
}

const NOT_OBEYED: &str = "cannot switch the output `relay`: check `outputs` in the board file";

fn no_guard(error: &io::Error) -> PortError {
    PortError::Failed(format!("the output `relay` has no guard, so it stays at rest ({error}): start the gate again"))
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.shared.stop.set();
        // One that was frozen until now left the pin as it was: another one puts it to rest and ends as well.
        let frozen = self.shared.end(&mut self.shared.lock());
        if frozen && self.shared.start(&mut self.shared.lock()).is_ok() {
            self.shared.end(&mut self.shared.lock());
        }
        if let Some(supervisor) = self.supervisor.take() {
            // A supervisor that panicked has stopped too.
            let _ = supervisor.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole before anything that can panic.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the guard there is and starts another.
    fn start(&self, state: &mut State) -> Result<(), PortError> {
        if let Some(old) = state.guard.take() {
            old.kill()?;
        }
        let absent = |error: io::Error| no_guard(&error);
        let (near, far) = UnixStream::pair().map_err(absent)?;
        let body = match &self.run_as {
            GuardAs::Process(program) => Body::Process(self.process(program, far).map_err(absent)?),
            GuardAs::Thread => {
                let order = self.order.clone();
                let thread = std::thread::Builder::new().name("relay-guard".to_owned());
                // What it says of its pins, it says through the socket.
                Body::Thread(thread.spawn(move || drop(guard(far, &order))).map_err(absent)?)
            }
        };
        let mut guard = Running { link: Link::new(near), body, heard: Instant::now() };
        let mut ready = || {
            guard.link.socket().set_read_timeout(Some(READY))?;
            guard.link.socket().set_write_timeout(Some(ANSWER))?;
            match guard.link.receive()? {
                Word::Ready => Ok(()),
                Word::Refused { bytes } => Err(io::Error::other(guard.link.text(bytes)?)),
                _ => Err(io::ErrorKind::InvalidData.into()),
            }
        };
        match ready() {
            Ok(()) => {
                state.guard = Some(guard);
                Ok(())
            }
            Err(error) => {
                guard.kill()?;
                // A sentence of its own, which names the pin and the remedy.
                let own = error.kind() == io::ErrorKind::Other;
                Err(if own { PortError::Failed(error.to_string()) } else { no_guard(&error) })
            }
        }
    }

    fn process(&self, program: &PathBuf, far: UnixStream) -> io::Result<Child> {
        let order = serde_json::to_string(&self.order).map_err(io::Error::other)?;
        let mut command = Command::new(program);
        command.arg(COMMAND).arg(order).stdin(Stdio::from(OwnedFd::from(far))).stdout(Stdio::null());
        // A Ctrl-C at a terminal is for the gate; its guard ends with it. And a guard that is stopped when its gate ends
        // is woken: POSIX continues a process group that is orphaned with a stopped member in it (exit(3p)).
        command.process_group(0).spawn()
    }

    /// Sends a word and waits for its answer; gives whether the pin obeyed.
    fn ask(&self, state: &mut State, within: Duration, word: impl Fn(u32) -> Word) -> io::Result<bool> {
        let Some(guard) = &mut state.guard else { return Err(io::ErrorKind::NotConnected.into()) };
        state.number = state.number.wrapping_add(1);
        let asked = state.number;
        guard.link.send(word(asked))?;
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            guard.link.socket().set_read_timeout(Some(left))?;
            match guard.link.receive()? {
                Word::Done { number, obeyed } if number == asked => {
                    guard.heard = Instant::now();
                    return Ok(obeyed);
                }
                other => self.hear(other),
            }
        }
    }

    /// Takes what a guard says unasked.
    fn hear(&self, word: Word) {
        match word {
            Word::Alarm { lasts } => self.hear_alarm(lasts),
            Word::Cut => tracing::warn!("the relay's guard shut the way at its maximum, because the gate did not"),
            // A late answer to something that is forgotten.
            _ => {}
        }
    }

    fn hear_alarm(&self, lasts: bool) {
        if self.alarm.swap(lasts, Ordering::SeqCst) != lasts {
            let what = if lasts { "began: the way is held open" } else { "ended: the way is shut" };
            tracing::warn!("the fire alarm {what}");
        }
    }

    /// Sees to it that there is a guard and that it lives.
    fn supervise(&self) {
        while !self.stop.is_set() {
            let socket = self.lock().guard.as_ref().and_then(|guard| guard.link.socket().try_clone().ok());
            match socket {
                Some(socket) => await_words(&socket, HEARTBEAT),
                None => self.stop.sleep(Duration::from_secs(1)),
            }
            let state = &mut *self.lock();
            if self.stop.is_set() {
                return;
            }
            if let Err(error) = self.mind(state) {
                tracing::warn!("the relay's guard is gone or stuck ({error}): another one is started");
                if let Err(error) = self.start(state) {
                    tracing::error!("{error}");
                }
            }
        }
    }

    fn mind(&self, state: &mut State) -> io::Result<()> {
        let Some(guard) = &mut state.guard else { return Err(io::ErrorKind::NotConnected.into()) };
        guard.link.socket().set_nonblocking(true)?;
        let heard = loop {
            match guard.link.receive() {
                Ok(word) => self.hear(word),
                Err(error) if is_late(&error) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        guard.link.socket().set_nonblocking(false)?;
        heard?;
        if guard.heard.elapsed() < HEARTBEAT {
            return Ok(());
        }
        self.ask(state, HEARTBEAT, |number| Word::Ping { number }).map(drop)
    }

    /// Ends the guard there is; gives whether it had to be killed.
    fn end(&self, state: &mut State) -> bool {
        let Some(Running { link, mut body, .. }) = state.guard.take() else { return false };
        link.hang_up();
        let until = Instant::now() + ENDED;
        while !body.has_ended() {
            // One that the alarm keeps stays behind.
            if self.alarm.load(Ordering::SeqCst) {
                return false;
            }
            if Instant::now() >= until {
                let Body::Process(child) = &mut body else { return false };
                return child.kill().and_then(|()| child.wait()).is_ok();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        false
    }
}

impl Running {
    /// Ends it by force, which a process that is stopped obeys too.
    fn kill(self) -> Result<(), PortError> {
        self.link.hang_up();
        match self.body {
            Body::Process(mut child) => {
                child.kill().and_then(|()| child.wait()).map(drop).map_err(|error| no_guard(&error))
            }
            Body::Thread(thread) => {
                let until = Instant::now() + ANSWER;
                while !thread.is_finished() && Instant::now() < until {
                    std::thread::sleep(Duration::from_millis(1));
                }
                match thread.is_finished() {
                    true => Ok(()),
                    false => Err(no_guard(&io::ErrorKind::TimedOut.into())),
                }
            }
        }
    }
}

impl Body {
    fn has_ended(&mut self) -> bool {
        match self {
            // One that can not be asked has been waited for.
            Body::Process(child) => child.try_wait().map_or(true, |status| status.is_some()),
            Body::Thread(thread) => thread.is_finished(),
        }
    }
}

fn await_words(socket: &UnixStream, wait: Duration) {
    let mut fds = [PollFd::new(socket, PollFlags::IN)];
    let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
    // Interrupted or not, the supervisor looks at everything.
    let _ = poll(&mut fds, Some(&wait));
}

/// Guards a relay until the other end of `socket` is gone.
fn guard(socket: UnixStream, order: &Order) -> Result<(), String> {
    match order.open() {
        Ok((relay, alarm, rules)) => {
            watch::watch(socket, relay, alarm, &rules);
            Ok(())
        }
        Err(why) => {
            // Where nobody listens the caller tells.
            let _ = Link::new(socket).send_text(&why);
            Err(why)
        }
    }
}

/// The command `relay-guard`: guards what `order` says, in JSON, until its standard input ends.
///
/// # Errors
/// One sentence, where the order is none or its pins can not be used.
pub fn run(order: &str) -> Result<(), String> {
    let order: Order = serde_json::from_str(order)
        .map_err(|error| format!("{COMMAND} is started by the gate itself, and this is no order of one: {error}"))?;
    run_order(&order)
}

fn run_order(order: &Order) -> Result<(), String> {
    // It ends with its gate and at no other time: who stops a service sends this to all of its processes.
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))
            .map_err(|error| format!("the relay's guard can not ignore signals: {error}; start the gate again"))?;
    }
    if let Some(path) = &order.in_charge {
        // A guard that can not say so is as good for its gate.
        let _ = std::fs::write(path, std::process::id().to_string());
    }
    // Where the system does not allow it, it is as quick as others.
    let _ = rustix::process::nice(-10);
    let socket =
        io::stdin().as_fd().try_clone_to_owned().map_err(|error| format!("no socket from the gate: {error}"))?;
    guard(UnixStream::from(socket), order)
}
