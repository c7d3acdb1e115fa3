//! The panel as a browser meets it, over HTTP: pages, live events, and everything it must refuse.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::optics::{Diagnosis, Frame, Framing, LightWord, Seen, Sight};
use crate::view::DecisionView;
use crate::view::DisplayView;
use crate::words::{Lang, Words};
use menshen_core::clock::{Doubt, View};
use menshen_core::decide::{Context, Measured, Shown as Code, decide};
use menshen_core::hint::Hint;
use menshen_core::ids::IssuerId;
use menshen_core::lane::Screen;
use menshen_core::policy::Policy;
use menshen_core::reason::Reason;
use menshen_core::time::Time;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

mod acts;
mod proof;
mod sound;
mod trust;

/// A clock that fell back ten hours, and a network that says something else.
const CLOCK: View = View {
    time: Time::floor(1_600_000_000),
    device_s: Some(1_600_000_000 - 36_000),
    passed_s: 1_600_000_000,
    doubt: Some(Doubt::Behind),
    hint_s: Some(1_600_000_300),
};
const LOCAL: &str = "127.0.0.1:0";

fn panel() -> Panel {
    Panel::start(LOCAL.parse().unwrap(), info()).unwrap()
}

fn info() -> PanelInfo {
    PanelInfo { site_zh: "东门".to_owned(), site_en: "East Gate".to_owned(), lane: 2, utc_offset_min: 480 }
}

fn verdict(reason: Reason) -> ScreenView {
    let context =
        Context { trust: None, status: None, history: None, policy: &Policy::default(), home: IssuerId::NATIONAL };
    let decision = decide(&Code::Nothing, Measured::Nothing, Time::trusted(1_600_000_000), context).with(reason);
    ScreenView::of(&Screen::Verdict(decision), None)
}

fn named(name: &str) -> ScreenView {
    let ScreenView::Verdict { decision } = verdict(Reason::Red) else { unreachable!("a verdict") };
    let mut decision: DecisionView = *decision;
    decision.evidence.display = Some(DisplayView { name: name.to_owned(), id_tail: "123X".to_owned() });
    ScreenView::Verdict { decision: Box::new(decision) }
}

fn bar(backlog: u64) -> Bar {
    Bar {
        clock: ClockView::of(&CLOCK, Some("the clock chip does not answer: check its wires")),
        trust: None,
        trust_fault: None,
        lists: ListsView::default(),
        import: None,
        last_stick: None,
        takes_new: true,
        others: Vec::new(),
        manual: "all_but_red",
        backlog,
        camera: PartView::ailing("the camera is gone: plug it in"),
        thermometer: Some(PartView::FINE),
        journal: PartView::FINE,
        hub: None,
    }
}

fn get(panel: &Panel, path: &str) -> (u16, Vec<(String, String)>, String) {
    let config =
        ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(10)));
    let agent: ureq::Agent = config.build().into();
    let mut answer = agent.get(format!("http://{}{path}", panel.addr())).call().unwrap();
    let headers =
        answer.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    (answer.status().as_u16(), headers, answer.body_mut().read_to_string().unwrap())
}

/// A page's event stream, read as a browser reads it.
struct Watcher {
    lines: std::io::Lines<BufReader<Box<dyn Read>>>,
}

impl Watcher {
    fn of(panel: &Panel) -> Watcher {
        Watcher::on(panel, "/events")
    }

    fn on(panel: &Panel, path: &str) -> Watcher {
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(20)));
        let agent: ureq::Agent = config.build().into();
        let answer = agent.get(format!("http://{}{path}", panel.addr())).call().unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let reader: Box<dyn Read> = Box::new(answer.into_body().into_reader());
        Watcher { lines: BufReader::new(reader).lines() }
    }

    fn next(&mut self) -> (String, Value) {
        let (mut name, mut data) = (String::new(), String::new());
        for line in self.lines.by_ref() {
            match line.unwrap().split_once(':') {
                Some(("event", value)) => name = value.trim().to_owned(),
                Some(("data", value)) => data.push_str(value.trim()),
                Some(_) => {}
                None if data.is_empty() => {}
                None => return (name, serde_json::from_str(&data).unwrap()),
            }
        }
        panic!("the stream has ended");
    }

    fn next_of(&mut self, wanted: &str) -> Value {
        loop {
            let (name, data) = self.next();
            if name == wanted {
                return data;
            }
        }
    }

    /// Waits for the screen of a backlog of events that may skip others.
    fn until_screen(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let screen = self.next_of("screen");
            if wanted(&screen) {
                return screen;
            }
        }
    }
}

fn raw(panel: &Panel, path: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(panel.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
    BufReader::new(stream)
}

fn status(answer: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    line.trim().to_owned()
}

#[test]
fn every_answer_forbids_whatever_is_not_the_gates_own() {
    let panel = panel();
    for path in ["/", "/panel.js", "/state", "/words.json", "/nothing"] {
        let (_, headers, _) = get(&panel, path);
        let policy = headers.iter().find(|(name, _)| name == "content-security-policy").unwrap();
        assert!(policy.1.starts_with("default-src 'none';"), "{path}: {}", policy.1);
        assert!(!policy.1.contains("unsafe") && !policy.1.contains('*'), "{path}: {}", policy.1);
    }
}

#[test]
fn the_page_names_no_resource_outside_the_gate_and_all_it_names_is_there() {
    let panel = panel();
    let (_, _, page) = get(&panel, "/");
    let mut paths: Vec<String> = vec!["/".to_owned()];
    for quote in ["href=\"/", "src=\"/"] {
        paths.extend(page.split(quote).skip(1).map(|rest| format!("/{}", rest.split('"').next().unwrap())));
    }
    assert!(paths.len() >= 4, "{paths:?}");
    paths.extend(["/draw.js", "/dom.js", "/stick.js", "/issuers.js"].map(str::to_owned));
    paths.extend(["/say.js", "/tone.js", "/speech.js", "/lang.js"].map(str::to_owned));
    paths.extend(["/install", "/install.css", "/install.js"].map(str::to_owned));
    for path in paths {
        let (status, _, text) = get(&panel, &path);
        assert_eq!(status, 200, "{path}");
        // The name of the SVG vocabulary looks like an address and is never fetched.
        let text = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("\"//"), "{path}");
    }
}

#[test]
fn the_page_puts_what_it_hears_on_the_screen_as_text_only() {
    let panel = panel();
    const MARKUP: [&str; 8] =
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "DOMParser", "srcdoc"];
    const SCRIPTS: [&str; 10] = [
        "/panel.js",
        "/draw.js",
        "/dom.js",
        "/stick.js",
        "/issuers.js",
        "/say.js",
        "/tone.js",
        "/speech.js",
        "/lang.js",
        "/install.js",
    ];
    for path in SCRIPTS.into_iter().chain(["/install", "/"]) {
        let (_, _, text) = get(&panel, path);
        for way in MARKUP {
            assert!(!text.contains(way), "{path} uses {way}");
        }
    }
    for path in ["/", "/install"] {
        let (_, _, page) = get(&panel, path);
        assert!(
            !page.contains(" style=") && !page.contains(" onclick=") && !page.contains("<script>"),
            "{path}: inline"
        );
    }
}

#[test]
fn a_hostile_name_arrives_as_one_json_text() {
    let panel = panel();
    for name in ["</script><img src=x>", "\n\nevent: bar\ndata: {}\n\n", "\r\r\u{2028}\"\\", "张*三"] {
        panel.publish_screen(named(name));
        let screen = Watcher::of(&panel).next_of("screen");
        assert_eq!(screen["decision"]["evidence"]["display"]["name"], name);
    }
}

#[test]
fn who_joins_late_gets_the_current_screen_and_bar_and_then_the_newest() {
    let panel = panel();
    panel.publish_screen(ScreenView::AskReading);
    panel.publish_screen(ScreenView::MeasureAgain { attempt: 2, of: 3 });
    panel.publish_bar(bar(7));
    let mut watcher = Watcher::of(&panel);
    let (name, hello) = watcher.next();
    assert_eq!(name, "hello");
    assert_eq!(hello["info"], json!({"site_zh": "东门", "site_en": "East Gate", "lane": 2, "utc_offset_min": 480}));
    assert_eq!(hello["langs"], json!(["zh", "en"]));
    let mut first = [watcher.next(), watcher.next(), watcher.next()];
    first.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!((first[0].0.as_str(), &first[0].1["backlog"]), ("bar", &json!(7)));
    assert_eq!(first[1].1["kind"], "measure_again");
    assert_eq!((&first[1].1["attempt"], &first[1].1["of"]), (&json!(2), &json!(3)));
    panel.publish_screen(verdict(Reason::Red));
    let screen = watcher.next_of("screen");
    assert_eq!((&screen["kind"], &screen["decision"]["verdict"]), (&json!("verdict"), &json!("refuse")));
}

#[test]
fn ten_screens_all_get_the_verdict() {
    let panel = panel();
    let mut watchers: Vec<Watcher> = (0..10).map(|_| Watcher::of(&panel)).collect();
    panel.publish_screen(verdict(Reason::Yellow));
    for watcher in &mut watchers {
        let screen = watcher.until_screen(|screen| screen["kind"] == "verdict");
        assert_eq!(screen["decision"]["reasons"][0], json!({"code": 50, "name": "yellow"}));
    }
}

#[test]
fn a_screen_that_reads_nothing_holds_nobody_up() {
    let panel = panel();
    let _deaf: Vec<_> = (0..5).map(|_| raw(&panel, "/events")).collect();
    let began = Instant::now();
    for _ in 0..20_000 {
        panel.publish_screen(named("一个很长的名字"));
    }
    panel.publish_screen(ScreenView::Hint { hint: "tilt" });
    assert!(began.elapsed() < Duration::from_secs(5), "publishing took {:?}", began.elapsed());
    Watcher::of(&panel).until_screen(|screen| screen["hint"] == "tilt");
}

#[test]
fn a_verdict_is_always_new_and_any_other_screen_only_once() {
    let panel = panel();
    panel.publish_screen(ScreenView::Hint { hint: "tilt" });
    let mut watcher = Watcher::of(&panel);
    let first = watcher.next_of("screen")["number"].clone();
    panel.publish_screen(ScreenView::Hint { hint: "tilt" });
    panel.publish_screen(verdict(Reason::Red));
    let second = watcher.next_of("screen")["number"].clone();
    panel.publish_screen(verdict(Reason::Red));
    let third = watcher.next_of("screen")["number"].clone();
    assert_eq!([first, second, third], [json!(1), json!(2), json!(3)]);
}

#[test]
fn a_silent_gate_still_beats() {
    let panel = panel();
    let mut watcher = Watcher::of(&panel);
    let began = Instant::now();
    watcher.next_of("beat");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn a_port_in_use_is_said_with_its_remedy() {
    let first = panel();
    let error = Panel::start(first.addr(), info()).unwrap_err();
    assert!(matches!(error, PanelError::InUse { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&first.addr().to_string()) && text.contains("`panel.listen`"), "{text}");
}

#[test]
fn an_address_of_another_device_is_said_with_its_remedy() {
    let error = Panel::start("192.0.2.1:8460".parse().unwrap(), info()).unwrap_err();
    assert!(matches!(error, PanelError::NoSuchAddress { .. }), "{error:?}");
}

#[test]
fn a_gate_that_restarts_gets_its_port_back_and_its_screens_find_it() {
    let first = panel();
    let addr = first.addr();
    let mut watcher = Watcher::of(&first);
    watcher.next_of("screen");
    drop(first);
    assert!(TcpStream::connect(addr).is_err(), "a panel that was dropped still listens");
    let second = Panel::start(addr, info()).unwrap();
    second.publish_screen(ScreenView::AskReading);
    assert_eq!(Watcher::of(&second).next_of("screen")["kind"], "ask_reading");
}

#[test]
fn the_sixty_fifth_screen_is_told_to_close_another() {
    let panel = panel();
    let mut full: Vec<_> = (0..MAX_WATCHERS).map(|_| raw(&panel, "/events")).collect();
    for answer in &mut full {
        assert_eq!(status(answer), "HTTP/1.1 200 OK");
    }
    assert_eq!(status(&mut raw(&panel, "/events")), "HTTP/1.1 503 Service Unavailable");
    assert_eq!(get(&panel, "/state").0, 200);
    drop(full);
    let began = Instant::now();
    while status(&mut raw(&panel, "/events")) != "HTTP/1.1 200 OK" {
        assert!(began.elapsed() < Duration::from_secs(10), "places are not given back");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_state_is_one_json_object() {
    let panel = panel();
    panel.publish_bar(bar(3));
    let (_, _, text) = get(&panel, "/state");
    let state: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(state["screen"]["kind"], "idle");
    let expected = json!({
        "clock": {
            "confidence": "floor", "time": "2020-09-13T12:26:40Z", "error_s": 0,
            "doubt": "behind", "disagrees": true,
            "device_time": "2020-09-13T02:26:40Z", "passed_time": "2020-09-13T12:26:40Z",
            "network_time": "2020-09-13T12:31:40Z",
            "fault": "the clock chip does not answer: check its wires",
        },
        "trust": null,
        "trust_fault": null,
        "lists": {"of": 0, "unreadable": 0, "stale": 0, "missing": 0, "ageing": 0, "held_back": 0},
        "import": null,
        "last_stick": null,
        "takes_new": true,
        "others": [],
        "manual": "all_but_red",
        "backlog": 3,
        "camera": {"ok": false, "message": "the camera is gone: plug it in"},
        "thermometer": {"ok": true, "message": null},
        "journal": {"ok": true, "message": null},
        "hub": null,
    });
    assert_eq!(state["bar"], expected);
}

#[test]
fn the_words_come_from_the_language_files() {
    let panel = panel();
    for lang in Lang::ALL {
        let (_, _, text) = get(&panel, &format!("/words.json?lang={}", lang.name()));
        let words: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(words["reason"]["red"]["remedy"], Words::of(lang).reason(Reason::Red).remedy);
        assert_eq!(words["screen"]["idle"], Words::of(lang).screen.get("idle"));
    }
    assert_eq!(get(&panel, "/words.json?lang=xx").0, 404);
}

/// The names that a script reads out of a table that it calls by this prefix.
fn names_in(script: &str, prefix: &str) -> Vec<String> {
    let word = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    // The prefix stands alone or after a dot, not at the end of another word.
    let starts = |before: Option<char>| !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let found = script.match_indices(prefix).filter(|(at, _)| starts(script[..*at].chars().next_back()));
    found.map(|(at, _)| word(&script[at + prefix.len()..])).filter(|name| name != "js" && !name.is_empty()).collect()
}

#[test]
fn every_text_that_the_page_names_is_in_the_words() {
    let words = serde_json::to_value(Words::of(Lang::ZH)).unwrap();
    let (draw, stick, issuers) =
        (include_str!("assets/draw.js"), include_str!("assets/stick.js"), include_str!("assets/issuers.js"));
    let mut count = 0;
    for (script, prefix, table) in [
        (draw, "words.screen.", "screen"),
        (draw, "words.label.", "label"),
        (draw, "words.bar.", "bar"),
        (draw, "words.doubt.", "doubt"),
        (draw, "words.issuers.", "issuers"),
        (draw, "words.renew.", "renew"),
        (draw, "say.", "bar"),
        (draw, "when.", "when"),
        (stick, "say.", "stick"),
        (stick, "words.stick.", "stick"),
        (issuers, "say.", "issuers"),
        (issuers, "words.issuers.", "issuers"),
        (draw, "words.pin.", "pin"),
        (draw, "words.history.", "history"),
        (draw, "words.settings.", "settings"),
        (include_str!("assets/pad.js"), "words.pin.", "pin"),
        (include_str!("assets/today.js"), "words.today.", "today"),
        (include_str!("assets/settings.js"), "say.", "settings"),
        (include_str!("assets/settings.js"), "words.settings.", "settings"),
        (include_str!("assets/settings.js"), "words.pin.", "pin"),
        (include_str!("assets/history.js"), "words.history.", "history"),
    ] {
        let names = names_in(script, prefix);
        for name in &names {
            assert!(words[table][name].is_string(), "a script names {prefix}{name}");
        }
        count += names.len();
    }
    assert!(count > 30, "only {count} texts found: the test no longer reads the scripts");
}

#[test]
fn every_hint_reaches_the_page_by_its_name_and_has_a_drawing_of_its_own() {
    let panel = panel();
    let (_, _, page) = get(&panel, "/");
    let drawing = |name: &str| {
        let (_, rest) = page.split_once(&format!("id=\"sign-{name}\"")).unwrap();
        rest.split_once("</symbol>").unwrap().0.to_owned()
    };
    let drawings: std::collections::BTreeSet<_> = Hint::ALL.iter().map(|hint| drawing(hint.name())).collect();
    assert_eq!(drawings.len(), Hint::ALL.len());
    let mut watcher = Watcher::of(&panel);
    for hint in Hint::ALL {
        panel.publish_screen(ScreenView::of(&Screen::Hint(hint), None));
        let screen = watcher.until_screen(|screen| screen["kind"] == "hint" && screen["hint"] == hint.name());
        assert_eq!(screen["decision"], Value::Null);
    }
}

#[test]
fn another_hint_is_another_screen_and_the_same_one_is_not() {
    let panel = panel();
    let shown = |hint| {
        panel.publish_screen(ScreenView::of(&Screen::Hint(hint), None));
        Watcher::of(&panel).next_of("screen")["number"].clone()
    };
    assert_eq!([Hint::Tilt, Hint::Tilt, Hint::Dim].map(shown), [json!(1), json!(1), json!(2)]);
}

/// A frame with sharp bars in it, and what a reader would say of it.
fn seen() -> (Frame, Sight) {
    let luma = (0..640 * 480).map(|at| if at % 640 / 12 % 2 == 0 { 40 } else { 210 }).collect();
    let code = Seen { left: 220.0, top: 140.0, right: 420.0, bottom: 340.0, module_px: 6.0 };
    let sight = Sight { payloads: Vec::new(), diagnosis: Diagnosis::Unreadable, seen: vec![code], decode_us: 1 };
    (Frame::new(640, 480, luma).unwrap(), sight)
}

/// Waits for what another thread brings about.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_camera_is_measured_while_a_page_for_mounting_it_is_open_and_not_otherwise() {
    let panel = panel();
    let mut eyes = panel.spectator();
    let _gate_screen = Watcher::of(&panel);
    assert!(!eyes.is_watched(), "the gate's screen asks for nothing");
    assert_eq!(get(&panel, "/install/picture").0, 404);
    let (frame, sight) = seen();
    let mut page = Watcher::on(&panel, "/install/events");
    assert_eq!(page.next().0, "hello");
    assert!(eyes.is_watched());
    eyes.frame(&frame, &sight);
    assert!(!eyes.is_watched(), "four times a second are enough");
    let aim = page.next_of("aim");
    assert!(aim["focus"].as_u64() > Some(60) && aim["focus"] == aim["best"], "{aim}");
    assert_eq!(
        (&aim["sharpness"], &aim["light"], &aim["code"]["advice"]),
        (&json!("sharp"), &json!("fine"), &json!("good"))
    );
    assert_eq!((&aim["width"], &aim["height"], &aim["picture"]), (&json!(640), &json!(480), &json!(1)));
    drop(page);
    std::thread::sleep(Duration::from_millis(300));
    until("a page that was closed still asks for frames", || !eyes.is_watched());
    assert_eq!(get(&panel, "/install/picture").0, 404, "the picture is gone with whoever watched");
}

#[test]
fn the_picture_is_a_small_jpeg_and_every_number_of_it_another() {
    let panel = panel();
    let mut eyes = panel.spectator();
    let (frame, sight) = seen();
    let mut page = Watcher::on(&panel, "/install/events");
    page.next_of("hello");
    for number in 1..=2 {
        until("a page that watches gets its next picture", || eyes.is_watched());
        eyes.frame(&frame, &sight);
        assert_eq!(page.next_of("aim")["picture"], number);
    }
    let agent: ureq::Agent = ureq::Agent::config_builder().build().into();
    let mut answer = agent.get(format!("http://{}/install/picture?n=2", panel.addr())).call().unwrap();
    for (name, value) in [("content-type", "image/jpeg"), ("cache-control", "no-store")] {
        assert_eq!(answer.headers()[name], value);
    }
    let file = answer.body_mut().read_to_vec().unwrap();
    assert!(file.starts_with(&[0xFF, 0xD8, 0xFF]) && file.len() < 100_000, "{} bytes", file.len());
}

#[test]
fn a_gate_that_is_mounted_says_what_is_wrong_with_its_camera() {
    let panel = panel();
    panel.publish_bar(bar(0));
    let mut page = Watcher::on(&panel, "/install/events");
    assert_eq!(page.next_of("bar")["camera"]["message"], "the camera is gone: plug it in");
}

#[test]
fn every_text_that_the_page_for_mounting_names_is_in_the_words() {
    let words = serde_json::to_value(Words::of(Lang::ZH)).unwrap();
    let names = |script: &str| -> Vec<String> {
        let word = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
        script.split("say.").skip(1).filter(|rest| !rest.starts_with("js")).map(word).collect()
    };
    let mut wanted = names(include_str!("assets/install.js"));
    wanted.extend(
        ["focus", "light", "framing", "focus_none", "focus_sharp", "focus_soft", "focus_blurred"].map(str::to_owned),
    );
    wanted.extend(Framing::ALL.map(|framing| format!("framing_{}", framing.name())));
    wanted.extend(LightWord::ALL.map(|light| format!("light_{}", light.name())));
    wanted.push("framing_none".to_owned());
    assert!(wanted.len() > 22, "{wanted:?}");
    for name in wanted {
        assert!(words["install"][&name].is_string(), "install.js names {name}");
    }
}

#[test]
fn the_page_can_change_nothing() {
    let panel = panel();
    const PATHS: [&str; 8] =
        ["/", "/state", "/events", "/words.json", "/issuers.json", "/install", "/install/events", "/install/picture"];
    for path in PATHS {
        let mut stream = TcpStream::connect(panel.addr()).unwrap();
        write!(stream, "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n").unwrap();
        assert_eq!(status(&mut BufReader::new(stream)), "HTTP/1.1 405 Method Not Allowed", "{path}");
    }
}

#[test]
fn whatever_is_wrong_with_the_clock_has_a_sentence_in_every_language() {
    for lang in Lang::ALL {
        let words = serde_json::to_value(Words::of(lang)).unwrap();
        for doubt in Doubt::ALL {
            assert!(words["doubt"][doubt.name()].is_string(), "{} {}", lang.name(), doubt.name());
        }
        for doubt in ["behind", "ahead", "jumped"] {
            let text = words["doubt"][doubt].as_str().unwrap();
            assert!(text.contains("{device}") && text.contains("{known}"), "both times: {text}");
        }
    }
}
