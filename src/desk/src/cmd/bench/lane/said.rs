//! What is seen of a lane from outside, and when.
//!
//! All moments are microseconds since this machine was started, the counter that a gate's own clock and the trace of its
//! pins run on, whichever process or thread saw them.

use menshen_core::decide::Decision;
use menshen_lane::probe::Step;
use menshen_lane::run::Timing;
use rustix::time::{ClockId, clock_gettime};
use std::sync::mpsc::Sender;
use std::time::Duration;

/// Something that happened.
pub(super) struct Said {
    pub(super) at_us: u64,
    pub(super) what: What,
}

/// What happened.
pub(super) enum What {
    /// Camera and thermometer work.
    Ready,
    /// The first frame with the code of this person is being handed to the pipe.
    Written(usize),
    /// The code of this person was read in a frame, which took so long.
    Read(usize, Duration),
    /// The gate is between two steps.
    Step(Step),
    /// It shows a verdict.
    Verdict(Box<Decision>, Timing),
}

/// Tells whoever measures; one who has left hears no more.
pub(super) fn say(to: &Sender<Said>, what: What) {
    let _ = to.send(Said { at_us: now_us(), what });
}

/// Microseconds since this machine was started, sleep included.
pub(super) fn now_us() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec).unwrap_or(0), u64::try_from(time.tv_nsec).unwrap_or(0));
    seconds.saturating_mul(1_000_000) + nanos / 1000
}
