//! Every text in every language against what people at a gate are owed.

use super::*;
use crate::trust::{ListState, RoadState};
use menshen_core::clock::Doubt;
use menshen_core::decide::{Context, Measured, Shown, decide};
use menshen_core::ids::IssuerId;
use menshen_core::manual::Cause;
use menshen_core::pass::Claims;
use menshen_core::policy::{Policy, SiteClass};
use menshen_core::status::Status;
use menshen_core::time::Time;
use std::collections::BTreeSet;

/// Every text of a language with its dotted name, read from the file itself.
fn texts(lang: Lang) -> BTreeMap<String, String> {
    fn walk(path: &str, value: &toml::Value, found: &mut BTreeMap<String, String>) {
        match value {
            toml::Value::Table(table) => table.iter().for_each(|(key, inner)| {
                walk(&format!("{path}.{key}"), inner, found);
            }),
            other => {
                let text = other.as_str().expect("a language file holds nothing but texts");
                found.insert(path.trim_start_matches('.').to_owned(), text.to_owned());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk("", &toml::Value::Table(lang.file().parse().expect("the language file is TOML")), &mut found);
    found
}

/// The names of a text's blanks.
fn blanks(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect()
}

fn without_blanks(text: &str) -> String {
    blanks(text).iter().fold(text.to_owned(), |text, name| text.replace(&format!("{{{name}}}"), ""))
}

fn of_reasons(wanted: impl Fn(Reason) -> bool, mut check: impl FnMut(Lang, Reason, &str)) {
    for lang in Lang::ALL {
        for reason in Reason::ALL.iter().copied().filter(|reason| wanted(*reason)) {
            let words = Words::of(lang).reason(reason);
            let texts = [&words.title, &words.holder, &words.volunteer, &words.remedy];
            texts.into_iter().chain(&words.call).for_each(|text| check(lang, reason, text));
        }
    }
}

#[test]
fn every_language_has_exactly_the_same_texts() {
    let names = |lang| texts(lang).into_keys().collect::<BTreeSet<_>>();
    for lang in Lang::ALL {
        assert_eq!(names(lang), names(Lang::default()), "{}", lang.name());
    }
}

#[test]
fn every_language_leaves_the_same_blanks_to_fill() {
    let first = texts(Lang::default());
    for lang in Lang::ALL {
        for (name, text) in texts(lang) {
            assert_eq!(blanks(&text), blanks(&first[&name]), "{} {name}", lang.name());
        }
    }
}

#[test]
fn no_text_is_blank() {
    for lang in Lang::ALL {
        for (name, text) in texts(lang) {
            assert!(!text.trim().is_empty(), "{} {name}", lang.name());
        }
    }
}

#[test]
fn every_reason_has_its_words_and_no_words_lack_their_reason() {
    let expected: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    for lang in Lang::ALL {
        let found: BTreeSet<&str> = Words::of(lang).reason.keys().map(String::as_str).collect();
        assert_eq!(found, expected, "{}", lang.name());
    }
}

#[test]
fn whatever_stops_a_person_says_what_to_do_next() {
    for lang in Lang::ALL {
        for reason in Reason::ALL.iter().filter(|reason| reason.calls_for() != Verdict::Admit) {
            assert!(Words::of(lang).reason(*reason).remedy.chars().count() > 5, "{} {}", lang.name(), reason.name());
        }
    }
}

#[test]
fn a_chinese_text_has_no_latin_letters() {
    for (name, text) in Lang::ALL.into_iter().filter(|lang| lang.is_chinese()).flat_map(texts) {
        assert!(!without_blanks(&text).chars().any(|c| c.is_ascii_alphabetic()), "{name}: {text}");
    }
}

/// Characters of the Chinese texts that are written otherwise in traditional Chinese.
const SIMPLIFIED: &str = "\
    专两个为举么买于从仪们优会传体侧储儿关内写决准凉几凭划刚别办务动区医单发变台号后启员国场坏声处备复头\
    夹对将师带帮干并应开张强当录态总愿户护报拨挡损换据数断旧时显晒暂术机条来样检汇没测温满灯点热状环现电\
    画皱盘着码确离种稳笔签类红约级纸纹线经结给络维绿编缘缩网脑药观规觉计认让记许论设访证识诉诊试话该说请\
    读谁调负责质贴车转边过还这进远连适采里钟钥钮镜长门闭问间闸阳阴随静领题颜额风马验黄";

#[test]
fn a_traditional_text_has_no_simplified_characters() {
    let hant = Lang::parse("zh-Hant").expect("it is one of the files");
    for (name, text) in texts(hant) {
        assert_eq!(text.chars().find(|c| SIMPLIFIED.contains(*c)), None, "{name}: {text}");
    }
    let simplified = texts(Lang::ZH).into_values().collect::<String>();
    assert!(SIMPLIFIED.chars().all(|c| simplified.contains(c)), "a character that no text has any more proves nothing");
}

#[test]
fn every_language_has_a_name_of_its_own_and_the_usual_two_are_chinese_and_english() {
    let names: BTreeSet<&str> = Lang::ALL.into_iter().map(|lang| Words::of(lang).name.as_str()).collect();
    assert_eq!(names.len(), Lang::ALL.len());
    assert_eq!(Lang::USUAL.map(Lang::name), ["zh", "en"]);
    assert!(Lang::ALL.len() > Lang::USUAL.len(), "another language is another file");
}

#[test]
fn an_english_text_has_no_chinese() {
    for (name, text) in texts(Lang::EN) {
        assert!(text.chars().all(|c| c.is_ascii() || c == '℃'), "{name}: {text}");
    }
}

#[test]
fn no_text_shows_a_code_name() {
    let names: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.name()).filter(|n| n.contains('_')).collect();
    for (name, text) in Lang::ALL.into_iter().flat_map(texts) {
        assert!(!names.iter().any(|code| text.contains(code)), "{name}: {text}");
        assert!(!without_blanks(&text).contains('_'), "{name}: {text}");
    }
}

/// Words that put something on a person.
const BLAME: [&str; 23] = [
    "fake",
    "forged",
    "fraud",
    "cheat",
    "your fault",
    "you failed",
    "you must",
    "illegal",
    "suspect",
    "wrongdoing",
    "伪造",
    "作假",
    "假码",
    "欺骗",
    "违法",
    "可疑",
    "您的错",
    "偽造",
    "假碼",
    "欺騙",
    "違法",
    "您的錯",
    "造假",
];

#[test]
fn no_text_sends_anybody_to_what_may_not_help_at_this_gate() {
    // Whether there is a hub, and whether a stick is read, the page knows and adds.
    const PERHAPS: [&str; 9] =
        ["connect the gate", "to the network", "stick", "联网", "优盘", "汇总服务器", "聯網", "隨身碟", "彙總伺服器"];
    for lang in Lang::ALL {
        for reason in Reason::ALL {
            let ReasonWords { holder, volunteer, remedy, .. } = Words::of(lang).reason(*reason);
            let text = [holder, volunteer, remedy].map(|text| text.to_lowercase()).concat();
            assert_eq!(PERHAPS.into_iter().find(|word| text.contains(word)), None, "{}", reason.name());
        }
        let words = Words::of(lang);
        let hub = match lang.name() {
            "zh" => "汇总服务器",
            "zh-Hant" => "彙總伺服器",
            _ => "hub",
        };
        for (table, with, without) in
            [(&words.doubt, "action_hub", ["action_alone"].as_slice()), (&words.renew, "hub", &["stick", "none"])]
        {
            assert!(table.get(with).contains(hub), "{}", table.get(with));
            assert!(without.iter().all(|name| !table.get(name).contains(hub)));
        }
    }
}

#[test]
fn nobody_is_blamed() {
    of_reasons(
        |_| true,
        |lang, reason, text| {
            let text = text.to_lowercase();
            let word = BLAME.into_iter().find(|word| text.contains(word));
            assert_eq!(word, None, "{} {}: {text}", lang.name(), reason.name());
        },
    );
}

#[test]
fn a_code_that_can_not_be_read_is_never_called_invalid() {
    const VERDICTS: [&str; 7] = ["invalid", "not valid", "bad code", "无效", "無效", "非法", "不合格"];
    let unread = [Reason::NoCode, Reason::NotAPass, Reason::Unreadable, Reason::Damaged];
    of_reasons(
        |reason| unread.contains(&reason),
        |lang, reason, text| {
            let text = text.to_lowercase();
            let word = VERDICTS.into_iter().find(|word| text.contains(word));
            assert_eq!(word, None, "{} {}: {text}", lang.name(), reason.name());
        },
    );
}

#[test]
fn a_referral_never_speaks_of_refusal() {
    const REFUSALS: [&str; 11] = [
        "refuse",
        "denied",
        "reject",
        "cannot pass",
        "cannot go in",
        "拒绝",
        "不能通行",
        "不能进",
        "禁止",
        "拒絕",
        "不能進",
    ];
    of_reasons(
        |reason| reason.calls_for() == Verdict::Refer,
        |lang, reason, text| {
            let text = text.to_lowercase();
            let word = REFUSALS.into_iter().find(|word| text.contains(word));
            assert_eq!(word, None, "{} {}: {text}", lang.name(), reason.name());
        },
    );
}

#[test]
fn a_colour_that_stops_names_the_hotline_and_without_one_says_nothing_of_it() {
    for lang in Lang::ALL {
        for reason in [Reason::Red, Reason::Yellow] {
            let words = Words::of(lang).reason(reason);
            assert!(words.remedy_with(Some("0571-12345")).contains("0571-12345"), "{} {}", lang.name(), reason.name());
            for none in [None, Some("")] {
                assert_eq!(words.remedy_with(none), words.remedy);
            }
            assert_eq!(blanks(&words.remedy_with(Some("1"))), BTreeSet::new());
        }
    }
}

/// Every reason at every class of site, with each treatment of yellow that there can be.
fn at_sites(mut check: impl FnMut(Reason, SiteClass, Verdict, &str)) {
    for site in SiteClass::ALL {
        for reason in Reason::ALL.iter().copied() {
            let treatments = [Verdict::Admit, Verdict::Refer, Verdict::Refuse];
            let treatments = if reason == Reason::Yellow { &treatments[..] } else { &treatments[1..2] };
            for yellow in treatments {
                check(reason, site, *yellow, &format!("{} at {} ({})", reason.name(), site.name(), yellow.name()));
            }
        }
    }
}

/// What a reason leads to there.
fn verdict_at(reason: Reason, yellow: Verdict) -> Verdict {
    if reason == Reason::Yellow { yellow } else { reason.calls_for() }
}

#[test]
fn at_every_site_every_reason_is_told_in_every_language_and_every_refusal_has_a_remedy() {
    at_sites(|reason, site, yellow, which| {
        for lang in Lang::ALL {
            let words = Words::of(lang).reason_at(reason, site, yellow);
            let texts = [&words.title, &words.holder, &words.volunteer, &words.remedy];
            for text in texts.into_iter().chain(&words.call) {
                assert!(text.trim().chars().count() >= 2, "{which}, {}: {text:?}", lang.name());
                let is_chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
                assert_eq!(is_chinese, lang.is_chinese(), "{which}, {}: {text:?}", lang.name());
            }
            let own = Words::of(lang).reason_at(Reason::ManualOverride, site, yellow);
            let stops = verdict_at(reason, yellow) != Verdict::Admit;
            assert!(!stops || words.remedy != own.remedy, "{which}, {}: no remedy", lang.name());
        }
    });
}

#[test]
fn at_every_site_what_is_said_goes_with_the_verdict() {
    let refer = ["helper", "have a look", "看一看"];
    let refuse = ["cannot go in", "not let", "不能进", "不让", "不能進", "不讓"];
    at_sites(|reason, site, yellow, which| {
        if reason != Reason::Yellow {
            return;
        }
        for lang in Lang::ALL {
            let ReasonWords { holder, .. } = Words::of(lang).reason_at(reason, site, yellow);
            let speaks = |words: &[&str]| words.iter().any(|word| holder.contains(word));
            assert_eq!(speaks(&refer), yellow == Verdict::Refer, "{which}, {}: {holder}", lang.name());
            assert_eq!(speaks(&refuse), yellow == Verdict::Refuse, "{which}, {}: {holder}", lang.name());
        }
    });
}

/// Things that a text may speak of, as each language says them: who reads either is told the same.
const FACTS: [(&str, &[&str], &[&str]); 24] = [
    ("5 to 10 minutes", &["五到十分钟"], &["5 to 10 minutes"]),
    ("one metre", &["一米"], &["one metre"]),
    ("another thermometer", &["另一支体温计"], &["another thermometer"]),
    ("hand thermometer", &["手持体温计"], &["hand thermometer"]),
    ("fever clinic", &["发热门诊"], &["fever clinic"]),
    ("separate way", &["专门通道"], &["separate way"]),
    ("parents", &["家长"], &["parents"]),
    ("teacher", &["老师"], &["teacher"]),
    ("reception", &["前台"], &["reception"]),
    ("mask", &["口罩"], &["mask"]),
    ("distance", &["距离", "站得远", "离远"], &["distance", "metre apart"]),
    ("refresh", &["刷新"], &["refresh"]),
    ("new print", &["换新的", "重印", "换一张"], &["new print", "printed anew"]),
    ("red", &["红"], &[" red ", "red code"]),
    ("yellow", &["黄"], &["yellow"]),
    ("forehead", &["额头"], &["forehead"]),
    ("memory card", &["存储卡"], &["memory card"]),
    ("on paper", &["纸笔"], &["on paper"]),
    ("test report", &["检测报告"], &["test report"]),
    ("clock", &["时钟", "本机时间"], &["clock"]),
    ("national code", &["全国健康码", "全国码"], &["national code"]),
    ("local code", &["本地健康码", "本地的码"], &["local code"]),
    ("payment", &["付款", "支付"], &["payment"]),
    ("telephone", &["{hotline}"], &["{hotline}"]),
];

#[test]
fn both_languages_carry_the_same_facts() {
    let mut missing = Vec::new();
    at_sites(|reason, site, yellow, which| {
        let of = |lang| {
            let ReasonWords { title, holder, volunteer, remedy, call } =
                Words::of(lang).reason_at(reason, site, yellow);
            [title, holder, volunteer, remedy, call.unwrap_or_default()].join(" ").to_lowercase()
        };
        let (zh, en) = (of(Lang::ZH), of(Lang::EN));
        for (fact, in_zh, in_en) in FACTS {
            let (zh_has, en_has) = (in_zh.iter().any(|w| zh.contains(w)), in_en.iter().any(|w| en.contains(w)));
            if zh_has != en_has {
                missing.push(format!("{which}: {fact} is only in {}", if zh_has { "zh" } else { "en" }));
            }
        }
    });
    missing.dedup();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_cause_has_its_name_and_what_differs_at_a_site_is_a_reason_of_it() {
    for words in Lang::ALL.map(Words::of) {
        assert_eq!(words.cause.0.len(), Cause::ALL.len());
        assert!(Cause::ALL.iter().all(|cause| words.cause.0.contains_key(cause.name())));
        for (site, reasons) in &words.site {
            assert!(SiteClass::parse(site).is_some(), "{site}");
            assert!(reasons.keys().all(|name| Reason::ALL.iter().any(|reason| reason.name() == name)), "{site}");
        }
        assert!(words.yellow.keys().all(|name| ["admit", "refuse"].contains(&name.as_str())));
        assert!(words.kind_note.0.keys().all(|name| Kind::ALL.iter().any(|kind| kind.name() == name)));
    }
}

/// A decision with some reasons, about a pass of which a list says something.
fn decision(reasons: &[Reason], status: Status) -> Decision {
    let context =
        Context { trust: None, status: None, history: None, policy: &Policy::default(), home: IssuerId::NATIONAL };
    let mut decision = decide(&Shown::Nothing, Measured::Nothing, Time::floor(0), context);
    decision.reasons.clear();
    decision.evidence.status = Some(status);
    reasons.iter().fold(decision, |decision, reason| decision.with(*reason))
}

#[test]
fn a_changed_colour_is_told_beside_the_colour_and_says_which_it_is_now() {
    for lang in Lang::ALL {
        let words = Words::of(lang);
        for (status, colour) in [Colour::Green, Colour::Yellow, Colour::Red].map(|c| (Status::Overridden(c), c)) {
            let reasons = [Reason::Red, Reason::TempHigh, Reason::Overridden, Reason::TrustAgeing];
            let decision = decision(&reasons, status);
            let told = words.told(&decision);
            let titles = [&words.reason(Reason::Red).title, &told[1].title, &words.reason(Reason::TempHigh).title];
            assert!(told.iter().map(|words| &words.title).take(3).eq(titles));
            let name = words.colour(colour).trim_end_matches('码');
            assert!([&told[1].title, &told[1].holder, &told[1].volunteer].iter().all(|text| text.contains(name)));
        }
        let alone = decision(&[Reason::TrustAgeing, Reason::Overridden], Status::Overridden(Colour::Green));
        let green = &words.status["overridden_green"];
        assert_eq!(words.told(&alone)[0].title, green.title, "a correction comes before what is lighter");
    }
}

#[test]
fn a_changed_colour_says_what_to_do_about_it_and_blames_nobody() {
    let expected: BTreeSet<&str> = Status::ALL.iter().map(|s| s.name()).filter(|name| *name != "revoked").collect();
    for lang in Lang::ALL {
        let status = &Words::of(lang).status;
        assert_eq!(status.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected, "{}", lang.name());
        for words in status.values() {
            assert!(words.remedy.chars().count() > 5);
            let text = [&words.holder, &words.volunteer, &words.remedy].map(|text| text.to_lowercase()).concat();
            assert_eq!(BLAME.into_iter().find(|word| text.contains(word)), None, "{text}");
        }
    }
}

#[test]
fn every_field_of_a_pass_is_explained() {
    // Naming every field here makes a new claim fail to build until it has words.
    fn every_claim(claims: Claims) {
        let Claims {
            issuer: _,
            issued_at: _,
            not_before: _,
            expires_at: _,
            pass_id: _,
            level: _,
            holder: _,
            kind: _,
            display: _,
            colour_reason: _,
            until: _,
            test: _,
            household: _,
        } = claims;
    }
    let _: fn(Claims) = every_claim;
    let expected: BTreeSet<&str> = Field::ALL.iter().map(|field| field.name()).collect();
    for lang in Lang::ALL {
        let found: BTreeSet<&str> = Words::of(lang).claim.keys().map(String::as_str).collect();
        assert_eq!(found, expected, "{}", lang.name());
    }
}

#[test]
fn every_hint_has_its_words_and_no_words_lack_their_hint() {
    let expected: BTreeSet<&str> = Hint::ALL.iter().map(|hint| hint.name()).collect();
    for lang in Lang::ALL {
        let words = Words::of(lang);
        assert_eq!(words.hint.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected, "{}", lang.name());
        let shown: BTreeSet<&str> = Hint::ALL.iter().map(|hint| words.hint(*hint).word.as_str()).collect();
        assert_eq!(shown.len(), Hint::ALL.len(), "two hints of {} look the same", lang.name());
        // What fills a screen is read at three metres.
        let longest = shown.iter().map(|word| word.chars().count()).max();
        assert!(longest <= Some(if lang.is_chinese() { 7 } else { 22 }), "{}: {shown:?}", lang.name());
    }
}

#[test]
fn every_refusal_of_an_import_has_its_own_words_and_a_remedy_in_every_language() {
    let kinds = || Refusal::ALL.into_iter().map(Some).chain([None]);
    let expected: BTreeSet<&str> = kinds().map(|kind| kind.map_or(OWN_REFUSAL, Refusal::name)).collect();
    for lang in Lang::ALL {
        let words = Words::of(lang);
        assert_eq!(words.refusal.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected, "{}", lang.name());
        let titles: BTreeSet<&str> = kinds().map(|kind| words.refusal(kind).title.as_str()).collect();
        let said: BTreeSet<&str> = kinds().map(|kind| words.refusal(kind).say.as_str()).collect();
        assert_eq!((titles.len(), said.len()), (expected.len(), expected.len()), "two of {} are alike", lang.name());
        assert!(kinds().all(|kind| words.refusal(kind).remedy.chars().count() > 5), "{}", lang.name());
    }
}

#[test]
fn a_refusal_of_an_import_blames_nobody() {
    for lang in Lang::ALL {
        for kind in Refusal::ALL {
            let RefusalWords { title, say, remedy } = Words::of(lang).refusal(Some(kind));
            let text = [title, say, remedy].map(|text| text.to_lowercase()).concat();
            assert_eq!(BLAME.into_iter().find(|word| text.contains(word)), None, "{} {}", lang.name(), kind.name());
        }
    }
}

#[test]
fn every_state_of_an_import_and_of_a_list_has_its_words() {
    let why = RoadState::Refused { refusal: None, why: String::new() };
    for lang in Lang::ALL {
        let words = Words::of(lang);
        for state in [&RoadState::Importing, &RoadState::Imported, &RoadState::Unchanged, &why] {
            for name in ["", "_short", "_how"].map(|end| format!("{}{end}", state.name())) {
                assert_ne!(words.stick.get(&name), name, "{}", lang.name());
            }
        }
        for state in ListState::ALL {
            assert!(words.issuers.0.contains_key(state.name()), "{} {}", lang.name(), state.name());
        }
    }
}

#[test]
fn whatever_a_frame_shows_every_language_says_what_and_what_helps() {
    for lang in Lang::ALL {
        let words = Words::of(lang);
        let mut said = BTreeSet::new();
        for diagnosis in Diagnosis::ALL {
            let advice = words.advice(diagnosis);
            assert_eq!(advice.is_none(), diagnosis == Diagnosis::Read, "{} {diagnosis}", lang.name());
            if let Some(hint) = hint::of(diagnosis) {
                let (advice, hint) = (advice.clone().unwrap_or_default(), words.hint(hint));
                assert!(advice.contains(&hint.title) && advice.ends_with(&hint.how), "{diagnosis}: {advice}");
                assert!(!advice.contains("invalid") && !advice.contains("无效"), "{diagnosis}: {advice}");
            }
            said.extend(advice);
        }
        assert_eq!(said.len(), Hint::ALL.len() + 1, "{}: {said:?}", lang.name());
    }
}

#[test]
fn every_value_of_the_core_has_a_text() {
    let of = |words: &Words| -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        for colour in [Colour::Green, Colour::Yellow, Colour::Red] {
            found.push((colour.name(), words.colour(colour).to_owned()));
        }
        for kind in Kind::ALL {
            found.push((kind.name(), words.kind(kind).to_owned()));
        }
        for path in [Path::Agreement, Path::Relay, Path::National] {
            let by = Recognition::By(path);
            found.push((recognition_name(by), words.recognition(by).to_owned()));
        }
        for other in [Recognition::Own, Recognition::No, Recognition::Unknown] {
            found.push((recognition_name(other), words.recognition(other).to_owned()));
        }
        for freshness in [Freshness::Fresh, Freshness::Ageing, Freshness::Stale, Freshness::Unknown] {
            found.push((freshness.name(), words.freshness(freshness).to_owned()));
        }
        for confidence in [Confidence::Trusted, Confidence::Floor] {
            found.push((confidence.name(), words.confidence(confidence).to_owned()));
        }
        for doubt in Doubt::ALL {
            found.push((doubt.name(), words.doubt.get(doubt.name()).to_owned()));
        }
        for result in [TestResult::Negative, TestResult::Positive, TestResult::Pending] {
            found.push((result.name(), words.test_result(result).to_owned()));
        }
        found
    };
    // Chinese never falls back to the stable name, which is Latin; English has the same keys.
    for (name, text) in of(Words::of(Lang::ZH)) {
        assert!(!text.is_ascii(), "{name}: {text}");
    }
    for verdict in [Verdict::Admit, Verdict::Refer, Verdict::Refuse] {
        assert_ne!(Words::of(Lang::ZH).verdict(verdict).word, Words::of(Lang::EN).verdict(verdict).word);
    }
}

#[test]
fn a_language_reads_back_its_name_and_no_other() {
    for lang in Lang::ALL {
        assert_eq!(Lang::parse(lang.name()), Some(lang));
    }
    assert_eq!(Lang::parse("EN"), None);
    assert_eq!(Lang::parse(""), None);
}

#[test]
fn a_value_that_looks_like_a_blank_is_not_filled_again() {
    assert_eq!(fill("call {hotline} now", &[("hotline", "{n}"), ("n", "7")]), "call {n} now");
    assert_eq!(fill("{unknown} { {n}", &[("n", "7")]), "{unknown} { 7");
}
