//! A painter before displays that work, fail, hang and keep what they are shown.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use super::*;
use crate::ports::Area;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

const SIZE: (u32, u32) = (320, 240);
const LONG: Duration = Duration::from_secs(60);

/// What a display was shown.
struct Sent {
    pixels: Vec<u32>,
    changed: Vec<Area>,
}

impl Sent {
    fn is_dark(&self) -> bool {
        self.pixels.iter().all(|pixel| *pixel == 0)
    }
}

struct Recorder {
    sent: Sender<Sent>,
    works: Arc<AtomicBool>,
    /// A call that blocks until the sender is gone.
    gate: Option<Receiver<()>>,
}

impl Display for Recorder {
    fn size(&self) -> (u32, u32) {
        SIZE
    }

    fn show(&mut self, picture: Picture<'_>, changed: &[Area]) -> Result<(), PortError> {
        if let Some(gate) = &self.gate {
            let _ = gate.recv();
        }
        self.check()?;
        let pixels = (0..SIZE.1).flat_map(|y| picture.row(y).iter().copied()).collect();
        let _ = self.sent.send(Sent { pixels, changed: changed.to_vec() });
        Ok(())
    }

    fn check(&mut self) -> Result<(), PortError> {
        if self.works.load(Ordering::SeqCst) {
            Ok(())
        } else {
            Err(PortError::Failed("the screen is gone: plug it in".into()))
        }
    }
}

fn info() -> PanelInfo {
    PanelInfo { site_zh: "东门".to_owned(), site_en: "East Gate".to_owned(), lane: 1, utc_offset_min: 480 }
}

/// A watcher, what its display is shown, whether that works, and how often it was opened.
fn watched() -> (DisplayWatcher, Receiver<Sent>, Arc<AtomicBool>, Arc<AtomicUsize>) {
    let (sent, shown) = channel();
    let (works, opened) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let (is_there, count) = (Arc::clone(&works), Arc::clone(&opened));
    let open: Open<dyn Display> = Box::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Recorder { sent: sent.clone(), works: Arc::clone(&is_there), gate: None }))
    });
    (DisplayWatcher::start(open, info(), Lang::default()), shown, works, opened)
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONG, "{what} never comes");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn it_shows_that_it_starts_then_what_the_lane_says_and_at_the_end_nothing() {
    let (mut watcher, shown, ..) = watched();
    let first = shown.recv_timeout(LONG).unwrap();
    assert!(!first.is_dark());
    assert_eq!(first.changed, [Area { x: 0, y: 0, width: SIZE.0, height: SIZE.1 }], "at first everything is new");
    watcher.screen(&Screen::Idle, None, Timing::default());
    while shown.recv_timeout(LONG).unwrap().pixels == first.pixels {}
    assert_eq!(watcher.fault(), None);
    drop(watcher);
    assert!(shown.iter().last().unwrap().is_dark());
}

#[test]
fn only_what_changed_is_sent_but_for_everything_now_and_then() {
    let (mut watcher, shown, ..) = watched();
    let mut before = shown.recv_timeout(LONG).unwrap();
    let whole = [Area { x: 0, y: 0, width: SIZE.0, height: SIZE.1 }];
    let mut pieces = 0;
    let mut screens = [2, 3].map(|attempt| Screen::MeasureAgain { attempt, of: 3 }).into_iter().cycle();
    while pieces < 3 {
        watcher.screen(&screens.next().unwrap(), None, Timing::default());
        let sent = shown.recv_timeout(LONG).unwrap();
        if sent.changed != whole {
            pieces += 1;
        }
        let row = |sent: &Sent, y: u32| sent.pixels[(y * SIZE.0) as usize..((y + 1) * SIZE.0) as usize].to_vec();
        for y in 0..SIZE.1 {
            let is_sent = sent.changed.iter().any(|area| (area.y..area.y + area.height).contains(&y));
            assert!(is_sent || row(&sent, y) == row(&before, y), "row {y} changed and was not sent");
        }
        before = sent;
    }
}

#[test]
fn a_display_that_fails_is_told_and_used_again_when_it_is_back() {
    let (mut watcher, shown, works, opened) = watched();
    shown.recv_timeout(LONG).unwrap();
    works.store(false, Ordering::SeqCst);
    watcher.screen(&Screen::Idle, None, Timing::default());
    wait_for("the fault", || watcher.fault().is_some());
    assert_eq!(watcher.fault().map(|(_, fault)| fault).as_deref(), Some("the screen is gone: plug it in"));
    works.store(true, Ordering::SeqCst);
    wait_for("its return", || watcher.fault().is_none());
    assert!(opened.load(Ordering::SeqCst) >= 2);
    let whole = Area { x: 0, y: 0, width: SIZE.0, height: SIZE.1 };
    assert_eq!(shown.try_iter().last().unwrap().changed, [whole], "one that is back has nothing");
}

#[test]
fn one_that_can_not_be_opened_is_told_and_does_not_keep_the_end() {
    let open: Open<dyn Display> = Box::new(|| Err(PortError::Absent("there is no screen: plug it in".into())));
    let watcher = DisplayWatcher::start(open, info(), Lang::default());
    wait_for("the fault", || {
        watcher.fault().map(|(_, fault)| fault).as_deref() == Some("there is no screen: plug it in")
    });
    drop(watcher);
}

#[test]
fn a_display_that_hangs_holds_up_neither_the_lane_nor_the_end() {
    let (sent, shown) = channel();
    let (held, gate) = channel::<()>();
    let mut gate = Some(gate);
    let open: Open<dyn Display> = Box::new(move || {
        let works = Arc::new(AtomicBool::new(true));
        Ok(Box::new(Recorder { sent: sent.clone(), works, gate: gate.take() }))
    });
    let mut watcher = DisplayWatcher::start(open, info(), Lang::default());
    wait_for("the call to the display", || watcher.slot.lock().busy_since.is_some());
    watcher.screen(&Screen::Alarm, None, Timing::default());
    assert!(shown.try_recv().is_err(), "the display is still at its first picture");
    // As if it had hung for longer than it may.
    watcher.slot.lock().busy_since = Instant::now().checked_sub(HANGS_AFTER);
    assert_eq!(watcher.fault().map(|(_, fault)| fault).as_deref(), Some(HANGS));
    drop(watcher);
    drop(held);
}

#[test]
fn a_painter_that_panics_is_told_and_paints_again() {
    struct Broken(Sender<Sent>, Arc<AtomicUsize>);
    impl Display for Broken {
        fn size(&self) -> (u32, u32) {
            SIZE
        }
        fn show(&mut self, _: Picture<'_>, changed: &[Area]) -> Result<(), PortError> {
            assert!(self.1.fetch_add(1, Ordering::SeqCst) > 0, "the first picture is too much for it");
            let _ = self.0.send(Sent { pixels: vec![1], changed: changed.to_vec() });
            Ok(())
        }
    }
    let ((sent, shown), tries) = (channel(), Arc::new(AtomicUsize::new(0)));
    let open: Open<dyn Display> = Box::new(move || Ok(Box::new(Broken(sent.clone(), Arc::clone(&tries)))));
    let watcher = DisplayWatcher::start(open, info(), Lang::default());
    wait_for("the fault", || watcher.fault().is_some_and(|(_, fault)| fault.contains("started again")));
    shown.recv_timeout(LONG).unwrap();
    wait_for("its end", || watcher.fault().is_none());
}

#[test]
fn a_gate_that_says_nothing_any_more_is_lost_and_shows_no_verdict() {
    let (mut watcher, shown, ..) = watched();
    watcher.screen(&Screen::Alarm, None, Timing::default());
    let green = |sent: &Sent| sent.pixels[SIZE.0 as usize * 120] == 0x0a_6b_31;
    while !green(&shown.recv_timeout(LONG).unwrap()) {}
    watcher.slot.lock().told_at = Instant::now().checked_sub(SILENCE * 2).unwrap();
    let gone = |sent: &Sent| sent.pixels[SIZE.0 as usize * 120] == 0x2b_2f_36;
    while !gone(&shown.recv_timeout(LONG).unwrap()) {}
}

/// What a painter of this watcher would paint from.
fn inputs(watcher: &DisplayWatcher) -> Inputs {
    let slot = Arc::clone(&watcher.slot);
    Painter { slot, info: info(), lang: Lang::default(), stick: None, stick_since: Instant::now() }.inputs()
}

/// As if what is shown had been so for a while.
fn shown_for(watcher: &DisplayWatcher, seconds: u64) {
    watcher.slot.lock().shown_at = Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
}

/// A decision, of whatever verdict, about somebody who shows nothing.
fn decided(verdict: menshen_core::decide::Verdict) -> Screen {
    use menshen_core::decide::{Context, Measured, Shown, decide};
    let policy = menshen_core::policy::Policy::default();
    let home = menshen_core::ids::IssuerId::NATIONAL;
    let context = Context { trust: None, status: None, history: None, policy: &policy, home };
    let now = menshen_core::time::Time::trusted(1_596_420_300);
    let mut decision = decide(&Shown::Nothing, Measured::Nothing, now, context);
    decision.verdict = verdict;
    Screen::Verdict(decision)
}

#[test]
fn an_admission_as_long_as_a_site_may_hold_it_is_not_taken_for_a_gate_that_froze_here_or_on_the_page() {
    let longest = u64::from(crate::settings::LONGEST_HOLD_MS) / 1000;
    let (mut watcher, ..) = watched();
    watcher.screen(&decided(menshen_core::decide::Verdict::Admit), None, Timing::default());
    for (seconds, lost) in [(0, false), (longest + 1, false), (longest + 10, true)] {
        shown_for(&watcher, seconds);
        assert_eq!(inputs(&watcher).lost, lost, "after {seconds} s");
    }
    let page = include_str!("../../panel/assets/panel.js");
    let constant = format!("const STALE_ADMISSION_MS = {};", STALE_ADMISSION.as_millis());
    assert!(page.contains(&constant), "the page waits as long: {constant}");
}

#[test]
fn a_refusal_that_stays_tells_of_its_person_for_a_minute() {
    let (mut watcher, ..) = watched();
    watcher.screen(&decided(menshen_core::decide::Verdict::Refuse), None, Timing::default());
    for (seconds, hides) in [(0, false), (59, false), (60, true), (3600, true)] {
        shown_for(&watcher, seconds);
        let inputs = inputs(&watcher);
        assert_eq!((inputs.is_long_ago, inputs.lost), (hides, false), "after {seconds} s");
    }
}

#[test]
fn a_second_that_passes_is_no_news_and_a_minute_is() {
    let bar = |time: &str| {
        let view = menshen_core::clock::View::of(menshen_core::time::Time::trusted(0));
        let clock = crate::panel::ClockView { time: time.to_owned(), ..crate::panel::ClockView::of(&view, None) };
        to_the_minute(Bar { clock, ..crate::display::tests::fine() })
    };
    assert_eq!(bar("2020-08-03T02:05:07Z"), bar("2020-08-03T02:05:59Z"));
    assert_ne!(bar("2020-08-03T02:05:59Z"), bar("2020-08-03T02:06:00Z"));
}
