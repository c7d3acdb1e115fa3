//! From the bytes of a symbol to its text in UTF-8, as a person expects it.
//!
//! Most symbols do not say in which character set their bytes are, and few
//! follow the standard's default, so it is guessed the way the ZXing family
//! does, in whose expectations the world's codes are made. Invariants: bytes
//! that are already UTF-8 stay as they are; where no set fits all bytes of a
//! symbol, they are returned unchanged rather than damaged, so a symbol with
//! binary content gives exactly that content.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};

use super::bits::{Charset, Content};

/// The payload of a symbol with this `content`.
pub(super) fn payload(content: &Content) -> Vec<u8> {
    let declared = |charset| matches!(charset, Charset::Eci(_) | Charset::Hanzi);
    let undeclared = !content.spans.iter().any(|span| declared(span.charset));
    // Encoders put even UTF-8 into the Kanji mode where its pairs fit.
    if content.bytes.is_ascii() || undeclared && std::str::from_utf8(&content.bytes).is_ok() {
        return content.bytes.clone();
    }
    converted(content).map_or_else(|| content.bytes.clone(), String::into_bytes)
}

fn converted(content: &Content) -> Option<String> {
    let ends = content.spans.iter().skip(1).map(|span| span.start).chain([content.bytes.len()]);
    let pieces = || content.spans.iter().zip(ends.clone()).map(|(span, end)| (span, &content.bytes[span.start..end]));
    // A text that was cut into several spans is in one character set.
    let mut unknown = Vec::new();
    pieces().filter(|(span, _)| span.charset == Charset::Unknown).for_each(|(_, piece)| unknown.extend(piece));
    let guessed = guess(&unknown);
    let mut text = String::with_capacity(2 * content.bytes.len());
    for (span, piece) in pieces() {
        let charset = match span.charset {
            Charset::Ascii => Set::Latin,
            Charset::Kanji => Set::Of(SHIFT_JIS),
            Charset::Hanzi => Set::Of(GB18030),
            Charset::Unknown => guessed?,
            Charset::Eci(number) => Set::of_eci(number)?,
        };
        text.push_str(&charset.decode(piece)?);
    }
    Some(text)
}

/// A character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    /// ISO 8859-1, whose bytes are the first characters of Unicode; ASCII is part of it.
    Latin,
    /// Any that the web has too.
    Of(&'static Encoding),
}

impl Set {
    /// The set of an Extended Channel Interpretation (AIM ITS/04-023, part 3); `None` for binary content, for sets of
    /// the old DOS, and for numbers without a meaning.
    fn of_eci(number: u32) -> Option<Self> {
        let label = match number {
            1 | 3 | 27 | 170 => return Some(Self::Latin),
            4 => "iso-8859-2",
            5 => "iso-8859-3",
            6 => "iso-8859-4",
            7 => "iso-8859-5",
            8 => "iso-8859-6",
            9 => "iso-8859-7",
            10 => "iso-8859-8",
            11 => "iso-8859-9",
            12 => "iso-8859-10",
            13 => "iso-8859-11",
            15 => "iso-8859-13",
            16 => "iso-8859-14",
            17 => "iso-8859-15",
            18 => "iso-8859-16",
            20 => "shift_jis",
            21 => "windows-1250",
            22 => "windows-1251",
            23 => "windows-1252",
            24 => "windows-1256",
            25 => "utf-16be",
            26 => "utf-8",
            28 => "big5",
            29 => "gb2312",
            30 => "euc-kr",
            31 => "gbk",
            32 => "gb18030",
            33 => "utf-16le",
            _ => return None,
        };
        Encoding::for_label(label.as_bytes()).map(Self::Of)
    }

    /// `None` where `bytes` are not of this set.
    fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Latin => Some(encoding_rs::mem::decode_latin1(bytes)),
            Self::Of(encoding) => encoding.decode_without_bom_handling_and_without_replacement(bytes),
        }
    }
}

/// The character set that `bytes` are probably in; `None` for binary content.
fn guess(bytes: &[u8]) -> Option<Set> {
    match bytes {
        [0xFE, 0xFF, _, ..] => return Some(Set::Of(UTF_16BE)),
        [0xFF, 0xFE, _, ..] => return Some(Set::Of(UTF_16LE)),
        _ if bytes.is_ascii() => return Some(Set::Latin),
        _ if std::str::from_utf8(bytes).is_ok() => return Some(Set::Of(UTF_8)),
        _ if bytes.iter().any(|&byte| is_binary(byte)) => return None,
        _ => {}
    }
    if is_hanzi(bytes) {
        return Some(Set::Of(GB18030));
    }
    let latin = latin_symbols(bytes);
    let japanese = japanese_runs(bytes).filter(|_| Set::Of(SHIFT_JIS).decode(bytes).is_some());
    match (latin, japanese) {
        (_, Some(runs)) if runs.katakana >= 3 || runs.double_bytes >= 3 => Some(Set::Of(SHIFT_JIS)),
        (Some(symbols), Some(runs)) => {
            let likely = runs.katakana == 2 && runs.katakana_in_all == 2 || 10 * symbols >= bytes.len();
            Some(if likely { Set::Of(SHIFT_JIS) } else { Set::Latin })
        }
        (Some(_), None) => Some(Set::Latin),
        (None, Some(_)) => Some(Set::Of(SHIFT_JIS)),
        (None, None) => Set::Of(GB18030).decode(bytes).is_some().then_some(Set::Of(GB18030)),
    }
}

/// Control characters that no text has; separators of data carriers are text.
fn is_binary(byte: u8) -> bool {
    matches!(byte, 0..=3 | 5..=8 | 0x0B | 0x0C | 0x0E..=0x1A)
}

/// Whether every byte above ASCII belongs to a pair of GB 2312, two of them or
/// more are Chinese characters, and they cannot be half-width katakana.
fn is_hanzi(bytes: &[u8]) -> bool {
    let (mut characters, mut above_katakana) = (0, false);
    let mut rest = bytes.iter();
    while let Some(&lead) = rest.next() {
        if lead < 0x80 {
            continue;
        }
        let trail = rest.next().copied().unwrap_or(0);
        if !matches!(lead, 0xA1..=0xA9 | 0xB0..=0xF7) || !matches!(trail, 0xA1..=0xFE) {
            return false;
        }
        characters += usize::from(lead >= 0xB0);
        above_katakana |= lead > 0xDF || trail > 0xDF;
    }
    characters >= 2 && above_katakana
}

/// How many bytes are above ASCII and no letters, if it can be ISO 8859-1.
fn latin_symbols(bytes: &[u8]) -> Option<usize> {
    let symbol = |byte: &&u8| matches!(byte, 0xA0..=0xBF | 0xD7 | 0xF7);
    let possible = !bytes.iter().any(|byte| matches!(byte, 0x7F..=0x9F));
    possible.then(|| bytes.iter().filter(symbol).count())
}

#[derive(Default)]
struct Runs {
    katakana_in_all: usize,
    /// Half-width katakana in a row, at most.
    katakana: usize,
    /// Double bytes in a row, at most.
    double_bytes: usize,
}

/// The longest runs that speak for Shift_JIS, if it can be that.
fn japanese_runs(bytes: &[u8]) -> Option<Runs> {
    let mut longest = Runs::default();
    let (mut katakana, mut double_bytes) = (0, 0);
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        match byte {
            0x80 | 0xA0 | 0xF0.. => return None,
            0..0x80 => (katakana, double_bytes) = (0, 0),
            0xA1..=0xDF => {
                (katakana, double_bytes) = (katakana + 1, 0);
                longest.katakana_in_all += 1;
            }
            _ => {
                (katakana, double_bytes) = (0, double_bytes + 1);
                if matches!(rest.next(), None | Some(0..0x40 | 0x7F | 0xFD..)) {
                    return None;
                }
            }
        }
        longest.katakana = longest.katakana.max(katakana);
        longest.double_bytes = longest.double_bytes.max(double_bytes);
    }
    Some(longest)
}
