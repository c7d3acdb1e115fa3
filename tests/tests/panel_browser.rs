//! The panel in a real browser: a volunteer's whole shift at a whole gate, what a page does when something is gone, whether
//! everybody can use and understand it, and many panels at once.
//!
//! Needs Debian's chromium and chromium-driver, and for axe-core once the Python package index; no privileges. Where something
//! is missing the tests are skipped, and say so loudly; with `MENSHEN_E2E=must` in the environment they fail instead.

use menshen_core::decide::Verdict;
use menshen_lane::words::{self, Lang, Words};
use menshen_tests::browser::axe::Axe;
use menshen_tests::browser::chrome::Chrome;
use menshen_tests::browser::latency;
use menshen_tests::browser::line::{Line, Network};
use menshen_tests::browser::page::{Device, Eyes, Page};
use menshen_tests::browser::picture::Picture;
use menshen_tests::browser::shift::{Met, Reading, Shift};
use menshen_tests::browser::stage::Stage;
use menshen_tests::faults::ports::Unit;
use menshen_tests::screens::{self, SCREENS};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// Tells a hang from an answer, on a machine under any load.
const HANG_MS: f64 = 10_000.0;

/// What a person reads when a verdict is on the page, in the page's language.
#[track_caller]
fn shows(page: &Page, lang: Lang, met: &Met) -> Reading {
    let (words, other) = (Words::of(lang), Words::of(if lang == Lang::ZH { Lang::EN } else { Lang::ZH }));
    let verdict = words.verdict(met.decision.verdict);
    page.until_text("#word", |word| word == verdict.word);
    let told = words.told(&met.decision);
    let title = told.first().map_or(String::new(), |told| told.title.clone());
    if !title.is_empty() {
        page.until_text("#title", |shown| shown == title);
    }
    let read = Shift::read(page);
    assert_eq!((read.lang.as_str(), read.screen.as_str()), (lang.name(), "verdict"), "{read:?}");
    assert_eq!(read.verdict, met.decision.verdict.name(), "{read:?}");
    assert_eq!(read.sign, format!("#sign-{}", met.decision.verdict.name()));
    assert_eq!(read.other, other.verdict(met.decision.verdict).word);
    assert_eq!(read.title, title, "{read:?}");
    match told.first() {
        Some(gravest) if met.decision.verdict != Verdict::Admit => {
            assert!(read.say.starts_with(&gravest.holder), "{read:?}");
            let remedy = gravest.remedy_with(met.view.evidence.hotline.as_deref());
            // The page keeps a telephone number in one piece.
            assert_eq!(read.remedy.replace('\u{2011}', "-").replace('\u{a0}', " "), remedy);
            assert!(read.volunteer.contains(&gravest.volunteer), "{read:?}");
        }
        _ => assert_eq!((read.say.as_str(), read.remedy.as_str()), (verdict.say.as_str(), "")),
    }
    for further in told.iter().skip(1) {
        assert!(read.also.contains(&further.title) || read.say.contains(&further.holder), "{read:?}");
    }
    if let Some(display) = &met.view.evidence.display {
        let name = format!("{} …{}", display.name, display.id_tail);
        assert!(read.facts.contains(&name), "{name} in {read:?}");
    }
    if let Some(temp_c) = met.view.evidence.temp_c {
        let degrees = words::fill(words.label.get("degrees"), &[("n", &format!("{temp_c:.1}"))]);
        assert!(read.facts.contains(&degrees), "{degrees} in {read:?}");
    }
    assert!(!read.cut, "a text is cut off: {read:?}");
    read
}

#[track_caller]
fn shows_idle(page: &Page, lang: Lang) {
    let idle = Words::of(lang).screen.get("idle");
    page.until_text("#word", |word| word == idle);
}

/// The value and the level of a part in the bar.
#[track_caller]
fn bar_says(page: &Page, part: &str, level: &str) {
    let script = format!(
        "const use = document.querySelector('#bar .part use[href=\"#icon-{part}\"]');
         return use?.closest('.part').className ?? null;"
    );
    page.until_value(&script, |class| class.as_str().and_then(|class| class.strip_prefix("part ")) == Some(level));
}

#[track_caller]
fn nothing_was_complained_of(page: &Page) {
    assert_eq!(page.complaints(), Vec::<String>::new(), "the page's console");
}

#[test]
fn everybody_of_a_shift_is_told_the_verdict_and_what_to_do_in_the_language_of_the_page() {
    let Some(chrome) = Chrome::start() else { return };
    let mut shift = Shift::begin();
    let page = chrome.page();
    page.open(shift.url("/", "zh"));
    shows_idle(&page, Lang::ZH);
    bar_says(&page, "hub", "fine");
    let people = shift.people();
    assert!(people.len() >= 20, "{} people", people.len());
    let mut lang = Lang::ZH;
    for (number, person) in people.iter().enumerate() {
        if number == people.len() / 2 {
            page.click("#lang");
            lang = Lang::EN;
        }
        let met = shift.meet(person);
        let reason = met.decision.reasons.first().copied();
        assert_eq!((met.decision.verdict, reason), (person.verdict, person.reason), "{}", person.name);
        shows(&page, lang, &met);
        shift.leaves();
    }
    nothing_was_complained_of(&page);
}

#[test]
fn a_volunteer_lets_in_by_hand_whom_the_gate_asked_about_and_nobody_with_a_red_code() {
    let Some(chrome) = Chrome::start() else { return };
    let mut shift = Shift::begin();
    let page = chrome.page();
    page.open(shift.url("/", "en"));
    let words = Words::of(Lang::EN);
    let cause = words.cause.get("paper_seen");
    let yellow = shift.meet(&shift.person("yellow"));
    shows(&page, Lang::EN, &yellow);
    page.click("#by-hand-button");
    page.click_text("#let-in .cause", cause);
    let decided = shift.verdict_after(1);
    assert_eq!((decided.view.verdict, decided.view.cause), ("admit", Some("paper_seen")));
    let read = shows(&page, Lang::EN, &decided);
    assert!(read.facts.iter().any(|fact| fact == cause), "{read:?}");
    assert_eq!(page.text("#by-hand"), None, "it closes over a verdict");
    shift.leaves();
    let red = shift.meet(&shift.person("red"));
    shows(&page, Lang::EN, &red);
    page.click("#by-hand-button");
    page.until_text("#by-hand-say", |said| said == words.by_hand.get("not_red"));
    let open = page.evaluate("return document.querySelectorAll('#let-in .cause:enabled').length");
    assert_eq!(open, 0, "a red code is let in by nobody");
    page.click_text("#keep-out .cause", words.cause.get("unwell"));
    let kept_out = shift.verdict_after(3);
    assert_eq!((kept_out.view.verdict, kept_out.view.cause), ("refuse", Some("unwell")));
    shows(&page, Lang::EN, &kept_out);
    nothing_was_complained_of(&page);
}

#[test]
fn a_gate_without_hub_or_thermometer_says_so_on_the_bar_and_goes_on_and_so_when_they_are_back() {
    let Some(chrome) = Chrome::start() else { return };
    let mut shift = Shift::begin();
    let page = chrome.page();
    page.open(shift.url("/", "en"));
    bar_says(&page, "hub", "fine");
    bar_says(&page, "thermometer", "fine");
    shift.hub_goes();
    let admitted = shift.meet(&shift.person("green_phone"));
    assert_eq!(shows(&page, Lang::EN, &admitted).verdict, "admit", "without the hub it decides as ever");
    // It has something to send now.
    bar_says(&page, "hub", "warn");
    shift.leaves();
    shift.hub_returns();
    bar_says(&page, "hub", "fine");
    shift.ports.thermometer(Unit::Unplugged);
    bar_says(&page, "thermometer", "bad");
    let unmeasured = shift.meet(&shift.person("green_paper"));
    assert_eq!(unmeasured.view.reasons[0].name, "no_reading");
    shows(&page, Lang::EN, &unmeasured);
    shift.leaves();
    shift.ports.thermometer(Unit::Well);
    bar_says(&page, "thermometer", "fine");
    let measured = shift.meet(&shift.person("recognised_province"));
    assert_eq!(shows(&page, Lang::EN, &measured).verdict, "admit");
}

#[test]
fn a_page_that_is_loaded_again_in_the_middle_of_a_verdict_shows_it_again() {
    let Some(chrome) = Chrome::start() else { return };
    let mut shift = Shift::begin();
    let page = chrome.page();
    page.open(shift.url("/", "zh"));
    let met = shift.meet(&shift.person("expired"));
    let before = shows(&page, Lang::ZH, &met);
    page.reload();
    assert_eq!(shows(&page, Lang::ZH, &met), before);
    // The choice of a language lasts, the address says nothing of it then.
    page.click("#lang");
    shows(&page, Lang::EN, &met);
    page.open(shift.url("/", "").replace("?lang=", ""));
    shows(&page, Lang::EN, &met);
    nothing_was_complained_of(&page);
}

#[test]
fn what_is_about_a_person_goes_from_the_page_after_a_minute_and_what_to_do_stays() {
    let Some(chrome) = Chrome::start() else { return };
    let stage = Stage::new();
    let page = chrome.page();
    let facts = "return [...document.querySelectorAll('#facts .fact')].map((fact) => fact.classList[1]).join()";
    let shown_for = |milliseconds: u32| {
        page.before_each(&format!(
            "{{ const parse = JSON.parse; JSON.parse = (text) => {{ const told = parse(text); \
             if (told?.kind === 'verdict') told.age_ms += {milliseconds}; return told; }}; }}"
        ));
        stage.open(&page, "refuse", "en", false);
        Shift::read(&page)
    };
    let whole = shown_for(0);
    let facts_of = whole.facts.concat();
    assert!(facts_of.contains("张*三") && facts_of.contains("36.4"), "{whole:?}");
    // By itself, a few seconds after the page was opened.
    let opened = shown_for(52_000);
    page.until_value(facts, |names| names == "rests");
    let after = Shift::read(&page);
    for read in [opened, after] {
        let texts = |read: &Reading| (read.word.clone(), read.title.clone(), read.say.clone(), read.remedy.clone());
        assert_eq!(texts(&read), texts(&whole));
    }
    // A page that joins late shows nothing of it at all.
    shown_for(60_000);
    assert_eq!(page.evaluate(facts), "rests");
    nothing_was_complained_of(&page);
}

/// A page that lost its gate says so, and shows nothing that may be old.
#[track_caller]
fn shows_lost(page: &Page) {
    page.until_text("#word", |word| word == Words::of(Lang::EN).screen.get("lost"));
    let read = Shift::read(page);
    assert_eq!((read.screen.as_str(), read.verdict.as_str(), read.facts.len()), ("lost", "", 0), "{read:?}");
    assert_eq!(page.evaluate("return document.querySelectorAll('#bar .part').length"), 0, "the bar may be old, too");
}

#[test]
fn a_page_without_network_shows_no_verdict_and_finds_back_by_itself() {
    let Some(chrome) = Chrome::start() else { return };
    let stage = Stage::new();
    let line = Line::to(stage.addr());
    let page = chrome.page();
    let words = Words::of(Lang::EN);
    // A verdict that no page holds for old by itself.
    stage.open_at(line.addr(), &page, "refer", "en", false);
    page.until_text("#word", |word| word == words.verdict(Verdict::Refer).word);
    // The cable is out.
    page.offline(true);
    line.network(Network::Down);
    shows_lost(&page);
    screens::show(&stage.panel, "refuse", false);
    line.network(Network::Up);
    page.offline(false);
    page.until_text("#word", |word| word == words.verdict(Verdict::Refuse).word);
    // The volunteer walks out of the radio's reach: nobody tells the page.
    line.network(Network::Silent);
    shows_lost(&page);
    screens::show(&stage.panel, "admit", false);
    line.network(Network::Up);
    page.until_text("#word", |word| word == words.verdict(Verdict::Admit).word);
}

#[test]
fn the_state_of_the_device_and_every_issuer_are_behind_the_bar() {
    let Some(chrome) = Chrome::start() else { return };
    let stage = Stage::new();
    let page = chrome.page();
    stage.open(&page, "issuers", "en", true);
    assert_eq!(page.text("#device"), None);
    page.click("#bar");
    page.until_text("#device", |said| said.contains("the camera /dev/video0 is gone: plug it in again"));
    page.click("#issuers-button");
    page.until_text("#issuers", |said| said.contains("Hubei Health Code") && said.contains("too old"));
    let rows = page.evaluate("return document.querySelectorAll('#issuers .issuer').length");
    assert_eq!(rows, 8);
    page.click("#issuers-button");
    page.until_text("#parts", |said| said.contains("camera"));
    // Nothing lies over a verdict.
    screens::show(&stage.panel, "refer", true);
    page.until_value("return document.getElementById('device').hidden", |hidden| *hidden == true);
    nothing_was_complained_of(&page);
}

#[test]
fn whoever_mounts_the_camera_sees_its_picture_with_the_numbers() {
    let Some(chrome) = Chrome::start() else { return };
    let mut shift = Shift::begin();
    let page = chrome.page();
    page.open(shift.url("/", "en"));
    page.click("#bar");
    page.click("#install-link");
    shift.meet(&shift.person("green_phone"));
    page.until_value("return document.getElementById('picture').naturalWidth", |width| width.as_u64() > Some(0));
    page.until_text("#now", |focus| focus.parse::<u32>().is_ok());
    for section in ["#focus .word", "#light .word", "#advice"] {
        page.until_text(section, |said| !said.is_empty() && said != "–");
    }
    page.click("#lang");
    page.until_value("return document.documentElement.lang", |lang| lang == "zh");
    page.click("#back");
    page.until_value("return location.pathname", |path| path == "/");
    nothing_was_complained_of(&page);
}

#[test]
fn a_verdict_reaches_the_pixels() {
    let Some(chrome) = Chrome::start() else { return };
    let stage = Stage::new();
    let page = chrome.page();
    stage.open(&page, "idle", "zh", false);
    let times = latency::measure(&stage, &page, 60, Duration::from_millis(30));
    println!("p50 {:.1} ms, p95 {:.1} ms of {} verdicts", times.at(0.5), times.at(0.95), times.count());
    assert!(times.at(0.0) > 0.0 && times.at(1.0) < HANG_MS, "{times:?}");
}

#[test]
fn no_screen_keeps_anybody_from_using_it_by_wcag_2_2_aa() {
    let Some(chrome) = Chrome::start() else { return };
    let Some(axe) = Axe::fetch(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("axe")) else { return };
    let stage = Stage::new();
    let page = chrome.page();
    let (mut violations, mut incomplete) = (Vec::new(), std::collections::BTreeSet::new());
    let mut look = |page: &Page, what: &str| {
        let found = axe.look(page);
        assert!(found.passes > 5, "{what}: axe-core looked at nothing");
        violations.extend(found.violations.into_iter().map(|told| format!("{what}: {told}")));
        // What lies below the open drawer is not to be seen.
        let seen = found.incomplete.into_iter().filter(|told| !told.contains("is overlapped by another element"));
        incomplete.extend(seen.map(|told| format!("{what}: {told}")));
    };
    for device in [Device::Kiosk, Device::Phone] {
        page.device(device);
        for lang in ["zh", "en"] {
            for screen in SCREENS {
                let ailing = ["admit", "clock", "issuers"].contains(&screen);
                stage.open(&page, screen, lang, ailing);
                page.picture();
                let read = Shift::read(&page);
                assert!(!read.cut, "a text is cut off: {screen} {} {read:?}", device.name());
                look(&page, &format!("{screen} {lang} {}", device.name()));
            }
            for open in ["#bar", "#issuers-button", "#by-hand-button"] {
                if open != "#issuers-button" {
                    stage.open(&page, "refer", lang, true);
                }
                page.click(open);
                look(&page, &format!("{open} {lang} {}", device.name()));
            }
            page.open(stage.url("/install", lang));
            page.until_text("#title", |said| !said.is_empty());
            look(&page, &format!("/install {lang} {}", device.name()));
        }
    }
    println!("a person must look at:\n  {}", incomplete.into_iter().collect::<Vec<_>>().join("\n  "));
    assert!(violations.is_empty(), "{} violations:\n  {}", violations.len(), violations.join("\n  "));
}

/// The part of a page in which an element is.
fn part(page: &Page, picture: &Picture, selector: &str) -> Picture {
    let script = "const box = document.querySelector(arguments[0]).getBoundingClientRect();
        return [box.left, box.top, box.width, box.height].map(Math.round)";
    let values = page.evaluate_with(script, &[json!(selector)]);
    let value = |at: usize| values[at].as_u64().and_then(|value| u32::try_from(value).ok()).expect("it is on the page");
    picture.part(value(0), value(1), value(2), value(3))
}

/// How far two parts are apart in shape; what stands below them leaves them boxes of their own sizes, and the smaller counts.
fn apart(one: &Picture, other: &Picture) -> f64 {
    let (width, height) = (one.size().0.min(other.size().0), one.size().1.min(other.size().1));
    one.part(0, 0, width, height).shape_apart(&other.part(0, 0, width, height))
}

#[test]
fn verdicts_are_told_apart_by_eyes_that_see_fewer_colours() {
    let Some(chrome) = Chrome::start() else { return };
    let stage = Stage::new();
    let page = chrome.page();
    for eyes in Eyes::WEAK {
        page.eyes(eyes);
        let signs = ["admit", "refer", "refuse"].map(|screen| {
            stage.open(&page, screen, "en", false);
            let picture = page.picture();
            (part(&page, &picture, "#sign"), part(&page, &picture, "#word"))
        });
        for (one, other) in [(0, 1), (0, 2), (1, 2)] {
            let sign = apart(&signs[one].0, &signs[other].0);
            let word = apart(&signs[one].1, &signs[other].1);
            println!("{}: {one} and {other}: signs {sign:.3}, words {word:.3} apart", eyes.name());
            assert!(sign > 0.08 && word > 0.08, "{}: {one} and {other}: {sign} {word}", eyes.name());
        }
    }
}

#[test]
fn ten_panels_show_the_newest_verdict_and_find_back_to_a_gate_that_starts_again() {
    let Some(chrome) = Chrome::start() else { return };
    let stage = Stage::new();
    let addr = stage.addr();
    // A browser opens six streams to one place, so ten screens are two browsers.
    let browsers = [chrome.page(), chrome.page()];
    let windows: Vec<(&Page, _)> = browsers
        .iter()
        .flat_map(|page| (0..5).map(move |n| (page, if n == 0 { page.this_window() } else { page.new_window() })))
        .collect();
    let each = |look: &dyn Fn(&Page)| {
        for (page, window) in &windows {
            page.window(window);
            look(page);
        }
    };
    screens::show(&stage.panel, "idle", false);
    each(&|page| page.open(stage.url("/", "en")));
    let words = Words::of(Lang::EN);
    for (screen, verdict) in [("refer", Verdict::Refer), ("refuse", Verdict::Refuse), ("admit", Verdict::Admit)] {
        screens::show(&stage.panel, screen, false);
        each(&|page| {
            page.until_text("#word", |word| word == words.verdict(verdict).word);
        });
    }
    drop(stage);
    each(&|page| {
        page.until_text("#word", |word| word == words.screen.get("lost"));
    });
    let stage = Stage::at(addr);
    screens::show(&stage.panel, "refuse", false);
    each(&|page| {
        page.until_text("#word", |word| word == words.verdict(Verdict::Refuse).word);
    });
}
