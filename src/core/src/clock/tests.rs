//! Every way in which a gate's clock goes wrong, in one table, and what each does to a good and an expired pass.
//!
//! A row is a story told to the clock with the true time beside it. Whatever the story, at its end passes of
//! every length that are good or expired by the true time are judged, also close to their ends: none that is
//! expired by more than the grace may be certainly valid, none that is good may be certainly expired or not begun.

use super::*;
use crate::time::Validity;
use std::vec::Vec;

const DAY_S: u64 = 86_400;
const BUILT_S: u64 = 1_600_000_000;
const LATEST_S: u64 = BUILT_S + 20 * 365 * DAY_S;
/// The true time when a story begins.
const NOW_S: u64 = BUILT_S + 100 * DAY_S;
/// What the gate kept: it ran until an hour ago and its clock was confirmed a week ago.
const KEPT: Kept = Kept {
    proven_s: NOW_S - 3 * DAY_S,
    published: None,
    seen_s: NOW_S - 3600,
    rtc_s: 0,
    confirmed: Some(Confirmed { at_s: NOW_S - 7 * DAY_S, error_s: 4 }),
    contradicted: false,
};
const UNCONFIRMED: Kept = Kept { confirmed: None, ..KEPT };

/// A clock, and the true time beside it.
struct Story {
    clock: Clock,
    source: Source,
    mono_ms: u64,
}

impl Story {
    fn begin(source: Source, kept: Kept) -> Story {
        Story { clock: Clock::new(source, kept, BUILT_S, LATEST_S), source, mono_ms: 0 }
    }

    fn true_s(&self) -> u64 {
        NOW_S + self.mono_ms / 1000
    }

    /// The device's clock is read for so many seconds, this far from the true time.
    fn reads(mut self, off_s: i64, seconds: u64) -> Story {
        for _ in 0..seconds {
            self.mono_ms += 1000;
            let unix_s = self.true_s().saturating_add_signed(off_s);
            self.clock.device(self.mono_ms, Look::At(unix_s));
        }
        self
    }

    fn reads_at(mut self, unix_s: u64) -> Story {
        self.mono_ms += 1000;
        self.clock.device(self.mono_ms, Look::At(unix_s));
        self
    }

    fn looks(mut self, look: Look) -> Story {
        self.mono_ms += 1000;
        self.clock.device(self.mono_ms, look);
        self
    }

    fn signed(mut self, off_s: i64) -> Story {
        self.mono_ms += 1000;
        let unix_s = self.true_s().saturating_add_signed(off_s);
        assert_eq!(self.clock.signed_now(self.mono_ms, unix_s, 2), Ok(()));
        self
    }

    /// The next publication is believed, of a moment this far from the true time.
    fn published(mut self, off_s: i64) -> Story {
        let number = self.clock.kept().published.map_or((1, 1), |before| (1, before.number.1 + 1));
        let at_s = self.true_s().saturating_add_signed(off_s);
        assert_eq!(self.clock.published(self.mono_ms, Published { number, at_s }), Ok(()));
        self
    }

    fn heard(mut self, off_s: i64) -> Story {
        let unix_s = self.true_s().saturating_add_signed(off_s);
        assert_eq!(self.clock.heard_not_before(self.mono_ms, unix_s), Ok(()));
        self
    }

    fn hinted(mut self, off_s: i64) -> Story {
        self.clock.hint(self.mono_ms, Some(self.true_s().saturating_add_signed(off_s)));
        self
    }

    /// The power is cut and comes back at once; what was kept is all that is left.
    fn restarts(self) -> Story {
        let kept = self.clock.kept();
        Story { clock: Clock::new(self.source, kept, BUILT_S, LATEST_S), ..self }
    }

    fn time(&self) -> Time {
        self.clock.time(self.mono_ms)
    }

    fn view(&self) -> View {
        self.clock.view(self.mono_ms)
    }
}

/// What a row says of the end of its story.
#[derive(Debug, PartialEq)]
enum Knows {
    /// The time, within so many seconds.
    Within(u32),
    /// A floor.
    Floor,
}
use Knows::{Floor, Within};

struct Row {
    case: &'static str,
    story: fn() -> Story,
    knows: Knows,
    doubt: Option<Doubt>,
}

const YEAR_S: i64 = 365 * DAY_S as i64;

const fn row(case: &'static str, story: fn() -> Story, knows: Knows, doubt: Option<Doubt>) -> Row {
    Row { case, story, knows, doubt }
}

/// The cases of the issue first, each at a start and while the gate runs.
const ROWS: &[Row] = &[
    row("1970 at boot", || Story::begin(Source::Rtc, KEPT).reads_at(12), Floor, Some(Doubt::Behind)),
    row(
        "1970 at boot, a system's clock",
        || Story::begin(Source::System, KEPT).reads_at(12),
        Floor,
        Some(Doubt::Behind),
    ),
    row("jump back at boot", || Story::begin(Source::Rtc, KEPT).reads(-2 * 3600, 3), Floor, Some(Doubt::Behind)),
    row(
        "jump back while running",
        || Story::begin(Source::Rtc, KEPT).reads(0, 60).reads(-2 * 3600, 60),
        Within(12),
        Some(Doubt::Behind),
    ),
    row(
        "jump back by ten minutes while running",
        || Story::begin(Source::Rtc, UNCONFIRMED).reads(0, 60).reads(-600, 60),
        Within(901),
        Some(Doubt::Jumped),
    ),
    row("jump ahead a year at boot", || Story::begin(Source::Rtc, KEPT).reads(YEAR_S, 3), Floor, Some(Doubt::Ahead)),
    row(
        "jump ahead a year while running",
        || Story::begin(Source::Rtc, KEPT).reads(0, 60).reads(YEAR_S, 60),
        Within(12),
        Some(Doubt::Jumped),
    ),
    row(
        "jump ahead a year while running, then a power cut",
        || Story::begin(Source::Rtc, KEPT).reads(0, 60).reads(YEAR_S, 60).restarts().reads(YEAR_S, 3),
        Floor,
        Some(Doubt::Jumped),
    ),
    row(
        "jump ahead a day while running, then a power cut",
        || Story::begin(Source::Rtc, KEPT).reads(0, 60).reads(DAY_S as i64, 9).restarts().reads(DAY_S as i64, 3),
        Floor,
        Some(Doubt::Jumped),
    ),
    row(
        "jump ahead a year, a system's clock",
        || Story::begin(Source::System, KEPT).reads(0, 60).reads(YEAR_S, 60),
        Within(6),
        Some(Doubt::Jumped),
    ),
    row(
        "drift of 5 min slow, never confirmed",
        || Story::begin(Source::Rtc, UNCONFIRMED).reads(-300, 3),
        Within(900),
        Some(Doubt::Unconfirmed),
    ),
    row(
        "drift of 5 min fast, never confirmed",
        || Story::begin(Source::Rtc, UNCONFIRMED).reads(300, 3),
        Within(900),
        Some(Doubt::Unconfirmed),
    ),
    row(
        "drift of 5 min, confirmed too long ago",
        || {
            let confirmed = Some(Confirmed { at_s: NOW_S - CONFIRMED_FOR_S - 301, error_s: 4 });
            Story::begin(Source::Rtc, Kept { confirmed, ..KEPT }).reads(300, 3)
        },
        Within(900),
        Some(Doubt::Unconfirmed),
    ),
    row(
        "drift of 5 min, mended by a signed time",
        || Story::begin(Source::Rtc, UNCONFIRMED).reads(300, 60).signed(0).reads(300, 3).reads(0, 60),
        Within(3),
        None,
    ),
    row("RTC battery dead", || Story::begin(Source::Rtc, KEPT).looks(Look::LostPower), Floor, Some(Doubt::LostPower)),
    row(
        "RTC battery dead, and a signed time",
        || Story::begin(Source::Rtc, KEPT).looks(Look::LostPower).signed(0).reads(0, 5),
        Within(3),
        None,
    ),
    row(
        "RTC battery pulled while running",
        || Story::begin(Source::Rtc, KEPT).reads(0, 60).looks(Look::LostPower),
        Within(12),
        Some(Doubt::LostPower),
    ),
    row(
        "floor ahead of the clock",
        || Story::begin(Source::Rtc, KEPT).reads(-10 * 3600, 3).published(-3600),
        Floor,
        Some(Doubt::Behind),
    ),
    row(
        "floor comes ahead of a clock that was believed",
        || Story::begin(Source::Rtc, UNCONFIRMED).reads(-1800, 60).published(0).reads(-1800, 3),
        Floor,
        Some(Doubt::Behind),
    ),
    row("RTC absent", || Story::begin(Source::Rtc, KEPT).looks(Look::Absent), Floor, Some(Doubt::NoClock)),
    row(
        "RTC lost and found while running",
        || Story::begin(Source::Rtc, KEPT).reads(0, 9).looks(Look::Absent).looks(Look::Absent).reads(0, 3),
        Within(12),
        None,
    ),
    row("a good clock, confirmed a week ago", || Story::begin(Source::Rtc, KEPT).reads(0, 60), Within(11), None),
    row("a good clock that lags a little", || Story::begin(Source::Rtc, KEPT).reads(-5, 60), Within(11), None),
    row("a system's clock that is vouched for", || Story::begin(Source::System, KEPT).reads(0, 60), Within(5), None),
    row("no clock and no hub", || Story::begin(Source::None, KEPT), Floor, Some(Doubt::NoClock)),
    row("no clock, and the hub's signed time", || Story::begin(Source::None, KEPT).signed(1), Within(2), None),
    row("only the network's unsigned time", || Story::begin(Source::None, KEPT).hinted(0), Floor, Some(Doubt::NoClock)),
    row(
        "off for longer than is believed",
        || Story::begin(Source::Rtc, Kept { seen_s: 0, proven_s: NOW_S - MAX_OFF_S - 9, ..KEPT }).reads(0, 3),
        Floor,
        Some(Doubt::Ahead),
    ),
    row(
        "off for longer than is believed, and a new trust list",
        || {
            let old = Kept { seen_s: 0, proven_s: NOW_S - MAX_OFF_S - 9, ..KEPT };
            Story::begin(Source::Rtc, old).reads(0, 3).published(-3 * DAY_S as i64)
        },
        Within(11),
        None,
    ),
    row(
        "poisoned by a publisher a year ahead, mended by its next publication",
        || {
            let story = Story::begin(Source::System, UNCONFIRMED).reads(0, 9).published(YEAR_S).reads(0, 9).restarts();
            assert!(story.time().earliest() > story.true_s() + DAY_S, "the floor is poisoned");
            story.reads(0, 3).published(0).reads(0, 3)
        },
        Within(5),
        None,
    ),
    row(
        "poisoned by a clock a month ahead, mended by a signed time",
        || {
            let story = Story::begin(Source::System, KEPT).reads(30 * DAY_S as i64, 60);
            assert!(story.clock.kept().seen_s > story.true_s() + 29 * DAY_S, "the floor is poisoned");
            story.signed(0)
        },
        Within(2),
        Some(Doubt::Jumped),
    ),
    row(
        "poisoned by the hub's own ack, mended by the hub's signed time",
        || Story::begin(Source::Rtc, KEPT).reads(0, 3).heard(YEAR_S / 2).signed(0).reads(0, 3),
        Within(3),
        None,
    ),
    row(
        "a replayed ack of last month",
        || Story::begin(Source::Rtc, KEPT).reads(0, 3).heard(-YEAR_S / 12),
        Within(11),
        None,
    ),
    row(
        "a replayed trust list of last month, with no clock",
        || Story::begin(Source::None, KEPT).published(-YEAR_S / 12),
        Floor,
        Some(Doubt::NoClock),
    ),
];

/// Windows that are good or expired at the true time, near and far from their ends.
fn windows(true_s: u64) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    for begun_s in [0, 30, 200, 700, 3600, 40 * DAY_S] {
        for left_s in [1, 59, 61, 250, 700, 3600, 30 * DAY_S] {
            found.push((true_s - begun_s, true_s + left_s));
        }
        for over_s in [0, 59, 60, 61, 130, 250, 299, 301, 700, 1000, 3599, 3601, 20 * DAY_S] {
            found.push((true_s - over_s - begun_s - 600, true_s - over_s));
        }
    }
    found
}

#[test]
fn no_case_admits_an_expired_pass_as_certain_and_none_refuses_a_good_one_as_certain() {
    for Row { case, story, knows, doubt } in ROWS {
        let story = story();
        let (time, true_s) = (story.time(), story.true_s());
        match (time.confidence, knows) {
            (Confidence::Trusted, Within(error_s)) => assert!(time.error_s.abs_diff(*error_s) <= 1, "{case}: {time:?}"),
            (Confidence::Floor, Floor) => {}
            _ => panic!("{case}: {time:?}, and not {knows:?}"),
        }
        assert_eq!(story.view().doubt, *doubt, "{case}");
        assert!(time.earliest() <= true_s && true_s <= time.latest(), "{case}: {time:?} is not {true_s}");
        for (not_before, expires) in windows(true_s) {
            let good = true_s < expires;
            match time.within(not_before, expires) {
                Validity::Valid => assert!(true_s < expires + SKEW_S, "{case}: admits {} s late", true_s - expires),
                Validity::Expired => assert!(!good, "{case}: refuses a pass with {} s left", expires - true_s),
                Validity::NotYet => assert!(true_s < not_before, "{case}: refuses a pass that has begun"),
                Validity::Unknown => {}
            }
        }
    }
}

#[test]
fn a_far_future_expiry_and_a_long_gone_one_are_told_apart_in_every_case_that_knows_the_time() {
    for Row { case, story, knows, .. } in ROWS {
        let story = story();
        let (time, true_s) = (story.time(), story.true_s());
        let good = time.within(true_s - DAY_S, true_s + DAY_S);
        let over = time.within(true_s - 9 * DAY_S, true_s - 8 * DAY_S);
        if *knows == Floor {
            assert_eq!(good, Validity::Unknown, "{case}");
            assert_ne!(over, Validity::Valid, "{case}");
        } else {
            assert_eq!((good, over), (Validity::Valid, Validity::Expired), "{case}");
        }
    }
}

#[test]
fn what_is_over_before_the_floor_is_over_whatever_the_clock() {
    for Row { case, story, .. } in ROWS {
        assert_eq!(story().time().within(0, NOW_S - MAX_OFF_S - DAY_S), Validity::Expired, "{case}");
    }
}

#[test]
fn the_floor_that_is_proved_falls_by_no_word_but_its_publishers_next() {
    let mut clock = Story::begin(Source::Rtc, KEPT).clock;
    let published = |number, at_s| Published { number, at_s };
    assert_eq!(clock.published(1, published((1, 7), NOW_S + DAY_S)), Ok(()));
    assert_eq!(clock.signed_now(1, NOW_S, 2), Err(Implausible::BehindProof));
    for number in [(1, 1), (1, 6), (1, 7)] {
        assert_eq!(clock.published(1, published(number, NOW_S)), Ok(()));
        assert_eq!(clock.time(1), Time::floor(NOW_S + DAY_S), "publication {number:?} is not newer");
    }
    assert_eq!(clock.published(1, published((1, 8), LATEST_S + 1)), Err(Implausible::TooLate));
    assert_eq!(clock.heard_not_before(1, u64::MAX), Err(Implausible::TooLate));
    assert_eq!(clock.signed_now(1, u64::MAX, 2), Err(Implausible::TooLate));
    assert_eq!(clock.signed_now(1, NOW_S + DAY_S, MAX_SIGNED_ERROR_S + 1), Err(Implausible::TooVague));
    assert_eq!(clock.time(1), Time::floor(NOW_S + DAY_S));
    assert_eq!(clock.published(1, published((1, 8), NOW_S)), Ok(()));
    assert_eq!(clock.time(1), Time::floor(NOW_S));
    assert_eq!(clock.published(1, published((2, 1), 0)), Ok(()));
    assert_eq!(clock.time(1), Time::floor(NOW_S - 3600), "not below what was seen");
}

#[test]
fn a_hub_that_is_a_year_ahead_for_an_hour_ages_nobody_for_good() {
    let story = Story::begin(Source::Rtc, KEPT).reads(0, 3).heard(YEAR_S).signed(YEAR_S).reads(YEAR_S, 9);
    assert!(story.time().earliest() > story.true_s() + DAY_S);
    let story = story.signed(0);
    assert_eq!(story.time(), Time::trusted_within(story.true_s(), 2));
    let story = story.restarts().reads(0, 3);
    assert_eq!(story.time().unix_s, story.true_s());
}

#[test]
fn the_latest_that_it_can_be_is_known_by_a_signature_and_not_by_a_device() {
    let latest = |story: Story| story.clock.signed_latest(story.mono_ms).map(|unix_s| unix_s - story.true_s());
    assert_eq!(latest(Story::begin(Source::Rtc, KEPT)), None, "nobody has looked");
    assert_eq!(latest(Story::begin(Source::Rtc, UNCONFIRMED).reads(0, 3)), None);
    assert_eq!(latest(Story::begin(Source::System, UNCONFIRMED).reads(0, 3)), None, "a board's word is no signature");
    assert_eq!(latest(Story::begin(Source::None, KEPT).hinted(0)), None);
    assert_eq!(latest(Story::begin(Source::Rtc, KEPT).reads(0, 3)), Some(12), "confirmed a week ago");
    assert_eq!(latest(Story::begin(Source::System, UNCONFIRMED).reads(0, 3).signed(0)), Some(2));
    assert_eq!(latest(Story::begin(Source::None, KEPT).signed(0)), Some(2));
    let old = Some(Confirmed { at_s: NOW_S - CONFIRMED_FOR_S - 301, error_s: 4 });
    assert_eq!(latest(Story::begin(Source::Rtc, Kept { confirmed: old, ..KEPT }).reads(0, 3)), None);
    assert_eq!(latest(Story::begin(Source::Rtc, KEPT).reads(0, 3).published(3600)), None, "it was wrong");
}

#[test]
fn what_judges_the_next_publication_does_not_rest_on_the_one_before() {
    let judged = |story: Story| story.clock.without_publications(story.mono_ms).abs_diff(story.true_s());
    assert_eq!(judged(Story::begin(Source::Rtc, UNCONFIRMED).reads(0, 3)), 0);
    assert_eq!(judged(Story::begin(Source::None, KEPT).published(YEAR_S)), 3600, "what was seen an hour ago");
    let seen = Story::begin(Source::System, UNCONFIRMED).reads(0, 3).published(YEAR_S).reads(0, 3);
    assert!(judged(seen) < 20, "what was seen until then");
}

#[test]
fn a_jump_of_the_clock_is_not_followed_and_its_return_is_noticed() {
    let story = Story::begin(Source::System, KEPT).reads(0, 60).reads(4, 1);
    assert_eq!((story.view().doubt, story.view().disagrees()), (Some(Doubt::Jumped), true));
    assert_eq!(story.time().unix_s, story.true_s());
    let story = story.reads(0, 1);
    assert_eq!((story.view().doubt, story.time().unix_s), (None, story.true_s()));
}

#[test]
fn a_clock_that_creeps_away_is_not_followed_for_long() {
    let mut story = Story::begin(Source::Rtc, KEPT).reads(0, 2);
    for second in 0..7200 {
        story = story.reads(second / 100, 1);
    }
    assert_eq!(story.view().doubt, Some(Doubt::Jumped));
    assert!(story.time().unix_s.abs_diff(story.true_s()) <= 4);
}

#[test]
fn a_garbled_reading_costs_nothing_and_a_real_jump_is_remembered() {
    let story = Story::begin(Source::Rtc, KEPT).reads(0, 9).reads(7000, 4).reads(0, 1);
    assert!(!story.clock.kept().contradicted);
    assert_eq!(story.clock.kept().confirmed, KEPT.confirmed);
    assert!(story.reads(7000, 5).clock.kept().contradicted);
}

#[test]
fn a_clock_is_set_by_a_signed_time_that_differs_by_more_than_two_seconds_and_by_nothing_else() {
    let off = |off_s| Story::begin(Source::Rtc, UNCONFIRMED).reads(off_s, 3);
    let wanted = |story: Story| story.clock.correction(story.mono_ms).map(|unix_s| unix_s.abs_diff(story.true_s()));
    assert_eq!(wanted(off(100)), None, "nobody has signed anything");
    assert_eq!(wanted(off(100).signed(0)), Some(0));
    assert_eq!(wanted(off(2).signed(0)), None);
    assert_eq!(wanted(off(-3).signed(0)), Some(0));
    assert_eq!(wanted(Story::begin(Source::Rtc, KEPT).looks(Look::LostPower).signed(0)), Some(0));
    assert_eq!(wanted(Story::begin(Source::Rtc, KEPT).looks(Look::Absent).signed(0)), None);
    assert_eq!(wanted(Story::begin(Source::System, KEPT).reads(100, 3).signed(0)), None, "it is not ours to set");
    assert_eq!(wanted(off(100).signed(0).reads(0, 36_000)), None, "it is right");
}

#[test]
fn a_system_clock_that_is_a_little_off_serves_with_that_error_and_nobody_is_warned() {
    let story = Story::begin(Source::System, UNCONFIRMED).reads(20, 5).signed(0).reads(20, 60);
    assert_eq!((story.view().doubt, story.time().unix_s), (None, story.true_s()));
    let story = story.restarts().reads(20, 5);
    let time = story.time();
    assert!(time.earliest() <= story.true_s() && time.error_s < 30, "{time:?} at {}", story.true_s());
    assert_eq!(story.reads(20, 3).signed(0).reads(50, 1).view().doubt, Some(Doubt::Jumped));
}

#[test]
fn a_confirmation_survives_and_wears_out_by_ten_millionths() {
    let story = Story::begin(Source::Rtc, UNCONFIRMED).reads(0, 3).signed(0).reads(0, 3);
    let kept = story.clock.kept();
    assert_eq!(kept.confirmed.map(|confirmed| confirmed.error_s), Some(4));
    let after = |days: u64| {
        let kept = Kept { seen_s: NOW_S + days * DAY_S, ..kept };
        let mut clock = Clock::new(Source::Rtc, kept, BUILT_S, LATEST_S);
        clock.device(0, Look::At(NOW_S + 10 + days * DAY_S));
        clock.time(0).error_s
    };
    assert_eq!([after(0), after(1), after(100), after(179)], [5, 5, 91, 159]);
    assert_eq!(after(181), UNCONFIRMED_ERROR_S);
}

#[test]
fn a_gate_that_runs_for_months_on_a_confirmed_clock_stays_within_its_error() {
    let mut story = Story::begin(Source::Rtc, UNCONFIRMED).reads(0, 3).signed(0).reads(0, 3);
    // The counting clock runs 80 millionths fast: what it counts is told from the true time.
    for minute in 1..(60 * 24 * 60_u64) {
        story.mono_ms += 60_000;
        let true_s = story.true_s() - (minute * 60) * 80 / 1_000_000;
        story.clock.device(story.mono_ms, Look::At(true_s));
        let time = story.time();
        assert!(time.earliest() <= true_s && true_s <= time.latest(), "{time:?} at {true_s}");
    }
    let time = story.time();
    assert!(time.error_s < 60 && story.view().doubt.is_none(), "{time:?}");
}

#[test]
fn what_was_kept_and_can_not_be_is_as_good_as_nothing() {
    let published = Some(Published { number: (1, 1), at_s: u64::MAX });
    let kept = Kept { proven_s: u64::MAX, published, seen_s: LATEST_S + 1, ..KEPT };
    assert_eq!(Clock::new(Source::None, kept, BUILT_S, LATEST_S).time(0), Time::floor(BUILT_S));
}

#[test]
fn both_times_are_there_when_they_disagree() {
    let view = Story::begin(Source::Rtc, KEPT).reads(-10 * 3600, 3).hinted(-5).view();
    assert!(view.disagrees());
    assert_eq!((view.device_s, view.passed_s), (Some(NOW_S + 3 - 36_000), NOW_S - 3600));
    assert_eq!(view.hint_s, Some(NOW_S + 3 - 5));
}

proptest::proptest! {
    /// Whatever a clock without a signature says, a proof is never undone and nothing overflows.
    #[test]
    fn no_order_of_looks_and_words_panics_or_undoes_a_proof(
        steps in proptest::collection::vec((0..6u8, proptest::num::u64::ANY, 0..100_000u64), 0..60)
    ) {
        let mut clock = Clock::new(Source::Rtc, KEPT, BUILT_S, LATEST_S);
        let (mut mono_ms, mut proven_s) = (0, KEPT.proven_s);
        for (what, number, later_ms) in steps {
            mono_ms += later_ms;
            let near = NOW_S - 50 * DAY_S + number % (100 * DAY_S);
            match what {
                0 => clock.device(mono_ms, Look::At(number)),
                1 => clock.device(mono_ms, Look::At(near)),
                2 => clock.device(mono_ms, Look::LostPower),
                3 => drop(clock.signed_now(mono_ms, near, 3)),
                4 => drop(clock.heard_not_before(mono_ms, near)),
                _ => {
                    if clock.published(mono_ms, Published { number: (1, 1), at_s: near }).is_ok() {
                        proven_s = proven_s.max(near);
                    }
                }
            }
            proptest::prop_assert!(clock.time(mono_ms).latest() + SKEW_S.min(u64::MAX - clock.time(mono_ms).latest()) >= proven_s);
            proptest::prop_assert!(clock.kept().proof_s() >= proven_s);
        }
    }
}
