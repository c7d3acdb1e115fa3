//! What a gate keeps of the time across power cuts, in one small file.
//!
//! ```text
//! menshen-time 1
//! proven 1606780800          known for good: never falls
//! published 1 12 1606780800  publication 12 under root 1 was believed, which names this moment
//! seen 1606784400            seen on the own clock or heard of the hub
//! rtc 1606784460             what the clock chip said when it was last believed
//! confirmed 1606784000 4     the own clock was within 4 s of a signed time then
//! contradicted               the own clock was last seen where it can not be
//! sum 5f0c3a9be1d24477       of all before it
//! ```
//!
//! The file is replaced whole, so a power cut leaves the old one or the new one. The sum tells a card that rots: a floor
//! with one digit changed would refuse everybody for years. What does not sum up is as good as no file, and is told.
//! Older gates kept a single number, which mixed what was proved and what was seen; it counts as seen.

use crate::summed;
use menshen_core::clock::{Confirmed, Kept, Published};
use menshen_lane::durable;
use std::io;
use std::path::Path;

const FIRST_LINE: &str = "menshen-time 1";

/// What a file held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// There is none.
    Nothing,
    /// It can not be read, or is not what was written.
    Damaged,
    /// This.
    Kept(Kept),
}

/// Reads what was kept.
pub(super) fn read(path: &Path) -> Found {
    match std::fs::read(path) {
        Ok(bytes) => std::str::from_utf8(&bytes).ok().and_then(parse).map_or(Found::Damaged, Found::Kept),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
        Err(_) => Found::Damaged,
    }
}

/// Replaces what was kept.
pub(super) fn write(path: &Path, kept: &Kept) -> io::Result<()> {
    durable::replace(path, text(kept).as_bytes(), 0o644)
}

fn text(kept: &Kept) -> String {
    let mut text = format!("{FIRST_LINE}\nproven {}\nseen {}\nrtc {}\n", kept.proven_s, kept.seen_s, kept.rtc_s);
    if let Some(Published { number: (root, timestamp), at_s }) = kept.published {
        text.push_str(&format!("published {root} {timestamp} {at_s}\n"));
    }
    if let Some(Confirmed { at_s, error_s }) = kept.confirmed {
        text.push_str(&format!("confirmed {at_s} {error_s}\n"));
    }
    if kept.contradicted {
        text.push_str("contradicted\n");
    }
    summed::seal(&text)
}

fn parse(text: &str) -> Option<Kept> {
    if let Ok(seen_s) = text.trim().parse() {
        return Some(Kept { seen_s, ..Kept::default() });
    }
    let said = summed::open(text)?;
    let mut kept = Kept::default();
    let mut lines = said.lines();
    (lines.next()? == FIRST_LINE).then_some(())?;
    for line in lines {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["proven", unix_s] => kept.proven_s = unix_s.parse().ok()?,
            ["published", root, timestamp, at_s] => {
                let number = (root.parse().ok()?, timestamp.parse().ok()?);
                kept.published = Some(Published { number, at_s: at_s.parse().ok()? });
            }
            ["seen", unix_s] => kept.seen_s = unix_s.parse().ok()?,
            ["rtc", unix_s] => kept.rtc_s = unix_s.parse().ok()?,
            ["confirmed", at_s, error_s] => {
                kept.confirmed = Some(Confirmed { at_s: at_s.parse().ok()?, error_s: error_s.parse().ok()? });
            }
            ["contradicted"] => kept.contradicted = true,
            _ => return None,
        }
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Kept = Kept {
        proven_s: 1_606_780_800,
        published: Some(Published { number: (1, 12), at_s: 1_606_780_800 }),
        seen_s: 1_606_784_400,
        rtc_s: 1_606_784_460,
        confirmed: Some(Confirmed { at_s: 1_606_784_000, error_s: 4 }),
        contradicted: true,
    };

    #[test]
    fn what_is_written_reads_back() {
        for kept in [
            KEPT,
            Kept::default(),
            Kept { confirmed: None, ..KEPT },
            Kept { published: None, ..KEPT },
            Kept { contradicted: false, ..KEPT },
        ] {
            assert_eq!(parse(&text(&kept)), Some(kept));
        }
    }

    #[test]
    fn the_single_number_of_older_gates_counts_as_seen() {
        assert_eq!(parse("1606784400\n"), Some(Kept { seen_s: 1_606_784_400, ..Kept::default() }));
    }

    #[test]
    fn a_torn_or_rotten_file_is_nothing_whatever_was_torn_off_or_turned() {
        let whole = text(&KEPT);
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), None, "cut at {length}");
        }
        for at in 0..whole.len() {
            for bit in 0..7 {
                let mut bytes = whole.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let rotten = String::from_utf8(bytes).expect("seven bits are text");
                assert_eq!(parse(&rotten), None, "bit {bit} at {at}");
            }
        }
        for garbage in ["\0\0\0\0", "seen 5\n", "menshen-time 2\nsum x\n", "-5", "1e9"] {
            assert_eq!(parse(garbage), None, "{garbage:?}");
        }
    }
}
