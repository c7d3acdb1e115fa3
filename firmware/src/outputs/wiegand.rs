//! Wiegand: telling an existing access controller, over the two wires that it knows from card readers, that this gate
//! admits somebody.
//!
//! The signal is that of SIA AC-01 (Access Control Standard Protocol for the 26-BIT Wiegand Reader Interface, Security
//! Industry Association, 1996): both lines idle high; a low pulse on D0 is a 0, on D1 a 1, never both at once; pulses of 20
//! to 100 µs, 200 µs to 20 ms apart. The 26-bit frame is that standard's (HID calls it H10301): even parity of the first
//! twelve data bits, 8 bits of facility, 16 bits of card, odd parity of the last twelve. The 34-bit frame, which many makers
//! print in their manuals, has 16 bits of facility and the parities over sixteen bits each.
//!
//! The number is the board's, one for all: facility and card say "this gate admits", so that the controller opens and its
//! log says which gate and when. A number of the person would carry a health status and a movement profile into a system
//! that was not made to protect them, and a holder's pseudonym does not fit into 24 bits anyway.
//!
//! A thread sends, so the lane does not wait the 60 ms that a frame takes. Linux may stretch a pulse or a gap when it runs
//! something else; controllers take a frame by its pulses and its end by a silence of some 50 ms.

use super::wiegand_frame::Frame;
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::OutputPin;
use menshen_lane::ports::PortError;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Both lines stay high for so long after a frame, so that a controller sees where it ended, in milliseconds.
const SILENCE_MS: u32 = 100;

/// A pulse of 100 µs is shorter than Linux can sleep.
const SPIN_BELOW: Duration = Duration::from_millis(1);

/// How long a bit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long the line of a bit is low, in microseconds.
    pub pulse_us: u32,
    /// How long both lines are high between two bits, in microseconds.
    pub gap_us: u32,
}

/// The two lines.
pub struct Lines<P, D> {
    d0: P,
    d1: P,
    inverted: bool,
    delay: D,
}

impl<P: OutputPin, D: DelayNs> Lines<P, D> {
    /// Puts both lines high, by a low level of the pin if `inverted`.
    ///
    /// # Errors
    /// The pin's own.
    pub fn new(d0: P, d1: P, inverted: bool, delay: D) -> Result<Lines<P, D>, P::Error> {
        let mut lines = Lines { d0, d1, inverted, delay };
        set(&mut lines.d0, !inverted)?;
        set(&mut lines.d1, !inverted)?;
        Ok(lines)
    }

    /// Sends one frame and waits for the silence after it.
    ///
    /// # Errors
    /// The pin's own; the line of the bit is then told to go high once more.
    pub fn send(&mut self, frame: Frame, timing: Timing) -> Result<(), P::Error> {
        for bit in frame.bits() {
            let line = if bit { &mut self.d1 } else { &mut self.d0 };
            let low = set(line, self.inverted);
            self.delay.delay_us(timing.pulse_us);
            set(line, !self.inverted)?;
            low?;
            self.delay.delay_us(timing.gap_us);
        }
        self.delay.delay_ms(SILENCE_MS);
        Ok(())
    }
}

fn set<P: OutputPin>(pin: &mut P, high: bool) -> Result<(), P::Error> {
    if high { pin.set_high() } else { pin.set_low() }
}

/// Waits by the clock where the system can not sleep so shortly.
#[derive(Debug, Default)]
pub(super) struct Wait;

impl DelayNs for Wait {
    fn delay_ns(&mut self, ns: u32) {
        let (begun, wait) = (Instant::now(), Duration::from_nanos(ns.into()));
        if wait >= SPIN_BELOW {
            std::thread::sleep(wait);
        }
        while begun.elapsed() < wait {
            std::hint::spin_loop();
        }
    }
}

/// Sends the board's frame whenever it is asked to.
pub(super) struct Sender {
    asked: Option<SyncSender<()>>,
    /// Why the last frame was not sent whole; `None` where it was.
    fault: Arc<Mutex<Option<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Sender {
    pub(super) fn start<P, D>(lines: Lines<P, D>, frame: Frame, timing: Timing) -> Result<Sender, PortError>
    where
        P: OutputPin + Send + 'static,
        D: DelayNs + Send + 'static,
    {
        // One waits while another is sent; more than that is nobody's pace.
        let (asked, orders) = sync_channel(1);
        let fault = Arc::new(Mutex::new(None));
        let told = Arc::clone(&fault);
        let run = move || serve(lines, frame, timing, &orders, &told);
        let thread = std::thread::Builder::new().name("wiegand".to_owned()).spawn(run);
        let thread =
            thread.map_err(|error| PortError::Failed(format!("cannot start the thread of Wiegand: {error}")))?;
        Ok(Sender { asked: Some(asked), fault, thread: Some(thread) })
    }

    /// Why the last frame was not sent whole, until one is.
    pub(super) fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has a frame sent and returns at once; how it went [`Sender::fault`] tells.
    pub(super) fn admit(&self) -> Result<(), PortError> {
        match self.asked.as_ref().map(|asked| asked.try_send(())) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(()))) => Err(PortError::Failed(
                "Wiegand is still sending two frames before this one: it was left out".to_owned(),
            )),
            _ => Err(PortError::Failed("the thread of Wiegand has stopped: start the gate again".to_owned())),
        }
    }
}

fn serve<P: OutputPin, D: DelayNs>(
    mut lines: Lines<P, D>,
    frame: Frame,
    timing: Timing,
    orders: &Receiver<()>,
    fault: &Mutex<Option<String>>,
) {
    while orders.recv().is_ok() {
        let failed = lines.send(frame, timing).err();
        let told = failed
            .map(|error| format!("cannot send by Wiegand ({error:?}): check `outputs.wiegand` in the board file"));
        *fault.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.asked = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has stopped too.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::wiegand_frame::Frame;
    use super::*;
    use crate::board::WiegandFrame;
    use embedded_hal::digital::{Error, ErrorKind, ErrorType};
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A pin that fails while it is told to.
    #[derive(Clone, Default)]
    struct Pin(Arc<AtomicBool>);

    #[derive(Debug)]
    struct Broken;

    impl Error for Broken {
        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    impl ErrorType for Pin {
        type Error = Broken;
    }

    impl OutputPin for Pin {
        fn set_low(&mut self) -> Result<(), Broken> {
            if self.0.load(Ordering::SeqCst) { Err(Broken) } else { Ok(()) }
        }
        fn set_high(&mut self) -> Result<(), Broken> {
            self.set_low()
        }
    }

    #[test]
    fn a_line_that_failed_is_told_until_a_frame_is_sent_whole() {
        let pin = Pin::default();
        let Ok(lines) = Lines::new(pin.clone(), pin.clone(), true, Wait) else { panic!("it works now") };
        let frame = Frame::of(WiegandFrame::W26 { facility: 1, card: 2 });
        let sender = Sender::start(lines, frame, Timing { pulse_us: 1, gap_us: 1 }).expect("there is a thread");
        for fails in [true, false, true] {
            pin.0.store(fails, Ordering::SeqCst);
            sender.admit().expect("it is asked");
            let begun = Instant::now();
            while sender.fault().is_some() != fails {
                assert!(begun.elapsed() < Duration::from_secs(20), "{fails}");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}
