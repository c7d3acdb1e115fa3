//! From the bytes of a symbol to its text in UTF-8, as a person expects it.
//!
//! Most symbols do not say in which character set their bytes are, and few
//! follow the standard's default, so it is guessed the way the ZXing family
//! does, in whose expectations the world's codes are made. Invariants: bytes
//! that are already UTF-8 stay as they are; where no set fits all bytes of a
//! symbol, they are returned unchanged rather than damaged, so a symbol with
//! binary content gives exactly that content.

use std::borrow::Cow;

use rxing::common::{CharacterSet, Eci};

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
            Charset::Ascii => CharacterSet::ASCII,
            Charset::Kanji => CharacterSet::Shift_JIS,
            Charset::Hanzi => CharacterSet::GB18030,
            Charset::Unknown => guessed?,
            Charset::Eci(number) => match Eci::from(number) {
                Eci::Binary | Eci::Unknown => return None,
                eci => CharacterSet::from(eci),
            },
        };
        text.push_str(&decoded(charset, piece)?);
    }
    Some(text)
}

fn decoded(charset: CharacterSet, bytes: &[u8]) -> Option<Cow<'_, str>> {
    if bytes.is_ascii() && !matches!(charset, CharacterSet::UTF16BE | CharacterSet::UTF16LE) {
        return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    }
    charset.decode(bytes).ok().map(Cow::Owned)
}

/// The character set that `bytes` are probably in; `None` for binary content.
fn guess(bytes: &[u8]) -> Option<CharacterSet> {
    match bytes {
        [0xFE, 0xFF, _, ..] => return Some(CharacterSet::UTF16BE),
        [0xFF, 0xFE, _, ..] => return Some(CharacterSet::UTF16LE),
        _ if bytes.is_ascii() => return Some(CharacterSet::ASCII),
        _ if std::str::from_utf8(bytes).is_ok() => return Some(CharacterSet::UTF8),
        _ if bytes.iter().any(|&byte| is_binary(byte)) => return None,
        _ => {}
    }
    if is_hanzi(bytes) {
        return Some(CharacterSet::GB18030);
    }
    let latin = latin_symbols(bytes);
    let japanese = japanese_runs(bytes).filter(|_| CharacterSet::Shift_JIS.decode(bytes).is_ok());
    match (latin, japanese) {
        (_, Some(runs)) if runs.katakana >= 3 || runs.double_bytes >= 3 => Some(CharacterSet::Shift_JIS),
        (Some(symbols), Some(runs)) => {
            let likely = runs.katakana == 2 && runs.katakana_in_all == 2 || 10 * symbols >= bytes.len();
            Some(if likely { CharacterSet::Shift_JIS } else { CharacterSet::ISO8859_1 })
        }
        (Some(_), None) => Some(CharacterSet::ISO8859_1),
        (None, Some(_)) => Some(CharacterSet::Shift_JIS),
        (None, None) => CharacterSet::GB18030.decode(bytes).is_ok().then_some(CharacterSet::GB18030),
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
