//! The tones of the verdicts, played by a thread of their own.
//!
//! A verdict is heard by its rhythm, so a plain buzzer is enough and nobody has to tell pitches apart; one that makes no
//! tone of its own is given the same one for all. The lane asks for a tone and goes on; a newer tone cuts an older one
//! short, because the person it belongs to has gone.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use embedded_hal::digital::OutputPin;
use embedded_hal::pwm::SetDutyCycle;
use menshen_core::decide::Verdict;
use menshen_lane::ports::PortError;

use super::Line;

/// How a verdict sounds: pairs of (on, off), in milliseconds.
pub const fn rhythm(verdict: Verdict) -> &'static [(u64, u64)] {
    match verdict {
        Verdict::Admit => &[(150, 50)],
        Verdict::Refer => &[(120, 120), (120, 50)],
        Verdict::Refuse => &[(400, 150), (400, 150), (400, 50)],
    }
}

/// What can sound or be silent.
pub(super) trait Voice: Send {
    fn sound(&mut self, on: bool) -> Result<(), PortError>;
}

/// An active buzzer sounds when it has power.
impl<P: OutputPin + Send> Voice for Line<P> {
    fn sound(&mut self, on: bool) -> Result<(), PortError> {
        self.set(on)
    }
}

/// A passive buzzer, which sounds when it is moved to and fro.
pub(super) struct Passive<W> {
    pub(super) pwm: W,
    pub(super) duty_percent: u8,
}

impl<W: SetDutyCycle + Send> Voice for Passive<W> {
    fn sound(&mut self, on: bool) -> Result<(), PortError> {
        let set = self.pwm.set_duty_cycle_percent(if on { self.duty_percent } else { 0 });
        set.map_err(|error| {
            PortError::Failed(format!(
                "cannot sound the output `buzzer` ({error:?}): check `outputs.buzzer` in the board file"
            ))
        })
    }
}

pub(super) struct Buzzer {
    wanted: Option<Sender<Verdict>>,
    fault: Arc<Mutex<Option<PortError>>>,
    player: Option<JoinHandle<()>>,
}

impl Buzzer {
    /// Takes a voice, which is silent from now on.
    pub(super) fn start(mut voice: impl Voice + 'static) -> Result<Buzzer, PortError> {
        voice.sound(false)?;
        let (wanted, orders) = channel();
        let fault = Arc::new(Mutex::new(None));
        let player = Player { voice, orders, fault: Arc::clone(&fault) };
        let thread = std::thread::Builder::new().name("buzzer".to_owned()).spawn(move || player.run());
        let player = thread.map_err(|error| PortError::Failed(format!("cannot start the buzzer's thread: {error}")))?;
        Ok(Buzzer { wanted: Some(wanted), fault, player: Some(player) })
    }

    /// Starts the tone of a verdict. A pin that failed during the last tone is told now.
    pub(super) fn play(&self, verdict: Verdict) -> Result<(), PortError> {
        let sent = self.wanted.as_ref().is_some_and(|wanted| wanted.send(verdict).is_ok());
        match self.fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(fault) => Err(fault),
            None if sent => Ok(()),
            None => Err(PortError::Failed("the buzzer's thread has stopped: start the gate again".to_owned())),
        }
    }
}

impl Drop for Buzzer {
    fn drop(&mut self) {
        self.wanted = None;
        if let Some(player) = self.player.take() {
            // A player that panicked has stopped too.
            let _ = player.join();
        }
    }
}

struct Player<V> {
    voice: V,
    orders: Receiver<Verdict>,
    fault: Arc<Mutex<Option<PortError>>>,
}

/// Why a tone was cut short.
enum Cut {
    By(Verdict),
    Closed,
}

impl<V: Voice> Player<V> {
    fn run(mut self) {
        let mut next = self.orders.recv().ok();
        while let Some(verdict) = next {
            next = match self.play(verdict) {
                Ok(()) => self.orders.recv().ok(),
                Err(Cut::By(newer)) => Some(newer),
                Err(Cut::Closed) => None,
            };
        }
        self.set(false);
    }

    fn play(&mut self, verdict: Verdict) -> Result<(), Cut> {
        for (on_ms, off_ms) in rhythm(verdict) {
            self.set(true);
            let on = self.wait(*on_ms);
            self.set(false);
            on?;
            self.wait(*off_ms)?;
        }
        Ok(())
    }

    fn wait(&self, wait_ms: u64) -> Result<(), Cut> {
        match self.orders.recv_timeout(Duration::from_millis(wait_ms)) {
            Ok(newer) => Err(Cut::By(newer)),
            Err(RecvTimeoutError::Disconnected) => Err(Cut::Closed),
            Err(RecvTimeoutError::Timeout) => Ok(()),
        }
    }

    fn set(&mut self, on: bool) {
        if let Err(fault) = self.voice.sound(on) {
            *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        }
    }
}
