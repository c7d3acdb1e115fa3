//! Paper passes: one card as a picture, thousands of cards as a PDF to print and cut.
//!
//! The old and the very young carry a code on paper, so a pass has to leave the machine as something
//! a neighbourhood office can print by the thousand and a person of seventy can read. One card is laid
//! out once, in millimetres, as a scene; the picture and the page only paint that scene, so they
//! can't come to differ in what they say.
//!
//! Invariants:
//! - Colour is never the only signal: each colour has its own shape, its own mark in the shape, and its
//!   word in both languages.
//! - The QR code has level M, version 10 or smaller, and a quiet zone of four modules that nothing else
//!   is painted into (ISO/IEC 18004:2015, 5.3.8). On a sheet it is 38 mm wide or more (from version 5 up).
//! - No input makes the type fail: a character that the font lacks is painted as □, a line too long is
//!   set smaller and then cut with "…".
//! - A sheet of any length is written page by page; what stays in memory is one page and a few bytes
//!   a page for the PDF's table of contents.

mod deflate;
mod pdf;
mod pdf_font;
mod pdf_page;
mod picture;
mod scene;
mod text;
mod words;

use crate::qr::{self, QrPicture};

pub use pdf::{PdfSheet, SheetSummary};
pub use pdf_page::Layout;
pub use picture::{WIDTH_PX_MAX, WIDTH_PX_MIN, png};

/// Everything that is printed on one paper pass. All texts are already chosen and masked by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// What the QR code says: the text of the pass, `MS1:…`.
    pub payload: String,
    /// The issuer's own name of the code, in Chinese: 浙江健康码.
    pub title_zh: String,
    /// The same in English: Zhejiang health code.
    pub title_en: String,
    /// Masked name and last digits, for the volunteer to compare with a document: 张*三 ·· 1234.
    pub holder: String,
    /// The colour of the pass.
    pub colour: CardColour,
    /// The kind of pass in Chinese: 纸质码.
    pub kind_zh: String,
    /// The kind of pass in English: Paper pass.
    pub kind_en: String,
    /// When the pass ends, local time, as `2026-12-01 08:00`; it is spelt out in both languages. Any other
    /// text is printed as it is.
    pub expires: String,
    /// One more sentence in Chinese, at the foot.
    pub note_zh: Option<String>,
    /// One more sentence in English, at the foot.
    pub note_en: Option<String>,
}

/// The colour of a card, with its shape: green circle, yellow triangle, red square.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardColour {
    /// Green, a circle with a tick.
    Green,
    /// Yellow, a triangle with an exclamation mark.
    Yellow,
    /// Red, a square with a cross.
    Red,
}

/// Why a card or a sheet could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The payload does not fit a QR code of version 10-M.
    #[error(
        "the pass of {holder} is {chars} characters long, more than a QR code of version 10-M holds (311 of its capital alphabet, 213 of any other): issue it again with fewer claims"
    )]
    PayloadTooBig {
        /// The holder line of the card.
        holder: String,
        /// Length of the payload in characters.
        chars: usize,
    },
    /// The card has no payload, so its code would say nothing.
    #[error("the card of {holder} has no pass text to put into its QR code: issue the pass first")]
    NoPayload {
        /// The holder line of the card.
        holder: String,
    },
    /// The picture asked for is too narrow to be scanned or too wide to be of use.
    #[error("a card {width_px} pixels wide cannot be drawn: ask for {WIDTH_PX_MIN} to {WIDTH_PX_MAX} pixels")]
    Width {
        /// The width asked for.
        width_px: u32,
    },
    /// A sheet was finished before any card was put on it.
    #[error("the sheet has no cards: give at least one pass to print")]
    NoCards,
    /// The sheet's file or pipe refused the bytes.
    #[error(
        "the sheet could not be written ({0}): check the free space and the permissions of its folder, then run again"
    )]
    Write(#[from] std::io::Error),
    /// The picture could not be packed as PNG.
    #[error("the card could not be packed as PNG ({0}): ask for a smaller width")]
    Png(#[from] image::ImageError),
    /// The built-in type could not be cut down to the characters used.
    #[error("the built-in type could not be embedded ({0}): install this program again")]
    Type(subsetter::Error),
}

/// The code of a card.
fn code_of(card: &Card) -> Result<QrPicture, SheetError> {
    if card.payload.is_empty() {
        return Err(SheetError::NoPayload { holder: card.holder.clone() });
    }
    qr::qr(&card.payload).map_err(|_| {
        let (holder, chars) = (card.holder.clone(), card.payload.chars().count());
        SheetError::PayloadTooBig { holder, chars }
    })
}

#[cfg(test)]
mod tests;
