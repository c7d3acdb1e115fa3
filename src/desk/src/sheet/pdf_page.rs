//! A page of a sheet: where its cards lie, its cut marks, and a card painted in points.
//!
//! Apart from the file around it because it knows nothing of objects: it turns millimetres into the
//! operators of a content stream (ISO 32000-1, annex A).

use pdf_writer::{Content, Name, Str};

use super::pdf_font::UsedGlyphs;
use super::scene::{BLACK, Ink, Mark, SHEET_CARD, Scene};
use super::words;
use crate::qr::QrPicture;

/// A4, upright, in millimetres.
pub(super) const A4_MM: (f32, f32) = (210.0, 297.0);
pub(super) const PT_PER_MM: f32 = 72.0 / 25.4;
/// What pages call the built-in type.
pub(super) const TYPE_NAME: Name<'static> = Name(b"T");

/// How many cards go on a page of A4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Two columns of four cards, 97 mm × 71 mm each: the size of a wallet.
    #[default]
    EightPerPage,
    /// Two cards, 190 mm × 139 mm each: for a door, or for eyes that need large type.
    TwoPerPage,
}

impl Layout {
    fn columns_rows(self) -> (usize, usize) {
        match self {
            Self::EightPerPage => (2, 4),
            Self::TwoPerPage => (1, 2),
        }
    }

    fn scale(self) -> f32 {
        match self {
            Self::EightPerPage => 1.0,
            Self::TwoPerPage => 190.0 / SHEET_CARD.0,
        }
    }

    /// Cards a page.
    pub fn cards_per_page(self) -> usize {
        let (columns, rows) = self.columns_rows();
        columns * rows
    }
}

/// A page that is being filled.
pub(super) struct Page {
    content: Content,
    layout: Layout,
}

impl Page {
    /// A page without cards: cut marks, and its number in the margin that is cut away.
    pub(super) fn new(layout: Layout, number: usize, glyphs: &mut UsedGlyphs) -> Self {
        let mut content = Content::with_capacity(1 << 17);
        let grid = Grid::of(layout);
        cut_marks(&mut content, &grid);
        let (left, top) = (grid.xs[0] + 4.0, grid.bottom());
        Pen { page: &mut content, glyphs, left, top, scale: 1.0 }.text(0.0, 3.4, 2.4, BLACK, &words::page(number));
        Self { content, layout }
    }

    /// Paints a card at one of the page's places, counted in reading order from 0.
    pub(super) fn paint(&mut self, place: usize, scene: &Scene, glyphs: &mut UsedGlyphs) {
        let grid = Grid::of(self.layout);
        let (columns, _) = self.layout.columns_rows();
        let (left, top) = (grid.xs[place % columns], grid.ys[place / columns]);
        Pen { page: &mut self.content, glyphs, left, top, scale: self.layout.scale() }.paint(scene);
    }

    /// The page's content stream.
    pub(super) fn finish(self) -> Vec<u8> {
        self.content.finish().into_vec()
    }
}

/// Where a page is cut: the edges of its cards in millimetres from the page's top left corner.
struct Grid {
    xs: Vec<f32>,
    ys: Vec<f32>,
}

impl Grid {
    fn of(layout: Layout) -> Self {
        let edges = |page: f32, card: f32, count: usize| {
            let first = (page - count as f32 * card) / 2.0;
            (0..=count).map(|index| first + index as f32 * card).collect()
        };
        let (columns, rows) = layout.columns_rows();
        Self {
            xs: edges(A4_MM.0, SHEET_CARD.0 * layout.scale(), columns),
            ys: edges(A4_MM.1, SHEET_CARD.1 * layout.scale(), rows),
        }
    }

    fn bottom(&self) -> f32 {
        self.ys.last().copied().unwrap_or(A4_MM.1)
    }
}

/// Ticks in the margin at every cut, and small crosses where two cuts meet inside.
fn cut_marks(page: &mut Content, grid: &Grid) {
    const TICK: f32 = 4.0;
    const CROSS: f32 = 1.5;
    page.set_line_width(0.4).set_stroke_gray(0.4);
    // A stroke from (x, y) by (dx, dy) to both sides of it.
    let mut stroke = |x: f32, y: f32, dx: f32, dy: f32| {
        page.move_to((x - dx) * PT_PER_MM, (A4_MM.1 - y + dy) * PT_PER_MM);
        page.line_to((x + dx) * PT_PER_MM, (A4_MM.1 - y - dy) * PT_PER_MM);
    };
    for (row, &y) in grid.ys.iter().enumerate() {
        for (column, &x) in grid.xs.iter().enumerate() {
            let outward_x = outward(column, grid.xs.len()) * (1.0 + TICK / 2.0);
            let outward_y = outward(row, grid.ys.len()) * (1.0 + TICK / 2.0);
            if outward_x != 0.0 {
                stroke(x + outward_x, y, TICK / 2.0, 0.0);
            }
            if outward_y != 0.0 {
                stroke(x, y + outward_y, 0.0, TICK / 2.0);
            }
            if outward_x == 0.0 && outward_y == 0.0 {
                stroke(x, y, CROSS, 0.0);
                stroke(x, y, 0.0, CROSS);
            }
        }
    }
    page.stroke();
}

/// -1 at the first edge, 1 at the last, 0 between: the way out of the page's cards.
fn outward(index: usize, edges: usize) -> f32 {
    match index {
        0 => -1.0,
        last if last + 1 == edges => 1.0,
        _ => 0.0,
    }
}

/// Paints one card at its place on a page.
struct Pen<'a> {
    page: &'a mut Content,
    glyphs: &'a mut UsedGlyphs,
    /// The card's top left corner on the page, and its magnification.
    left: f32,
    top: f32,
    scale: f32,
}

impl Pen<'_> {
    fn paint(&mut self, scene: &Scene) {
        for mark in &scene.marks {
            match mark {
                Mark::Fill { corners, ink } => self.fill(corners, *ink),
                Mark::Text { x, baseline, em, ink, line } => self.text(*x, *baseline, *em, *ink, line),
                Mark::Qr { x, y, side } => self.qr(*x, *y, *side, &scene.modules),
            }
        }
    }

    fn fill(&mut self, corners: &[(f32, f32)], ink: Ink) {
        self.ink(ink);
        for (index, &(x, y)) in corners.iter().enumerate() {
            let (x, y) = self.at(x, y);
            if index == 0 {
                self.page.move_to(x, y)
            } else {
                self.page.line_to(x, y)
            };
        }
        self.page.close_path().fill_nonzero();
    }

    fn text(&mut self, x: f32, baseline: f32, em: f32, ink: Ink, line: &str) {
        self.ink(ink);
        let (x, y) = self.at(x, baseline);
        let shown = self.glyphs.encode(line);
        self.page
            .begin_text()
            .set_font(TYPE_NAME, hundredth(em * self.scale * PT_PER_MM))
            .next_line(x, y)
            .show(Str(&shown))
            .end_text();
    }

    /// The code as one path of rectangles in its own unit, the module: short numbers, and edges that meet
    /// exactly at any resolution.
    fn qr(&mut self, x: f32, y: f32, side: f32, modules: &QrPicture) {
        self.ink(BLACK);
        let (x, y) = self.at(x, y);
        let module = side / modules.side() as f32 * self.scale * PT_PER_MM;
        self.page.save_state().transform([module, 0.0, 0.0, -module, x, y]);
        for (column, row, length) in modules.runs() {
            self.page.rect(column as f32, row as f32, length as f32, 1.0);
        }
        self.page.fill_nonzero().restore_state();
    }

    fn ink(&mut self, ink: Ink) {
        let [r, g, b] = ink.map(|level| (f32::from(level) / 255.0 * 1000.0).round() / 1000.0);
        self.page.set_fill_rgb(r, g, b);
    }

    /// From the card's millimetres to the page's points, which count from the bottom.
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (
            hundredth((self.left + x * self.scale) * PT_PER_MM),
            hundredth((A4_MM.1 - self.top - y * self.scale) * PT_PER_MM),
        )
    }
}

/// A hundredth of a point is 3.5 µm: finer only makes the file longer.
fn hundredth(points: f32) -> f32 {
    (points * 100.0).round() / 100.0
}
