//! What the lane has done, as its page shows it: counts, a few hours to be drawn, what came of the last people without
//! the people.

use crate::tally::{Counts, Entry, Summary};
use crate::view::rfc3339;
use menshen_core::manual::Cause;
use menshen_core::reason::Reason;
use serde::Serialize;

/// So many hours are drawn.
const HOURS: u64 = 12;

/// What a page draws while nobody is at the gate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TodayView {
    /// Of this day of the site.
    pub today: CountsView,
    /// The last twelve hours, this one last; each with its beginning.
    pub hours: Vec<HourView>,
}

/// How many people got which verdict in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CountsView {
    /// Admitted.
    pub admit: u32,
    /// Left to a person.
    pub refer: u32,
    /// Refused.
    pub refuse: u32,
}

/// An hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HourView {
    /// When it begins, in RFC 3339.
    pub from: String,
    /// How many came in it.
    #[serde(flatten)]
    pub counts: CountsView,
}

/// What came of somebody, without the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EntryView {
    /// When, in RFC 3339.
    pub time: String,
    /// What that time is worth: `trusted` or `floor`.
    pub clock: &'static str,
    /// `admit`, `refer` or `refuse`.
    pub verdict: &'static str,
    /// The stable name of the gravest reason that the gate found.
    pub reason: Option<&'static str>,
    /// Why a volunteer decided, where one did.
    pub cause: Option<&'static str>,
}

impl CountsView {
    fn of(counts: &Counts) -> CountsView {
        CountsView { admit: counts.admit, refer: counts.refer, refuse: counts.refuse }
    }
}

impl TodayView {
    /// Of what the lane has done, at this time, in seconds since 1970.
    pub fn of(summary: &Summary, now_unix_s: u64) -> TodayView {
        let last = now_unix_s / 3600;
        let count =
            |hour| summary.hours.iter().find(|(at, _)| *at == hour).map(|(_, counts)| *counts).unwrap_or_default();
        let hours = (last.saturating_sub(HOURS - 1)..=last)
            .map(|hour| HourView { from: rfc3339(hour * 3600), counts: CountsView::of(&count(hour)) });
        TodayView { today: CountsView::of(&summary.today), hours: hours.collect() }
    }
}

impl EntryView {
    /// What came of the last people, the newest first.
    pub fn all(summary: &Summary) -> Vec<EntryView> {
        summary.recent.iter().map(EntryView::of).collect()
    }

    fn of(entry: &Entry) -> EntryView {
        EntryView {
            time: rfc3339(entry.time.unix_s),
            clock: entry.time.confidence.name(),
            verdict: entry.verdict.name(),
            reason: entry.reason.map(Reason::name),
            cause: entry.cause.map(Cause::name),
        }
    }
}
