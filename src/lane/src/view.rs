//! What leaves the gate as JSON: a decision as others read it.
//!
//! The core's types are not serialisable, so that their shape can change without breaking those who
//! script against `--json` or draw a screen. This file is that boundary: its names are stable (add,
//! never rename), its times are RFC 3339 in UTC, its temperatures are degrees Celsius.
//!
//! Invariant: the holder's pseudonym is not here. The masked name and the document's last characters
//! are: for a screen and for `check`, never for anything that is stored.

use crate::words::recognition_name;
use jiff::Timestamp;
use menshen_core::decide::{Decision, Evidence};
use menshen_core::history::Day;
use menshen_core::pass::Display;
use menshen_core::status::Status;
use menshen_core::time::{Confidence, Time};
use menshen_core::trust::{Freshness, Issuer, TrustList};
use serde::Serialize;

/// A decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionView {
    /// `admit`, `refer` or `refuse`.
    pub verdict: &'static str,
    /// Why, the gravest first.
    pub reasons: Vec<ReasonView>,
    /// The issuer's division code, where its signature was right.
    pub issuer: Option<u32>,
    /// The colour as treated here: `green`, `yellow` or `red`.
    pub colour: Option<&'static str>,
    /// When the pass expires.
    pub expires_at: Option<String>,
    /// Why a volunteer decided otherwise, where one did.
    pub cause: Option<&'static str>,
    /// What the decision rests on.
    pub evidence: EvidenceView,
}

/// A reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ReasonView {
    /// Its fixed number.
    pub code: u8,
    /// Its stable name.
    pub name: &'static str,
}

/// What a decision rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvidenceView {
    /// By the rules of which class of site: `community`, `metro`, `hospital`, `school` or `office`.
    pub site: &'static str,
    /// What a yellow code leads to by them: `admit`, `refer` or `refuse`.
    pub yellow: &'static str,
    /// The local name of the issuer's code, such as 随申码.
    pub issuer_name: Option<NameView>,
    /// Whom a holder calls about a colour.
    pub hotline: Option<String>,
    /// How the pass is carried: `phone`, `paper`, `dependent`, `visitor` or `community`.
    pub kind: Option<&'static str>,
    /// How the issuer's passes count here: `own`, `agreement`, `relay`, `national`, `none`, `unknown`.
    pub recognition: Option<&'static str>,
    /// When quarantine or observation ends.
    pub until: Option<String>,
    /// How many days from now that is, where the clock can tell; 0 ends today.
    pub days_left: Option<u32>,
    /// Which trust list was used.
    pub trust_version: Option<u64>,
    /// When it was published.
    pub trust_as_of: Option<String>,
    /// How old it is: `fresh`, `ageing`, `stale` or `unknown`.
    pub freshness: &'static str,
    /// What became of the pass since it was issued: `revoked`, `overridden_red`, `overridden_yellow`,
    /// `overridden_green`.
    pub status: Option<&'static str>,
    /// Until when the status list that answers for the pass is complete.
    pub status_as_of: Option<String>,
    /// What the gate may have missed of the pass: `fresh`, `ageing`, `stale` or `unknown`; `null` where nobody publishes
    /// a list of its issuer's passes.
    pub status_freshness: Option<&'static str>,
    /// The time of the decision, or the least it can be.
    pub time: String,
    /// What that time is worth: `trusted` or `floor`.
    pub clock: &'static str,
    /// How far a trusted time may be off, in seconds.
    pub clock_error_s: u32,
    /// What the thermometer measured.
    pub temp_c: Option<f64>,
    /// The thermometer's surroundings.
    pub ambient_c: Option<f64>,
    /// What the volunteer may compare with a document.
    pub display: Option<DisplayView>,
}

/// A name in the languages of the trust list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NameView {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// What the volunteer may compare with a document. Text of whoever made the pass: show it as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DisplayView {
    /// The masked name.
    pub name: String,
    /// The last characters of the document number.
    pub id_tail: String,
}

impl DecisionView {
    /// A decision as others read it; the trust list gives the issuer's name and hotline.
    pub fn of(decision: &Decision, trust: Option<&TrustList>) -> DecisionView {
        let Decision { verdict, reasons, evidence, cause } = decision;
        DecisionView {
            verdict: verdict.name(),
            reasons: reasons.iter().map(|reason| ReasonView { code: reason.code(), name: reason.name() }).collect(),
            issuer: evidence.issuer.map(|issuer| issuer.code()),
            colour: evidence.colour.map(|colour| colour.name()),
            expires_at: evidence.expires_at.map(rfc3339),
            cause: cause.map(|cause| cause.name()),
            evidence: EvidenceView::of(evidence, trust),
        }
    }
}

impl EvidenceView {
    fn of(evidence: &Evidence, trust: Option<&TrustList>) -> EvidenceView {
        let issuer = evidence.issuer.and_then(|id| trust?.issuer(id));
        EvidenceView {
            site: evidence.site.name(),
            yellow: evidence.yellow.name(),
            issuer_name: issuer.map(NameView::of),
            hotline: issuer.map(|issuer| issuer.hotline.as_str().to_owned()).filter(|number| !number.is_empty()),
            kind: evidence.kind.map(|kind| kind.name()),
            recognition: evidence.recognition.map(recognition_name),
            until: evidence.until.map(rfc3339),
            days_left: days_left(evidence),
            trust_version: evidence.trust_version,
            trust_as_of: evidence.trust_as_of.map(rfc3339),
            freshness: evidence.freshness.name(),
            status: evidence.status.map(Status::name),
            status_as_of: evidence.status_as_of.map(rfc3339),
            status_freshness: evidence.status_freshness.map(Freshness::name),
            time: rfc3339(evidence.time.unix_s),
            clock: evidence.time.confidence.name(),
            clock_error_s: evidence.time.error_s,
            temp_c: evidence.reading.map(|reading| celsius(reading.temp_centi_c)),
            ambient_c: evidence.reading.map(|reading| celsius(reading.ambient_centi_c)),
            display: evidence.display.as_ref().map(DisplayView::of),
        }
    }
}

impl NameView {
    fn of(issuer: &Issuer) -> NameView {
        NameView { zh: issuer.name_zh.as_str().to_owned(), en: issuer.name_en.as_str().to_owned() }
    }
}

impl DisplayView {
    fn of(display: &Display) -> DisplayView {
        DisplayView { name: display.name.as_str().to_owned(), id_tail: display.id_tail.as_str().to_owned() }
    }
}

/// Seconds since 1970 in RFC 3339, UTC. A time after the year 9999, which RFC 3339 can not write and no
/// honest pass has, becomes the last second that it can.
pub fn rfc3339(unix_s: u64) -> String {
    const LAST: &str = "9999-12-30T22:00:00Z";
    let time = i64::try_from(unix_s).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| LAST.to_owned(), |time| time.to_string())
}

/// In calendar days of the site, as people count them; what is over has none.
fn days_left(evidence: &Evidence) -> Option<u32> {
    let until = evidence.until?;
    let Time { unix_s: now, confidence, .. } = evidence.time;
    let counted = confidence == Confidence::Trusted && until > now;
    counted.then(|| Day::of(until).0.saturating_sub(Day::of(now).0))
}

fn celsius(centi_c: i16) -> f64 {
    f64::from(centi_c) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use menshen_core::decide::{Context, Measured, Shown, decide};
    use menshen_core::ids::IssuerId;
    use menshen_core::pass::Colour;
    use menshen_core::policy::Policy;
    use menshen_core::reason::Reason;
    use menshen_core::thermo::Reading;
    use serde_json::json;

    fn nothing_shown(measured: Measured) -> Decision {
        let context =
            Context { trust: None, status: None, history: None, policy: &Policy::default(), home: IssuerId::NATIONAL };
        decide(&Shown::Nothing, measured, Time::floor(1_600_000_000), context)
    }

    #[test]
    fn the_names_are_those_that_scripts_read() {
        let reading = Reading::of(3655, 2210);
        let mut decision = nothing_shown(Measured::Reading(reading)).with(Reason::Red);
        decision.evidence.display =
            Some(Display { name: "张*三".parse().expect("short"), id_tail: "123X".parse().expect("short") });
        decision.evidence.holder = Some([0xAB; 16]);
        decision.evidence.status = Some(Status::Overridden(Colour::Red));
        decision.evidence.status_as_of = Some(1_599_999_000);
        decision.evidence.status_freshness = Some(Freshness::Ageing);
        let view = serde_json::to_value(DecisionView::of(&decision, None)).expect("a view is JSON");
        let expected = json!({
            "verdict": "refuse",
            "reasons": [{"code": 51, "name": "red"}, {"code": 10, "name": "no_code"}],
            "issuer": null, "colour": null, "expires_at": null, "cause": null,
            "evidence": {
                "site": "community", "yellow": "refer",
                "issuer_name": null, "hotline": null, "kind": null, "recognition": null, "until": null, "days_left": null,
                "trust_version": null, "trust_as_of": null, "freshness": "unknown",
                "status": "overridden_red", "status_as_of": "2020-09-13T12:10:00Z", "status_freshness": "ageing",
                "time": "2020-09-13T12:26:40Z", "clock": "floor", "clock_error_s": 0,
                "temp_c": 36.55, "ambient_c": 22.1,
                "display": {"name": "张*三", "id_tail": "123X"},
            },
        });
        assert_eq!(view, expected);
    }

    #[test]
    fn days_are_counted_by_midnights_in_china_and_only_by_a_clock_that_is_sure() {
        // Sunday 2020-09-13, 20:26:40 in China.
        let now_s = 1_600_000_000;
        let left = |time, until| {
            let mut decision = nothing_shown(Measured::Nothing);
            (decision.evidence.time, decision.evidence.until) = (time, Some(until));
            EvidenceView::of(&decision.evidence, None).days_left
        };
        assert_eq!(left(Time::trusted(now_s), now_s + 4 * 3600), Some(1));
        assert_eq!(left(Time::trusted(now_s), now_s + 3600), Some(0));
        assert_eq!(left(Time::trusted(now_s), now_s + 7 * 86_400), Some(7));
        assert_eq!(left(Time::trusted(now_s), now_s), None);
        assert_eq!(left(Time::floor(now_s), now_s + 7 * 86_400), None);
    }

    #[test]
    fn a_temperature_has_the_two_decimals_that_were_measured() {
        for centi_c in i16::MIN..=i16::MAX {
            let text = serde_json::to_string(&celsius(centi_c)).expect("a finite number");
            let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            assert!(decimals <= 2 && !text.contains('e'), "{centi_c} became {text}");
        }
    }

    #[test]
    fn seconds_become_utc_whatever_they_are() {
        for (unix_s, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_596_240_000, "2020-08-01T00:00:00Z"),
            (253_402_207_200, "9999-12-30T22:00:00Z"),
            (u64::MAX, "9999-12-30T22:00:00Z"),
        ] {
            assert_eq!(rfc3339(unix_s), text);
        }
    }
}
