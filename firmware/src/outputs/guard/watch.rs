//! The loop of a relay guard: words in, one pin out.
//!
//! Invariants: it never waits for its gate (what the gate does not read is lost); it allocates nothing that grows; the pin
//! follows [`Hold`] within the time that the system takes to wake a process. The loop ends with the socket: the gate has
//! ended, whichever way, so the relay loses its power, which locks or opens as the board says. Only while the fire alarm
//! lasts it stays behind, until the alarm ends or another guard is in charge of the pin.

use super::super::Line;
use super::hold::Hold;
use super::link::{Link, Word, is_late};
use crate::board::Fail;
use crate::inputs::{AnyPin, Debounced};
use embedded_hal::digital::OutputPin;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, getpid, test_kill_process};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often the fire alarm is looked at.
const ALARM_EVERY: Duration = Duration::from_millis(10);
/// How soon a pin that did not obey is told again.
const TRY_AGAIN: Duration = Duration::from_millis(100);
/// A guard that nothing is asked of wakes no more often.
const IDLE: Duration = Duration::from_secs(1);
/// So many words are read before the pin is looked after again, so that a gate that floods its guard gains nothing.
const WORDS_AT_ONCE: usize = 32;

/// So long the alarm must be over before a guard that has no gate any more shuts the way: nobody could open it again.
const QUIET: Duration = Duration::from_secs(10);

/// What a guard keeps.
pub(super) struct Rules {
    pub(super) max: Duration,
    /// Where it is written which guard is in charge; `None` where this one could not write it.
    pub(super) in_charge: Option<PathBuf>,
    /// Whether it can outlive its gate, as a process of its own can.
    pub(super) outlives: bool,
}

impl Rules {
    /// Whether another guard has the pin by now. One that can not find out takes it for its own, and who is dead has none.
    fn another_is_in_charge(&self) -> bool {
        let named = self.in_charge.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        let named = named.and_then(|named| named.parse().ok()).and_then(Pid::from_raw);
        let is_alive = |pid| !matches!(test_kill_process(pid), Err(Errno::SRCH));
        named.is_some_and(|named| named != getpid() && is_alive(named))
    }
}

/// The relay, as whether somebody can pass.
pub(super) struct Relay<P> {
    line: Line<P>,
    fail: Fail,
}

impl<P: OutputPin> Relay<P> {
    pub(super) fn new(line: Line<P>, fail: Fail) -> Relay<P> {
        Relay { line, fail }
    }

    /// Opens or shuts the way; gives whether the pin obeyed. Said at every turn of the loop, so that a level which somebody
    /// else set does not last.
    pub(super) fn set(&mut self, open: bool) -> bool {
        self.line.set(open != (self.fail == Fail::Safe)).is_ok()
    }

    /// Takes its power away; gives whether the pin obeyed.
    pub(super) fn release(&mut self) -> bool {
        self.line.set(false).is_ok()
    }
}

/// The fire alarm.
pub(super) struct Alarm {
    input: Debounced<AnyPin>,
    lasts: bool,
}

impl Alarm {
    pub(super) fn new(mut input: Debounced<AnyPin>) -> Alarm {
        // A guard that begins during an alarm must not shut the way first; one that began by mistake ends at once.
        let lasts = input.take_for_granted().unwrap_or(false);
        Alarm { input, lasts }
    }

    pub(super) fn lasts(&self) -> bool {
        self.lasts
    }

    /// Looks; gives whether it changed. A pin that can not be read has not.
    fn look(&mut self, now: Instant) -> bool {
        let Ok(Some(lasts)) = self.input.look(now) else { return false };
        self.lasts = lasts;
        true
    }
}

/// Guards until the other end of `link` is gone.
pub(super) fn watch<P: OutputPin>(mut link: Link, mut relay: Relay<P>, mut alarm: Option<Alarm>, rules: &Rules) {
    let mut hold = Hold::new(rules.max);
    hold.alarm(alarm.as_ref().is_some_and(Alarm::lasts));
    // The first act.
    relay.set(hold.advance(Instant::now()).open);
    // A gate that does not listen is found out by the end of the socket; until then its words count.
    let _ = link.socket().set_nonblocking(true);
    tell(&mut link, Word::Ready);
    if let Some(alarm) = &alarm {
        tell(&mut link, Word::Alarm { lasts: alarm.lasts });
    }
    loop {
        let ended = obey(&mut link, &mut hold, &mut relay);
        // One that was frozen until now may have been replaced meanwhile: the pin is no longer its own.
        if ended && rules.another_is_in_charge() {
            return;
        }
        let now = Instant::now();
        if let Some(alarm) = &mut alarm
            && alarm.look(now)
        {
            hold.alarm(alarm.lasts);
            tell(&mut link, Word::Alarm { lasts: alarm.lasts });
        }
        let way = hold.advance(now);
        let obeyed = relay.set(way.open);
        if way.cut {
            tell(&mut link, Word::Cut);
        }
        if ended {
            break;
        }
        let mut wait = if alarm.is_some() { ALARM_EVERY } else { IDLE };
        if !obeyed {
            wait = wait.min(TRY_AGAIN);
        }
        if let Some(next) = hold.next() {
            wait = wait.min(next.saturating_duration_since(Instant::now()));
        }
        await_words(&link, wait);
    }
    let outlasted = alarm.filter(Alarm::lasts).is_none_or(|alarm| outlast(alarm, rules));
    if outlasted && !rules.another_is_in_charge() {
        // Nobody is left to be told of a pin that fails now.
        let _ = relay.release();
    }
}

/// Does what the gate has asked for and answers once the pin has obeyed; gives whether the gate is gone.
fn obey<P: OutputPin>(link: &mut Link, hold: &mut Hold, relay: &mut Relay<P>) -> bool {
    for _ in 0..WORDS_AT_ONCE {
        let now = Instant::now();
        let number = match link.receive() {
            Ok(Word::Pass { number, for_ms }) => {
                hold.pass(now, Duration::from_millis(for_ms.into()));
                number
            }
            Ok(Word::Shut { number }) => {
                hold.shut();
                number
            }
            Ok(Word::Ping { number }) => number,
            Ok(_) => continue,
            Err(error) => return !is_late(&error),
        };
        let way = hold.advance(now);
        let obeyed = relay.set(way.open);
        tell(link, Word::Done { number, obeyed });
        if way.cut {
            tell(link, Word::Cut);
        }
    }
    false
}

/// Waits for words, at most so long.
fn await_words(link: &Link, wait: Duration) {
    let mut fds = [PollFd::new(link.socket(), PollFlags::IN)];
    // Less than a second or so: both parts fit.
    let wait = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
    // Interrupted or not, the loop looks at everything again.
    let _ = poll(&mut fds, Some(&wait));
}

/// Stays behind until the alarm has been over for a while or another guard has the pin; gives whether the relay is to lose its power then.
fn outlast(mut alarm: Alarm, rules: &Rules) -> bool {
    if !rules.outlives {
        // A thread ends with its process: the pin stays as it is, open.
        return false;
    }
    let mut alarmed_at = Instant::now();
    while alarmed_at.elapsed() < QUIET && !rules.another_is_in_charge() {
        std::thread::sleep(ALARM_EVERY);
        let now = Instant::now();
        alarm.look(now);
        if alarm.lasts() {
            alarmed_at = now;
        }
    }
    true
}

/// What a gate does not read is lost.
fn tell(link: &mut Link, word: Word) {
    let _ = link.send(word);
}
