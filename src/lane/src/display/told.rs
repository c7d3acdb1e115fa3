//! Which texts a screen has: what `panel/assets/draw.js` and `stick.js` are to the page, by the same rules and from the same
//! words, so that the two never say different things of one person.
//!
//! Two things differ, because nobody can touch this screen: what the volunteer should know is always there, and while
//! nobody is at the gate the technician's sentences about what is wrong are, too. Both are beside what a person reads.
//!
//! Invariant: nothing here draws or measures, and nothing that draws chooses words.

use super::say::{age, joined, moment, seconds, tenths, time_of_day};
use crate::panel::{Bar, ImportView, PanelInfo, PartView, ScreenView};
use crate::view::{DecisionView, DisplayView, EvidenceView};
use crate::words::{Lang, ReasonWords, RefusalWords, Words, fill};
use menshen_core::decide::{Decision, Verdict};
use menshen_core::hint::Hint;
use menshen_core::lane::Screen;
use menshen_core::pass::Colour;
use menshen_core::reason::Reason;
use menshen_core::time::Confidence;
use menshen_core::trust::{Freshness, TrustList};
use menshen_trust::tuf::Refusal;

/// What the lane shows, with what is drawn of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// A verdict, for its texts.
    decision: Option<Box<Decision>>,
    /// As the page is told.
    pub(super) view: ScreenView,
}

impl Shown {
    /// A screen of the lane; the trust list gives the issuer's name and hotline.
    pub fn of(screen: &Screen, trust: Option<&TrustList>) -> Shown {
        let decision = match screen {
            Screen::Verdict(decision) => Some(Box::new(decision.clone())),
            _ => None,
        };
        Shown { decision, view: ScreenView::of(screen, trust) }
    }

    /// As the page is told.
    pub fn view(&self) -> &ScreenView {
        &self.view
    }

    /// Whether somebody is let in.
    pub(super) fn admits(&self) -> bool {
        self.decision.as_ref().is_some_and(|decision| decision.verdict == Verdict::Admit)
    }
}

/// Everything that a screen is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct State<'a> {
    /// What the lane shows; `None` before it has said anything.
    pub shown: Option<&'a Shown>,
    /// How the device is; `None` before it has said so.
    pub bar: Option<&'a Bar>,
    /// Which gate this is.
    pub info: &'a PanelInfo,
    /// In which language.
    pub lang: Lang,
    /// Whether the gate is not heard any more.
    pub lost: bool,
    /// Whether the card of a stick has had its time: somebody may have forgotten the stick.
    pub card_is_over: bool,
    /// Whether what is about one person is left out: what is drawn outlives the moment, or their verdict has stood for
    /// long.
    pub hides_person: bool,
}

/// In which colours a screen is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Calm,
    Ask,
    Gone,
    Alarm,
    Verdict(Verdict),
}

/// The texts of a screen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    pub(super) look: Look,
    /// The name of the drawing, without its `sign-`.
    pub(super) sign: String,
    /// Whether the word may have more lines than one.
    pub(super) is_verdict: bool,
    pub(super) word: String,
    pub(super) other: Option<String>,
    pub(super) title: Option<String>,
    pub(super) say: Option<String>,
    pub(super) remedy: Option<String>,
    pub(super) also: Option<String>,
    /// For the technician, small.
    pub(super) why: Option<String>,
    pub(super) volunteer: Option<String>,
    pub(super) facts: Vec<Fact>,
}

/// A piece of what a decision rests on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) value: String,
    /// The colour of a dot before it.
    pub(super) colour: Option<Colour>,
}

/// How a part of the device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Fine,
    Warn,
    Bad,
}

/// A part of the device, for the bar.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) value: String,
    pub(super) level: Level,
    pub(super) message: Option<String>,
}

/// The site's name and the lane, for the head.
pub(super) fn head(state: &State<'_>) -> (String, String) {
    let PanelInfo { site_zh, site_en, lane, .. } = state.info;
    let own = if state.lang.is_chinese() { site_zh } else { site_en };
    let site = [own, site_zh, site_en].into_iter().find(|name| !name.is_empty()).cloned().unwrap_or_default();
    (site, fill(Words::of(state.lang).screen.get("lane"), &[("lane", &lane.to_string())]))
}

/// The language whose word stands beside, for whoever does not read the screen's own: the first of another family.
pub(super) fn other(lang: Lang) -> Option<Lang> {
    Lang::ALL.into_iter().find(|other| other.is_chinese() != lang.is_chinese())
}

/// The stick that is in.
fn stick_of<'a>(state: &State<'a>) -> Option<&'a ImportView> {
    state.bar.filter(|_| !state.lost)?.import.as_ref().filter(|import| import.road == "stick")
}

fn has_card(state: &State<'_>) -> bool {
    stick_of(state).is_some_and(|stick| stick.state == "importing" || !state.card_is_over)
}

/// What is still said of a stick whose card had its time.
fn forgotten(state: &State<'_>) -> Option<&'static str> {
    (stick_of(state).is_some() && !has_card(state)).then(|| Words::of(state.lang).stick.get("out"))
}

/// The texts of the middle.
pub(super) fn told(state: &State<'_>) -> Told {
    match (state.lost, state.shown) {
        (true, _) => asked(state, "lost", Look::Gone),
        (false, None) => asked(state, "starting", Look::Gone),
        (false, Some(shown)) => match (&shown.view, &shown.decision) {
            (ScreenView::Verdict { decision: view }, Some(decision)) => verdict(state, decision, view),
            (ScreenView::Idle, _) => match stick_of(state).filter(|_| has_card(state)) {
                Some(stick) => card(state, stick),
                None => idle(state),
            },
            (ScreenView::Hint { hint }, _) => hinted(state, hint),
            (ScreenView::MeasureAgain { attempt, of }, _) => {
                let values = [("attempt", attempt.to_string()), ("of", of.to_string())];
                let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
                let count = fill(Words::of(state.lang).screen.get("measure_again_count"), &values);
                Told { title: Some(count), ..asked(state, "measure_again", Look::Ask) }
            }
            (ScreenView::AskReading, _) => asked(state, "ask_reading", Look::Ask),
            (ScreenView::Alarm, _) => asked(state, "alarm", Look::Alarm),
            // `Shown::of` gives every verdict its decision.
            (ScreenView::Verdict { .. }, None) => asked(state, "lost", Look::Gone),
        },
    }
}

fn asked(state: &State<'_>, kind: &str, look: Look) -> Told {
    let screen = &Words::of(state.lang).screen;
    let how = format!("{kind}_how");
    // A gate that starts says no more than that.
    let say = Some(screen.get(&how)).filter(|text| *text != how);
    Told {
        look,
        sign: kind.to_owned(),
        is_verdict: false,
        word: screen.get(kind).to_owned(),
        other: other(state.lang).map(|other| Words::of(other).screen.get(kind).to_owned()),
        title: None,
        say: say.map(str::to_owned),
        remedy: None,
        also: None,
        why: None,
        volunteer: None,
        facts: Vec::new(),
    }
}

/// Nobody is there: what the volunteer should do before the next person comes, and what is wrong for the technician.
fn idle(state: &State<'_>) -> Told {
    let words = Words::of(state.lang);
    let wrong = state.bar.filter(|bar| bar.clock.disagrees || bar.clock.confidence != "trusted");
    let clock = wrong.map(|bar| clock_sentences(words, bar, state.info.utc_offset_min)).unwrap_or_default();
    let notice = clock.iter().map(String::as_str).chain(stuck(words, state.bar)).chain(forgotten(state));
    let notice = joined(notice);
    let ailing = parts(state).into_iter().filter(|part| part.level != Level::Fine);
    // The clock and the stick have just been spoken of.
    let told = ailing.filter(|part| !matches!(part.name, "clock" | "stick") || notice.is_empty());
    let why: Vec<String> =
        told.filter_map(|part| part.message.map(|message| said(words, &part.label, &message))).collect();
    Told { also: some(notice), why: some(why.join("\n")), ..asked(state, "idle", Look::Calm) }
}

/// What is said under a name.
fn said(words: &Words, name: &str, value: &str) -> String {
    fill(words.screen.get("said"), &[("name", name), ("value", value)])
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// A code is there and can not be read: what to do, what was seen, how to do it.
fn hinted(state: &State<'_>, name: &str) -> Told {
    let Some(hint) = Hint::ALL.into_iter().find(|hint| hint.name() == name) else {
        return asked(state, "idle", Look::Calm);
    };
    let words = Words::of(state.lang).hint(hint);
    Told {
        sign: name.to_owned(),
        word: words.word.clone(),
        other: other(state.lang).map(|other| Words::of(other).hint(hint).word.clone()),
        title: Some(words.title.clone()),
        say: Some(words.how.clone()),
        ..asked(state, "idle", Look::Ask)
    }
}

fn verdict(state: &State<'_>, decision: &Decision, view: &DecisionView) -> Told {
    let words = Words::of(state.lang);
    let texts = words.told(decision);
    let why = explains(decision, &texts);
    let verdict = words.verdict(decision.verdict);
    let with_why =
        |text: &str, more: Option<&String>| joined([Some(text), more.map(String::as_str)].into_iter().flatten());
    let note = decision.evidence.kind.and_then(|kind| words.kind_note(kind));
    let gravest = texts.first();
    let (say, remedy) = match gravest.filter(|_| decision.verdict != Verdict::Admit) {
        None => (verdict.say.clone(), None),
        Some(gravest) => {
            let hotline = view.evidence.hotline.as_ref().map(|hotline| unbroken(hotline));
            let say = with_why(&gravest.holder, why.map(|why| &why.holder));
            (say, Some(gravest.remedy_with(hotline.as_deref())))
        }
    };
    let volunteer = gravest.map(|gravest| {
        let told = with_why(&gravest.volunteer, why.map(|why| &why.volunteer));
        let action = decision.reasons.first().and_then(|reason| action_for(words, state.bar, *reason));
        joined([Some(told.as_str()), action, note].into_iter().flatten())
    });
    let volunteer = volunteer.or_else(|| note.map(str::to_owned));
    let also: Vec<&str> = texts.iter().skip(1).map(|words| words.title.as_str()).collect();
    Told {
        look: Look::Verdict(decision.verdict),
        sign: decision.verdict.name().to_owned(),
        is_verdict: true,
        word: verdict.word.clone(),
        other: other(state.lang).map(|other| Words::of(other).verdict(decision.verdict).word.clone()),
        title: gravest.map(|gravest| gravest.title.clone()),
        say: Some(say),
        remedy,
        also: (!also.is_empty()).then(|| said(words, words.screen.get("also"), &also.join(" · "))),
        why: None,
        volunteer: volunteer.map(|told| said(words, words.screen.get("volunteer"), &told)),
        facts: facts(state, decision, view),
    }
}

/// What the issuer changed since, where it explains the colour that decides.
fn explains<'a>(decision: &Decision, texts: &'a [ReasonWords]) -> Option<&'a ReasonWords> {
    let colour_decides = matches!(decision.reasons.first(), Some(Reason::Red | Reason::Yellow));
    let changed = decision.reasons.contains(&Reason::Overridden);
    // `Words::told` puts it right behind the colour.
    texts.get(1).filter(|_| colour_decides && changed)
}

/// A telephone number that no line break takes apart.
fn unbroken(hotline: &str) -> String {
    hotline.replace('-', "\u{2011}").replace(' ', "\u{a0}")
}

/// What the volunteer can do about the gate itself, for those reasons that are its own.
fn action_for(words: &'static Words, bar: Option<&Bar>, reason: Reason) -> Option<&'static str> {
    let bar = bar?;
    match reason {
        Reason::ClockUntrusted => Some(clock_action(words, bar)),
        Reason::TrustMissing
        | Reason::TrustStale
        | Reason::TrustAgeing
        | Reason::StatusStale
        | Reason::StatusAgeing
        | Reason::StatusUnreadable => {
            let renew = words.renew.get(if bar.hub.is_some() { "hub" } else { "stick" });
            Some(stuck(words, Some(bar)).unwrap_or(renew))
        }
        _ => None,
    }
}

/// That the gate takes nothing new, by whatever road.
fn stuck(words: &'static Words, bar: Option<&Bar>) -> Option<&'static str> {
    bar.filter(|bar| !bar.takes_new).map(|_| words.renew.get("none"))
}

/// The one thing to do about the clock. The network's time helps nobody: the hub signs it, or a person sets it.
fn clock_action(words: &'static Words, bar: &Bar) -> &'static str {
    words.doubt.get(if bar.hub.is_some() { "action_hub" } else { "action_alone" })
}

/// What is wrong with the device's clock, with both times where they disagree, and the one action.
fn clock_sentences(words: &'static Words, bar: &Bar, offset_min: i16) -> Vec<String> {
    let clock = &bar.clock;
    let Some(doubt) = clock.doubt else { return Vec::new() };
    let at = |time: &str| seconds(time).map(|at| moment(&words.when, at, None, offset_min)).unwrap_or_default();
    let sure = clock.confidence == "trusted";
    let told = match (doubt, sure) {
        ("jumped", false) => "ahead",
        ("behind", true) => "jumped",
        (doubt, _) => doubt,
    };
    let known = at(if sure { &clock.time } else { &clock.passed_time });
    let device = clock.device_time.as_deref().map(at).unwrap_or_default();
    let minutes = clock.error_s.div_ceil(60).to_string();
    let said = fill(words.doubt.get(told), &[("device", &device), ("known", &known), ("minutes", &minutes)]);
    vec![said, clock_action(words, bar).to_owned()]
}

/// What of a decision is about one person; its reason and what to do about it is what others need too.
pub(super) const OF_THE_PERSON: [&str; 7] = ["colour", "from", "kind", "name", "expires", "until", "temp"];

fn facts(state: &State<'_>, decision: &Decision, view: &DecisionView) -> Vec<Fact> {
    let words = Words::of(state.lang);
    let evidence = &view.evidence;
    let now = seconds(&evidence.time).filter(|_| evidence.clock == "trusted");
    let at = |time: &String| seconds(time).map(|at| moment(&words.when, at, now, state.info.utc_offset_min));
    let mut facts = Vec::new();
    let mut fact = |name: &'static str, label: &str, value: Option<String>| {
        let colour = decision.evidence.colour.filter(|_| name == "colour");
        let is_hidden = state.hides_person && OF_THE_PERSON.contains(&name);
        if let Some(value) = value.filter(|value| !value.is_empty() && !is_hidden) {
            facts.push(Fact { name, label: words.label.get(label).to_owned(), value, colour });
        }
    };
    fact("colour", "colour", decision.evidence.colour.map(|colour| words.colour(colour).to_owned()));
    let names = evidence.issuer_name.as_ref();
    let own = names.map(|names| if state.lang.is_chinese() { &names.zh } else { &names.en });
    let name = own.filter(|name| !name.is_empty()).or(names.map(|names| &names.zh)).cloned();
    fact("from", "issuer", name.or_else(|| view.issuer.map(|issuer| issuer.to_string())));
    fact("kind", "kind", decision.evidence.kind.map(|kind| words.kind(kind).to_owned()));
    fact("name", "name", evidence.display.as_ref().map(name_of));
    fact("expires", "expires_at", view.expires_at.as_ref().and_then(at));
    let left = evidence.days_left.map(|left| match left {
        0 => words.label.get("last_day").to_owned(),
        left => fill(words.label.get("days_left"), &[("n", &left.to_string())]),
    });
    let until = evidence.until.as_ref().and_then(at);
    fact(
        "until",
        "until",
        until.map(|until| [Some(until), left].into_iter().flatten().collect::<Vec<_>>().join(" · ")),
    );
    fact("cause", "cause", decision.cause.map(|cause| words.cause.get(cause.name()).to_owned()));
    let degrees = |celsius| fill(words.label.get("degrees"), &[("n", &tenths(celsius))]);
    fact("temp", "temp", evidence.temp_c.map(degrees));
    fact("rests", "rests_on", Some(rests_on(words, evidence, now, at)));
    facts
}

/// What may be compared with a document.
fn name_of(display: &DisplayView) -> String {
    let tail = Some(&display.id_tail).filter(|tail| !tail.is_empty()).map(|tail| format!("…{tail}"));
    let parts = Some(display.name.clone()).filter(|name| !name.is_empty()).into_iter().chain(tail);
    parts.collect::<Vec<_>>().join(" ")
}

/// How old and how sure is what a decision rests on: the keys, the issuer's changes, the clock.
fn rests_on(
    words: &Words,
    evidence: &EvidenceView,
    now: Option<i64>,
    at: impl Fn(&String) -> Option<String>,
) -> String {
    let keys = evidence.trust_as_of.as_ref().and_then(|as_of| match (seconds(as_of), now) {
        (Some(as_of), Some(now)) => Some(age(&words.when, as_of, now)),
        _ => at(as_of),
    });
    let keys = keys.unwrap_or_else(|| words.freshness(Freshness::Unknown).to_owned());
    let clock = words.confidence(if evidence.clock == "trusted" { Confidence::Trusted } else { Confidence::Floor });
    let said = |label, value: &str| said(words, words.label.get(label), value);
    let changes = evidence.status_as_of.as_ref().and_then(at).map(|at| said("status", &at));
    let all = [Some(said("trust", &keys)), changes, Some(said("clock", clock))];
    all.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The texts of a stick's card.
fn card(state: &State<'_>, stick: &ImportView) -> Told {
    let words = Words::of(state.lang);
    let say = &words.stick;
    let name = stick_name(stick);
    let told = Told {
        sign: format!("stick_{}", stick.state),
        word: say.get(name).to_owned(),
        other: other(state.lang).map(|other| Words::of(other).stick.get(name).to_owned()),
        say: Some(say.get(&format!("{}_how", stick.state)).to_owned()),
        also: Some(say.get("showing").to_owned()),
        remedy: (stick.state != "importing").then(|| say.get("out").to_owned()),
        title: if stick.state == "imported" { imported_what(state) } else { None },
        ..asked(state, "idle", Look::Calm)
    };
    if stick.state != "refused" {
        return told;
    }
    let refusal = refusal_of(words, stick);
    Told {
        title: Some(refusal.title.clone()),
        say: Some(joined([refusal.say.as_str(), say.get("refused_how")])),
        remedy: Some(format!("{}\n{}", refusal.remedy, say.get("out"))),
        why: stick.why.as_ref().map(|why| fill(say.get("technician"), &[("why", why)])),
        ..told
    }
}

/// A refusal that is not the stick's has another word.
fn stick_name(stick: &ImportView) -> &'static str {
    if stick.state == "refused" && stick.refusal.is_none() { "failed" } else { stick.state }
}

fn refusal_of(words: &'static Words, stick: &ImportView) -> &'static RefusalWords {
    let named = |name| Refusal::ALL.iter().copied().find(|refusal| refusal.name() == name);
    words.refusal(stick.refusal.and_then(named))
}

fn imported_what(state: &State<'_>) -> Option<String> {
    let (words, bar) = (Words::of(state.lang), state.bar?);
    let trust = bar.trust.as_ref()?;
    let sure = seconds(&bar.clock.time).filter(|_| bar.clock.confidence == "trusted");
    let when = moment(&words.when, seconds(&trust.as_of)?, sure, state.info.utc_offset_min);
    Some(fill(words.stick.get("imported_what"), &[("n", &trust.version.to_string()), ("when", &when)]))
}

/// The parts of the bar; none where the gate is not heard.
pub(super) fn parts(state: &State<'_>) -> Vec<Part> {
    let Some(bar) = state.bar.filter(|_| !state.lost) else { return Vec::new() };
    let words = Words::of(state.lang);
    let (say, offset_min) = (&words.bar, state.info.utc_offset_min);
    let now = seconds(&bar.clock.time).filter(|_| bar.clock.confidence == "trusted");
    let mut parts = vec![
        clock_part(words, bar, now, offset_min),
        trust_part(words, bar, now),
        Part {
            name: "backlog",
            label: say.get("backlog").to_owned(),
            value: fill(say.get("backlog_count"), &[("n", &bar.backlog.to_string())]),
            level: Level::Fine,
            message: None,
        },
        part(words, "camera", &bar.camera),
    ];
    parts.extend(bar.thermometer.as_ref().map(|thermometer| part(words, "thermometer", thermometer)));
    parts.push(part(words, "journal", &bar.journal));
    parts.extend(bar.hub.as_ref().map(|hub| {
        // Without the hub the gate goes on, so this asks for attention and does not alarm.
        let last = hub.last_ack.as_deref().and_then(seconds);
        let last = last.map(|at| moment(&words.when, at, now, offset_min));
        let last = fill(say.get("last_ack"), &[("when", last.as_deref().unwrap_or(say.get("never")))]);
        let message = [Some(last), hub.message.clone()].into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let level = if hub.ok { Level::Fine } else { Level::Warn };
        Part { level, message: Some(message), ..part(words, "hub", &PartView { ok: hub.ok, message: None }) }
    }));
    parts.extend(bar.others.iter().map(|other| {
        let view = PartView { ok: false, message: Some(other.message.clone()) };
        Part { level: Level::Warn, ..part(words, other.name, &view) }
    }));
    parts.extend(stick_part(state, bar));
    parts
}

fn part(words: &Words, name: &'static str, view: &PartView) -> Part {
    let say = &words.bar;
    Part {
        name,
        label: say.get(name).to_owned(),
        value: say.get(if view.ok { "fine" } else { "ailing" }).to_owned(),
        level: if view.ok { Level::Fine } else { Level::Bad },
        message: view.message.clone(),
    }
}

fn clock_part(words: &'static Words, bar: &Bar, now: Option<i64>, offset_min: i16) -> Part {
    let network = bar.clock.network_time.as_deref().filter(|_| now.is_none()).and_then(seconds);
    let network =
        network.map(|at| fill(words.doubt.get("network"), &[("when", &moment(&words.when, at, None, offset_min))]));
    let said = clock_sentences(words, bar, offset_min);
    let message = said.iter().chain(&network).chain(&bar.clock.fault).map(String::as_str);
    let message = some(joined(message));
    let value = now.map(|now| time_of_day(now, offset_min));
    Part {
        name: "clock",
        label: words.bar.get("clock").to_owned(),
        level: if now.is_some() && message.is_none() { Level::Fine } else { Level::Warn },
        value: value.unwrap_or_else(|| words.bar.get("clock_floor").to_owned()),
        message,
    }
}

/// How old the trust is; before that what is worse: an issuer's list that is of no use, something new that is refused.
fn trust_part(words: &'static Words, bar: &Bar, now: Option<i64>) -> Part {
    let part = |value: String, level, message| Part {
        name: "trust",
        label: words.bar.get("trust").to_owned(),
        value,
        level,
        message,
    };
    let joined = |told: Vec<String>| some(told.join(" · "));
    let stuck = stuck(words, Some(bar)).map(str::to_owned);
    let fault: Vec<String> = [stuck, bar.trust_fault.clone()].into_iter().flatten().collect();
    let Some(trust) = &bar.trust else { return part(words.bar.get("missing").to_owned(), Level::Bad, joined(fault)) };
    let freshness = freshness(words, trust.freshness);
    let level = match trust.freshness {
        "fresh" => Level::Fine,
        "stale" => Level::Bad,
        _ => Level::Warn,
    };
    let since = now.zip(seconds(&trust.as_of));
    let value = since.map_or_else(|| freshness.clone(), |(now, as_of)| age(&words.when, as_of, now));
    let wrong = lacks(words, bar);
    let is_shown = level == Level::Bad || (wrong.is_empty() && fault.is_empty());
    let version = fill(words.bar.get("trust_version"), &[("n", &trust.version.to_string())]);
    let mut message = if is_shown { Vec::new() } else { vec![value.clone()] };
    message.extend([freshness, version]);
    message.extend(wrong.iter().chain(&fault).cloned());
    if is_shown {
        part(value, level, joined(message))
    } else {
        let first = wrong.into_iter().next().unwrap_or_else(|| words.bar.get("ailing").to_owned());
        part(first, Level::Warn, joined(message))
    }
}

fn freshness(words: &Words, name: &str) -> String {
    const ALL: [Freshness; 4] = [Freshness::Fresh, Freshness::Ageing, Freshness::Stale, Freshness::Unknown];
    let known = ALL.into_iter().find(|freshness| freshness.name() == name);
    words.freshness(known.unwrap_or(Freshness::Unknown)).to_owned()
}

/// What is not as it should be with the issuers' lists, the gravest first, in words.
fn lacks(words: &Words, bar: &Bar) -> Vec<String> {
    let lists = &bar.lists;
    let counts = [
        ("count_unreadable", lists.unreadable),
        ("count_stale", lists.stale),
        ("count_missing", lists.missing),
        ("count_held_back", lists.held_back),
        ("count_ageing", lists.ageing),
    ];
    let of = lists.of.to_string();
    let wrong = counts.into_iter().filter(|(_, count)| *count > 0);
    wrong.map(|(name, count)| fill(words.issuers.get(name), &[("n", &count.to_string()), ("of", &of)])).collect()
}

/// The place in the bar of the stick that is in, or was until lately.
fn stick_part(state: &State<'_>, bar: &Bar) -> Option<Part> {
    let here = stick_of(state);
    let stick = here.or(bar.last_stick.as_ref())?;
    let words = Words::of(state.lang);
    let Told { title, say, remedy, why, .. } = card(state, stick);
    let is_refused = stick.state == "refused";
    let todo = if here.is_some() { remedy } else { is_refused.then(|| refusal_of(words, stick).remedy.clone()) };
    let how = joined([say.as_deref(), todo.as_deref()].into_iter().flatten());
    let message: Vec<String> = [title, some(how), why].into_iter().flatten().collect();
    Some(Part {
        name: "stick",
        label: words.stick.get(if here.is_some() { "label" } else { "last" }).to_owned(),
        value: words.stick.get(&format!("{}_short", stick_name(stick))).to_owned(),
        level: if is_refused { Level::Warn } else { Level::Fine },
        message: some(message.join(" · ")),
    })
}
