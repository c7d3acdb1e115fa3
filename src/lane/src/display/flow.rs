//! Small boxes in rows, as wide as what is in them and then as wide as the row: the evidence, and the bar's parts.

use super::face::{self, Weight};
use super::layout::one_line;
use super::scene::{Mark, Text, Thing};
use embedded_graphics::pixelcolor::Rgb888;
use kurbo::Rect;
use menshen_core::pass::Colour;

/// A box: a label above a value, perhaps with an icon before both or a dot before the value.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// With its em.
    pub(super) label: Option<(String, f32)>,
    /// With its em.
    pub(super) value: (String, f32),
    /// With its side.
    pub(super) icon: Option<(String, f32)>,
    pub(super) dot: Option<Colour>,
    pub(super) ground: Option<Rgb888>,
    pub(super) ink: Rgb888,
    pub(super) pad: f32,
    pub(super) role: &'static str,
}

/// How high a line is, in parts of its em.
const LINE: f32 = 1.2;

impl Cell {
    fn before(&self) -> f32 {
        self.icon.as_ref().map_or(0.0, |(_, side)| side + self.pad)
    }

    fn dot_side(&self) -> f32 {
        if self.dot.is_some() { (self.value.1 * 0.9).round() } else { 0.0 }
    }

    /// With the room after it.
    fn dot_room(&self) -> f32 {
        self.dot_side() * 1.35
    }

    fn natural(&self) -> f32 {
        let label = self.label.as_ref().map_or(0.0, |(label, em)| face::width_em(label, Weight::Plain) * em);
        let value = face::width_em(&self.value.0, Weight::Bold) * self.value.1 + self.dot_room();
        (2.0 * self.pad + self.before() + label.max(value)).ceil()
    }

    fn text_height(&self) -> f32 {
        let label = self.label.as_ref().map_or(0.0, |(_, em)| em * LINE);
        label + self.value.1 * LINE
    }

    fn height(&self) -> f32 {
        let icon = self.icon.as_ref().map_or(0.0, |(_, side)| *side);
        (self.text_height().max(icon) + 0.7 * self.pad).ceil()
    }

    fn place(&self, x: f32, y: f32, width: f32, height: f32, marks: &mut Vec<Mark>) {
        let rect = |x: f32, y: f32, width: f32, height: f32| {
            Rect::new(x.into(), y.into(), (x + width).into(), (y + height).into())
        };
        if let Some(ground) = self.ground {
            let thing = Thing::Plate((self.pad * 0.8).into(), ground);
            marks.push(Mark { role: "plate", area: rect(x, y, width, height), thing });
        }
        let mut left = x + self.pad;
        if let Some((icon, side)) = &self.icon {
            let area = rect(left, (y + (height - side) / 2.0).round(), *side, *side);
            marks.push(Mark { role: "icon", area, thing: Thing::Icon(icon.clone(), self.ink) });
            left += self.before();
        }
        let room = x + width - self.pad - left;
        let mut top = y + ((height - self.text_height()) / 2.0).round();
        let mut line = |text: &str, em: f32, weight: Weight, left: f32, room: f32| {
            let height = em * LINE;
            let (text, em) = one_line(text, em, room, weight);
            let area = rect(left, top, face::width_em(&text, weight) * em, height);
            let text = Text { lines: vec![text], em, line: height, weight, ink: self.ink, centred: false };
            marks.push(Mark { role: self.role, area, thing: Thing::Text(text) });
            top += height;
        };
        if let Some((label, em)) = &self.label {
            line(label, *em, Weight::Plain, left, room);
        }
        line(&self.value.0, self.value.1, Weight::Bold, left + self.dot_room(), room - self.dot_room());
        if let Some(colour) = self.dot {
            let side = self.dot_side();
            let area = rect(
                left.round(),
                (top - self.value.1 * LINE + (self.value.1 * LINE - side) / 2.0).round(),
                side,
                side,
            );
            marks.push(Mark { role: "dot", area, thing: Thing::Dot(colour) });
        }
    }
}

/// Fills as few rows as there must be, each about as full as the others.
pub(super) fn rows(cells: Vec<Cell>, width: f32, gap: f32) -> Vec<Vec<Cell>> {
    let most = fill(&cells, width, gap).len();
    // The narrowest width that needs no row more.
    let widths = (10..=20).map(|part| width * part as f32 / 20.0);
    let even = widths.map(|narrower| fill(&cells, narrower, gap)).find(|rows| rows.len() <= most);
    let mut cells = cells.into_iter();
    // The whole width needs no row more than the whole width.
    even.unwrap_or_default().into_iter().map(|count| cells.by_ref().take(count).collect()).collect()
}

/// How many cells go into each row, one after another.
fn fill(cells: &[Cell], width: f32, gap: f32) -> Vec<usize> {
    let mut rows: Vec<usize> = Vec::new();
    let mut used = f32::INFINITY;
    for needs in cells.iter().map(Cell::natural) {
        match rows.last_mut() {
            Some(count) if used + gap + needs <= width => {
                used += gap + needs;
                *count += 1;
            }
            _ => {
                used = needs;
                rows.push(1);
            }
        }
    }
    rows
}

/// Rows in their places.
pub(super) struct Flowed {
    pub(super) marks: Vec<Mark>,
    pub(super) height: f32,
}

/// Puts rows below one another, each as wide as there is room.
pub(super) fn place(rows: Vec<Vec<Cell>>, origin: (f32, f32), width: f32, gap: f32) -> Flowed {
    let mut flowed = Flowed { marks: Vec::new(), height: 0.0 };
    for (row, number) in rows.iter().zip(0..) {
        let height = row.iter().map(Cell::height).fold(0.0, f32::max);
        let gaps = gap * row.len().saturating_sub(1) as f32;
        let natural: f32 = row.iter().map(Cell::natural).sum();
        let spare = width - gaps - natural;
        // A few small boxes do not become large ones.
        let fills = natural > 0.4 * width;
        let grown = if fills { (spare / row.len().max(1) as f32).floor().max(0.0) } else { 0.0 };
        let mut x = origin.0;
        if number > 0 {
            flowed.height += gap;
        }
        for (cell, at) in row.iter().zip(1..) {
            let is_last = fills && at == row.len();
            let wide = if is_last { origin.0 + width - x } else { cell.natural() + grown };
            cell.place(x, origin.1 + flowed.height, wide, height, &mut flowed.marks);
            x += wide + gap;
        }
        flowed.height += height;
    }
    flowed
}
