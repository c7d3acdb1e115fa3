//! What a gate believes of its clock: at a boot in 1970, after a jump, across restarts.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use menshen_core::time::{SKEW_S, Time};
use menshen_gate::board;
use menshen_gate::clock::{BUILD_UNIX_S, SystemClock};
use menshen_lane::ports::Clock;

const DAY_S: u64 = 86_400;
/// A believable now.
const NOW: u64 = BUILD_UNIX_S + 100 * DAY_S;

/// A system clock that a test sets.
#[derive(Clone)]
struct Watch(Arc<AtomicU64>);

impl Watch {
    fn at(unix_s: u64) -> Watch {
        Watch(Arc::new(AtomicU64::new(unix_s)))
    }

    fn set(&self, unix_s: u64) {
        self.0.store(unix_s, Ordering::Relaxed);
    }

    fn clock(&self, state: &Path, source: board::Clock) -> SystemClock {
        let watch = self.clone();
        SystemClock::with_now(state, source, Box::new(move || watch.0.load(Ordering::Relaxed))).unwrap()
    }
}

#[test]
fn a_boot_in_1970_knows_only_that_the_program_was_built() {
    let state = tempfile::tempdir().unwrap();
    let clock = Watch::at(12).clock(state.path(), board::Clock::System);
    assert_eq!(clock.time(), Time::floor(BUILD_UNIX_S));
}

#[test]
fn the_clock_of_the_machine_that_built_this_is_after_the_build() {
    let state = tempfile::tempdir().unwrap();
    let time = SystemClock::open(state.path(), board::Clock::System).unwrap().time();
    assert_eq!(time, Time::trusted(time.unix_s));
}

#[test]
fn a_clock_after_the_floor_is_believed_where_the_board_says_so() {
    let state = tempfile::tempdir().unwrap();
    let watch = Watch::at(NOW);
    let clock = watch.clock(state.path(), board::Clock::System);
    assert_eq!(clock.time(), Time::trusted(NOW));
    watch.set(NOW + 5);
    assert_eq!(clock.time(), Time::trusted(NOW + 5));
}

#[test]
fn a_clock_that_jumps_back_is_no_longer_believed_until_it_is_right_again() {
    let state = tempfile::tempdir().unwrap();
    let watch = Watch::at(NOW);
    let clock = watch.clock(state.path(), board::Clock::System);
    clock.time();
    watch.set(NOW - DAY_S);
    assert_eq!(clock.time(), Time::floor(NOW));
    watch.set(NOW + 1);
    assert_eq!(clock.time(), Time::trusted(NOW + 1));
}

#[test]
fn a_slow_clock_is_not_a_wrong_one_and_time_does_not_go_back() {
    let state = tempfile::tempdir().unwrap();
    let watch = Watch::at(NOW);
    let clock = watch.clock(state.path(), board::Clock::System);
    clock.raise_floor(NOW + SKEW_S);
    assert_eq!(clock.time(), Time::trusted(NOW + SKEW_S));
    watch.set(NOW - 1);
    assert_eq!(clock.time(), Time::floor(NOW + SKEW_S));
}

#[test]
fn a_floor_ahead_of_the_clock_wins() {
    let state = tempfile::tempdir().unwrap();
    let clock = Watch::at(NOW).clock(state.path(), board::Clock::System);
    clock.raise_floor(NOW + DAY_S);
    assert_eq!(clock.time(), Time::floor(NOW + DAY_S));
    clock.raise_floor(NOW);
    assert_eq!(clock.time(), Time::floor(NOW + DAY_S), "a floor never falls");
}

#[test]
fn the_floor_survives_a_restart() {
    let state = tempfile::tempdir().unwrap();
    let clock = Watch::at(NOW).clock(state.path(), board::Clock::System);
    clock.time();
    drop(clock);
    let clock = Watch::at(12).clock(state.path(), board::Clock::System);
    assert_eq!(clock.time(), Time::floor(NOW));
}

#[test]
fn a_jump_of_the_floor_is_on_disk_without_waiting_for_the_end() {
    let state = tempfile::tempdir().unwrap();
    let clock = Watch::at(NOW).clock(state.path(), board::Clock::System);
    clock.raise_floor(NOW + DAY_S);
    let deadline = Instant::now() + Duration::from_secs(20);
    let on_disk = || std::fs::read_to_string(state.path().join("time-floor")).unwrap_or_default();
    while on_disk() != format!("{}\n", NOW + DAY_S) {
        assert!(Instant::now() < deadline, "time-floor holds {:?}", on_disk());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_damaged_floor_file_is_as_good_as_none_and_is_mended() {
    let state = tempfile::tempdir().unwrap();
    std::fs::write(state.path().join("time-floor"), "\0\0\0\0").unwrap();
    let clock = Watch::at(NOW).clock(state.path(), board::Clock::System);
    assert_eq!(clock.time(), Time::trusted(NOW));
    drop(clock);
    assert_eq!(std::fs::read_to_string(state.path().join("time-floor")).unwrap(), format!("{NOW}\n"));
}

#[test]
fn a_synchronised_clock_is_believed_from_the_moment_of_the_sign() {
    let state = tempfile::tempdir().unwrap();
    let sign = state.path().join("synchronised");
    let clock = Watch::at(NOW).clock(state.path(), board::Clock::Synchronised { sign: sign.clone() });
    assert_eq!(clock.time(), Time::floor(BUILD_UNIX_S), "a clock that nobody has set moves nothing");
    std::fs::write(&sign, "").unwrap();
    assert_eq!(clock.time(), Time::trusted(NOW));
}

#[test]
fn a_state_that_can_not_be_written_does_not_stop_the_clock() {
    let state = tempfile::tempdir().unwrap();
    let gone = state.path().join("gone");
    let clock = Watch::at(NOW).clock(&gone, board::Clock::System);
    clock.raise_floor(NOW + DAY_S);
    assert_eq!(clock.time(), Time::floor(NOW + DAY_S));
}
