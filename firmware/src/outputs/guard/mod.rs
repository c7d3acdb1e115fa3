//! A relay that a stuck program can not hold: whoever decides does not own the pin.
//!
//! The pin of the relay, and the fire alarm's, belong to a guard: a small loop that opens the way when its gate asks, and
//! shuts it by itself at a hard maximum. At a gate the guard is a process of its own (`menshen-gate relay-guard`), so a
//! gate that is stopped, killed or caught in a loop can not hold the way open: neither its memory nor its locks are the
//! guard's. A guard can be stopped or killed as well: the gate asks for a sign of life four times a second and for an
//! answer to each order; one that misses two pings or an answer is killed once another has been started, whose first act is
//! to put the pin to rest. Where none can be started, the gate puts the pin to rest by itself. What neither of them
//! survives is the watchdog's affair (docs/outputs.md).
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
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The hidden command of `menshen-gate` that is a guard.
pub const COMMAND: &str = "relay-guard";
/// An order is answered within this, or its guard is taken to be stuck.
const ANSWER: Duration = Duration::from_millis(100);
/// So often a guard is asked for a sign of life.
const HEARTBEAT: Duration = Duration::from_millis(250);
/// The shortest time that a socket can be told to wait.
const AT_ONCE: Duration = Duration::from_millis(1);
/// A guard that has just been started listens within this.
const READY: Duration = Duration::from_secs(2);
/// An order waits no longer for a guard that takes another one's place.
const REPLACED: Duration = Duration::from_secs(1);
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
    supervisor: Option<JoinHandle<()>>,
}

struct Shared {
    order: Order,
    run_as: GuardAs,
    running: Mutex<State>,
    /// Told when a guard that does not answer has been replaced, or nobody could take its place.
    replaced: Condvar,
    alarm: Arc<AtomicBool>,
    guarded: Arc<AtomicBool>,
    /// What is wrong as long as it lasts; a lock of its own, because whoever asks must not wait for a guard.
    fault: Mutex<Option<String>>,
    stop: Stop,
}

#[derive(Default)]
struct State {
    number: u32,
    guard: Option<Running>,
    /// Whether a guard was there a moment ago and the supervisor is about to put another in its place.
    replacing: bool,
    /// How many pings in a row had no answer.
    missed: u32,
    /// What the gate wants, for a guard that takes another one's place.
    open_until: Option<Instant>,
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
        let shared = Arc::new(Shared {
            order,
            run_as,
            running: Mutex::new(State::default()),
            replaced: Condvar::new(),
            alarm: Arc::new(AtomicBool::new(false)),
            guarded: Arc::new(AtomicBool::new(true)),
            fault: Mutex::new(None),
            stop: Stop::new(),
        });
        let first = shared.next_guard(None).map_err(|error| BoardError::Outputs(error.to_string()))?;
        shared.lock().guard = Some(first);
        let watching = Arc::clone(&shared);
        let supervisor = std::thread::Builder::new()
            .name("relay-guard".to_owned())
            .spawn(move || watching.supervise())
            .map_err(|error| BoardError::Outputs(format!("cannot start the thread that minds the relay: {error}")))?;
        Ok(Guard { shared, supervisor: Some(supervisor) })
    }

    /// Whether the fire alarm lasts.
    pub(super) fn alarm(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.shared.alarm)
    }

    /// Whether there is a guard; one that is just being replaced counts.
    pub(super) fn guarded(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.shared.guarded)
    }

    /// What is wrong with the guard or its pin as long as it lasts, as one sentence.
    pub(super) fn fault(&self) -> Option<String> {
        self.shared.fault().clone()
    }

    /// Lets somebody pass, at most for the maximum, or nobody any more.
    pub(super) fn pass(&self, open: bool) -> Result<(), PortError> {
        let max = Duration::from_millis(self.shared.order.rules.max_ms.into());
        let mut state = self.shared.lock();
        state.open_until = open.then(|| Instant::now() + max);
        let mut answered = self.shared.tell_wanted(&mut state);
        if let Err(error) = &answered
            && (state.guard.is_some() || state.replacing)
        {
            tracing::warn!("the relay's guard did not answer ({error}): another one is started");
            state = self.shared.wait_for_another(state);
            answered = self.shared.tell_wanted(&mut state);
        }
        drop(state);
        match answered {
            Ok(true) => Ok(()),
            Ok(false) => Err(PortError::Failed(NOT_OBEYED.to_owned())),
            Err(error) => Err(self.fault().map_or_else(|| no_guard(&error), PortError::Failed)),
        }
    }
}

const NOT_OBEYED: &str = "cannot switch the output `relay`: check `outputs` in the board file";

fn no_guard(error: &io::Error) -> PortError {
    PortError::Failed(format!("the output `relay` has no guard, so it stays at rest ({error}): start the gate again"))
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.shared.stop.set();
        // Lets the guard end and wakes the supervisor.
        if let Some(guard) = &self.shared.lock().guard {
            guard.link.shut_down();
        }
        if let Some(supervisor) = self.supervisor.take() {
            // A supervisor that panicked has stopped too.
            let _ = supervisor.join();
        }
        let last = self.shared.lock().guard.take();
        // One that was frozen until now left the pin as it was: another one puts it to rest and ends as well.
        if last.is_some_and(|last| self.shared.end(last))
            && let Ok(another) = self.shared.next_guard(None)
        {
            self.shared.end(another);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole before anything that can panic.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self) -> MutexGuard<'_, Option<String>> {
        // Every change is one assignment.
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a guard and ends the one before it, which keeps the pin until the new one is ready to take it. Where there
    /// is none at the end, the pin is at rest.
    fn next_guard(&self, old: Option<Running>) -> Result<Running, PortError> {
        let new = self.spawn();
        if let Some(old) = old
            && let Err(error) = old.kill()
        {
            // Two must not have the pin.
            new.map(Running::kill).map_err(|error| no_guard(&error))??;
            return Err(error);
        }
        let error = match new {
            Ok(mut new) => match new.begin() {
                Ok(()) => return Ok(new),
                Err(error) => {
                    // It may be slow only and have the pin yet to come to: nobody is to be left with an open way.
                    let at_rest = self.rest_here();
                    new.kill()?;
                    at_rest.map_err(PortError::Failed)?;
                    error
                }
            },
            Err(error) => {
                self.rest_here().map_err(PortError::Failed)?;
                error
            }
        };
        // A sentence of its own names the pin and the remedy.
        let own = error.kind() == io::ErrorKind::Other;
        Err(if own { PortError::Failed(error.to_string()) } else { no_guard(&error) })
    }

    /// Puts the pin to rest in this very process, or opens the way while the alarm lasts; for want of a guard.
    fn rest_here(&self) -> Result<(), String> {
        let opened = self.order.open();
        let (mut relay, alarm, _) = opened.map_err(|why| format!("the output `relay` has no guard: {why}"))?;
        let lasts = alarm.is_some_and(|alarm| alarm.lasts());
        self.hear_alarm(lasts);
        let obeyed = if lasts { relay.set(true) } else { relay.release() };
        if obeyed { Ok(()) } else { Err(NOT_OBEYED.to_owned()) }
    }

    /// A guard that waits for the word to take the pin.
    fn spawn(&self) -> io::Result<Running> {
        let (near, far) = UnixStream::pair()?;
        let body = match &self.run_as {
            GuardAs::Process(program) => Body::Process(self.process(program, far)?),
            GuardAs::Thread => {
                let order = self.order.clone();
                let thread = std::thread::Builder::new().name("relay-guard".to_owned());
                // What it says of its pins, it says through the socket.
                Body::Thread(thread.spawn(move || drop(guard(far, order)))?)
            }
        };
        Ok(Running { link: Link::new(near), body, heard: Instant::now() })
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
            // Once more without waiting when the time is over: a gate that was away itself must not blame its guard.
            let left = until.saturating_duration_since(Instant::now()).max(AT_ONCE);
            guard.link.socket().set_read_timeout(Some(left))?;
            match guard.link.receive() {
                Ok(Word::Done { number, obeyed }) if number == asked => {
                    guard.heard = Instant::now();
                    state.missed = 0;
                    return Ok(obeyed);
                }
                Ok(other) => self.hear(other),
                // The time may have been over before the system let this thread look.
                Err(error) if is_late(&error) && left > AT_ONCE => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Says what the gate wants now: the rest of a pulse, or that nobody may pass.
    fn tell_wanted(&self, state: &mut State) -> io::Result<bool> {
        let left = state.open_until.map(|until| until.saturating_duration_since(Instant::now()));
        self.ask(state, ANSWER, |number| match left {
            // No longer than the maximum of a relay, which fits.
            Some(left) => Word::Pass { number, for_ms: left.as_millis() as u32 },
            None => Word::Shut { number },
        })
    }

    /// Lets the supervisor replace a guard that did not answer, and waits a moment for the next one.
    fn wait_for_another<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        if let Some(guard) = &state.guard {
            // Wakes the supervisor.
            guard.link.shut_down();
            state.replacing = true;
        }
        let waited = self.replaced.wait_timeout_while(state, REPLACED, |state| state.replacing);
        waited.unwrap_or_else(PoisonError::into_inner).0
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
            let (socket, missed) = {
                let state = self.lock();
                (state.guard.as_ref().and_then(|guard| guard.link.socket().try_clone().ok()), state.missed)
            };
            match socket {
                // Who missed one ping is asked again at once.
                Some(socket) => await_words(&socket, if missed == 0 { HEARTBEAT } else { Duration::ZERO }),
                None => self.stop.sleep(Duration::from_secs(1)),
            }
            let mut state = self.lock();
            if self.stop.is_set() {
                return;
            }
            if !state.replacing
                && let Err(error) = self.mind(&mut state)
            {
                tracing::warn!("the relay's guard is gone or stuck ({error}): another one is started");
                state.replacing = state.guard.is_some();
            } else if !state.replacing {
                continue;
            }
            let old = state.guard.take();
            // Whoever gives an order meanwhile must not wait for longer than it likes.
            drop(state);
            self.put_in_place(self.next_guard(old));
        }
    }

    fn put_in_place(&self, next: Result<Running, PortError>) {
        let mut state = self.lock();
        (state.replacing, state.missed) = (false, 0);
        self.guarded.store(next.is_ok(), Ordering::SeqCst);
        let fault = next.as_ref().err().map(ToString::to_string);
        if let Some(fault) = &fault {
            tracing::error!("{fault}");
        }
        *self.fault() = fault;
        state.guard = next.ok();
        if state.guard.is_some() && state.open_until.is_some_and(|until| Instant::now() < until) {
            // A guard that does not answer even this is found out by its next ping.
            let _ = self.tell_wanted(&mut state);
        }
        self.replaced.notify_all();
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
        match self.ask(state, HEARTBEAT, |number| Word::Ping { number }) {
            Ok(obeyed) => {
                *self.fault() = (!obeyed).then(|| NOT_OBEYED.to_owned());
                Ok(())
            }
            Err(error) if is_late(&error) && state.missed == 0 => {
                state.missed = 1;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Ends a guard; gives whether it had to be killed.
    fn end(&self, Running { link, mut body, .. }: Running) -> bool {
        link.shut_down();
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
    /// Gives it the pin and waits until it has put it to rest and listens.
    fn begin(&mut self) -> io::Result<()> {
        self.link.socket().set_read_timeout(Some(READY))?;
        self.link.socket().set_write_timeout(Some(ANSWER))?;
        self.link.send(Word::Begin)?;
        match self.link.receive()? {
            Word::Ready => Ok(()),
            Word::Refused { bytes } => Err(io::Error::other(self.link.text(bytes)?)),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Ends it by force, which a process that is stopped obeys too.
    fn kill(self) -> Result<(), PortError> {
        self.link.shut_down();
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

/// Waits for the word to take the pin, then guards a relay until the other end of `socket` is gone.
fn guard(socket: UnixStream, mut order: Order) -> Result<(), String> {
    let mut link = Link::new(socket);
    match link.receive() {
        Ok(Word::Begin) => {}
        // The gate has ended, or another guard is in charge: the pin is not touched.
        _ => return Ok(()),
    }
    // One that can not say that it is in charge must not believe what is said of others.
    order.in_charge = order.in_charge.filter(|path| std::fs::write(path, std::process::id().to_string()).is_ok());
    match order.open() {
        Ok((relay, alarm, rules)) => {
            watch::watch(link, relay, alarm, &rules);
            Ok(())
        }
        Err(why) => {
            // Where nobody listens the caller tells.
            let _ = link.send_text(&why);
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
    run_order(order)
}

fn run_order(order: Order) -> Result<(), String> {
    // It ends with its gate and at no other time: who stops a service sends this to all of its processes.
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))
            .map_err(|error| format!("the relay's guard can not ignore signals: {error}; start the gate again"))?;
    }
    // Where the system does not allow it, it is as quick as others.
    let _ = rustix::process::nice(-10);
    let socket =
        io::stdin().as_fd().try_clone_to_owned().map_err(|error| format!("no socket from the gate: {error}"))?;
    guard(UnixStream::from(socket), order)
}
