//! Every screen that there is to see: one for each reason, one for each thing that is asked of a person, sticks, a wrong
//! clock, a device in trouble.

use crate::display::{Shown, State};
use crate::panel::{
    Bar, ClockView, HubView, ImportView, ListsView, OtherView, PanelInfo, PartView, ScreenView, TrustView,
};
use crate::view::NameView;
use crate::words::Lang;
use menshen_core::clock::{Doubt, View};
use menshen_core::decide::{Context, Decision, Measured, Verdict, decide};
use menshen_core::hint::Hint;
use menshen_core::ids::IssuerId;
use menshen_core::lane::Screen;
use menshen_core::manual::Cause;
use menshen_core::pass::{Colour, Display, Kind};
use menshen_core::policy::{Policy, SiteClass};
use menshen_core::reason::Reason;
use menshen_core::status::Status;
use menshen_core::thermo::Reading;
use menshen_core::time::Time;
use menshen_core::trust::Freshness;

/// 2020-08-03 10:05 in China.
pub(super) const NOW_S: u64 = 1_596_420_300;

/// A screen of the gallery.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) shown: Option<Shown>,
    pub(super) bar: Option<Bar>,
    pub(super) lost: bool,
    pub(super) card_is_over: bool,
}

impl Case {
    fn of(name: &str, screen: &Screen) -> Case {
        Case {
            name: name.to_owned(),
            shown: Some(with_issuer(Shown::of(screen, None))),
            bar: Some(fine()),
            lost: false,
            card_is_over: false,
        }
    }

    pub(super) fn state<'a>(&'a self, info: &'a PanelInfo, lang: Lang) -> State<'a> {
        State {
            shown: self.shown.as_ref(),
            bar: self.bar.as_ref(),
            info,
            lang,
            lost: self.lost,
            card_is_over: self.card_is_over,
            hides_person: false,
        }
    }
}

/// Which gate it is.
pub(super) fn info() -> PanelInfo {
    PanelInfo {
        site_zh: "滨江社区东门".to_owned(),
        site_en: "Binjiang Community, East Gate".to_owned(),
        lane: 2,
        utc_offset_min: 480,
    }
}

/// Every language by its two letters.
pub(super) fn langs() -> Vec<Lang> {
    Lang::ALL.into_iter().collect()
}

/// Somebody's code that is fine.
fn decision() -> Decision {
    let policy = Policy::default();
    let context = Context { trust: None, status: None, history: None, policy: &policy, home: IssuerId::NATIONAL };
    let measured = Measured::Reading(Reading::of(3642, 2410));
    let mut decision = decide(&menshen_core::decide::Shown::Nothing, measured, Time::trusted(NOW_S), context);
    (decision.reasons, decision.verdict) = (Default::default(), Verdict::Admit);
    let evidence = &mut decision.evidence;
    evidence.issuer = Some(IssuerId::NATIONAL);
    evidence.colour = Some(Colour::Green);
    evidence.kind = Some(Kind::Phone);
    evidence.expires_at = Some(NOW_S + 1800);
    evidence.display =
        Some(Display { name: "张*三".parse().expect("short"), id_tail: "123X".parse().expect("short") });
    decision
}

/// What a trust list would say of the issuer.
fn with_issuer(mut shown: Shown) -> Shown {
    if let ScreenView::Verdict { decision } = &mut shown.view
        && decision.issuer.is_some()
    {
        decision.evidence.issuer_name =
            Some(NameView { zh: "浙江健康码".to_owned(), en: "Zhejiang Health Code".to_owned() });
        decision.evidence.hotline = Some("0571-12345".to_owned());
    }
    shown
}

/// Whether a gate that has this to say knows the pass at all.
fn has_pass(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::BadSignature
            | Reason::Damaged
            | Reason::UnknownIssuer
            | Reason::KeyExpired
            | Reason::NotAPass
            | Reason::TrustMissing
            | Reason::Unreadable
            | Reason::NoCode
    )
}

fn because(reason: Reason) -> Decision {
    let mut decision = decision().with(reason);
    let evidence = &mut decision.evidence;
    match reason {
        Reason::Red => evidence.colour = Some(Colour::Red),
        Reason::Yellow => evidence.colour = Some(Colour::Yellow),
        Reason::UnknownLevel => evidence.colour = None,
        Reason::Expired => evidence.expires_at = Some(NOW_S - 86_400),
        Reason::TempHigh => evidence.reading = Some(Reading::of(3790, 2410)),
        Reason::TempImplausible => evidence.reading = Some(Reading::of(3120, 510)),
        Reason::NoReading => evidence.reading = None,
        Reason::ClockUntrusted => evidence.time = Time::floor(NOW_S),
        Reason::StatusStale | Reason::StatusAgeing => {
            evidence.status_as_of = Some(NOW_S - 20 * 86_400);
            evidence.status_freshness =
                Some(if reason == Reason::StatusStale { Freshness::Stale } else { Freshness::Ageing });
        }
        Reason::Overridden => {
            evidence.colour = Some(Colour::Red);
            evidence.status = Some(Status::Overridden(Colour::Red));
        }
        _ => {}
    }
    if matches!(reason, Reason::Red | Reason::Yellow | Reason::Overridden) {
        evidence.until = Some(NOW_S + 13 * 86_400 + 50_100);
    }
    if !has_pass(reason) {
        (evidence.issuer, evidence.colour, evidence.kind) = (None, None, None);
        (evidence.expires_at, evidence.display) = (None, None);
    }
    match reason {
        Reason::Overridden => decision.with(Reason::Red),
        Reason::ManualOverride => self::decision().with(Reason::Yellow).by_hand(Cause::ALL[0]),
        _ => decision,
    }
}

/// One screen for each reason.
pub(super) fn reasons() -> Vec<Case> {
    let case = |reason: &Reason| {
        let mut case = Case::of(&format!("reason-{}", reason.name()), &Screen::Verdict(because(*reason)));
        if *reason == Reason::ClockUntrusted {
            case.bar = Some(Bar { clock: wrong_clock(), ..fine() });
        }
        case
    };
    Reason::ALL.iter().map(case).collect()
}

/// Everything else that is shown.
pub(super) fn others() -> Vec<Case> {
    let mut cases = vec![
        Case { shown: None, bar: None, ..Case::of("starting", &Screen::Idle) },
        Case { lost: true, ..Case::of("lost", &Screen::Verdict(decision())) },
        Case::of("idle", &Screen::Idle),
        Case::of("ask_reading", &Screen::AskReading),
        Case::of("measure_again", &Screen::MeasureAgain { attempt: 2, of: 3 }),
        Case::of("alarm", &Screen::Alarm),
        Case::of("admit", &Screen::Verdict(decision())),
        Case { bar: Some(ailing()), ..Case::of("faults", &Screen::Verdict(because(Reason::NoReading))) },
        Case { bar: Some(ailing()), ..Case::of("idle-faults", &Screen::Idle) },
        Case { bar: Some(Bar { clock: wrong_clock(), ..fine() }), ..Case::of("idle-clock", &Screen::Idle) },
    ];
    cases.extend(Hint::ALL.map(|hint| Case::of(&format!("hint-{}", hint.name()), &Screen::Hint(hint))));
    cases.extend(verdicts_of_many());
    cases.extend(sticks());
    cases
}

/// Verdicts with more to say than one reason.
fn verdicts_of_many() -> Vec<Case> {
    let mut many = because(Reason::Red).with(Reason::Expired).with(Reason::TempHigh).with(Reason::TestTooOld);
    many.evidence.site = SiteClass::Hospital;
    let mut dependent = decision();
    dependent.evidence.kind = Some(Kind::Dependent);
    let refused = Cause::ALL.iter().copied().find(|cause| cause.verdict() == Verdict::Refuse).expect("there is one");
    let kept_out = because(Reason::Yellow).by_hand(refused);
    let mut metro = because(Reason::Yellow);
    (metro.verdict, metro.evidence.yellow, metro.evidence.site) = (Verdict::Refuse, Verdict::Refuse, SiteClass::Metro);
    [("many", many), ("dependent", dependent), ("by_hand-refuse", kept_out), ("metro-yellow", metro)]
        .map(|(name, decision)| Case::of(name, &Screen::Verdict(decision)))
        .into()
}

fn sticks() -> Vec<Case> {
    let why = || Some("timestamp.json has expired; get the newest from its publisher".to_owned());
    let states = [
        ("stick-importing", "importing", None, None),
        ("stick-imported", "imported", None, None),
        ("stick-unchanged", "unchanged", None, None),
        ("stick-refused", "refused", Some("expired"), why()),
        ("stick-failed", "refused", None, why()),
    ];
    let case = |(name, state, refusal, why): (&str, &'static str, Option<&'static str>, Option<String>)| {
        let import = Some(ImportView { road: "stick", state, refusal, why });
        Case { bar: Some(Bar { import, ..fine() }), ..Case::of(name, &Screen::Idle) }
    };
    let mut cases: Vec<Case> = states.map(case).into();
    let forgotten = case(("stick-forgotten", "unchanged", None, None));
    cases.push(Case { card_is_over: true, ..forgotten });
    cases
}

pub(super) fn all() -> Vec<Case> {
    reasons().into_iter().chain(others()).collect()
}

fn trust(freshness: &'static str, as_of: &str) -> Option<TrustView> {
    Some(TrustView { freshness, as_of: as_of.to_owned(), version: 7 })
}

/// A device that works.
pub(in crate::display) fn fine() -> Bar {
    Bar {
        clock: ClockView::of(&View::of(Time::trusted_within(NOW_S, 3)), None),
        trust: trust("fresh", "2020-08-02T20:00:00Z"),
        trust_fault: None,
        lists: ListsView { of: 6, ..ListsView::default() },
        import: None,
        last_stick: None,
        takes_new: true,
        backlog: 3,
        camera: PartView::FINE,
        thermometer: Some(PartView::FINE),
        others: Vec::new(),
        manual: "referred",
        journal: PartView::FINE,
        hub: Some(HubView { ok: true, message: None, last_ack: Some("2020-08-03T02:03:00Z".to_owned()) }),
    }
}

/// A clock that fell back a day.
fn wrong_clock() -> ClockView {
    let view = View {
        time: Time::floor(NOW_S),
        device_s: Some(NOW_S - 86_400),
        passed_s: NOW_S,
        doubt: Some(Doubt::Behind),
        hint_s: None,
    };
    ClockView::of(&view, None)
}

/// A device in trouble.
pub(super) fn ailing() -> Bar {
    let other = |name, message: &str| OtherView { name, message: message.to_owned() };
    Bar {
        trust: trust("stale", "2020-07-12T20:00:00Z"),
        lists: ListsView { of: 6, stale: 2, missing: 1, ..ListsView::default() },
        backlog: 12_480,
        camera: PartView::ailing("the camera /dev/video0 is gone: plug it in again"),
        thermometer: Some(PartView::ailing("the serial port /dev/ttyAMA0 gives no readings: check its cable")),
        others: vec![
            other("inputs", "cannot read the input `button`: check `inputs` in the board file"),
            other("neighbours", "the gate 192.168.7.3 has not been heard for 12 s: check the network"),
        ],
        hub: Some(HubView {
            ok: false,
            message: Some("the hub does not answer: check the network".to_owned()),
            last_ack: Some("2020-08-01T02:03:00Z".to_owned()),
        }),
        ..fine()
    }
}
