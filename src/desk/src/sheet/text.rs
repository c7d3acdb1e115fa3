//! The one built-in type: which glyph a character has, how wide a line is, and how it is made to fit.
//!
//! A fresh machine has no Chinese font, so the type is part of the program (`src/lane/fonts/README.md` says
//! where it is from). It stands apart because the picture, the PDF and the layout must agree on every width.
//! Invariants: every text has glyphs (□ for what the type lacks, a space for control characters), and
//! a fitted line is never wider than it was allowed to be.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId};

/// The bytes of the built-in type: TrueType, subset to the Chinese a pass can need.
pub(super) use menshen_lane::display::TYPE_BYTES;

static TYPE: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(TYPE_BYTES).expect("the built-in type parses: every test of this module reads it")
});

/// What is painted for a character that the type lacks.
pub(super) const REPLACEMENT: char = '□';
/// A line may be set this much smaller before it is cut.
const SHRINK_MIN: f32 = 0.7;
const ELLIPSIS: char = '…';

/// The built-in type.
pub(super) fn typeface() -> &'static FontRef<'static> {
    &TYPE
}

/// One character as it is painted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sort {
    /// The character the glyph stands for: the text's own, or [`REPLACEMENT`].
    pub(super) painted: char,
    /// The glyph in the whole built-in type.
    pub(super) glyph: GlyphId,
    /// Advance in parts of the em.
    pub(super) advance_em: f32,
}

/// The sorts of a text, one for each character.
pub(super) fn sorts(text: &str) -> impl Iterator<Item = Sort> {
    text.chars().map(sort)
}

/// Width of a text set at an em of 1.
pub(super) fn width_em(text: &str) -> f32 {
    sorts(text).map(|s| s.advance_em).sum()
}

/// A line and the size at which it fits.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fitted {
    pub(super) line: String,
    pub(super) em: f32,
}

/// Makes one line fit `width`: as it is, else smaller, else smaller and cut with "…".
pub(super) fn fit(text: &str, em: f32, width: f32) -> Fitted {
    let natural = width_em(text) * em;
    if natural <= width {
        return Fitted { line: text.to_owned(), em };
    }
    let em = em * (width / natural).max(SHRINK_MIN);
    let line = if width_em(text) * em <= width * 1.0001 { text.to_owned() } else { cut(text, width / em) };
    Fitted { line, em }
}

/// Breaks a text into at most `lines_max` lines of `width`, at a space or beside a Chinese character; what
/// is left over is squeezed into the last line as [`fit`] does.
pub(super) fn wrap(text: &str, em: f32, width: f32, lines_max: usize) -> Vec<Fitted> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while lines.len() + 1 < lines_max && width_em(rest) * em > width {
        let at = break_at(rest, width / em);
        let (line, tail) = rest.split_at(at);
        lines.push(fit(line.trim_end(), em, width));
        rest = tail.trim_start();
    }
    if !rest.is_empty() {
        lines.push(fit(rest, em, width));
    }
    lines
}

fn sort(character: char) -> Sort {
    let wanted = if character.is_control() { ' ' } else { character };
    let mut painted = wanted;
    let mut glyph = TYPE.glyph_id(wanted);
    if glyph.0 == 0 {
        painted = REPLACEMENT;
        glyph = TYPE.glyph_id(REPLACEMENT);
    }
    let units = TYPE.units_per_em().unwrap_or(1000.0);
    Sort { painted, glyph, advance_em: TYPE.h_advance_unscaled(glyph) / units }
}

/// The longest beginning of `text` that fits `width_em` with an ellipsis after it.
fn cut(text: &str, width_em: f32) -> String {
    let mut room = width_em - sort(ELLIPSIS).advance_em;
    let mut line: String = text
        .chars()
        .take_while(|&c| {
            room -= sort(c).advance_em;
            room >= 0.0
        })
        .collect();
    line.push(ELLIPSIS);
    line
}

/// Byte index of the last place within `width_em` where a line may end; never 0.
fn break_at(text: &str, width_em: f32) -> usize {
    let mut used = 0.0;
    let mut last_allowed = 0;
    let mut before: Option<char> = None;
    for (index, character) in text.char_indices() {
        if before.is_some_and(|b| may_break(b, character)) {
            last_allowed = index;
        }
        used += sort(character).advance_em;
        if used > width_em && index > 0 {
            return if last_allowed > 0 { last_allowed } else { index };
        }
        before = Some(character);
    }
    text.len()
}

/// A line may end between these two: after a space, or beside a Chinese character unless the next line would
/// open with closing punctuation.
fn may_break(before: char, after: char) -> bool {
    const NEVER_FIRST: &str = "，。、；：！？）》」』】”’…%)],.;:!?";
    let wide = |c: char| c >= '\u{2e80}';
    before == ' ' || ((wide(before) || wide(after)) && !NEVER_FIRST.contains(after))
}
