//! What a gate's clocks are worth: from readings and proofs to a [`Time`] with its error.
//!
//! A gate has up to four sources of time, none of which is right by itself: a battery-backed clock that
//! may have lost its battery, the system's clock, the network's time that nobody signed, and signed
//! moments that may be old. This file is where they are weighed. It is pure: readings go in together with
//! the milliseconds of a clock that only counts ([`mono_ms`](Clock::time)), so that every case (a boot in
//! 1970, a jump of a year, a dead battery) is a row of a table under test.
//!
//! Invariants:
//! - **Two floors.** What is signed for good (a publication, the build of the image) proves a moment: that floor
//!   never falls by itself, by a clock, or by a signed time. A publisher whose clock was ahead can be wrong too, so
//!   its next publication replaces the moment of the one before. What the gate saw on its own clock, or heard of its
//!   hub: that floor rises with them and is replaced, downwards too, by a fresh signed time.
//! - **A reading is believed** only if it is not before either floor, not more than [`MAX_OFF_S`] after both, and,
//!   while the gate runs, where the counting clock says that it must be. One that is not takes nothing away
//!   from what the gate knew before: time goes on by the counting clock, with a growing error.
//! - **The error is part of the time.** It grows with the worth of the crystal since somebody last signed what
//!   time it is, and is [`UNCONFIRMED_ERROR_S`] where that was never or too long ago.
//! - **Nobody's unsigned word moves anything.** A time of the network is a [hint](Clock::hint): shown, never used.

use crate::time::{Confidence, SKEW_S, Time};

/// The longest that a gate may have been off for its clock to be believed when it is on again: 45 days.
///
/// A clock that is further ahead has more likely jumped. Whoever was off for longer has a stale trust list
/// anyway, and the new list's own date makes the clock believed again.
pub const MAX_OFF_S: u64 = 45 * 86_400;
/// The error of a battery-backed clock that nobody has confirmed, or not lately: 15 minutes.
pub const UNCONFIRMED_ERROR_S: u32 = 900;
/// How long a confirmation is worth something: 180 days.
pub const CONFIRMED_FOR_S: u64 = 180 * 86_400;
/// The error of a system's clock that its board vouches for.
pub const SYSTEM_ERROR_S: u32 = 5;
/// No signed time with a larger error counts.
pub const MAX_SIGNED_ERROR_S: u32 = 60;
/// What a device's clock may be off from where it must be without having jumped, in milliseconds: readings
/// are whole seconds and come late.
const JUMP_MS: u64 = 3000;
/// A system's clock is nobody's here to set: one that a signed time finds off by this much serves all the same, with
/// that much more error; in milliseconds.
const NEAR_MS: u64 = 30_000;
/// A device's clock that differs more from a signed time is set, in milliseconds.
const SET_MS: u64 = 2000;
/// What two crystals may differ by while the gate runs, in millionths.
const APART_PPM: u64 = 200;
/// What the counting clock of a small computer is worth, in millionths.
const COUNTING_PPM: u64 = 100;
/// What a temperature-compensated clock (DS3231) is worth with its ageing, in millionths.
const RTC_PPM: u64 = 10;
/// A reading may be garbled once or twice; a clock that contradicts so many times in a row has jumped.
const CONTRADICTIONS: u8 = 5;
/// What is gained by taking the device's clock as the new anchor, in milliseconds, must be worth it.
const GAIN_MS: u64 = 1000;

/// What the device's own clock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A battery-backed clock.
    Rtc,
    /// The system's clock, which the board file vouches for.
    System,
    /// None that may be believed.
    None,
}

/// One look at the device's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// There is none, or it does not answer.
    Absent,
    /// It answers and says that it stood still at some time: its battery is empty or was out.
    LostPower,
    /// It says that it is this late, in seconds since 1970.
    At(u64),
}

/// Why the device's clock is not believed, or not to the minute. The names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// There is none, or it does not answer.
    NoClock,
    /// It stood still: its battery is empty or was out.
    LostPower,
    /// It is before a moment that has passed.
    Behind,
    /// It is further ahead than a gate is ever off.
    Ahead,
    /// It is not where it must be by the counting clock, or by a signed time.
    Jumped,
    /// It may be right; nobody has confirmed it, or not lately.
    Unconfirmed,
}

impl Doubt {
    /// Every doubt.
    pub const ALL: [Doubt; 6] =
        [Doubt::NoClock, Doubt::LostPower, Doubt::Behind, Doubt::Ahead, Doubt::Jumped, Doubt::Unconfirmed];

    /// A stable name for words and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Doubt::NoClock => "no_clock",
            Doubt::LostPower => "lost_power",
            Doubt::Behind => "behind",
            Doubt::Ahead => "ahead",
            Doubt::Jumped => "jumped",
            Doubt::Unconfirmed => "unconfirmed",
        }
    }
}

/// What was known when somebody last signed what time it is and the device's clock agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// When, in seconds since 1970.
    pub at_s: u64,
    /// How far the device's clock could be off at that moment, in seconds.
    pub error_s: u32,
}

/// A publication that was believed: which, and the moment that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Which one: the versions of its root and of its timestamp. The second rises from one publication to the next, and
    /// may begin anew under a new root.
    pub number: (u64, u64),
    /// Its moment, in seconds since 1970.
    pub at_s: u64,
}

/// What survives a power cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The newest moment that is proved for good, in seconds since 1970.
    pub proven_s: u64,
    /// The newest publication that was believed: its moment is proved until its publisher says otherwise.
    pub published: Option<Published>,
    /// The newest moment that the gate saw or heard of, in seconds since 1970.
    pub seen_s: u64,
    /// What a battery-backed clock said when it was last believed, in seconds since 1970: it never says less, unless
    /// somebody set it.
    pub rtc_s: u64,
    /// The last confirmation of the device's clock.
    pub confirmed: Option<Confirmed>,
    /// Whether the device's clock was last seen where it can not be: then a start does not believe it.
    pub contradicted: bool,
}

impl Kept {
    /// The newest moment that is proved, in seconds since 1970: no signed time goes behind it.
    pub fn proof_s(&self) -> u64 {
        self.proven_s.max(self.published.map_or(0, |published| published.at_s))
    }
}

/// Why a signed moment does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Implausible {
    /// It is later than any gate of this build runs.
    TooLate,
    /// It is before a moment that is proved for good: whoever signed it has a slow clock.
    BehindProof,
    /// Its error is too large to be of use.
    TooVague,
}

impl core::fmt::Display for Implausible {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Implausible::TooLate => "it is years later than this program; set its signer's clock",
            Implausible::BehindProof => "it is before something that was signed already; set its signer's clock",
            Implausible::TooVague => "the way to its signer is too slow; try again on a better line",
        })
    }
}

impl core::error::Error for Implausible {}

/// What a screen shows of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// What is known of the time.
    pub time: Time,
    /// What the device's clock says, seconds since 1970; `None` where it says nothing.
    pub device_s: Option<u64>,
    /// The newest moment that is known to have passed, seconds since 1970.
    pub passed_s: u64,
    /// What is wrong with the device's clock.
    pub doubt: Option<Doubt>,
    /// What the network says that nobody signed, seconds since 1970.
    pub hint_s: Option<u64>,
}

impl View {
    /// Of a time of which nothing else is known.
    pub const fn of(time: Time) -> View {
        View { time, device_s: None, passed_s: time.earliest(), doubt: None, hint_s: None }
    }

    /// Whether the device's clock contradicts what is known: then a screen shows both.
    pub const fn disagrees(&self) -> bool {
        matches!(self.doubt, Some(Doubt::Behind | Doubt::Ahead | Doubt::Jumped))
    }
}

/// A moment that the gate holds for true, carried on by the counting clock.
#[derive(Clone, Copy, Debug)]
struct Held {
    unix_ms: u64,
    at_ms: u64,
    error_ms: u64,
    /// Whether it rests on a signed time of this run.
    signed: bool,
}

impl Held {
    fn now_ms(&self, mono_ms: u64) -> u64 {
        self.unix_ms.saturating_add(mono_ms.saturating_sub(self.at_ms))
    }

    fn error_now_ms(&self, mono_ms: u64) -> u64 {
        self.error_ms.saturating_add(drift_ms(mono_ms.saturating_sub(self.at_ms), COUNTING_PPM))
    }
}

/// Judges the clocks of one gate.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    /// No moment after this is believed of anybody.
    latest_s: u64,
    kept: Kept,
    held: Option<Held>,
    /// The newest look, with its moment.
    look: Option<(Look, u64)>,
    doubt: Option<Doubt>,
    /// How many looks in a row contradicted what is held.
    contradictions: u8,
    hint: Option<(u64, u64)>,
}

impl Clock {
    /// A clock as the gate starts: with what was kept, and with the moment when its program was built, which is
    /// proved by its being there. Nothing after `latest_s` is ever believed.
    pub fn new(source: Source, kept: Kept, built_s: u64, latest_s: u64) -> Clock {
        let confirmed = kept.confirmed.filter(|confirmed| confirmed.at_s <= latest_s);
        // A kept moment that can not be is a damaged file or a mistake of old; what is left of it is nothing.
        let possible = |unix_s| if unix_s <= latest_s { unix_s } else { 0 };
        let (proven_s, seen_s) = (built_s.max(possible(kept.proven_s)), possible(kept.seen_s));
        let published = kept.published.filter(|published| published.at_s <= latest_s);
        Clock {
            source,
            latest_s,
            kept: Kept { proven_s, published, seen_s, confirmed, ..kept },
            held: None,
            look: None,
            doubt: Some(Doubt::NoClock),
            contradictions: 0,
            hint: None,
        }
    }

    /// Takes a look at the device's clock, about once a second.
    pub fn device(&mut self, mono_ms: u64, look: Look) {
        self.look = Some((look, mono_ms));
        self.doubt = match (self.source, look) {
            (Source::None, _) | (_, Look::Absent) => Some(Doubt::NoClock),
            (_, Look::LostPower) => {
                // Whatever it is set to next, it is not what was confirmed.
                self.kept.confirmed = None;
                Some(Doubt::LostPower)
            }
            (_, Look::At(unix_s)) => {
                let doubt = self.judge(mono_ms, unix_s);
                if self.source == Source::Rtc && matches!(doubt, None | Some(Doubt::Unconfirmed)) {
                    self.kept.rtc_s = unix_s;
                }
                doubt
            }
        };
        self.see(mono_ms);
    }

    /// What the network says that nobody signed; `None` where it says nothing. It is shown and never believed.
    pub fn hint(&mut self, mono_ms: u64, unix_s: Option<u64>) {
        self.hint = unix_s.map(|unix_s| (unix_s, mono_ms));
    }

    /// A publication is believed: it is at least as late as the moment that it names. A newer one than those before
    /// replaces their moment, also by an earlier one; any other only raises it.
    ///
    /// # Errors
    /// [`Implausible::TooLate`]; then it does not count.
    pub fn published(&mut self, mono_ms: u64, new: Published) -> Result<(), Implausible> {
        self.possible(new.at_s)?;
        self.kept.published = Some(match self.kept.published {
            Some(old) if new.number <= old.number => Published { at_s: old.at_s.max(new.at_s), ..old },
            _ => new,
        });
        self.judge_again(mono_ms);
        Ok(())
    }

    /// The hub said that it is at least this late, signed and perhaps long ago. Counts until a fresh signed time
    /// says otherwise, because a hub's clock may be wrong and set right.
    ///
    /// # Errors
    /// [`Implausible::TooLate`]; then it does not count.
    pub fn heard_not_before(&mut self, mono_ms: u64, unix_s: u64) -> Result<(), Implausible> {
        self.possible(unix_s)?;
        self.kept.seen_s = self.kept.seen_s.max(unix_s);
        self.judge_again(mono_ms);
        Ok(())
    }

    /// Somebody who may say so has said just now what time it is: within `error_s` of `unix_s`.
    ///
    /// It replaces whatever was seen before. Only what is proved for good it can not go behind.
    ///
    /// # Errors
    /// [`Implausible`]; then nothing changes.
    pub fn signed_now(&mut self, mono_ms: u64, unix_s: u64, error_s: u32) -> Result<(), Implausible> {
        self.possible(unix_s)?;
        if error_s > MAX_SIGNED_ERROR_S {
            return Err(Implausible::TooVague);
        }
        let time = Time::trusted_within(unix_s, error_s);
        if time.latest().saturating_add(SKEW_S) < self.kept.proof_s() {
            return Err(Implausible::BehindProof);
        }
        self.held = Some(Held {
            unix_ms: unix_s.saturating_mul(1000),
            at_ms: mono_ms,
            error_ms: u64::from(error_s) * 1000,
            signed: true,
        });
        self.kept.seen_s = time.earliest();
        // The confirmation of an earlier run may have been of the clock that is now proved wrong.
        (self.kept.confirmed, self.kept.rtc_s) = (None, 0);
        (self.kept.contradicted, self.contradictions) = (false, 0);
        self.judge_again(mono_ms);
        Ok(())
    }

    /// What is known of the time.
    pub fn time(&self, mono_ms: u64) -> Time {
        let floor_s = self.floor_s();
        match self.held {
            None => Time::floor(floor_s),
            Some(held) => {
                let error_s = u32::try_from(held.error_now_ms(mono_ms).div_ceil(1000)).unwrap_or(u32::MAX);
                Time::trusted_within(held.now_ms(mono_ms) / 1000, error_s).not_before(floor_s)
            }
        }
    }

    /// The time as it is known without what publications say of it, in seconds since 1970, to judge the next one by:
    /// if the one before was dated wrongly, it must not keep its correction away.
    pub fn without_publications(&self, mono_ms: u64) -> u64 {
        match self.time(mono_ms) {
            Time { confidence: Confidence::Trusted, unix_s, .. } => unix_s,
            Time { confidence: Confidence::Floor, .. } => self.kept.proven_s.max(self.kept.seen_s),
        }
    }

    /// The latest that it can be now, in seconds since 1970, where that rests on somebody's signature: of this run, or of
    /// the run that confirmed the device's clock. `None` where it rests on nobody's word or on a device's alone.
    pub fn signed_latest(&self, mono_ms: u64) -> Option<u64> {
        let held = self.held?;
        let is_lately =
            |confirmed: &Confirmed| held.now_ms(mono_ms) / 1000 <= confirmed.at_s.saturating_add(CONFIRMED_FOR_S);
        let time = self.time(mono_ms);
        let is_sure = held.signed || self.kept.confirmed.as_ref().is_some_and(is_lately);
        (is_sure && time.confidence == Confidence::Trusted).then_some(time.latest())
    }

    /// What the device's clock is to be set to, in seconds since 1970: where the time is signed and the clock is not
    /// within two seconds of it.
    pub fn correction(&self, mono_ms: u64) -> Option<u64> {
        let held = self.held.filter(|held| held.signed && self.source == Source::Rtc)?;
        let now_ms = held.now_ms(mono_ms);
        let apart = match self.look? {
            (Look::Absent, _) => return None,
            (Look::LostPower, _) => true,
            // The longer the signed time is ago, the more may be the counting clock's own fault.
            (Look::At(unix_s), at_ms) => {
                let doubtful_ms = drift_ms(mono_ms.saturating_sub(held.at_ms), APART_PPM);
                apart_ms(unix_s, held.now_ms(at_ms)) > SET_MS + doubtful_ms
            }
        };
        apart.then_some((now_ms + 500) / 1000)
    }

    /// What a screen shows.
    pub fn view(&self, mono_ms: u64) -> View {
        let carried = |unix_s: u64, at_ms: u64| unix_s.saturating_add(mono_ms.saturating_sub(at_ms) / 1000);
        let device_s = match self.look {
            Some((Look::At(unix_s), at_ms)) => Some(carried(unix_s, at_ms)),
            _ => None,
        };
        let time = self.time(mono_ms);
        View {
            time,
            device_s,
            passed_s: time.earliest().max(self.floor_s()),
            // A gate that was never to have a clock of its own lacks nothing while it knows the time.
            doubt: self.doubt.filter(|_| self.source != Source::None || self.held.is_none()),
            hint_s: self.hint.map(|(unix_s, at_ms)| carried(unix_s, at_ms)),
        }
    }

    /// What is to survive a power cut.
    pub fn kept(&self) -> Kept {
        self.kept
    }

    fn floor_s(&self) -> u64 {
        self.kept.proof_s().max(self.kept.seen_s)
    }

    fn possible(&self, unix_s: u64) -> Result<(), Implausible> {
        if unix_s <= self.latest_s { Ok(()) } else { Err(Implausible::TooLate) }
    }

    /// Looks again at what the device's clock said last, by what is known now.
    fn judge_again(&mut self, mono_ms: u64) {
        if self.time(mono_ms).confidence == Confidence::Floor {
            // The proof has shown that what was held is wrong.
            self.held = None;
        }
        if let Some((Look::At(unix_s), at_ms)) = self.look {
            let now_s = unix_s.saturating_add(mono_ms.saturating_sub(at_ms) / 1000);
            self.device(mono_ms, Look::At(now_s));
        }
    }

    /// Whether a reading is believed; one that is becomes, or renews, what is held.
    fn judge(&mut self, mono_ms: u64, unix_s: u64) -> Option<Doubt> {
        let error_s = self.device_error_s(unix_s);
        let reading = Time::trusted_within(unix_s, error_s);
        if reading.latest().saturating_add(SKEW_S) < self.floor_s() {
            return Some(Doubt::Behind);
        }
        let Some(held) = self.held else {
            let went_back = self.source == Source::Rtc && unix_s.saturating_add(JUMP_MS / 1000) < self.kept.rtc_s;
            if self.kept.contradicted || went_back {
                return Some(Doubt::Jumped);
            }
            if unix_s > self.floor_s().saturating_add(MAX_OFF_S) || unix_s > self.latest_s {
                return Some(Doubt::Ahead);
            }
            self.hold(mono_ms, unix_s, error_s, false);
            return (error_s == UNCONFIRMED_ERROR_S).then_some(Doubt::Unconfirmed);
        };
        let apart_ms = apart_ms(unix_s, held.now_ms(mono_ms));
        let near_ms = if held.signed && self.source == Source::System { NEAR_MS } else { JUMP_MS };
        if apart_ms > near_ms + drift_ms(mono_ms.saturating_sub(held.at_ms), APART_PPM) {
            self.contradict(held.signed);
            return Some(Doubt::Jumped);
        }
        (self.kept.contradicted, self.contradictions) = (false, 0);
        if held.signed && (apart_ms <= SET_MS || self.source == Source::System) {
            self.confirm(unix_s, held.error_now_ms(mono_ms) + apart_ms.max(SET_MS));
        }
        let error_s = self.device_error_s(unix_s);
        if u64::from(error_s) * 1000 + GAIN_MS <= held.error_now_ms(mono_ms) {
            self.hold(mono_ms, unix_s, error_s, held.signed);
        }
        (error_s == UNCONFIRMED_ERROR_S && !held.signed).then_some(Doubt::Unconfirmed)
    }

    /// A system's clock is somebody's to set while the gate runs, unless a signed time says that it is wrong.
    fn contradict(&mut self, by_signed: bool) {
        self.contradictions = self.contradictions.saturating_add(1);
        if self.contradictions >= CONTRADICTIONS && (by_signed || self.source == Source::Rtc) {
            self.kept.contradicted = true;
        }
    }

    /// The device's clock agrees with a signed time.
    fn confirm(&mut self, at_s: u64, error_ms: u64) {
        let error_s = u32::try_from(error_ms.div_ceil(1000)).unwrap_or(UNCONFIRMED_ERROR_S);
        if self.kept.confirmed.is_none_or(|before| error_s <= before.error_s) {
            self.kept.confirmed = Some(Confirmed { at_s, error_s });
        }
    }

    fn hold(&mut self, mono_ms: u64, unix_s: u64, error_s: u32, signed: bool) {
        let (unix_ms, error_ms) = (unix_s.saturating_mul(1000), u64::from(error_s) * 1000);
        self.held = Some(Held { unix_ms, at_ms: mono_ms, error_ms, signed });
    }

    /// How far the device's clock may be off when it says `unix_s`, if nothing is wrong with it.
    fn device_error_s(&self, unix_s: u64) -> u32 {
        match (self.source, self.kept.confirmed) {
            (Source::System, confirmed) => {
                confirmed.map_or(SYSTEM_ERROR_S, |confirmed| confirmed.error_s.max(SYSTEM_ERROR_S))
            }
            (_, Some(confirmed)) => {
                let ran_s = unix_s.saturating_sub(confirmed.at_s);
                if ran_s > CONFIRMED_FOR_S {
                    return UNCONFIRMED_ERROR_S;
                }
                let drift_s = u32::try_from((ran_s * RTC_PPM).div_ceil(1_000_000)).unwrap_or(UNCONFIRMED_ERROR_S);
                confirmed.error_s.saturating_add(drift_s).min(UNCONFIRMED_ERROR_S)
            }
            (_, None) => UNCONFIRMED_ERROR_S,
        }
    }

    /// What is held has been seen: the floor rises to the earliest that it can be.
    fn see(&mut self, mono_ms: u64) {
        if self.held.is_some() {
            let seen_s = self.time(mono_ms).earliest();
            self.kept.seen_s = self.kept.seen_s.max(seen_s);
        }
    }
}

/// How far a reading in whole seconds is from where it must be, in milliseconds: the second may be any part of itself.
fn apart_ms(unix_s: u64, expected_ms: u64) -> u64 {
    let first_ms = unix_s.saturating_mul(1000);
    let last_ms = first_ms.saturating_add(999);
    if expected_ms < first_ms { first_ms - expected_ms } else { expected_ms.saturating_sub(last_ms) }
}

/// What a clock of this worth may be off after so long, in milliseconds.
const fn drift_ms(ran_ms: u64, ppm: u64) -> u64 {
    ran_ms.saturating_mul(ppm).div_ceil(1_000_000)
}

#[cfg(test)]
mod tests;
