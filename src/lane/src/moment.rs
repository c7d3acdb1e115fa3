//! Moments and spans of time as people write them.
//!
//! Gates stand in China, so a moment without a zone is China Standard Time (UTC+8, no summer time); a moment
//! with a zone (RFC 3339) is what it says.

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, civil};
use std::time::{SystemTime, UNIX_EPOCH};

/// No moment is later than what can be written with four digits of a year.
const YEAR_9999_S: u64 = 253_370_764_800;
/// China Standard Time.
const CST: Offset = Offset::constant(8);

/// Why a text is no moment or span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MomentError {
    /// No moment.
    #[error("{0:?} is not a time: write 2020-03-01T08:00 (China time), 2020-03-01T00:00:00Z, or seconds since 1970")]
    Moment(String),
    /// No span.
    #[error("{0:?} is not a length of time: write 15m, 12h or 14d")]
    Span(String),
}

/// Reads a moment as seconds since 1970.
pub fn parse(text: &str) -> Result<u64, MomentError> {
    let text = text.trim();
    let seconds = text.parse::<u64>().ok();
    let zoned = || text.parse::<Timestamp>().ok().map(Timestamp::as_second);
    let local = || text.parse::<civil::DateTime>().ok().and_then(in_china);
    let day = || text.parse::<civil::Date>().ok().map(|day| day.at(0, 0, 0, 0)).and_then(in_china);
    let found = seconds.or_else(|| zoned().or_else(local).or_else(day).and_then(|s| u64::try_from(s).ok()));
    found.filter(|unix_s| *unix_s < YEAR_9999_S).ok_or_else(|| MomentError::Moment(text.into()))
}

/// Reads a span such as `15m`, `12h` or `14d` as seconds.
pub fn parse_span(text: &str) -> Result<u64, MomentError> {
    let text = text.trim();
    let wrong = || MomentError::Span(text.into());
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let count: u64 = text[..text.len() - 1].trim().parse().map_err(|_| wrong())?;
    count.checked_mul(seconds).filter(|span_s| *span_s < YEAR_9999_S).ok_or_else(wrong)
}

/// Writes a moment for people: `2020-03-01 08:00`, China time.
pub fn show(unix_s: u64) -> String {
    written(unix_s, "%Y-%m-%d %H:%M")
}

/// The same with the second: `2020-03-01 08:00:07`.
pub fn show_to_the_second(unix_s: u64) -> String {
    written(unix_s, "%Y-%m-%d %H:%M:%S")
}

fn written(unix_s: u64, format: &str) -> String {
    let time = i64::try_from(unix_s).ok().and_then(|s| Timestamp::from_second(s).ok());
    match time {
        Some(time) => time.to_zoned(TimeZone::fixed(CST)).strftime(format).to_string(),
        None => format!("{unix_s} s"),
    }
}

/// Now, by this machine's clock, in seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn in_china(local: civil::DateTime) -> Option<i64> {
    CST.to_timestamp(local).ok().map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_without_a_zone_is_china_time() {
        assert_eq!(parse("2020-03-01T08:00"), Ok(1_583_020_800));
        assert_eq!(parse("2020-03-01 08:00"), Ok(1_583_020_800));
        assert_eq!(parse("2020-03-01T00:00:00Z"), Ok(1_583_020_800));
        assert_eq!(parse("2020-03-01"), Ok(1_583_020_800 - 8 * 3600));
        assert_eq!(parse("1583020800"), Ok(1_583_020_800));
        assert_eq!(show(1_583_020_800), "2020-03-01 08:00");
        assert_eq!(show_to_the_second(1_583_020_807), "2020-03-01 08:00:07");
    }

    #[test]
    fn what_is_no_moment_is_told_with_an_example() {
        for text in ["", "yesterday", "2020-13-01", "-5", "1969-01-01T00:00:00Z", "18446744073709551615"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_have_a_unit() {
        assert_eq!(parse_span("15m"), Ok(900));
        assert_eq!(parse_span("14d"), Ok(14 * 86_400));
        for text in ["", "15", "m", "-1h", "1y", "99999999999999999999d", "1天"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
