//! The one built-in type: how wide a text is, where it may break, and how it is laid on a picture.
//!
//! A bare system has no Chinese font, so the type is part of the program (`src/lane/fonts/README.md` says where it is
//! from). It has one weight; a heavier one is made by laying each glyph several times, a little apart.
//!
//! Invariants: every text has glyphs (□ for what the type lacks), no line begins with a mark that closes and none ends
//! with one that opens, and what is laid stays within the line's own height.

use super::canvas::Canvas;
use ab_glyph::{Font, FontRef, Glyph, GlyphId, PxScale, point};
use embedded_graphics::pixelcolor::Rgb888;
use std::sync::LazyLock;

/// The bytes of the built-in type: TrueType, subset to the Chinese that a pass can need.
pub static TYPE_BYTES: &[u8] = include_bytes!("../../fonts/NotoSansSC-Medium-subset.ttf");

static TYPE: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(TYPE_BYTES).expect("the built-in type parses: every test of this module reads it")
});

/// What is painted for a character that the type lacks.
const REPLACEMENT: char = '□';
/// What ends a line that was cut.
const ELLIPSIS: char = '…';
/// No line begins with one of these.
const NEVER_FIRST: &str = "，。、；：！？）》」』】〉”’…·％℃%)],.;:!?";
/// No line ends with one of these.
const NEVER_LAST: &str = "（《「『【〈“‘([";
/// Where a Chinese reader pauses.
const MARKS: &str = "，。；：！？";
/// What a line needs above and below its baseline, in parts of the em.
const ABOVE_EM: f32 = 0.85;
const BELOW_EM: f32 = 0.25;

/// How heavy a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// As the type is.
    Plain,
    /// For what is read first.
    Bold,
    /// For the word that fills the screen.
    Black,
}

impl Weight {
    /// How far apart the outermost copies of a glyph are, in parts of the em.
    const fn spread_em(self) -> f32 {
        match self {
            Weight::Plain => 0.0,
            Weight::Bold => 0.022,
            Weight::Black => 0.040,
        }
    }
}

/// Whether the type has a glyph for a character.
pub fn has(character: char) -> bool {
    TYPE.glyph_id(character).0 != 0
}

fn glyph_of(character: char) -> GlyphId {
    let character = if character.is_control() { ' ' } else { character };
    let glyph = TYPE.glyph_id(character);
    if glyph.0 == 0 { TYPE.glyph_id(REPLACEMENT) } else { glyph }
}

fn units_per_em() -> f32 {
    TYPE.units_per_em().unwrap_or(1000.0)
}

/// How far the next character is, in parts of the em.
fn advance_em(character: char, weight: Weight) -> f32 {
    // Chinese has room around it; Latin grows with its strokes.
    let grown = if is_wide(character) { 0.0 } else { weight.spread_em() };
    TYPE.h_advance_unscaled(glyph_of(character)) / units_per_em() + grown
}

/// How wide a text is, in parts of the em.
pub(super) fn width_em(text: &str, weight: Weight) -> f32 {
    text.chars().map(|character| advance_em(character, weight)).sum()
}

/// How a text may be broken into lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breaks {
    /// At spaces, and between Chinese characters.
    Anywhere,
    /// At spaces only: a Chinese word is not taken apart.
    AtSpaces,
    /// At spaces, and in Chinese after a mark only.
    AfterMarks,
    /// Nowhere.
    Never,
}

/// Breaks a text into lines of at most `width_em`; a piece that has no place to break is longer where `breaks` says that it
/// stays whole, and else broken wherever it must be.
pub(super) fn wrap(text: &str, width_em: f32, weight: Weight, breaks: Breaks) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut rest = paragraph.trim();
        while !rest.is_empty() {
            let at = break_at(rest, width_em, weight, breaks);
            let (line, tail) = rest.split_at(at);
            lines.push(line.trim_end_matches(' ').to_owned());
            rest = tail.trim_start_matches(' ');
        }
    }
    lines
}

/// The same in as many lines, the longest of which is as short as may be.
pub(super) fn wrap_evenly(text: &str, width_em: f32, weight: Weight, breaks: Breaks) -> Vec<String> {
    let first = wrap(text, width_em, weight, breaks);
    if first.len() < 2 || text.contains('\n') {
        return first;
    }
    if breaks == Breaks::Anywhere && text.contains(is_wide) {
        // Lines that end where one pauses are read best.
        let pausing = wrap(text, width_em, weight, Breaks::AfterMarks);
        if pausing.len() <= first.len() && widest_em(&pausing, weight) <= width_em {
            return pausing;
        }
    }
    let (mut least, mut most, mut best) = (width_em / 2.0, width_em, first);
    while most - least > 0.25 {
        let middle = f32::midpoint(least, most);
        let lines = wrap(text, middle, weight, breaks);
        let fits = lines.len() <= best.len() && widest_em(&lines, weight) <= width_em;
        if fits {
            (most, best) = (middle, lines);
        } else {
            least = middle;
        }
    }
    best
}

/// How wide the widest of some lines is, in parts of the em.
pub(super) fn widest_em(lines: &[String], weight: Weight) -> f32 {
    lines.iter().map(|line| width_em(line, weight)).fold(0.0, f32::max)
}

/// The longest beginning of a text that fits with a sign that something is left out.
pub(super) fn cut(text: &str, width_em: f32, weight: Weight) -> String {
    let mut room = width_em - advance_em(ELLIPSIS, weight);
    let fits = |character: &char| {
        room -= advance_em(*character, weight);
        room >= 0.0
    };
    let kept: String = text.chars().take_while(fits).collect();
    format!("{}{ELLIPSIS}", kept.trim_end())
}

/// The byte at which the next line begins; never 0.
fn break_at(text: &str, width_em: f32, weight: Weight, breaks: Breaks) -> usize {
    let mut used = 0.0;
    let mut allowed = 0;
    let mut before: Option<char> = None;
    for (index, character) in text.char_indices() {
        if before.is_some_and(|before| may_break(before, character, breaks)) {
            allowed = index;
        }
        used += advance_em(character, weight);
        // A space at the end of a line needs no room.
        if used > width_em && index > 0 && character != ' ' {
            return match (allowed, breaks) {
                (0, Breaks::Anywhere) => index,
                (0, Breaks::AtSpaces) => next_space(text),
                (0, Breaks::Never) => text.len(),
                (0, Breaks::AfterMarks) => next_mark(text),
                (allowed, _) => allowed,
            };
        }
        before = Some(character);
    }
    text.len()
}

fn next_mark(text: &str) -> usize {
    let mut before = None;
    let mut places = text.char_indices();
    let place = places
        .find(|(_, after)| before.replace(*after).is_some_and(|before| may_break(before, *after, Breaks::AfterMarks)));
    place.map_or(text.len(), |(index, _)| index)
}

fn next_space(text: &str) -> usize {
    text.char_indices().skip(1).find(|(_, character)| *character == ' ').map_or(text.len(), |(index, _)| index)
}

fn is_wide(character: char) -> bool {
    character >= '\u{2e80}'
}

fn may_break(before: char, after: char, breaks: Breaks) -> bool {
    match breaks {
        Breaks::Never => false,
        Breaks::AtSpaces => before == ' ',
        Breaks::AfterMarks => before == ' ' || (MARKS.contains(before) && !NEVER_FIRST.contains(after)),
        Breaks::Anywhere => {
            let beside_wide = (is_wide(before) || is_wide(after)) && after != ' ';
            before == ' ' || (beside_wide && !NEVER_FIRST.contains(after) && !NEVER_LAST.contains(before))
        }
    }
}

/// One line on its way to a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Set<'a> {
    pub(super) text: &'a str,
    /// The left end of the line, in pixels.
    pub(super) x: f32,
    /// The upper edge of the line's own height.
    pub(super) y: f32,
    /// How high a line is.
    pub(super) height: f32,
    pub(super) em: f32,
    pub(super) weight: Weight,
    pub(super) ink: Rgb888,
}

impl Set<'_> {
    /// Lays the line on a picture.
    pub(super) fn lay(&self, canvas: &mut Canvas) {
        // The scale is by the height of the line, not by the em.
        let scale = PxScale::from(self.em * TYPE.height_unscaled() / units_per_em());
        let slack = self.height - (ABOVE_EM + BELOW_EM) * self.em;
        let spread = self.weight.spread_em() * self.em;
        let baseline = (self.y + slack / 2.0 + ABOVE_EM * self.em).round();
        let mut pen = self.x + spread / 2.0;
        for character in self.text.chars() {
            let glyph = glyph_of(character).with_scale_and_position(scale, point(pen, baseline));
            self.lay_glyph(canvas, glyph, spread);
            pen += advance_em(character, self.weight) * self.em;
        }
    }

    fn lay_glyph(&self, canvas: &mut Canvas, glyph: Glyph, spread: f32) {
        // What is lighter than a quarter of a pixel would only blur.
        let shift = spread / 2.0;
        let shifts: &[(f32, f32)] = if shift < 0.12 {
            &[(0.0, 0.0)]
        } else {
            &[(-1.0, 0.0), (1.0, 0.0), (0.0, -0.6), (0.0, 0.6), (-0.7, -0.4), (0.7, -0.4), (-0.7, 0.4), (0.7, 0.4)]
        };
        let placed = shifts.iter().filter_map(|(x, y)| {
            let mut glyph = glyph.clone();
            glyph.position.x += x * shift;
            glyph.position.y += y * shift;
            TYPE.outline_glyph(glyph)
        });
        let outlines: Vec<_> = placed.collect();
        let Some(bounds) = outlines.iter().map(|outline| outline.px_bounds()).reduce(|a, b| ab_glyph::Rect {
            min: point(a.min.x.min(b.min.x), a.min.y.min(b.min.y)),
            max: point(a.max.x.max(b.max.x), a.max.y.max(b.max.y)),
        }) else {
            return;
        };
        let width = bounds.width().ceil() as usize;
        let mut cover = vec![0_f32; width * bounds.height().ceil() as usize];
        for outline in &outlines {
            let corner = outline.px_bounds().min;
            let (left, top) = ((corner.x - bounds.min.x) as usize, (corner.y - bounds.min.y) as usize);
            outline.draw(|x, y, dense| {
                if let Some(densest) = cover.get_mut((top + y as usize) * width + left + x as usize) {
                    *densest = densest.max(dense);
                }
            });
        }
        let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
        for (at, dense) in cover.into_iter().enumerate().filter(|(_, dense)| *dense > 0.0) {
            // A glyph is no larger than a screen.
            canvas.blend(left + (at % width) as i32, top + (at / width) as i32, self.ink, dense);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_breaks_between_characters_and_no_line_begins_with_a_closing_mark() {
        let text = "请先看看下面怎么办，再请工作人员（穿红马甲的）帮您看一下。";
        for width in 2..20 {
            let lines = wrap(text, width as f32, Weight::Plain, Breaks::Anywhere);
            assert_eq!(lines.concat(), text, "nothing is lost");
            for line in &lines {
                assert!(!NEVER_FIRST.contains(line.chars().next().unwrap_or(' ')), "{line}");
                assert!(!NEVER_LAST.contains(line.chars().last().unwrap_or(' ')), "{line}");
            }
        }
    }

    #[test]
    fn english_breaks_at_spaces_and_a_long_piece_wherever_it_must() {
        let lines = wrap("Please hold it still, then look up", 6.0, Weight::Plain, Breaks::Anywhere);
        assert_eq!(lines.join(" "), "Please hold it still, then look up");
        assert!(widest_em(&lines, Weight::Plain) <= 6.0);
        let path = "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0";
        let lines = wrap(path, 6.0, Weight::Plain, Breaks::Anywhere);
        assert_eq!(lines.concat(), path);
        assert!(lines.len() > 2 && widest_em(&lines, Weight::Plain) <= 6.0);
        assert_eq!(wrap("thermometers", 2.0, Weight::Plain, Breaks::AtSpaces), ["thermometers"]);
    }

    #[test]
    fn even_lines_are_no_more_and_lose_nothing() {
        let text = "请戴好口罩，在旁边等一等。工作人员会告诉您下一步怎么做。";
        let (greedy, even) = (
            wrap(text, 20.0, Weight::Plain, Breaks::Anywhere),
            wrap_evenly(text, 20.0, Weight::Plain, Breaks::Anywhere),
        );
        assert_eq!((greedy.len(), even.concat()), (even.len(), text.to_owned()));
        assert!(widest_em(&even, Weight::Plain) < widest_em(&greedy, Weight::Plain));
    }

    #[test]
    fn chinese_lines_end_where_one_pauses_if_that_needs_no_line_more() {
        let text = "刚才量到的温度有点高。走得急、晒太阳也会这样。";
        let lines = wrap_evenly(text, 18.0, Weight::Plain, Breaks::Anywhere);
        assert_eq!(lines, ["刚才量到的温度有点高。", "走得急、晒太阳也会这样。"]);
        assert_eq!(wrap("Please pass", 2.0, Weight::Plain, Breaks::Never), ["Please pass"]);
    }

    #[test]
    fn what_the_type_lacks_is_a_box_and_what_it_has_stays_within_its_line() {
        assert!(!has('\u{1F600}') && has('□') && has('玥'));
        assert_eq!(glyph_of('\u{1F600}'), glyph_of('□'));
        for (weight, em) in [(Weight::Plain, 12.0), (Weight::Bold, 24.0), (Weight::Black, 96.0)] {
            let (mut canvas, height) = (Canvas::new(900, 300), em * 1.12);
            let text = "gjpqy请通（）\u{1F600}\n";
            let set = Set { text, x: 20.0, y: 50.0, height, em, weight, ink: Rgb888::new(255, 255, 255) };
            set.lay(&mut canvas);
            let areas = canvas.changes(&Canvas::new(900, 300));
            let right = 20.0 + width_em(text, weight) * em;
            assert!(!areas.is_empty());
            for area in areas {
                assert!(
                    area.y >= 48 && f64::from(area.y + area.height) <= f64::from(52.0 + height),
                    "{area:?} at {em}"
                );
                assert!(area.x >= 19 && (area.x + area.width) as f32 <= right + 2.0, "{area:?} at {em}");
            }
        }
    }

    #[test]
    fn a_cut_text_says_so() {
        let cut = cut("Please refresh your code", 8.0, Weight::Plain);
        assert!(cut.ends_with('…') && width_em(&cut, Weight::Plain) <= 8.0, "{cut}");
    }
}
