//! One card laid out in millimetres, as a list of marks to paint in order.
//!
//! The picture and the PDF paint the same marks; that is why layout is neither's business. Lengths are
//! millimetres from the card's top left corner, y grows downward. Invariants: no mark lies in the QR
//! code's quiet zone, and no text passes the card's margin.

use super::text::{self, Fitted};
use super::{Card, CardColour, SheetError, code_of, words};
use crate::qr::{QUIET_ZONE_MODULES, QrPicture};

/// Red, green, blue, 0 to 255.
pub(super) type Ink = [u8; 3];

pub(super) const BLACK: Ink = [0, 0, 0];
const GREY: Ink = [90, 90, 90];
const WHITE: Ink = [255, 255, 255];
const GREEN: Ink = [0, 128, 62];
const YELLOW: Ink = [255, 200, 0];
const RED: Ink = [200, 16, 30];

/// Something to paint.
pub(super) enum Mark {
    /// A closed polygon, filled.
    Fill { corners: Vec<(f32, f32)>, ink: Ink },
    /// A line of text from `x` on the `baseline`, at an em of `em`.
    Text { x: f32, baseline: f32, em: f32, ink: Ink, line: String },
    /// The QR code, black: its own top left corner and side, without the quiet zone.
    Qr { x: f32, y: f32, side: f32 },
}

/// A card ready to paint.
pub(super) struct Scene {
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) marks: Vec<Mark>,
    pub(super) modules: QrPicture,
}

/// A card of a sheet that is printed and cut: 97 mm × 71 mm, code at the right, text at the left.
pub(super) const SHEET_CARD: (f32, f32) = (97.0, 71.0);

/// Lays out the card of a printed sheet.
pub(super) fn sheet_card(card: &Card) -> Result<Scene, SheetError> {
    const PAD: f32 = 4.0;
    const QR_SIDE: f32 = 40.0;
    const QR_BLOCK: f32 = 46.6;
    const QR_TOP: f32 = 14.6;
    let modules = code_of(card)?;
    let (width, height) = SHEET_CARD;
    let inner = width - 2.0 * PAD;
    let mut p = Painter::new();

    p.line(PAD, 7.9, 5.8, inner, BLACK, &card.title_zh);
    p.line(PAD, 11.8, 3.2, inner, BLACK, &card.title_en);
    p.rect(PAD, 13.2, inner, 1.2, ink(card.colour));

    let per_module = (QR_SIDE / modules.side() as f32).min(QR_BLOCK / side_with_quiet(&modules) as f32);
    let block = per_module * side_with_quiet(&modules) as f32;
    let quiet = per_module * QUIET_ZONE_MODULES as f32;
    let side = per_module * modules.side() as f32;
    let block_x = width - 2.0 - block;
    p.marks.push(Mark::Qr { x: block_x + quiet, y: QR_TOP + quiet, side });

    let column = width - 2.0 - QR_BLOCK - PAD;
    p.shape(card.colour, PAD, 16.6, 13.0);
    p.line(PAD + 15.5, 24.9, 9.2, column - 15.5, BLACK, words::colour_zh(card.colour));
    p.line(PAD + 15.5, 29.4, 4.2, column - 15.5, BLACK, words::colour_en(card.colour));
    p.line(PAD, 34.3, 2.7, column, GREY, words::HOLDER);
    p.holder(PAD, 41.0, 6.6, column, &card.holder);
    p.line(PAD, 45.6, 2.7, column, GREY, words::EXPIRES);
    let (zh, en) = words::expiry(&card.expires);
    p.line(PAD, 50.6, 4.7, column, BLACK, &zh);
    p.line(PAD, 54.7, 3.4, column, BLACK, &en);
    p.line(PAD, 60.0, 3.5, column, BLACK, &format!("{}  {}", card.kind_zh, card.kind_en));

    if let Some(note) = &card.note_zh {
        p.line(PAD, 65.0, 3.2, inner, BLACK, note);
    }
    if let Some(note) = &card.note_en {
        p.line(PAD, 68.7, 2.7, inner, BLACK, note);
    }
    Ok(Scene { width, height, marks: p.marks, modules })
}

/// Lays out a card for a telephone's screen: 80 mm wide, the code as wide as the card, the text below.
pub(super) fn screen_card(card: &Card) -> Result<Scene, SheetError> {
    const WIDTH: f32 = 80.0;
    const PAD: f32 = 5.0;
    const QR_BLOCK: f32 = 76.0;
    const QR_TOP: f32 = 39.5;
    let modules = code_of(card)?;
    let inner = WIDTH - 2.0 * PAD;
    let mut p = Painter::new();

    p.line(PAD, 10.0, 7.4, inner, BLACK, &card.title_zh);
    p.line(PAD, 15.4, 4.2, inner, BLACK, &card.title_en);
    p.rect(PAD, 17.6, inner, 1.6, ink(card.colour));
    p.shape(card.colour, PAD, 22.0, 17.0);
    p.line(PAD + 21.0, 32.4, 12.0, inner - 21.0, BLACK, words::colour_zh(card.colour));
    p.line(PAD + 21.0, 38.6, 5.6, inner - 21.0, BLACK, words::colour_en(card.colour));

    let per_module = QR_BLOCK / side_with_quiet(&modules) as f32;
    let quiet = per_module * QUIET_ZONE_MODULES as f32;
    let side = per_module * modules.side() as f32;
    p.marks.push(Mark::Qr { x: (WIDTH - side) / 2.0, y: QR_TOP + quiet, side });

    p.line(PAD, 119.0, 3.7, inner, GREY, words::HOLDER);
    p.holder(PAD, 128.0, 8.6, inner, &card.holder);
    p.line(PAD, 134.6, 3.7, inner, GREY, words::EXPIRES);
    let (zh, en) = words::expiry(&card.expires);
    p.line(PAD, 142.0, 6.8, inner, BLACK, &zh);
    p.line(PAD, 147.6, 4.6, inner, BLACK, &en);
    p.line(PAD, 155.4, 4.8, inner, BLACK, &format!("{}  {}", card.kind_zh, card.kind_en));
    let mut bottom = 157.0;
    for (note, em) in [(&card.note_zh, 4.2), (&card.note_en, 3.6)] {
        for Fitted { line, em: fitted } in text::wrap(note.as_deref().unwrap_or_default(), em, inner, 3) {
            bottom += em * 1.4;
            p.text(PAD, bottom, fitted, BLACK, line);
        }
    }
    Ok(Scene { width: WIDTH, height: bottom + PAD, marks: p.marks, modules })
}

fn ink(colour: CardColour) -> Ink {
    match colour {
        CardColour::Green => GREEN,
        CardColour::Yellow => YELLOW,
        CardColour::Red => RED,
    }
}

/// Collects marks.
struct Painter {
    marks: Vec<Mark>,
}

impl Painter {
    fn new() -> Self {
        Self { marks: Vec::with_capacity(24) }
    }

    /// A line that is made to fit `width`.
    fn line(&mut self, x: f32, baseline: f32, em: f32, width: f32, ink: Ink, line: &str) {
        let Fitted { line, em } = text::fit(line.trim(), em, width);
        self.text(x, baseline, em, ink, line);
    }

    /// The holder on one line, down to half the size, or else on two lines in the same place: the last digits are what a
    /// volunteer compares, so they are not to be cut off.
    fn holder(&mut self, x: f32, baseline: f32, em: f32, width: f32, holder: &str) {
        const SMALLEST: f32 = 0.5;
        let holder = holder.trim();
        let fitting = em * (width / (text::width_em(holder) * em)).min(1.0);
        if fitting >= em * SMALLEST {
            return self.text(x, baseline, fitting, BLACK, holder.to_owned());
        }
        let em = em * SMALLEST;
        let lines = text::wrap(holder, em, width, 2);
        for (above, fitted) in (0..lines.len()).rev().zip(lines) {
            self.text(x, baseline + em * (0.1 - above as f32), fitted.em, BLACK, fitted.line);
        }
    }

    fn text(&mut self, x: f32, baseline: f32, em: f32, ink: Ink, line: String) {
        if !line.is_empty() {
            self.marks.push(Mark::Text { x, baseline, em, ink, line });
        }
    }

    fn rect(&mut self, x: f32, y: f32, width: f32, height: f32, ink: Ink) {
        let corners = vec![(x, y), (x + width, y), (x + width, y + height), (x, y + height)];
        self.marks.push(Mark::Fill { corners, ink });
    }

    /// The colour's shape in a square of `side`, outlined in black so that it stands on a grey print too, with
    /// its mark inside.
    fn shape(&mut self, colour: CardColour, x: f32, y: f32, side: f32) {
        let place = |points: &[(f32, f32)]| points.iter().map(|&(u, v)| (x + u * side, y + v * side)).collect();
        let mut fill = |points: &[(f32, f32)], ink| self.marks.push(Mark::Fill { corners: place(points), ink });
        match colour {
            CardColour::Green => {
                fill(&circle(0.5), BLACK);
                fill(&circle(0.46), GREEN);
                fill(&TICK, WHITE);
            }
            CardColour::Yellow => {
                fill(&[(0.5, 0.02), (1.0, 0.94), (0.0, 0.94)], BLACK);
                fill(&[(0.5, 0.105), (0.932, 0.9), (0.068, 0.9)], YELLOW);
                fill(&[(0.44, 0.37), (0.56, 0.37), (0.535, 0.66), (0.465, 0.66)], BLACK);
                fill(&[(0.44, 0.71), (0.56, 0.71), (0.56, 0.82), (0.44, 0.82)], BLACK);
            }
            CardColour::Red => {
                fill(&square(0.03), BLACK);
                fill(&square(0.07), RED);
                fill(&CROSS_FALLING, WHITE);
                fill(&CROSS_RISING, WHITE);
            }
        }
    }
}

// The marks in the shapes, in a unit square.
const TICK: [(f32, f32); 6] = [(0.22, 0.53), (0.30, 0.45), (0.43, 0.58), (0.70, 0.29), (0.78, 0.37), (0.43, 0.74)];
const CROSS_FALLING: [(f32, f32); 4] = [(0.24, 0.33), (0.33, 0.24), (0.76, 0.67), (0.67, 0.76)];
const CROSS_RISING: [(f32, f32); 4] = [(0.67, 0.24), (0.76, 0.33), (0.33, 0.76), (0.24, 0.67)];

fn square(inset: f32) -> [(f32, f32); 4] {
    let far = 1.0 - inset;
    [(inset, inset), (far, inset), (far, far), (inset, far)]
}

/// A circle as 90 corners: at 150 mm across it is off by less than 0.1 mm.
fn circle(radius: f32) -> Vec<(f32, f32)> {
    (0..90)
        .map(|step| {
            let (sin, cos) = (step as f32 * std::f32::consts::TAU / 90.0).sin_cos();
            (0.5 + radius * cos, 0.5 + radius * sin)
        })
        .collect()
}

/// Modules a side with the quiet zone on both ends.
fn side_with_quiet(code: &QrPicture) -> usize {
    code.side() + 2 * QUIET_ZONE_MODULES
}
