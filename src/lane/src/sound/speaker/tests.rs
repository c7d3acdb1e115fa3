//! A loudspeaker that writes down what it is told, and one that fails.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use super::*;
use crate::sound::{Cue, Percent, SoundRules, SpeechKey};
use menshen_core::clock::{Implausible, Published};
use menshen_core::hint::Hint;
use menshen_core::time::Time;
use std::time::Instant;

/// Longer than anything takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// 2020-03-01 at this hour in China.
fn at(hour: u64) -> Time {
    Time::trusted(1_582_992_000 + hour * 3600)
}

struct Fixed(Time);

impl Clock for Fixed {
    fn mono_ms(&self) -> u64 {
        0
    }
    fn time(&self) -> Time {
        self.0
    }
    fn published(&self, _: Published) {}
    fn heard_not_before(&self, _: u64) {}
    fn signed_now(&self, _: u64, _: u32) -> Result<(), Implausible> {
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Did {
    Opened,
    Played(Option<Cue>, Option<SpeechKey>, Percent),
    Checked,
    Hushed,
}

#[derive(Clone, Default)]
struct Fake {
    did: Arc<Mutex<Vec<Did>>>,
    broken: Arc<Mutex<bool>>,
    /// It can be opened, and plays nothing.
    breaks: Arc<Mutex<bool>>,
    /// It plays only when this is let go.
    hangs: Arc<Mutex<()>>,
}

impl Fake {
    fn fails(&self) -> Result<(), PortError> {
        if *self.broken.lock().unwrap() {
            return Err(PortError::Absent("the loudspeaker is not there: plug it in".to_owned()));
        }
        Ok(())
    }

    fn opener(&self) -> Open<dyn Speaker> {
        let fake = self.clone();
        Box::new(move || {
            fake.fails()?;
            fake.did.lock().unwrap().push(Did::Opened);
            Ok(Box::new(fake.clone()))
        })
    }

    /// What it was told, once it was told `last`.
    fn did_until(&self, last: &Did) -> Vec<Did> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let did = self.did.lock().unwrap().clone();
            if did.contains(last) {
                return did;
            }
            assert!(Instant::now() < deadline, "{did:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Speaker for Fake {
    fn play(&mut self, sound: &Sounded) -> Result<(), PortError> {
        self.fails()?;
        self.did.lock().unwrap().push(Did::Played(sound.cue, sound.speech, sound.volume));
        drop(self.hangs.lock().unwrap());
        Ok(())
    }
    fn check(&mut self) -> Result<(), PortError> {
        self.did.lock().unwrap().push(Did::Checked);
        self.fails()
    }
    fn hush(&mut self) {
        self.did.lock().unwrap().push(Did::Hushed);
    }
    fn is_playing(&mut self) -> Result<bool, PortError> {
        if *self.breaks.lock().unwrap() {
            return Err(PortError::Failed("the loudspeaker does not play: check its wires".to_owned()));
        }
        self.fails().map(|()| false)
    }
}

fn watcher(fake: &Fake, rules: SoundRules, time: Time) -> SpeakerWatcher {
    SpeakerWatcher::new(fake.opener(), SoundSettings::new(rules), Arc::new(Fixed(time)), true)
}

fn show(watcher: &mut SpeakerWatcher, screen: Screen) {
    watcher.screen(&screen, None, Timing::default());
}

#[test]
fn a_screen_is_heard_as_loud_as_the_hour_allows() {
    for (hour, volume) in [(12, Percent::ALL), (23, Percent::new(30).unwrap())] {
        let fake = Fake::default();
        let mut watcher = watcher(&fake, SoundRules::default(), at(hour));
        show(&mut watcher, Screen::AskReading);
        fake.did_until(&Did::Played(Some(Cue::AskReading), Some(SpeechKey::AskReading), volume));
        assert_eq!(watcher.fault(), None);
    }
}

#[test]
fn the_fire_alarm_silences_the_gate_and_an_idle_screen_does_not() {
    let fake = Fake::default();
    let mut watcher = watcher(&fake, SoundRules::default(), at(12));
    show(&mut watcher, Screen::Hint(Hint::Dim));
    let played = Did::Played(None, Some(SpeechKey::Dim), Percent::ALL);
    fake.did_until(&played);
    show(&mut watcher, Screen::Idle);
    show(&mut watcher, Screen::Alarm);
    assert_eq!(fake.did_until(&Did::Hushed), [Did::Opened, played, Did::Hushed]);
}

#[test]
fn a_muted_gate_plays_nothing() {
    let fake = Fake::default();
    let mut watcher = watcher(&fake, SoundRules { volume: Percent::NONE, ..SoundRules::default() }, at(12));
    show(&mut watcher, Screen::AskReading);
    assert_eq!(fake.did_until(&Did::Hushed), [Did::Opened, Did::Hushed]);
}

#[test]
fn a_loudspeaker_that_fails_is_told_and_is_heard_again_once_it_is_back() {
    let fake = Fake::default();
    *fake.broken.lock().unwrap() = true;
    let mut watcher = watcher(&fake, SoundRules::default(), at(12));
    let deadline = Instant::now() + PATIENCE;
    while watcher.fault().is_none() {
        assert!(Instant::now() < deadline, "nothing is told of a loudspeaker that is not there");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(watcher.fault().is_some_and(|(_, fault)| fault.contains("plug it in")));
    *fake.broken.lock().unwrap() = false;
    show(&mut watcher, Screen::AskReading);
    fake.did_until(&Did::Played(Some(Cue::AskReading), Some(SpeechKey::AskReading), Percent::ALL));
    while watcher.fault().is_some() {
        assert!(Instant::now() < deadline + PATIENCE, "{:?}", watcher.fault());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_loudspeaker_that_plays_nothing_is_told_before_anybody_should_have_heard_it() {
    let fake = Fake::default();
    *fake.breaks.lock().unwrap() = true;
    let watcher = watcher(&fake, SoundRules::default(), at(12));
    let deadline = Instant::now() + PATIENCE;
    while watcher.fault().is_none() {
        assert!(Instant::now() < deadline, "nobody looked whether it plays");
        std::thread::sleep(Duration::from_millis(5));
    }
    // It is opened again and again, and stays a fault as long as it plays nothing.
    while fake.did.lock().unwrap().iter().filter(|did| **did == Did::Opened).count() < 2 {
        assert!(watcher.fault().is_some());
        assert!(Instant::now() < deadline, "it is not opened again");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn dropping_it_ends_what_plays() {
    let fake = Fake::default();
    let mut watcher = watcher(&fake, SoundRules::default(), at(12));
    show(&mut watcher, Screen::AskReading);
    fake.did_until(&Did::Played(Some(Cue::AskReading), Some(SpeechKey::AskReading), Percent::ALL));
    drop(watcher);
    assert_eq!(fake.did.lock().unwrap().last(), Some(&Did::Hushed));
}

/// Shows a screen to one that hangs and waits until it does.
fn hang(fake: &Fake, watcher: &mut SpeakerWatcher) {
    show(watcher, Screen::AskReading);
    fake.did_until(&Did::Played(Some(Cue::AskReading), Some(SpeechKey::AskReading), Percent::ALL));
}

#[test]
fn one_that_hangs_holds_up_neither_the_lane_nor_the_end() {
    let fake = Fake::default();
    let hangs = fake.hangs.lock().unwrap();
    let mut watcher = watcher(&fake, SoundRules::default(), at(12));
    hang(&fake, &mut watcher);
    show(&mut watcher, Screen::Alarm);
    let begun = Instant::now();
    drop(watcher);
    assert!(begun.elapsed() < PATIENCE, "the end waited {:?}", begun.elapsed());
    drop(hangs);
}

#[test]
fn of_all_that_waited_the_newest_is_heard_and_nothing_that_comes_too_late() {
    let played = |key| Did::Played(None, Some(key), Percent::ALL);
    for (waits, heard) in [(Duration::ZERO, Some(SpeechKey::Dim)), (LATE, None)] {
        let fake = Fake::default();
        let hangs = fake.hangs.lock().unwrap();
        let mut watcher = watcher(&fake, SoundRules::default(), at(12));
        hang(&fake, &mut watcher);
        (0..100).for_each(|_| show(&mut watcher, Screen::Hint(Hint::Tilt)));
        show(&mut watcher, Screen::Hint(Hint::Dim));
        std::thread::sleep(waits);
        drop(hangs);
        let did = fake.did_until(&heard.map_or(Did::Hushed, played));
        assert!(!did.contains(&played(SpeechKey::Tilt)), "{did:?}");
        assert_eq!(did.contains(&played(SpeechKey::Dim)), heard.is_some(), "{did:?}");
    }
}

#[test]
fn one_at_rest_that_was_pulled_out_is_told_though_nobody_comes() {
    let fake = Fake::default();
    let (rules, clock) = (SoundSettings::default(), Arc::new(Fixed(at(12))));
    let watcher = SpeakerWatcher::trying(fake.opener(), rules, clock, true, Duration::from_millis(20));
    fake.did_until(&Did::Checked);
    assert_eq!(watcher.fault(), None);
    *fake.broken.lock().unwrap() = true;
    let deadline = Instant::now() + PATIENCE;
    while watcher.fault().is_none() {
        assert!(Instant::now() < deadline, "nobody looked");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(TRY_EVERY <= Duration::from_secs(55), "within a minute");
}

#[test]
fn who_tries_the_loudspeaker_hears_it_at_an_hour_at_which_it_is_muted() {
    let fake = Fake::default();
    let mut watcher = watcher(&fake, SoundRules { quiet_volume: Percent::NONE, ..SoundRules::default() }, at(23));
    watcher.try_sound();
    let audible = Percent::new(50).unwrap();
    fake.did_until(&Did::Played(Some(Cue::Admit), Some(SpeechKey::Admit), audible));
}
