//! What a screen may do with a PIN, without one, and what it may never do.

use super::*;
use crate::run::{Deed, Order};
use crate::settings::{Set, Settings};
use crate::sound::SoundSettings;
use menshen_core::manual::Cause;
use std::sync::Mutex;
use std::sync::mpsc::Receiver;

pub(super) const OWN_HOST: (&str, &str) = ("Host", "127.0.0.1:8460");
pub(super) const JSON: (&str, &str) = ("Content-Type", "application/json");
const PIN: &str = "284916";

/// A request and its whole answer: status, headers, body.
fn ask(panel: &Panel, request: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, String) {
    ask_at(panel.addr(), request, headers, body)
}

fn ask_at(at: SocketAddr, request: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    let all: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("{request} HTTP/1.1\r\nContent-Length: {}\r\nConnection: close\r\n{all}\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    // One that refuses a long body may close before it was all sent.
    let _ = stream.read_to_string(&mut answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
}

fn session(panel: &Panel, headers: &[(&str, &str)]) -> Value {
    let (status, _, body) = ask(panel, "GET /session", headers, "");
    assert_eq!(status, 200);
    serde_json::from_str(&body).unwrap()
}

/// What an act of these headers must name.
pub(super) fn act_of(panel: &Panel, headers: &[(&str, &str)]) -> String {
    session(panel, headers)["act"].as_str().unwrap_or("none").to_owned()
}

pub(super) fn status_of(panel: &Panel, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
    ask(panel, &format!("POST {path}"), headers, body).0
}

/// An act of the gate's own screen.
pub(super) fn own_act(panel: &Panel, path: &str, body: &str) -> u16 {
    let act = act_of(panel, &[OWN_HOST]);
    status_of(panel, path, &[OWN_HOST, JSON, ("X-Menshen-Act", &act)], body)
}

/// An act of the gate's own screen in another thread, whose status comes when the lane has answered.
fn act_in_thread(panel: &Panel, path: &'static str, body: String) -> JoinHandle<u16> {
    let (at, act) = (panel.addr(), act_of(panel, &[OWN_HOST]));
    let post = format!("POST {path}");
    std::thread::spawn(move || ask_at(at, &post, &[OWN_HOST, JSON, ("X-Menshen-Act", &act)], &body).0)
}

/// The cookie of a screen that typed this PIN.
fn unlocked(panel: &Panel, host: (&str, &str), pin: &str) -> Result<String, u16> {
    let (status, head, _) = ask(panel, "POST /session", &[host, JSON], &format!("{{\"pin\":\"{pin}\"}}"));
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    match (status, cookie) {
        (204, Some(cookie)) => {
            for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
                assert!(cookie.contains(part), "{cookie}");
            }
            Ok(cookie.split(';').next().unwrap().to_owned())
        }
        _ => Err(status),
    }
}

/// A lane that carries every order out, and what it has carried out.
fn lane_of(panel: &mut Panel) -> Arc<Mutex<Vec<Deed>>> {
    let (orders, deeds) = (panel.take_orders().unwrap(), Arc::<Mutex<Vec<Deed>>>::default());
    let done = Arc::clone(&deeds);
    std::thread::spawn(move || {
        for order in orders {
            order.obey(true, |deed| {
                done.lock().unwrap().push(deed);
                true
            });
        }
    });
    deeds
}

fn deeds_of(done: &Mutex<Vec<Deed>>) -> Vec<Deed> {
    std::mem::take(&mut *done.lock().unwrap())
}

/// A panel with a PIN, and the folder that keeps it.
fn with_pin() -> (Panel, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let pin = PinFile::of(dir.path());
    pin.set(PIN).unwrap();
    let settings = Arc::new(Settings::open(dir.path()));
    let config = PanelConfig { pin: Some(pin), settings, ..PanelConfig::new(LOCAL.parse().unwrap(), info()) };
    (Panel::open(config).unwrap(), dir)
}

#[test]
fn what_a_volunteer_decides_at_a_screen_of_the_gate_reaches_the_lane() {
    let mut panel = panel();
    let done = lane_of(&mut panel);
    let act = act_of(&panel, &[OWN_HOST]);
    let own = [
        OWN_HOST,
        JSON,
        ("Origin", "http://127.0.0.1:8460"),
        ("Sec-Fetch-Site", "same-origin"),
        ("X-Menshen-Act", &act),
    ];
    assert_eq!(status_of(&panel, "/by-hand", &own, r#"{"cause":"no_phone","screen":0}"#), 204);
    assert_eq!(status_of(&panel, "/next", &own, r#"{"screen":0}"#), 204);
    assert_eq!(deeds_of(&done), [Deed::ByHand(Cause::NoPhone), Deed::Next]);
}

#[test]
fn a_page_of_somebody_elses_opens_nothing() {
    let mut panel = panel();
    let orders = panel.take_orders().unwrap();
    let act = act_of(&panel, &[OWN_HOST]);
    let act = ("X-Menshen-Act", act.as_str());
    let good = r#"{"cause":"no_phone","screen":0}"#;
    for (headers, status) in [
        (vec![JSON, act, ("Host", "gate.example")], 403),
        (vec![JSON, act, OWN_HOST, ("Origin", "http://evil.example")], 403),
        (vec![JSON, act, OWN_HOST, ("Origin", "null")], 403),
        (vec![JSON, act, OWN_HOST, ("Sec-Fetch-Site", "cross-site")], 403),
        (vec![JSON, OWN_HOST], 403),
        (vec![JSON, OWN_HOST, ("X-Menshen-Act", "0")], 403),
        (vec![act, OWN_HOST, ("Content-Type", "text/plain")], 400),
        (vec![act, OWN_HOST], 400),
    ] {
        assert_eq!(status_of(&panel, "/by-hand", &headers, good), status, "{headers:?}");
    }
    assert!(orders.try_recv().is_err());
}

#[test]
fn what_is_no_cause_or_too_much_is_not_taken() {
    let mut panel = panel();
    let orders = panel.take_orders().unwrap();
    for body in [
        "",
        "{}",
        r#"{"cause":"because","screen":0}"#,
        r#"{"cause":"no_phone","screen":0,"verdict":"admit"}"#,
        &" ".repeat(600),
    ] {
        assert_eq!(own_act(&panel, "/by-hand", body) / 100, 4, "{body}");
    }
    assert!(orders.try_recv().is_err());
    drop(orders);
    assert_eq!(own_act(&panel, "/by-hand", r#"{"cause":"urgent","screen":0}"#), 503);
}

/// Posts `/by-hand` and has the lane take it up after `meanwhile` has happened.
fn taken_up_after(panel: &Panel, orders: &Receiver<Order>, screen: u64, meanwhile: impl FnOnce()) -> (u16, Vec<Deed>) {
    let body = format!("{{\"cause\":\"paper_seen\",\"screen\":{screen}}}");
    let page = act_in_thread(panel, "/by-hand", body);
    let order = orders.recv_timeout(Duration::from_secs(10)).unwrap();
    meanwhile();
    let mut deeds = Vec::new();
    order.obey(true, |deed| {
        deeds.push(deed);
        true
    });
    (page.join().unwrap(), deeds)
}

#[test]
fn an_order_is_not_carried_out_about_somebody_who_came_while_it_was_on_its_way() {
    let mut panel = panel();
    let orders = panel.take_orders().unwrap();
    let paper = Deed::ByHand(Cause::PaperSeen);
    panel.publish_screen(verdict(Reason::Yellow));
    assert_eq!(taken_up_after(&panel, &orders, 1, || ()), (204, vec![paper]));
    let next_one = || panel.publish_screen(verdict(Reason::NoReading));
    assert_eq!(taken_up_after(&panel, &orders, 1, next_one), (409, vec![]));
    // Their code was read and nothing is decided: it is them who would be let in unmeasured.
    assert_eq!(taken_up_after(&panel, &orders, 2, || panel.publish_screen(ScreenView::AskReading)), (409, vec![]));
    let again = || panel.publish_screen(ScreenView::MeasureAgain { attempt: 2, of: 3 });
    assert_eq!(taken_up_after(&panel, &orders, 3, again), (204, vec![paper]));
}

#[test]
fn an_order_that_waited_for_long_is_not_carried_out_and_one_against_the_rules_says_so() {
    let mut panel = panel();
    let orders = panel.take_orders().unwrap();
    let pause = || std::thread::sleep(crate::run::ORDER_LIFE + Duration::from_millis(100));
    assert_eq!(taken_up_after(&panel, &orders, 0, pause), (504, vec![]));
    let page = act_in_thread(&panel, "/by-hand", r#"{"cause":"urgent","screen":0}"#.into());
    orders.recv_timeout(Duration::from_secs(10)).unwrap().obey(true, |_| false);
    assert_eq!(page.join().unwrap(), 422);
}

#[test]
fn an_order_about_a_verdict_that_the_lane_has_forgotten_is_not_carried_out_about_nobody() {
    let mut panel = panel();
    let orders = panel.take_orders().unwrap();
    panel.publish_screen(verdict(Reason::Yellow));
    panel.publish_screen(ScreenView::Idle);
    for (screen, status) in [(1, 409), (2, 204)] {
        let body = format!("{{\"cause\":\"paper_seen\",\"screen\":{screen}}}");
        let page = act_in_thread(&panel, "/by-hand", body);
        orders.recv_timeout(Duration::from_secs(10)).unwrap().obey(false, |_| true);
        assert_eq!(page.join().unwrap(), status, "{screen}");
    }
}

#[test]
fn nobody_fills_the_queue_of_orders() {
    let mut panel = panel();
    let orders = panel.take_orders().unwrap();
    let pages: Vec<_> = (0..4).map(|_| act_in_thread(&panel, "/next", r#"{"screen":0}"#.into())).collect();
    let begun = Instant::now();
    // Two of them are sent away at once; the others wait for the lane.
    while pages.iter().filter(|page| page.is_finished()).count() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(10), "all of them wait");
        std::thread::sleep(Duration::from_millis(5));
    }
    orders.try_iter().for_each(|order| order.obey(true, |_| true));
    let mut statuses: Vec<u16> = pages.into_iter().map(|page| page.join().unwrap()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 204, 429, 429]);
}

#[test]
fn a_volunteer_means_whom_they_saw_until_somebody_else_is_shown() {
    let mut panel = panel();
    let _done = lane_of(&mut panel);
    let post = |screen: u64| own_act(&panel, "/by-hand", &format!("{{\"cause\":\"paper_seen\",\"screen\":{screen}}}"));
    let hint = |hint: Hint| panel.publish_screen(ScreenView::of(&Screen::Hint(hint), None));
    panel.publish_screen(verdict(Reason::Yellow));
    panel.publish_screen(ScreenView::Idle);
    assert_eq!((post(0), post(1), post(2)), (409, 204, 204), "a verdict and the rest after it are one person's");
    hint(Hint::HoldStill);
    assert_eq!((post(2), post(3)), (409, 204), "a code that can not be read is perhaps another one's");
    hint(Hint::ComeCloser);
    panel.publish_screen(ScreenView::Idle);
    hint(Hint::HoldStill);
    assert_eq!((post(3), post(6)), (204, 204), "who holds it there again is the same as before");
    panel.publish_screen(ScreenView::AskReading);
    assert_eq!((post(6), post(7)), (409, 204));
    panel.publish_screen(ScreenView::Alarm);
    assert_eq!((post(7), post(9)), (409, 409), "nor is one about a screen that has not been");
    panel.publish_screen(verdict(Reason::Yellow));
    assert_eq!(own_act(&panel, "/next", r#"{"screen":9}"#), 204);
    assert_eq!(post(9), 409, "somebody was done with them");
    panel.publish_screen(ScreenView::Idle);
    assert_eq!((post(9), post(10)), (409, 204), "whoever comes is somebody else");
}

#[test]
fn with_a_pin_the_own_screen_looks_and_acts_only_when_unlocked() {
    let (mut panel, _dir) = with_pin();
    let done = lane_of(&mut panel);
    let good = r#"{"cause":"no_phone","screen":0}"#;
    let locked = session(&panel, &[OWN_HOST]);
    assert_eq!((&locked["may_look"], &locked["act"], &locked["has_pin"]), (&json!(true), &Value::Null, &json!(true)));
    assert_eq!(ask(&panel, "GET /state", &[OWN_HOST], "").0, 200);
    assert_eq!(ask(&panel, "GET /history.json", &[OWN_HOST], "").0, 401, "why the one before was refused");
    for path in ["/by-hand", "/settings", "/pin"] {
        assert_eq!(status_of(&panel, path, &[OWN_HOST, JSON, ("X-Menshen-Act", "none")], good), 401, "{path}");
    }
    // To be done with a verdict harms nobody: who stands at the kiosk needs no PIN for it.
    assert_eq!(status_of(&panel, "/next", &[OWN_HOST, JSON, ("X-Menshen-Act", "none")], r#"{"screen":0}"#), 204);
    let cookie = unlocked(&panel, OWN_HOST, PIN).unwrap();
    let cookie = ("Cookie", cookie.as_str());
    assert_eq!(ask(&panel, "GET /history.json", &[OWN_HOST, cookie], "").0, 200);
    let act = act_of(&panel, &[OWN_HOST, cookie]);
    assert_eq!(
        status_of(&panel, "/by-hand", &[OWN_HOST, JSON, cookie], good),
        403,
        "without what the page alone knows"
    );
    let all = [OWN_HOST, JSON, cookie, ("X-Menshen-Act", &act)];
    assert_eq!(status_of(&panel, "/by-hand", &all, good), 204);
    assert_eq!(deeds_of(&done), [Deed::Next, Deed::ByHand(Cause::NoPhone)]);
    assert_eq!(status_of(&panel, "/session/lock", &all, ""), 204);
    assert_eq!(status_of(&panel, "/by-hand", &all, good), 401);
}

#[test]
fn a_name_that_is_not_the_gates_is_a_screen_on_the_network_which_sees_nothing_before_the_pin() {
    // Whoever calls the gate by a name of theirs is not its own screen, wherever they connect from.
    let far = ("Host", "gate-12.local:8460");
    let (panel, _dir) = with_pin();
    for path in [
        "/state",
        "/events",
        "/issuers.json",
        "/history.json",
        "/settings.json",
        "/sound.json",
        "/speech/zh/admit",
        "/proof.json",
        "/proofs.json",
        "/install/events",
        "/install/picture",
    ] {
        assert_eq!(ask(&panel, &format!("GET {path}"), &[far], "").0, 401, "{path}");
    }
    for path in ["/", "/panel.js", "/words.json", "/session"] {
        assert_eq!(ask(&panel, &format!("GET {path}"), &[far], "").0, 200, "{path}");
    }
    let cookie = unlocked(&panel, far, PIN).unwrap();
    assert_eq!(ask(&panel, "GET /state", &[far, ("Cookie", &cookie)], "").0, 200);
    assert_eq!(ask(&panel, "GET /state", &[far, ("Cookie", "menshen-2=00")], "").0, 401);
    let without = super::panel();
    assert_eq!(ask(&without, "GET /state", &[far], "").0, 403);
    assert_eq!(unlocked(&without, far, PIN), Err(403));
}

#[test]
fn wrong_pins_cost_time_and_the_right_one_must_wait_it_out_too() {
    let (panel, _dir) = with_pin();
    let statuses: Vec<u16> = (0..6).map(|_| unlocked(&panel, OWN_HOST, "284917").unwrap_err()).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
    assert_eq!(unlocked(&panel, OWN_HOST, PIN), Err(429));
    assert!((25..=30).contains(&session(&panel, &[OWN_HOST])["wait_s"].as_u64().unwrap()));
}

#[test]
fn a_pin_is_not_typed_at_somebody_elses_page() {
    let (panel, _dir) = with_pin();
    let body = format!("{{\"pin\":\"{PIN}\"}}");
    for other in [("Origin", "http://evil.example"), ("Sec-Fetch-Site", "cross-site")] {
        assert_eq!(status_of(&panel, "/session", &[OWN_HOST, JSON, other], &body), 403, "{other:?}");
    }
    assert_eq!(status_of(&panel, "/session", &[OWN_HOST, JSON], "{\"pin\":284916}"), 400);
}

#[test]
fn another_pin_ends_every_session_and_the_old_one_opens_nothing() {
    let (panel, dir) = with_pin();
    let cookie = unlocked(&panel, OWN_HOST, PIN).unwrap();
    let cookie = ("Cookie", cookie.as_str());
    let act = act_of(&panel, &[OWN_HOST, cookie]);
    let all = [OWN_HOST, JSON, cookie, ("X-Menshen-Act", act.as_str())];
    for (old, pin, why) in
        [(PIN, "12345", "digits"), (PIN, "123456", "guessed"), ("284917", "730518", "wrong"), ("", "730518", "wrong")]
    {
        let body = format!("{{\"old\":\"{old}\",\"pin\":\"{pin}\"}}");
        let (status, _, body) = ask(&panel, "POST /pin", &all, &body);
        assert_eq!(
            (status, serde_json::from_str::<Value>(&body).unwrap()),
            (422, json!({ "why": why })),
            "{old} {pin}"
        );
    }
    assert_eq!(
        status_of(&panel, "/pin", &all, r#"{"pin":"730518"}"#),
        422,
        "whoever finds it unlocked does not know it"
    );
    assert_eq!(status_of(&panel, "/pin", &all, &format!("{{\"old\":\"{PIN}\",\"pin\":\"730518\"}}")), 204);
    assert_eq!(session(&panel, &[OWN_HOST, cookie])["act"], Value::Null);
    assert_eq!(unlocked(&panel, OWN_HOST, PIN), Err(401));
    assert!(unlocked(&panel, OWN_HOST, "730518").is_ok());
    // A technician takes it away beside the running gate.
    PinFile::of(dir.path()).clear().unwrap();
    assert_eq!(session(&panel, &[OWN_HOST])["has_pin"], false);
    assert_ne!(act_of(&panel, &[OWN_HOST]), "none");
}

#[test]
fn a_page_that_watches_sees_nothing_any_more_when_its_session_has_ended() {
    /// By the panel, its state folder and the headers of an act.
    type End = fn(&Panel, &std::path::Path, &[(&str, &str)]);
    let ends: [End; 3] = [
        |panel, _, all| assert_eq!(status_of(panel, "/session/lock", all, ""), 204),
        // A technician, or another lane's panel, sets another PIN beside the running gate, or takes it away.
        |_, dir, _| PinFile::of(dir).set("730518").unwrap(),
        |_, dir, _| PinFile::of(dir).clear().unwrap(),
    ];
    for (nth, end) in ends.into_iter().enumerate() {
        let (panel, dir) = with_pin();
        let far = ("Host", "gate-12.local:8460");
        let cookie = unlocked(&panel, far, PIN).unwrap();
        let act = act_of(&panel, &[far, ("Cookie", &cookie)]);
        let all = [far, ("Cookie", cookie.as_str()), ("X-Menshen-Act", act.as_str())];
        let mut streams = ["/events", "/install/events"].map(|path| watching(&panel, path, &all));
        streams.iter_mut().for_each(|stream| assert_eq!(status_line(stream), "HTTP/1.1 200 OK"));
        end(&panel, dir.path(), &all);
        panel.publish_screen(named("王小明"));
        for stream in &mut streams {
            // Beats come every two seconds, so only a stream that ends is read to its end.
            let rest = read_to_end_within(stream, Duration::from_secs(8)).unwrap_or_else(|| panic!("{nth} goes on"));
            assert!(!String::from_utf8_lossy(&rest).contains("王小明"), "{nth}");
        }
    }
}

/// A page that watches from this address and name.
fn watching(panel: &Panel, path: &str, headers: &[(&str, &str)]) -> TcpStream {
    let mut stream = TcpStream::connect(panel.addr()).unwrap();
    let all: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{all}\r\n").as_bytes()).unwrap();
    stream
}

fn status_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap().trim().to_owned()
}

/// What is read until the stream ends; `None` where it goes on for longer.
fn read_to_end_within(stream: &mut TcpStream, time: Duration) -> Option<Vec<u8>> {
    let (begun, mut piece, mut rest) = (Instant::now(), [0; 4096], Vec::new());
    stream.set_read_timeout(Some(time)).unwrap();
    while begun.elapsed() < time {
        match stream.read(&mut piece) {
            Ok(0) => return Some(rest),
            Ok(n) => rest.extend_from_slice(&piece[..n]),
            Err(_) => return None,
        }
    }
    None
}

#[test]
fn a_wrong_pin_counts_also_where_nobody_waits_for_the_answer() {
    let (panel, _dir) = with_pin();
    let body = "{\"pin\":\"284917\"}";
    for _ in 0..5 {
        let mut stream = TcpStream::connect(panel.addr()).unwrap();
        let head = format!("POST /session HTTP/1.1\r\nContent-Length: {}\r\n", body.len());
        let all = format!("{head}Host: 127.0.0.1:8460\r\nContent-Type: application/json\r\n\r\n{body}");
        stream.write_all(all.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    let begun = Instant::now();
    while session(&panel, &[OWN_HOST])["wait_s"] == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "they cost nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn who_goes_on_talking_and_never_asks_is_shown_out() {
    let panel = panel();
    let mut stream = TcpStream::connect(panel.addr()).unwrap();
    stream.write_all(b"GET /state HTTP/1.1\r\nHost: 127.0.0.1\r\n").unwrap();
    let begun = Instant::now();
    // The gate closes, so that a word more is in vain.
    while stream.write_all(b"A: b\r\n").is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it goes on listening");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn the_lanes_of_a_device_keep_apart_who_is_unlocked_and_what_is_set() {
    let dir = tempfile::tempdir().unwrap();
    PinFile::of(dir.path()).set(PIN).unwrap();
    let sound = SoundSettings::default();
    let lane = |lane: u8| {
        let info = PanelInfo { lane, ..info() };
        let pin = Some(PinFile::of(dir.path()));
        let config = PanelConfig { pin, sound: sound.clone(), ..PanelConfig::new(LOCAL.parse().unwrap(), info) };
        Panel::open(config).unwrap()
    };
    let first = lane(1);
    let cookie = unlocked(&first, OWN_HOST, PIN).unwrap();
    let act = act_of(&first, &[OWN_HOST, ("Cookie", &cookie)]);
    let all = [OWN_HOST, JSON, ("Cookie", cookie.as_str()), ("X-Menshen-Act", act.as_str())];
    assert_eq!(status_of(&first, "/settings", &all, r#"{"volume_percent":10}"#), 204);
    let second = lane(2);
    let other = unlocked(&second, OWN_HOST, PIN).unwrap();
    let both = format!("{cookie}; {other}");
    for panel in [&first, &second] {
        assert_ne!(act_of(panel, &[OWN_HOST, ("Cookie", &both)]), "none", "a browser sends both");
    }
    let told: Value = serde_json::from_str(&ask(&second, "GET /settings.json", &[OWN_HOST], "").2).unwrap();
    let usual = SoundSettings::default().get().volume.get();
    assert_eq!((told["volume_percent"].clone(), sound.get().volume.get()), (json!(10), 10), "a lane that sets nothing");
    let act = act_of(&second, &[OWN_HOST, ("Cookie", &other)]);
    let at_second = [OWN_HOST, JSON, ("Cookie", other.as_str()), ("X-Menshen-Act", act.as_str())];
    assert_eq!(status_of(&second, "/settings", &at_second, r#"{"hold_admit_ms":3000}"#), 204);
    assert_eq!(sound.get().volume.get(), 10, "nor does it take back what the other has set");
    assert_eq!(status_of(&first, "/settings", &all, "{}"), 204);
    assert_eq!(sound.get().volume.get(), usual, "who has set it does");
}

#[test]
fn what_is_set_is_told_back_and_kept_and_what_is_out_of_range_is_not_taken() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Arc::new(Settings::open(dir.path()));
    let panel = Panel::open(PanelConfig { settings, ..PanelConfig::new(LOCAL.parse().unwrap(), info()) }).unwrap();
    let set = r#"{"hold_admit_ms":3000,"other_stays":false,"volume_percent":50}"#;
    assert_eq!(own_act(&panel, "/settings", set), 204);
    assert_eq!(panel.sound().get().volume.get(), 50);
    assert_eq!(own_act(&panel, "/settings", r#"{"hold_admit_ms":1}"#), 422);
    assert_eq!(own_act(&panel, "/settings", r#"{"threshold_c":40}"#), 400);
    let (_, _, text) = get(&panel, "/settings.json");
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&told["hold_admit_ms"], &told["other_stays"]), (&json!(3000), &json!(false)));
    assert_eq!((&told["hold_other_ms"], &told["lock_after_min"]), (&json!(8000), &json!(10)));
    let kept = Settings::open(dir.path()).get();
    let set = Set { hold_admit_ms: Some(3000), other_stays: Some(false), volume_percent: Some(50), ..Set::default() };
    assert_eq!(kept, set);
}

#[test]
fn what_the_lane_did_is_shown_without_the_person() {
    let panel = panel();
    let counts = CountsView { admit: 12, refer: 2, refuse: 1 };
    let entry = EntryView {
        time: "2020-09-13T12:26:40Z".into(),
        clock: "trusted",
        verdict: "refuse",
        reason: Some("red"),
        cause: None,
    };
    panel.publish_today(TodayView { today: counts, hours: Vec::new() }, vec![entry]);
    let mut page = Watcher::on(&panel, "/events");
    assert_eq!(page.next_of("today")["today"], json!({"admit": 12, "refer": 2, "refuse": 1}));
    let (_, _, text) = get(&panel, "/history.json");
    let expected = json!([{
        "time": "2020-09-13T12:26:40Z", "clock": "trusted", "verdict": "refuse", "reason": "red", "cause": null,
    }]);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
}
