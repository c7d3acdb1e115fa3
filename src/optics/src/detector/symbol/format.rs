//! Format and version information (ISO/IEC 18004:2015 §7.9, §7.10), read softly.
//!
//! Both are a few words of a code with a large distance, written twice, so the
//! best decoder is to correlate what was seen with every word there is. Apart
//! from the blocks, because it needs neither field arithmetic nor a workspace.

use super::Soft;
use super::layout::{Level, MAX_VERSION, format_modules, version_modules};

/// Wrong modules that both codes are able to correct in one copy.
const CORRECTABLE: u32 = 3;
/// Wrong modules of both copies of the format information together up to which
/// their agreement still speaks for the best word: random modules come nearer
/// to some word in about one of seven grids.
const CORRECTABLE_IN_BOTH: u32 = 8;

/// What the format information says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) level: Level,
    pub(super) mask: u8,
}

/// The words nearest to what was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) best: Format,
    pub(super) second: Format,
    /// Whether the best one is near enough to be believed without more ado.
    pub(super) plausible: bool,
}

/// Reads the format information of both copies together.
pub(super) fn read(soft: Soft<'_>) -> Reading {
    let copies = [0, 1].map(|copy| {
        let mut seen = [0_i8; 15];
        for (bit, value) in seen.iter_mut().enumerate() {
            *value = soft.modules[format_modules(soft.size, bit)[copy]];
        }
        seen
    });
    let score = |word: u32| copies.iter().map(|seen| correlation(seen, word)).sum::<i32>();
    let (mut best, mut second) = ((i32::MIN, 0), (i32::MIN, 0));
    for data in 0..32 {
        let scored = (score(format_word(data)), data);
        if scored.0 > best.0 {
            (best, second) = (scored, best);
        } else if scored.0 > second.0 {
            second = scored;
        }
    }
    let [one, other] = copies.map(|seen| distance(&seen, format_word(best.1)));
    let plausible = one <= CORRECTABLE || other <= CORRECTABLE || one + other <= CORRECTABLE_IN_BOTH;
    Reading { best: Format::of(best.1), second: Format::of(second.1), plausible: plausible && best.0 > 0 }
}

impl Format {
    fn of(data: u32) -> Self {
        let level = [Level::M, Level::L, Level::H, Level::Q][(data >> 3 & 3) as usize];
        Self { level, mask: (data & 7) as u8 }
    }
}

/// The version that the version information names, of versions 7 and up, and
/// how many modules of its better copy are wrong: 3 at most, erased ones
/// counted. `None` where neither copy is so near to a word, or the symbol is
/// too small to have any.
pub(crate) fn version_of(soft: Soft<'_>) -> Option<(u8, u32)> {
    if soft.size < super::layout::size_of(7) || soft.modules.len() != soft.size * soft.size {
        return None;
    }
    let copies = [0, 1].map(|copy| {
        let mut seen = [0_i8; 18];
        for (bit, value) in seen.iter_mut().enumerate() {
            *value = soft.modules[version_modules(soft.size, bit)[copy]];
        }
        seen
    });
    let candidates = (7..=MAX_VERSION).map(|version| {
        let word = version_word(version);
        let score: i32 = copies.iter().map(|seen| correlation(seen, word)).sum();
        let wrong = copies.iter().map(|seen| distance(seen, word)).min().unwrap_or(u32::MAX);
        (version, wrong, score)
    });
    let near = candidates.filter(|&(_, wrong, _)| wrong <= CORRECTABLE);
    near.max_by_key(|&(_, wrong, score)| (score, CORRECTABLE - wrong)).map(|(version, wrong, _)| (version, wrong))
}

fn correlation(seen: &[i8], word: u32) -> i32 {
    let signed = |(bit, &value): (usize, &i8)| if word >> bit & 1 == 1 { i32::from(value) } else { -i32::from(value) };
    seen.iter().enumerate().map(signed).sum()
}

/// Modules that are wrong or unknown.
fn distance(seen: &[i8], word: u32) -> u32 {
    let wrong = |(bit, &value): (usize, &i8)| u32::from(value == 0 || (value > 0) != (word >> bit & 1 == 1));
    seen.iter().enumerate().map(wrong).sum()
}

/// The format information as printed for its five data bits: BCH (15, 5), masked.
fn format_word(data: u32) -> u32 {
    (data << 10 | remainder(data << 10, 0x537, 10)) ^ 0x5412
}

/// The version information as printed: Golay (18, 6).
pub(super) fn version_word(version: u8) -> u32 {
    let data = u32::from(version) << 12;
    data | remainder(data, 0x1F25, 12)
}

/// The remainder of a polynomial over GF(2) by one of degree `degree`.
fn remainder(mut dividend: u32, divisor: u32, degree: u32) -> u32 {
    for bit in (degree..18).rev() {
        if dividend >> bit & 1 == 1 {
            dividend ^= divisor << (bit - degree);
        }
    }
    dividend
}
