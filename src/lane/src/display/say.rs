//! Times, ages and sentences as people say them: what `panel/assets/say.js` is to the page.

use crate::words::{Table, fill};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// Sentences after one another; a Chinese full stop wants no space.
pub(super) fn joined<'a>(sentences: impl IntoIterator<Item = &'a str>) -> String {
    let sentences: Vec<&str> = sentences.into_iter().collect();
    sentences.join(" ").replace("。 ", "。")
}

/// A temperature as it is shown, halves up, as a thermometer's own display has it.
pub(super) fn tenths(celsius: f64) -> String {
    // What a thermometer says is whole hundredths of a few dozen degrees.
    let tenths = ((celsius * 100.0).round() + 5.0).div_euclid(10.0) / 10.0;
    format!("{tenths:.1}")
}

/// Seconds since 1970 of what the panel's views have as RFC 3339.
pub(super) fn seconds(rfc3339: &str) -> Option<i64> {
    rfc3339.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// A point in time on the site's own wall clock.
fn wall(unix_s: i64, offset_min: i16) -> Option<DateTime> {
    let offset = Offset::from_seconds(i32::from(offset_min) * 60).ok()?;
    Some(Timestamp::from_second(unix_s).ok()?.to_zoned(TimeZone::fixed(offset)).datetime())
}

fn time_of(at: DateTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// The time of day, such as 08:05.
pub(super) fn time_of_day(unix_s: i64, offset_min: i16) -> String {
    wall(unix_s, offset_min).map(time_of).unwrap_or_default()
}

/// A point in time in local words; `now` is `None` where the clock is not sure, and then no "today" is said.
pub(super) fn moment(when: &Table, unix_s: i64, now: Option<i64>, offset_min: i16) -> String {
    let Some(then) = wall(unix_s, offset_min) else { return String::new() };
    let today = now.and_then(|now| wall(now, offset_min));
    let time = time_of(then);
    let days = today.map(|today| (then.date() - today.date()).get_days());
    let near = match days {
        Some(-1) => Some("yesterday"),
        Some(0) => Some("today"),
        Some(1) => Some("tomorrow"),
        _ => None,
    };
    if let Some(near) = near {
        return fill(when.get(near), &[("time", &time)]);
    }
    let same_year = today.is_some_and(|today| today.year() == then.year());
    let (month, year, day) = (format!("month_{}", then.month()), then.year().to_string(), then.day().to_string());
    let values = [("year", year.as_str()), ("month", when.get(&month)), ("day", &day), ("time", &time)];
    fill(when.get(if same_year { "date" } else { "date_year" }), &values)
}

/// How long ago something was, in local words.
pub(super) fn age(when: &Table, unix_s: i64, now: i64) -> String {
    let minutes = (now - unix_s).div_euclid(60);
    let (name, count) = match minutes {
        ..1 => return when.get("now").to_owned(),
        1..60 => ("minutes", minutes),
        60..2880 => ("hours", minutes / 60),
        _ => ("days", minutes / 1440),
    };
    fill(when.get(name), &[("n", &count.to_string())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Lang, Words};

    const CHINA: i16 = 480;

    #[test]
    fn moments_and_ages_are_those_of_the_page() {
        let words = Lang::parse("en").map(Words::of).expect("there is English");
        let now = seconds("2020-08-03T02:05:00Z");
        let said = |at: &str, now| moment(&words.when, seconds(at).expect("a time"), now, CHINA);
        assert_eq!(said("2020-08-03T02:35:00Z", now), "10:35 today");
        assert_eq!(said("2020-08-02T15:59:00Z", now), "23:59 yesterday");
        assert_eq!(said("2020-08-03T16:00:00Z", now), "00:00 tomorrow");
        assert_eq!(said("2020-08-16T16:00:00Z", now), "17 Aug 00:00");
        assert_eq!(said("2021-01-01T00:00:00Z", now), "1 Jan 2021 08:00");
        assert_eq!(said("2020-08-03T02:35:00Z", None), "3 Aug 2020 10:35");
        let ago = |seconds: i64| age(&words.when, 1_000_000 - seconds, 1_000_000);
        let told = [0, 59, 60, 3599, 3600, 47 * 3600, 48 * 3600].map(ago);
        assert_eq!(told, ["just now", "just now", "1 min ago", "59 min ago", "1 h ago", "47 h ago", "2 d ago"]);
        assert_eq!(time_of_day(0, CHINA), "08:00");
    }

    #[test]
    fn halves_of_a_tenth_are_rounded_up_as_on_the_page() {
        let said = [36.24, 36.25, 36.55, 37.25, 36.0, 9.96, -0.25].map(tenths);
        assert_eq!(said, ["36.2", "36.3", "36.6", "37.3", "36.0", "10.0", "-0.2"]);
    }

    #[test]
    fn chinese_sentences_want_no_space_between_them() {
        assert_eq!(joined(["请稍候。", "请看这里。"]), "请稍候。请看这里。");
        assert_eq!(joined(["Please wait.", "Look here."]), "Please wait. Look here.");
    }
}
