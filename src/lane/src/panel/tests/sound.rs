//! What a page is served to be heard: rhythms, clips, how loud it is now and what each screen says.

use super::*;
use crate::health::Faults;
use crate::run::Watcher as _;
use crate::sound::{Cue, Percent, SoundRules, SoundSettings, SpeechKey, clips, pcm};

fn bytes(panel: &Panel, path: &str) -> (u16, Option<String>, Vec<u8>) {
    let config =
        ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(10)));
    let agent: ureq::Agent = config.build().into();
    let mut answer = agent.get(format!("http://{}{path}", panel.addr())).call().unwrap();
    let kept = answer.headers().get("cache-control").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), kept, answer.body_mut().read_to_vec().unwrap())
}

fn json_of(panel: &Panel, path: &str) -> Value {
    serde_json::from_str(&get(panel, path).2).unwrap()
}

#[test]
fn a_page_is_served_the_one_table_of_rhythms() {
    let served = json_of(&panel(), "/sound.json");
    for cue in Cue::ALL {
        let beats = served["rhythms"][cue.name()].as_array().unwrap();
        assert_eq!(beats.len(), cue.beats().len(), "{cue:?}");
        assert_eq!(beats[0]["on_ms"], cue.beats()[0].on_ms);
    }
    let script = get(&panel(), "/tone.js").2;
    let own = ["admit", "refer", "refuse", "ask_reading"];
    assert!(own.iter().all(|name| !script.contains(name)), "the page has rhythms of its own");
}

#[test]
fn every_clip_is_served_and_may_be_kept_and_nothing_else_is() {
    let panel = panel();
    for lang in clips::languages() {
        for key in SpeechKey::ALL {
            let (status, kept, wav) = bytes(&panel, &format!("/speech/{}/{}?v=1", lang.name(), key.name()));
            assert_eq!(status, 200, "{} {key:?}", lang.name());
            assert!(kept.is_some_and(|kept| kept.contains("immutable")), "{key:?}");
            assert!(pcm::samples(&wav).is_some(), "{key:?}");
        }
    }
    for path in ["/speech/zh/red", "/speech/xx/admit", "/speech/zh/..%2f..%2fclips.toml", "/speech/zh/"] {
        let (status, kept, _) = bytes(&panel, path);
        assert_eq!((status, kept.as_deref()), (404, Some("no-store")), "{path}");
    }
}

#[test]
fn each_screen_comes_with_what_is_heard_at_it() {
    let panel = panel();
    let heard = |screen: ScreenView| {
        panel.publish_screen(screen);
        let screen = json_of(&panel, "/state")["screen"].clone();
        (screen["cue"].clone(), screen["speech"].clone())
    };
    assert_eq!(heard(ScreenView::Idle), (Value::Null, Value::Null));
    assert_eq!(heard(ScreenView::AskReading), (json!("ask_reading"), json!("ask_reading")));
    let again = ScreenView::MeasureAgain { attempt: 2, of: 3 };
    assert_eq!(heard(again), (json!("measure_again"), json!("measure_again")));
    for hint in Hint::ALL {
        assert_eq!(heard(ScreenView::Hint { hint: hint.name() }), (Value::Null, json!(hint.name())));
    }
    assert_eq!(heard(ScreenView::Alarm), (Value::Null, Value::Null));
}

#[test]
fn a_page_is_told_the_same_sentence_as_the_loudspeaker_says() {
    let panel = panel();
    for reason in Reason::ALL {
        let context =
            Context { trust: None, status: None, history: None, policy: &Policy::default(), home: IssuerId::NATIONAL };
        let mut decision = decide(&Code::Nothing, Measured::Nothing, Time::trusted(1_600_000_000), context);
        decision.reasons.clear();
        let screen = Screen::Verdict(decision.with(*reason));
        panel.publish_screen(ScreenView::of(&screen, None));
        let told = json_of(&panel, "/state")["screen"].clone();
        assert_eq!(told["speech"].as_str(), SpeechKey::of_screen(&screen).map(SpeechKey::name), "{reason:?}");
        assert_eq!(told["cue"].as_str(), Cue::of_screen(&screen).map(Cue::name), "{reason:?}");
    }
}

#[test]
fn a_page_is_told_when_it_gets_quiet_and_when_the_loudspeaker_is_heard_instead() {
    let settings = SoundSettings::default();
    let config = PanelConfig { sound: settings.clone(), ..PanelConfig::new(LOCAL.parse().unwrap(), info()) };
    let panel = Panel::open(config).unwrap();
    let mut page = Watcher::of(&panel);
    let told = |sound: &Value| (sound["volume_percent"].as_u64().unwrap(), sound["loudspeaker"].as_bool().unwrap());
    assert_eq!(told(&page.next_of("sound")), (100, false));
    let mut watcher = PanelWatcher::new(panel).beside_loudspeaker();
    // 2020-03-01 at 23:00 in China.
    let night = Time::trusted(1_582_992_000 + 23 * 3600);
    let device = trust::device();
    watcher.device(&crate::run::Device { time: night, ..device.clone() });
    assert_eq!(told(&page.next_of("sound")), (30, true));
    let gone = Faults { speaker: Some("the loudspeaker is not there: plug it in".into()), ..Faults::default() };
    watcher.device(&crate::run::Device { time: night, faults: gone, ..device.clone() });
    assert_eq!(told(&page.next_of("sound")), (30, false), "then the page speaks");
    settings.set(SoundRules { volume: Percent::NONE, ..settings.get() });
    watcher.device(&crate::run::Device { time: night, ..device });
    assert_eq!(told(&page.next_of("sound")), (0, true));
}

#[test]
fn a_loudspeaker_that_fails_is_told_in_the_bar() {
    let panel = panel();
    let addr = panel.addr();
    let mut watcher = PanelWatcher::new(panel);
    let faults = Faults { speaker: Some("the loudspeaker is not there: plug it in".into()), ..Faults::default() };
    watcher.device(&crate::run::Device { faults, ..trust::device() });
    let mut answer = ureq::get(format!("http://{addr}/state")).call().unwrap();
    let state: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(state["bar"]["others"][0]["name"], "speaker");
    for lang in Lang::ALL {
        assert_ne!(Words::of(lang).bar.get("speaker"), "speaker");
    }
}
