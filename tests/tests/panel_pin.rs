//! The panel in a real browser, where a gate has a PIN: who unlocks it, proves the gate, sets it, looks back, and locks up.
//!
//! Needs Debian's chromium and chromium-driver, and for axe-core once the Python package index; no privileges. Where something
//! is missing the tests are skipped, and say so loudly; with `MENSHEN_E2E=must` in the environment they fail instead.

use menshen_core::decide::Verdict;
use menshen_lane::panel::PinFile;
use menshen_lane::settings::Settings;
use menshen_lane::words::{Lang, Words, fill};
use menshen_tests::browser::PATIENCE;
use menshen_tests::browser::axe::Axe;
use menshen_tests::browser::chrome::Chrome;
use menshen_tests::browser::page::{Device, Page};
use menshen_tests::browser::shift::Shift;
use menshen_tests::browser::stage::Stage;
use menshen_tests::screens;
use std::path::Path;

const PIN: &str = "284916";

fn type_pin(page: &Page, pin: &str) {
    for digit in pin.chars() {
        page.click_text(".pad .key", &digit.to_string());
    }
    page.click(".pad .ok");
}

/// Waits until no pad is open.
fn pad_has_gone(page: &Page) {
    page.until_value("return document.querySelector('.pad') === null", |gone| *gone == true);
}

#[track_caller]
fn says(page: &Page, selector: &str, text: &str) {
    page.until_text(selector, |said| said == text);
}

#[test]
fn a_shift_begins_with_the_pin_and_the_proof_and_ends_locked() {
    let Some(chrome) = Chrome::start() else { return };
    let mut shift = Shift::begin();
    PinFile::of(&shift.state()).set(PIN).expect("it is a PIN");
    let words = Words::of(Lang::ZH);
    let page = chrome.page();
    page.open(shift.url("/", "zh"));
    says(&page, "#word", words.screen.get("idle"));
    // Whoever touches the kiosk without the PIN opens nothing.
    page.click("#by-hand-button");
    says(&page, ".pad h2", words.pin.get("title"));
    type_pin(&page, "284917");
    says(&page, ".pad .say", words.pin.get("wrong"));
    assert_eq!(page.text("#by-hand"), None);
    type_pin(&page, PIN);
    pad_has_gone(&page);
    says(&page, "#by-hand-title", words.by_hand.get("title"));
    page.click("#by-hand-close");
    // The gate proves itself: every code of the proof is answered as it must be.
    page.click("#bar");
    page.click("#proof-link");
    page.click("#start");
    let lines = page.until_text("#card", |card| card.contains('✓'));
    assert!(lines.contains("绿码"), "{lines}");
    let kept = shift.state().join("proofs");
    assert!(std::fs::read_dir(kept).is_ok_and(|cards| cards.count() > 0), "the card is kept");
    // What is set counts at once and is kept.
    page.open(shift.url("/settings", "zh"));
    page.click_text(".option", &fill(words.settings.get("seconds"), &[("n", "3")]));
    says(&page, "#said", words.settings.get("saved"));
    assert_eq!(Settings::open(&shift.state()).get().hold_admit_ms, Some(3000));
    // Somebody is referred; the volunteer is done with them.
    page.open(shift.url("/", "zh"));
    let met = shift.meet(&shift.person("yellow"));
    says(&page, "#word", &words.verdict(Verdict::Refer).word);
    let name = met.view.evidence.display.as_ref().map(|display| display.name.clone()).expect("the pass names somebody");
    page.click("#next-button");
    says(&page, "#word", words.screen.get("idle"));
    page.until_text("#today", |said| said.contains(&fill(words.today.get("refer"), &[("n", "1")])));
    page.open(shift.url("/history", "zh"));
    let rows = page.until_text("#rows", |rows| rows.contains(&words.verdict(Verdict::Refer).word));
    assert!(rows.contains("黄码") && !rows.contains(&name), "{rows}");
    // And locks up.
    page.click("#back");
    says(&page, "#word", words.screen.get("idle"));
    page.click("#bar");
    page.click("#lock-button");
    says(&page, "#lock-button", words.pin.get("unlock"));
    page.click("#bar");
    page.click("#by-hand-button");
    says(&page, ".pad h2", words.pin.get("title"));
}

#[test]
fn a_screen_on_the_network_shows_nothing_before_the_pin_and_everything_after() {
    let Some(chrome) = Chrome::start() else { return };
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let stage = Stage::with_pin(dir.path());
    screens::show(&stage.panel, "refer", false);
    let words = Words::of(Lang::EN);
    let page = chrome.page();
    let url = format!("http://gate.local:{}/?lang=en", stage.addr().port());
    page.open(&url);
    says(&page, "#word", words.screen.get("no_pin"));
    assert_eq!(page.text("#unlock-button"), None);
    PinFile::of(dir.path()).set(PIN).expect("it is a PIN");
    page.reload();
    says(&page, "#word", words.screen.get("locked"));
    let seen = page.evaluate("return document.body.innerText");
    assert!(!seen.as_str().is_some_and(|seen| seen.contains("123X")), "{seen}");
    let status = "return await fetch('/state').then((answer) => answer.status)";
    assert_eq!(page.evaluate(status), 401);
    page.click("#unlock-button");
    type_pin(&page, PIN);
    says(&page, "#word", &words.verdict(Verdict::Refer).word);
    page.until_text("#facts", |facts| facts.contains("123X"));
    page.reload();
    says(&page, "#word", &words.verdict(Verdict::Refer).word);
    // Scripts can not read what keeps the session.
    assert_eq!(page.evaluate("return document.cookie"), "");
    page.click("#bar");
    page.click("#lock-button");
    says(&page, "#word", words.screen.get("locked"));
}

#[test]
fn a_pin_is_set_at_the_gates_own_screen_by_typing_it_twice() {
    let Some(chrome) = Chrome::start() else { return };
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let stage = Stage::with_pin(dir.path());
    let words = Words::of(Lang::EN);
    let page = chrome.page();
    page.open(stage.url("/settings", "en"));
    says(&page, ".note", words.settings.get("pin_none"));
    let set = words.settings.get("pin_set");
    page.click_text(".row button", set);
    type_pin(&page, PIN);
    says(&page, ".pad .say", words.pin.get("again"));
    type_pin(&page, "284917");
    says(&page, ".pad .say", words.pin.get("differ"));
    for _ in 0..2 {
        type_pin(&page, "123456");
    }
    says(&page, ".pad .say", words.pin.get("guessed"));
    for _ in 0..2 {
        type_pin(&page, PIN);
    }
    pad_has_gone(&page);
    says(&page, "#said", words.pin.get("saved"));
    assert!(PinFile::of(dir.path()).is(PIN).is_ok_and(|is| is));
    // Whoever finds the screen unlocked still needs it to set another one.
    page.click_text(".option", &fill(words.settings.get("seconds"), &[("n", "3")]));
    says(&page, ".pad h2", words.pin.get("title"));
    type_pin(&page, PIN);
    pad_has_gone(&page);
    says(&page, "#said", words.settings.get("saved"));
    page.click_text(".row button", words.settings.get("pin_change"));
    says(&page, ".pad h2", words.pin.get("old"));
    type_pin(&page, "730518");
    says(&page, ".pad .say", words.pin.get("wrong"));
    type_pin(&page, PIN);
    says(&page, ".pad .say", words.pin.get("new"));
    type_pin(&page, "730518");
    says(&page, ".pad .say", words.pin.get("again"));
    type_pin(&page, "730518");
    pad_has_gone(&page);
    says(&page, "#said", words.pin.get("saved"));
    assert!(PinFile::of(dir.path()).is("730518").is_ok_and(|is| is));
}

#[test]
fn what_was_begun_by_hand_about_one_person_is_not_finished_about_the_next() {
    let Some(chrome) = Chrome::start() else { return };
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    PinFile::of(dir.path()).set(PIN).expect("it is a PIN");
    let mut stage = Stage::with_pin(dir.path());
    let orders = stage.panel.take_orders().expect("nobody has taken them");
    let words = Words::of(Lang::EN);
    let page = chrome.page();
    stage.open(&page, "refer", "en", false);
    // The next one's code is read while the PIN is typed.
    page.click("#by-hand-button");
    says(&page, ".pad h2", words.pin.get("title"));
    screens::show(&stage.panel, "ask", false);
    pad_has_gone(&page);
    assert_eq!(page.text("#by-hand"), None);
    // The same while the sheet is open.
    page.click("#by-hand-button");
    type_pin(&page, PIN);
    says(&page, "#by-hand-title", words.by_hand.get("title"));
    screens::show(&stage.panel, "idle", false);
    screens::show(&stage.panel, "ask", false);
    page.until_value("return document.querySelector('#by-hand').hidden", |hidden| *hidden == true);
    // And while the order is on its way: the lane finds somebody else there and does nothing.
    page.click("#by-hand-button");
    page.click_text("#let-in .cause", words.cause.get("paper_seen"));
    let order = orders.recv_timeout(PATIENCE).expect("it was touched");
    screens::show(&stage.panel, "admit", false);
    order.obey(true, |deed| panic!("{deed:?} is carried out about somebody else"));
    says(&page, "#by-hand-button", words.by_hand.get("changed"));
    says(&page, "#by-hand-button", words.by_hand.get("open"));
    assert!(orders.try_recv().is_err());
}

#[test]
fn a_pad_gives_way_to_a_refusal_and_the_alarm_and_not_to_an_admission() {
    let Some(chrome) = Chrome::start() else { return };
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    PinFile::of(dir.path()).set(PIN).expect("it is a PIN");
    let stage = Stage::with_pin(dir.path());
    let words = Words::of(Lang::EN);
    let page = chrome.page();
    for screen in ["refuse", "refer", "alarm"] {
        stage.open(&page, "idle", "en", false);
        page.click("#bar");
        page.click("#lock-button");
        says(&page, ".pad h2", words.pin.get("title"));
        screens::show(&stage.panel, "admit", false);
        says(&page, "#word", &words.verdict(Verdict::Admit).word);
        assert!(page.text(".pad").is_some(), "where people come all the time the PIN could never be typed");
        screens::show(&stage.panel, screen, false);
        pad_has_gone(&page);
    }
}

#[test]
fn neither_the_pad_nor_the_smaller_pages_keep_anybody_from_using_them_by_wcag_2_2_aa() {
    let Some(chrome) = Chrome::start() else { return };
    let Some(axe) = Axe::fetch(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("axe")) else { return };
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let stage = Stage::with_pin(dir.path());
    screens::show(&stage.panel, "refuse", false);
    let shift = Shift::begin();
    let page = chrome.page();
    let mut violations = Vec::new();
    let mut look = |page: &Page, what: String| {
        let found = axe.look(page);
        assert!(found.passes > 5, "{what}: axe-core looked at nothing");
        violations.extend(found.violations.into_iter().map(|told| format!("{what}: {told}")));
    };
    for device in [Device::Kiosk, Device::Phone] {
        page.device(device);
        for lang in ["zh", "en"] {
            let name = format!("{lang} {}", device.name());
            PinFile::of(dir.path()).clear().expect("the folder is ours");
            page.open(stage.url("/settings", lang));
            page.until_text("#rows", |said| !said.is_empty());
            look(&page, format!("/settings {name}"));
            page.open(stage.url("/history", lang));
            page.until_text("#rows", |said| !said.is_empty());
            look(&page, format!("/history {name}"));
            PinFile::of(dir.path()).set(PIN).expect("it is a PIN");
            page.open(stage.url("/settings", lang));
            page.until_text(".pad", |said| !said.is_empty());
            look(&page, format!("pad {name}"));
            let far = format!("http://gate.local:{}/?lang={lang}", stage.addr().port());
            page.open(far);
            page.until_text("#unlock-button", |said| !said.is_empty());
            look(&page, format!("locked {name}"));
            page.open(shift.url("/proof", lang));
            page.click("#start");
            page.until_text("#card", |card| card.contains('✓'));
            look(&page, format!("/proof {name}"));
        }
    }
    assert!(violations.is_empty(), "{} violations:\n  {}", violations.len(), violations.join("\n  "));
}
