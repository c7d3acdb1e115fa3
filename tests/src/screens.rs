//! Every screen of the panel, by name, with people and a device that are made up.
//!
//! Here, because the example `panel_show` and the tests and pictures in a real browser show the same ones.

use menshen_core::clock::{Doubt, View};
use menshen_core::hint::Hint;
use menshen_core::time::Time;
use menshen_lane::panel::{
    Bar, ClockView, CountsView, EntryView, HeldBackView, HourView, HubView, ImportView, IssuerView, ListsView, Panel,
    PanelError, PanelInfo, PartView, ScreenView, TodayView, TrustView,
};
use menshen_lane::view::{DecisionView, DisplayView, EvidenceView, NameView, ReasonView};
use std::net::SocketAddr;

/// Their names.
pub const SCREENS: [&str; 32] = [
    "alarm",
    "by_hand",
    "quota",
    "metro_yellow",
    "hospital_high",
    "dependent",
    "idle",
    "clock",
    "hold_still",
    "come_closer",
    "more_light",
    "dim",
    "tilt",
    "show_whole",
    "ask",
    "again",
    "admit",
    "ageing",
    "refer",
    "refuse",
    "overridden",
    "bare",
    "stick_checking",
    "stick_imported",
    "stick_unchanged",
    "stick_refused",
    "stick_failed",
    "stick_pulled",
    "clock_alone",
    "reads_no_stick",
    "no_list",
    "issuers",
];

/// The panel of the gate that shows them.
///
/// # Errors
/// As the panel.
pub fn start(listen: SocketAddr) -> Result<Panel, PanelError> {
    Panel::start(listen, info())
}

/// The gate that shows them.
pub fn info() -> PanelInfo {
    PanelInfo {
        site_zh: "滨江社区东门".to_owned(),
        site_en: "Binjiang Community, East Gate".to_owned(),
        lane: 2,
        utc_offset_min: 480,
    }
}

/// Shows a screen by its name, with the state of a device that is well, or ailing.
pub fn show(panel: &Panel, screen: &str, ailing: bool) {
    panel.publish_issuers(issuers());
    panel.publish_bar(bar_of(screen, ailing));
    panel.publish_today(today(), history());
    panel.publish_screen(view(screen));
}

/// The state of the device that belongs to a screen.
pub fn bar_of(screen: &str, ailing: bool) -> Bar {
    let clock = clock_view(ailing || screen.starts_with("clock"));
    let lists = if screen == "issuers" { lists() } else { ListsView { of: 6, ..ListsView::default() } };
    with_fault(screen, Bar { clock, lists, import: import(screen), ..bar(ailing) })
}

/// A screen by its name; idle where no other has it.
pub fn view(screen: &str) -> ScreenView {
    let verdict = |decision| ScreenView::Verdict { decision: Box::new(decision) };
    match screen {
        "ask" => ScreenView::AskReading,
        "again" => ScreenView::MeasureAgain { attempt: 2, of: 3 },
        "admit" | "stick_pulled" => verdict(decision("admit", "green", &[])),
        "ageing" => verdict(decision("admit", "green", &[(84, "trust_ageing")])),
        "refer" => verdict(decision("refer", "yellow", &[(50, "yellow")])),
        "refuse" => verdict(decision("refuse", "red", &[(51, "red"), (31, "expired"), (60, "temp_high")])),
        "no_list" => verdict(decision("refer", "yellow", &[(82, "trust_missing")])),
        "overridden" => verdict(overridden()),
        "alarm" => ScreenView::Alarm,
        "by_hand" => verdict(by_hand()),
        "quota" => verdict(decision("refuse", "green", &[(71, "household_quota")])),
        "metro_yellow" => verdict(at_site("metro", "refuse", decision("refuse", "yellow", &[(50, "yellow")]))),
        "hospital_high" => verdict(at_site("hospital", "refer", decision("refuse", "green", &[(60, "temp_high")]))),
        "dependent" => verdict(of_kind("dependent", decision("admit", "green", &[]))),
        "bare" => verdict(not_a_pass()),
        other => Hint::ALL
            .into_iter()
            .find(|hint| hint.name() == other)
            .map_or(ScreenView::Idle, |hint| ScreenView::Hint { hint: hint.name() }),
    }
}

/// Somebody's verdict.
pub fn decision(verdict: &'static str, colour: &'static str, reasons: &[(u8, &'static str)]) -> DecisionView {
    DecisionView {
        verdict,
        reasons: reasons.iter().map(|&(code, name)| ReasonView { code, name }).collect(),
        issuer: Some(330_000),
        colour: Some(colour),
        expires_at: Some("2020-08-03T02:35:00Z".to_owned()),
        cause: None,
        evidence: EvidenceView {
            site: "community",
            yellow: "refer",
            issuer_name: Some(NameView { zh: "浙江健康码".to_owned(), en: "Zhejiang Health Code".to_owned() }),
            hotline: Some("0571-12345".to_owned()),
            kind: Some("phone"),
            recognition: Some("own"),
            until: (colour != "green").then(|| "2020-08-16T16:00:00Z".to_owned()),
            days_left: None,
            trust_version: Some(7),
            trust_as_of: Some("2020-08-02T20:00:00Z".to_owned()),
            freshness: "fresh",
            status: None,
            status_as_of: Some("2020-08-02T22:00:00Z".to_owned()),
            status_freshness: Some("fresh"),
            time: "2020-08-03T02:05:00Z".to_owned(),
            clock: "trusted",
            clock_error_s: 3,
            temp_c: Some(36.42),
            ambient_c: Some(24.1),
            display: Some(DisplayView { name: "张*三".to_owned(), id_tail: "123X".to_owned() }),
        },
    }
}

fn overridden() -> DecisionView {
    let mut decision = decision("refuse", "red", &[(51, "red"), (60, "temp_high"), (40, "overridden")]);
    decision.evidence.status = Some("overridden_red");
    decision
}

/// Somebody whom the gate asked about and a volunteer let in.
fn by_hand() -> DecisionView {
    let mut decision = decision("admit", "yellow", &[(90, "manual_override"), (50, "yellow")]);
    decision.cause = Some("paper_seen");
    decision
}

fn at_site(site: &'static str, yellow: &'static str, mut decision: DecisionView) -> DecisionView {
    (decision.evidence.site, decision.evidence.yellow) = (site, yellow);
    decision.evidence.days_left = decision.evidence.until.is_some().then_some(13);
    decision
}

fn of_kind(kind: &'static str, mut decision: DecisionView) -> DecisionView {
    decision.evidence.kind = Some(kind);
    decision
}

/// A gate that lacks something for good.
fn with_fault(screen: &str, bar: Bar) -> Bar {
    let why = "keys/root.json is not the trust anchor of this site; bring the trust folder of this site, or correct \
               `anchor` in the site file; then start the gate again: until then it believes nothing newer and reads no stick";
    match screen {
        "clock_alone" => Bar { hub: None, ..bar },
        "stick_pulled" => Bar { last_stick: import("stick_refused"), ..bar },
        "reads_no_stick" => Bar { takes_new: false, trust_fault: Some(why.to_owned()), ..bar },
        "no_list" => Bar { takes_new: false, trust: None, trust_fault: Some(why.to_owned()), ..bar },
        _ => bar,
    }
}

/// What came of a stick.
fn import(screen: &str) -> Option<ImportView> {
    let refused = |refusal, why: &str| ("refused", refusal, Some(why.to_owned()));
    let (state, refusal, why) = match screen {
        "stick_checking" => ("importing", None, None),
        "stick_imported" => ("imported", None, None),
        "stick_unchanged" => ("unchanged", None, None),
        "stick_refused" => refused(Some("expired"), "timestamp.json has expired; get the newest from its publisher"),
        "stick_failed" => refused(None, "trust/generation can not be written: no space is left on the device"),
        _ => return None,
    };
    Some(ImportView { road: "stick", state, refusal, why })
}

fn lists() -> ListsView {
    ListsView { of: 6, unreadable: 0, stale: 2, missing: 1, ageing: 1, held_back: 2 }
}

fn issuers() -> Vec<IssuerView> {
    let held = |refusal, older_as_of: Option<&str>| {
        let why = "status/420000/list (400 of 512 bytes) ends too early; copy it again, to the end".to_owned();
        Some(HeldBackView { refusal, why, older_as_of: older_as_of.map(str::to_owned) })
    };
    [
        (420_000, "湖北健康码", "Hubei Health Code", "stale", held("cut_off", Some("2020-07-12T22:00:00Z"))),
        (650_000, "", "", "none", held("signature", None)),
        (230_000, "龙江健康码", "Longjiang Health Code", "stale", None),
        (441_900, "东莞健康码", "Dongguan Health Code", "missing", None),
        (310_000, "随申码", "Suishen Code", "ageing", None),
        (330_000, "浙江健康码", "Zhejiang Health Code", "fresh", None),
        (110_000, "北京健康宝", "Beijing Health Kit", "fresh", None),
        (100_000, "国家政务服务平台防疫健康码", "National Health Code", "none", None),
    ]
    .map(|(issuer, zh, en, list, held_back)| IssuerView {
        issuer,
        name: (!zh.is_empty()).then(|| NameView { zh: zh.to_owned(), en: en.to_owned() }),
        list,
        as_of: match list {
            "stale" => Some("2020-07-12T22:00:00Z".to_owned()),
            "ageing" => Some("2020-07-31T22:00:00Z".to_owned()),
            "fresh" => Some("2020-08-02T22:00:00Z".to_owned()),
            _ => None,
        },
        held_back,
    })
    .into()
}

fn not_a_pass() -> DecisionView {
    let mut bare = decision("refuse", "green", &[(11, "not_a_pass")]);
    (bare.issuer, bare.colour, bare.expires_at) = (None, None, None);
    bare.evidence.issuer_name = None;
    bare.evidence.hotline = None;
    bare.evidence.kind = None;
    bare.evidence.display = None;
    bare.evidence.temp_c = None;
    bare
}

/// A clock that is right, or one that fell back by a day.
fn clock_view(ailing: bool) -> ClockView {
    const NOW_S: u64 = 1_596_420_300;
    let view = if ailing {
        let (device_s, hint_s) = (Some(NOW_S - 86_400), Some(NOW_S + 40));
        View { time: Time::floor(NOW_S), device_s, passed_s: NOW_S, doubt: Some(Doubt::Behind), hint_s }
    } else {
        View { device_s: Some(NOW_S), ..View::of(Time::trusted_within(NOW_S, 3)) }
    };
    ClockView::of(&view, None)
}

fn bar(ailing: bool) -> Bar {
    let part = |message: &str| if ailing { PartView::ailing(message) } else { PartView::FINE };
    Bar {
        clock: clock_view(ailing),
        trust: Some(TrustView {
            freshness: if ailing { "stale" } else { "fresh" },
            as_of: "2020-08-02T20:00:00Z".to_owned(),
            version: 7,
        }),
        trust_fault: ailing.then(|| "snapshot.json has expired; get the newest from its publisher".to_owned()),
        lists: ListsView::default(),
        import: None,
        last_stick: None,
        takes_new: true,
        others: Vec::new(),
        manual: "all_but_red",
        backlog: if ailing { 12_480 } else { 3 },
        camera: part("the camera /dev/video0 is gone: plug it in again"),
        thermometer: Some(part("the serial port /dev/ttyAMA0 gives no readings: check its cable")),
        journal: PartView::FINE,
        hub: Some(HubView {
            ok: !ailing,
            message: ailing.then(|| "the hub does not answer: check the network".to_owned()),
            last_ack: Some("2020-08-03T02:03:00Z".to_owned()),
        }),
    }
}

/// A morning at a community's gate.
pub fn today() -> TodayView {
    let people = [3, 0, 0, 0, 12, 61, 48, 30, 22, 17, 35, 20_u32];
    let hours = people.iter().enumerate().map(|(at, &admit)| HourView {
        from: format!("2020-09-12T{:02}:00:00Z", at + 12),
        counts: CountsView { admit, refer: admit / 12, refuse: admit / 20 },
    });
    TodayView { today: CountsView { admit: 245, refer: 18, refuse: 9 }, hours: hours.collect() }
}

/// Its last people.
pub fn history() -> Vec<EntryView> {
    let entry = |minute: u32, verdict, reason, cause| EntryView {
        time: format!("2020-09-13T00:{minute:02}:00Z"),
        clock: "trusted",
        verdict,
        reason,
        cause,
    };
    vec![
        entry(29, "admit", None, None),
        entry(28, "refuse", Some("red"), None),
        entry(26, "admit", Some("yellow"), Some("paper_seen")),
        entry(24, "admit", None, None),
        entry(23, "refer", Some("temp_implausible"), None),
        entry(21, "refuse", Some("expired"), None),
        entry(20, "admit", None, None),
    ]
}
