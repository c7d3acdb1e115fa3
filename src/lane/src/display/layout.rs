//! Where everything goes: from texts to a scene, on a screen of any size.
//!
//! Sizes are in units of the screen, as on the panel's page: one is 8 pixels at 800 × 480, and grows with the screen. What
//! does not fit is made smaller, all of it together; on a small screen what the volunteer can do without is left out before
//! anything becomes too small to read, in a fixed order ([`LEVELS`]). What a person must read is never left out.

use super::face::{self, Breaks, Weight};
use super::flow::{self, Cell};
use super::scene::{Band, Mark, Scene, Text, Theme, Thing, rgb};
use super::told::{self, Fact, Look, Part, State, Told};
use crate::ports::Area;
use kurbo::Rect;

/// Chinese below this many pixels can not be read.
const LEAST_EM: f32 = 11.0;
/// Side margins, in units.
const MARGIN: f32 = 2.0;
/// The strip at the foot, as the page has it.
const BAR_GROUND: u32 = 0x10181f;
const WHITE: u32 = 0xffffff;

/// What is left out, and how small texts may become for it; from the whole to the least.
const LEVELS: [Level; 7] = [
    Level { facts: ALL_FACTS, volunteer: 2.1, why_lines: 12, fit: 0.88 },
    Level { facts: FACTS_BUT_KIND, volunteer: 1.9, why_lines: 6, fit: 0.79 },
    Level { facts: FACTS_WITHOUT_AGES, volunteer: 1.7, why_lines: 4, fit: 0.7 },
    Level { facts: &["colour", "name", "expires", "until", "cause", "temp"], volunteer: 1.6, why_lines: 3, fit: 0.61 },
    Level { facts: &["colour", "name", "expires", "temp"], volunteer: 0.0, why_lines: 2, fit: 0.58 },
    Level { facts: &["colour", "name"], volunteer: 0.0, why_lines: 1, fit: 0.5 },
    Level { facts: &[], volunteer: 0.0, why_lines: 0, fit: 0.3 },
];
const ALL_FACTS: &[&str] = &["colour", "from", "kind", "name", "expires", "until", "cause", "temp", "rests"];
const FACTS_BUT_KIND: &[&str] = &["colour", "from", "name", "expires", "until", "cause", "temp", "rests"];
const FACTS_WITHOUT_AGES: &[&str] = &["colour", "from", "name", "expires", "until", "cause", "temp"];

#[derive(Clone, Copy, Debug)]
struct Level {
    facts: &'static [&'static str],
    /// How large the volunteer's text is, in units; 0 leaves it out.
    volunteer: f32,
    /// How many lines the technician's sentences may have.
    why_lines: usize,
    /// How small the texts may become before the next level is better.
    fit: f32,
}

/// A screen's size and its unit.
#[derive(Clone, Copy, Debug)]
struct Screen {
    width: f32,
    height: f32,
    unit: f32,
    portrait: bool,
}

impl Screen {
    fn of(width: u32, height: u32) -> Screen {
        let (width, height) = (width as f32, height as f32);
        let portrait = width <= height;
        let unit = if portrait { (width / 50.0).min(height * 0.0105) } else { (width / 100.0).min(height / 60.0) };
        Screen { width, height, unit, portrait }
    }

    /// A size in units as pixels of a text's em.
    fn em(self, size: f32) -> f32 {
        (size * self.unit).max(LEAST_EM)
    }
}

/// Lays a screen out.
pub fn lay_out(state: &State<'_>, width: u32, height: u32) -> Scene {
    let screen = Screen::of(width, height);
    let told = told::told(state);
    let theme = Theme::of(told.look);
    let head = head(state, screen, theme);
    let bar = bar(&told::parts(state), screen);
    // Both are shorter than the screen.
    let (top, bottom) = (head.area.height, bar.area.height);
    let area = Area { x: 0, y: top, width, height: height.saturating_sub(top + bottom) };
    Scene { bands: [head, middle(&told, screen, theme, area), bar] }
}

fn whole(value: f32) -> u32 {
    // Sizes on a screen: small and not negative.
    value.max(0.0).round() as u32
}

fn rect(x: f32, y: f32, width: f32, height: f32) -> Rect {
    Rect::new(x.into(), y.into(), (x + width).into(), (y + height).into())
}

/// A text of one line that fits a width: as it is, else smaller, else cut with a sign.
pub(super) fn one_line(text: &str, em: f32, width: f32, weight: Weight) -> (String, f32) {
    let natural = face::width_em(text, weight) * em;
    if natural <= width {
        return (text.to_owned(), em);
    }
    let smaller = (em * width / natural).max(LEAST_EM.min(em));
    let fits = face::width_em(text, weight) * smaller <= width * 1.001;
    (if fits { text.to_owned() } else { face::cut(text, width / smaller, weight) }, smaller)
}

fn head(state: &State<'_>, screen: Screen, theme: Theme) -> Band {
    let (site, lane) = told::head(state);
    let (em, margin) = (screen.em(2.3), MARGIN * screen.unit);
    let height = (em * 1.75).round();
    let line = em * 1.3;
    let y = ((height - line) / 2.0).round();
    let lane_width = face::width_em(&lane, Weight::Plain) * em;
    let room = screen.width - 2.0 * margin - lane_width - em;
    let (site, site_em) = one_line(&site, em, room, Weight::Bold);
    let site_width = face::width_em(&site, Weight::Bold) * site_em;
    let text = |text: String, em, weight| {
        Thing::Text(Text { lines: vec![text], em, line, weight, ink: theme.ink, centred: false })
    };
    let marks = vec![
        Mark { role: "site", area: rect(margin, y, site_width, line), thing: text(site, site_em, Weight::Bold) },
        Mark {
            role: "lane",
            area: rect((screen.width - margin - lane_width).floor(), y, lane_width, line),
            thing: text(lane, em, Weight::Plain),
        },
    ];
    let area = Area { x: 0, y: 0, width: whole(screen.width), height: whole(height) };
    Band { area, ground: theme.ground, marks }
}

/// The state of the device: with labels where there is room, else icons and values, else only what is wrong and the time.
fn bar(parts: &[Part], screen: Screen) -> Band {
    let most_rows = match (screen.portrait, screen.height < 300.0) {
        (_, true) => 1,
        (false, false) => 2,
        (true, false) => 3,
    };
    let urgent: Vec<Part> =
        parts.iter().filter(|part| part.name == "clock" || part.level != told::Level::Fine).cloned().collect();
    let cells = |parts: &[Part], labels| parts.iter().map(|part| bar_cell(part, screen, labels)).collect::<Vec<_>>();
    let gap = (0.4 * screen.unit).round();
    let width = screen.width - 2.0 * gap;
    let tries = [(parts, true), (parts, false), (&urgent, false)];
    let tried = tries.into_iter().map(|(parts, labels)| cells(parts, labels));
    let mut last = Vec::new();
    for cells in tried {
        last = flow::rows(cells, width, gap);
        if last.len() <= most_rows {
            break;
        }
    }
    last.truncate(most_rows);
    let flowed = flow::place(last, (gap, gap), width, gap);
    let height = whole(flowed.height + 2.0 * gap).max(whole(gap * 2.0));
    let height = if parts.is_empty() { 0 } else { height };
    let y = whole(screen.height) - height;
    let marks = flowed.marks.into_iter().map(|mark| Mark { area: mark.area + kurbo::Vec2::new(0.0, y.into()), ..mark });
    Band { area: Area { x: 0, y, width: whole(screen.width), height }, ground: rgb(BAR_GROUND), marks: marks.collect() }
}

fn bar_cell(part: &Part, screen: Screen, label: bool) -> Cell {
    let (ground, ink) = match part.level {
        told::Level::Fine => (None, rgb(WHITE)),
        told::Level::Warn => (Some(rgb(0xffb81c)), rgb(0x1a1200)),
        told::Level::Bad => (Some(rgb(0xd3192a)), rgb(WHITE)),
    };
    let sign = if part.level == told::Level::Fine { "" } else { "! " };
    Cell {
        label: label.then(|| (part.label.clone(), screen.em(1.55))),
        value: (format!("{sign}{}", part.value), screen.em(2.0)),
        icon: Some((format!("icon-{}", part.name), (2.8 * screen.unit).max(14.0).round())),
        dot: None,
        ground,
        ink,
        pad: (0.6 * screen.unit).max(2.0),
        role: "part",
    }
}

fn fact_cell(fact: &Fact, screen: Screen, theme: Theme) -> Cell {
    Cell {
        label: Some((fact.label.clone(), screen.em(1.6))),
        value: (fact.value.clone(), screen.em(2.3)),
        icon: None,
        dot: fact.colour,
        ground: Some(theme.strip),
        ink: theme.ink,
        pad: (0.9 * screen.unit).max(3.0),
        role: "fact",
    }
}

/// One text of the column.
struct Block<'a> {
    role: &'static str,
    text: &'a str,
    /// Its em and the room above it, in units.
    size: f32,
    above: f32,
    weight: Weight,
    breaks: Breaks,
    /// Whether it stands on a plate of its own.
    boxed: bool,
    /// No more lines than these.
    most_lines: usize,
}

fn blocks<'a>(told: &'a Told, level: Level, screen: Screen) -> Vec<Block<'a>> {
    let is_stick = told.sign.starts_with("stick_");
    let is_hint = told.look == Look::Ask && told.title.is_some() && told.remedy.is_none();
    let word = match (screen.portrait, told.is_verdict, is_stick) {
        (_, _, true) => 7.0,
        (true, ..) => 9.0,
        (false, true, _) => 13.0,
        (false, false, _) => 10.0,
    };
    let block = |role, text: Option<&'a String>, size, above, weight| {
        let breaks = if role == "word" && told.is_verdict { Breaks::Never } else { Breaks::AtSpaces };
        let breaks = if role == "word" { breaks } else { Breaks::Anywhere };
        let boxed = role == "title";
        let most_lines = if role == "why" { level.why_lines } else { usize::MAX };
        text.map(|text| Block { role, text, size, above, weight, breaks, boxed, most_lines })
    };
    let say = if is_hint { 4.0 } else { 3.4 };
    let rows = [
        block("word", Some(&told.word), word, 0.0, Weight::Black),
        block("other", told.other.as_ref(), if is_stick { 2.6 } else { 3.4 }, 0.0, Weight::Bold),
        block("title", told.title.as_ref(), 3.4, 1.0, Weight::Bold),
        block("say", told.say.as_ref(), say, 0.8, if is_hint { Weight::Bold } else { Weight::Plain }),
        block("remedy", told.remedy.as_ref(), 3.6, 0.6, Weight::Bold),
        block("also", told.also.as_ref(), 2.6, 0.8, Weight::Plain),
        block("why", told.why.as_ref().filter(|_| level.why_lines > 0), 1.8, 0.6, Weight::Plain),
    ];
    rows.into_iter().flatten().collect()
}

/// The column of texts, from 0 downwards.
struct Column {
    marks: Vec<Mark>,
    height: f32,
    /// Whether a word is wider than the column.
    too_wide: bool,
}

fn column(blocks: &[Block<'_>], screen: Screen, theme: Theme, width: f32, fit: f32, centred: bool) -> Column {
    let mut column = Column { marks: Vec::new(), height: 0.0, too_wide: false };
    for block in blocks {
        let is_word = block.role == "word";
        let scale = if is_word { fit.max(0.75) } else { fit };
        let pad = if block.boxed { 1.2 * screen.unit } else { 0.0 };
        let room = width - 2.0 * pad;
        let mut em = screen.em(block.size * scale);
        if is_word {
            em = word_em(block, em, room);
        }
        let wrap = |width_em| face::wrap_evenly(block.text, width_em, block.weight, block.breaks);
        let mut lines = wrap(room / em);
        if lines.len() > block.most_lines {
            let rest = lines.split_off(block.most_lines.saturating_sub(1)).join(" ");
            lines.push(face::cut(&rest, room / em, block.weight));
        }
        let widest = face::widest_em(&lines, block.weight) * em;
        column.too_wide |= widest > room + 0.5;
        let line = em * if is_word { 1.12 } else { 1.28 };
        let height = line * lines.len() as f32;
        column.height += (block.above * screen.unit * fit).round();
        let y = column.height;
        let ink = if block.boxed {
            let plate = rect(0.0, y, widest.ceil() + 2.0 * pad, height);
            let radius = (0.8 * screen.unit).into();
            column.marks.push(Mark { role: "plate", area: plate, thing: Thing::Plate(radius, theme.ink) });
            theme.ground
        } else {
            theme.ink
        };
        let text = Text { lines, em, line, weight: block.weight, ink, centred };
        let (x, wide) = if centred { (pad, room) } else { (pad, widest) };
        column.marks.push(Mark { role: block.role, area: rect(x, y, wide, height), thing: Thing::Text(text) });
        column.height += height;
    }
    column
}

/// The word as large as its column allows.
fn word_em(block: &Block<'_>, em: f32, room: f32) -> f32 {
    let fits = |em: f32| {
        let lines = face::wrap(block.text, room / em, block.weight, block.breaks);
        lines.len() <= 3 && face::widest_em(&lines, block.weight) * em <= room
    };
    let size = |step: i16| em * (1.0 - 0.025 * f32::from(step));
    (0..28).map(size).find(|em| fits(*em)).unwrap_or(size(28))
}

/// What stands below the column: evidence, and what the volunteer should know.
struct Foot {
    marks: Vec<Mark>,
    height: f32,
}

fn foot(told: &Told, level: Level, screen: Screen, theme: Theme, width: f32) -> Foot {
    let gap = (0.6 * screen.unit).max(2.0).round();
    let facts = told.facts.iter().filter(|fact| level.facts.contains(&fact.name));
    let cells = facts.map(|fact| fact_cell(fact, screen, theme)).collect();
    let flowed = flow::place(flow::rows(cells, width, gap), (0.0, 0.0), width, gap);
    let mut foot = Foot { marks: flowed.marks, height: flowed.height };
    if let Some(volunteer) = told.volunteer.as_ref().filter(|_| level.volunteer > 0.0) {
        let em = screen.em(level.volunteer);
        let pad = (0.9 * screen.unit).max(3.0);
        let lines = face::wrap(volunteer, (width - 2.0 * pad) / em, Weight::Plain, Breaks::Anywhere);
        let line = em * 1.28;
        let height = line * lines.len() as f32;
        let y = foot.height + if foot.height > 0.0 { gap } else { 0.0 };
        let plate = rect(0.0, y, width, height + pad);
        foot.marks.push(Mark {
            role: "plate",
            area: plate,
            thing: Thing::Plate((0.8 * screen.unit).into(), theme.strip),
        });
        let widest = face::widest_em(&lines, Weight::Plain) * em;
        let text = Text { lines, em, line, weight: Weight::Plain, ink: theme.ink, centred: false };
        let area = rect(pad, y + (pad / 2.0).round(), widest, height);
        foot.marks.push(Mark { role: "volunteer", area, thing: Thing::Text(text) });
        foot.height = y + height + pad;
    }
    foot
}

fn middle(told: &Told, screen: Screen, theme: Theme, area: Area) -> Band {
    let margin = (MARGIN * screen.unit).round();
    let inside = screen.width - 2.0 * margin;
    // On a wide screen the sign stands beside the texts, on a tall one above them.
    let beside = if screen.portrait { 0.0 } else { (0.28 * inside).round() };
    let gap = if screen.portrait { 0.0 } else { (2.5 * screen.unit).round() };
    let text_width = inside - beside - gap;
    let sign_least = if screen.portrait { 16.0 * screen.unit } else { 0.0 };
    let centred = screen.portrait && matches!(told.look, Look::Calm | Look::Gone) && !told.sign.starts_with("stick_");
    let room = area.height as f32 - screen.unit;
    let tries = LEVELS.into_iter().flat_map(|level| {
        let steps = (0..).map(|step| 1.0 - 0.03 * step as f32);
        steps.take_while(move |fit| *fit >= level.fit).map(move |fit| (level, fit))
    });
    let mut found = None;
    for (level, fit) in tries {
        let foot = foot(told, level, screen, theme, inside);
        let foot_gap = if foot.height > 0.0 { screen.unit } else { 0.0 };
        let text_room = room - foot.height - foot_gap - sign_least;
        let column = column(&blocks(told, level, screen), screen, theme, text_width, fit, centred);
        let fits = column.height <= text_room && !column.too_wide;
        found = Some((column, foot, text_room));
        if fits {
            break;
        }
    }
    // There is at least one level with at least one size.
    let (column, foot, text_room) = found.expect("the first size of the first level is always tried");
    let top = area.y as f32;
    let foot_y = top + area.height as f32 - (0.6 * screen.unit).round() - foot.height;
    let (sign, text_y) = if screen.portrait {
        let free = text_room + sign_least - column.height;
        let side = free.min(36.0 * screen.unit).min(inside).max(0.0);
        let spare = free - side;
        (rect((screen.width - side) / 2.0, top + spare / 2.0, side, side), top + side + spare * 0.6)
    } else {
        let side = beside.min(text_room).min(34.0 * screen.unit);
        let sign = rect(margin + (beside - side) / 2.0, top + (text_room - side) / 2.0, side, side);
        (sign, top + ((text_room - column.height) / 2.0).max(0.0))
    };
    let sign =
        Mark { role: "sign", area: sign.round(), thing: Thing::Sign(format!("sign-{}", told.sign), theme.inks()) };
    let moved = |marks: Vec<Mark>, x: f32, y: f32| {
        let by = kurbo::Vec2::new(x.round().into(), y.round().into());
        marks.into_iter().map(move |mark| Mark { area: mark.area + by, ..mark })
    };
    let texts = moved(column.marks, margin + beside + gap, text_y);
    let marks = std::iter::once(sign).chain(texts).chain(moved(foot.marks, margin, foot_y)).collect();
    Band { area, ground: theme.ground, marks }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_small_screen_leaves_out_is_in_its_document_in_that_order() {
        let document = include_str!("../../../../docs/screen.md").split_whitespace().collect::<Vec<_>>().join(" ");
        let said = |name: &str| match name {
            "kind" => "the kind of the pass;",
            "rests" => "*rests on*;",
            "from" => "the issuer;",
            "until" => "until when somebody is observed",
            "cause" => "who decided by hand",
            "volunteer" => "and the volunteer's line;",
            "expires" => "until when the pass is valid",
            "temp" => "and the temperature;",
            "colour" => "colour and",
            "name" => "name. Never what a person must read.",
            name => panic!("the document has no word for {name}"),
        };
        let has = |level: &Level, name: &str| match name {
            "volunteer" => level.volunteer > 0.0,
            name => level.facts.contains(&name),
        };
        let mut at = document.find("A small screen leaves out, in this order").expect("the document says so");
        for pair in LEVELS.windows(2) {
            let names = ["volunteer"].iter().chain(ALL_FACTS);
            let left_out = names.filter(|name| has(&pair[0], name) && !has(&pair[1], name)).map(|name| said(name));
            let places: Vec<usize> = left_out.map(|said| at + document[at..].find(said).expect(said)).collect();
            at = places.into_iter().max().unwrap_or(at);
        }
    }
}
