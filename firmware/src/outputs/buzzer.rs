//! The cues of the gate on a buzzer, played by a thread of their own.
//!
//! A cue is heard by its rhythm, so a plain buzzer is enough and nobody has to tell pitches apart; one that makes no
//! tone of its own is given the same one for all. The lane asks for a cue and goes on; a newer one cuts an older one
//! short, because the person it belongs to has gone. A buzzer that is moved to and fro can be softer; one that only has
//! power or none has shorter beats in quiet time, or none.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use embedded_hal::digital::OutputPin;
use embedded_hal::pwm::SetDutyCycle;
use menshen_lane::ports::PortError;
use menshen_lane::sound::{Beat, BuzzerAtNight, Cue, Percent, Volume};

use super::Line;

/// Between two cues that follow each other at once.
const BETWEEN_MS: u64 = 50;

/// What can sound or be silent.
pub(super) trait Voice: Send {
    fn sound(&mut self, on: bool) -> Result<(), PortError>;
    /// Takes a volume for what follows; `false` where it can not be softer.
    fn soften(&mut self, _percent: Percent) -> bool {
        false
    }
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
    /// At full volume.
    pub(super) duty_percent: u8,
    /// Now.
    pub(super) softened_percent: u8,
}

impl<W> Passive<W> {
    pub(super) const fn new(pwm: W, duty_percent: u8) -> Passive<W> {
        Passive { pwm, duty_percent, softened_percent: duty_percent }
    }
}

impl<W: SetDutyCycle + Send> Voice for Passive<W> {
    fn sound(&mut self, on: bool) -> Result<(), PortError> {
        let set = self.pwm.set_duty_cycle_percent(if on { self.softened_percent } else { 0 });
        set.map_err(|error| {
            PortError::Failed(format!(
                "cannot sound the output `buzzer` ({error:?}): check `outputs.buzzer` in the board file"
            ))
        })
    }

    fn soften(&mut self, percent: Percent) -> bool {
        let softened = u16::from(self.duty_percent) * u16::from(percent.get()) / 100;
        // The least is still a sound.
        self.softened_percent = u8::try_from(softened).unwrap_or(self.duty_percent).max(1);
        true
    }
}

type Order = (Cue, Volume);

pub(super) struct Buzzer {
    wanted: Option<Sender<Order>>,
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

    /// Starts the rhythm of a cue. A pin that failed during the last one is told now.
    pub(super) fn play(&self, cue: Cue, volume: Volume) -> Result<(), PortError> {
        let sent = self.wanted.as_ref().is_some_and(|wanted| wanted.send((cue, volume)).is_ok());
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
    orders: Receiver<Order>,
    fault: Arc<Mutex<Option<PortError>>>,
}

/// Why a tone was cut short.
enum Cut {
    By(Order),
    Closed,
}

impl<V: Voice> Player<V> {
    fn run(mut self) {
        let mut next = self.orders.recv().ok();
        while let Some(order) = next {
            next = match self.play(order) {
                Ok(()) => self.orders.recv().ok(),
                Err(Cut::By(newer)) => Some(newer),
                Err(Cut::Closed) => None,
            };
        }
        self.set(false);
    }

    fn play(&mut self, (cue, volume): Order) -> Result<(), Cut> {
        let is_soft = self.voice.soften(volume.percent);
        for beat in beats(cue, volume, is_soft) {
            self.set(true);
            let on = self.wait(beat.on_ms.into());
            self.set(false);
            on?;
            self.wait(beat.off_ms.into())?;
        }
        self.wait(BETWEEN_MS)
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

/// What is sounded of a cue; nothing where it is to be silent. `is_soft` is whether the buzzer is as loud as was asked.
fn beats(cue: Cue, volume: Volume, is_soft: bool) -> Vec<Beat> {
    match volume.plain {
        _ if volume.percent == Percent::NONE => Vec::new(),
        BuzzerAtNight::Off if !is_soft => Vec::new(),
        BuzzerAtNight::Short if !is_soft => cue.shortened().collect(),
        BuzzerAtNight::Off | BuzzerAtNight::Short | BuzzerAtNight::Same => cue.beats().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn powered_ms(beats: &[Beat]) -> u32 {
        beats.iter().map(|beat| u32::from(beat.on_ms)).sum()
    }

    #[test]
    fn a_plain_buzzer_is_shorter_or_silent_by_night_and_one_that_can_be_soft_keeps_its_rhythm() {
        let percent = Percent::new(30).expect("a percentage");
        for cue in Cue::ALL {
            let whole = powered_ms(cue.beats());
            let short = beats(cue, Volume { percent, plain: BuzzerAtNight::Short }, false);
            assert_eq!(short.len(), cue.beats().len());
            assert!(powered_ms(&short) * 2 < whole, "{cue:?}");
            assert_eq!(powered_ms(&beats(cue, Volume { percent, plain: BuzzerAtNight::Short }, true)), whole);
            assert!(beats(cue, Volume { percent, plain: BuzzerAtNight::Off }, false).is_empty());
            assert_eq!(powered_ms(&beats(cue, Volume { percent, plain: BuzzerAtNight::Off }, true)), whole);
            assert_eq!(powered_ms(&beats(cue, Volume { percent, plain: BuzzerAtNight::Same }, false)), whole);
            assert!(beats(cue, Volume { percent: Percent::NONE, plain: BuzzerAtNight::Same }, true).is_empty());
        }
    }

    struct Duty(Vec<u8>);

    impl embedded_hal::pwm::ErrorType for Duty {
        type Error = std::convert::Infallible;
    }

    impl SetDutyCycle for Duty {
        fn max_duty_cycle(&self) -> u16 {
            100
        }
        fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Self::Error> {
            self.0.push(u8::try_from(duty).expect("a share of 100"));
            Ok(())
        }
    }

    #[test]
    fn a_passive_buzzer_is_softer_by_its_pulses_and_never_silent_by_rounding() {
        let mut passive = Passive::new(Duty(Vec::new()), 50);
        for percent in [100, 30, 1] {
            assert!(passive.soften(Percent::new(percent).expect("a percentage")));
            passive.sound(true).expect("a pulse");
            passive.sound(false).expect("silence");
        }
        assert_eq!(passive.pwm.0, [50, 0, 15, 0, 1, 0]);
    }
}
