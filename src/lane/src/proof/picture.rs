//! A proof's code as a camera would see it: a frame with a QR code in the middle.
//!
//! Apart from the desk's scenes because a device has neither their optics nor their time: what is proved here is that the
//! reader reads, not how well. Invariant: the code has its quiet zone and lies whole within the frame.

use crate::optics::Frame;
use qrcode::{Color, EcLevel, QrCode};

/// The size of a small camera's picture.
const WIDTH_PX: usize = 640;
const HEIGHT_PX: usize = 480;
/// The light border that every code needs, in modules.
const QUIET: usize = 4;
/// A grey wall, paper, ink.
const WALL: u8 = 120;
const LIGHT: u8 = 225;
const DARK: u8 = 35;

/// A frame that shows the code of a text; `None` where it fits no code of this size.
pub(super) fn of(text: &str) -> Option<Frame> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let (side, modules) = (code.width(), code.to_colors());
    let module_px = HEIGHT_PX / (side + 2 * QUIET);
    if module_px < 3 {
        return None;
    }
    let whole_px = (side + 2 * QUIET) * module_px;
    let (left, top) = ((WIDTH_PX - whole_px) / 2, (HEIGHT_PX - whole_px) / 2);
    let mut luma = vec![WALL; WIDTH_PX * HEIGHT_PX];
    for y in 0..whole_px {
        let row = (top + y) * WIDTH_PX + left;
        for (x, pixel) in luma.iter_mut().skip(row).take(whole_px).enumerate() {
            let at = |px: usize| (px / module_px).checked_sub(QUIET).filter(|module| *module < side);
            let is_dark = at(x).zip(at(y)).is_some_and(|(x, y)| modules[y * side + x] == Color::Dark);
            *pixel = if is_dark { DARK } else { LIGHT };
        }
    }
    frame(luma)
}

/// A frame that shows nothing.
pub(super) fn blank() -> Option<Frame> {
    frame(vec![WALL; WIDTH_PX * HEIGHT_PX])
}

fn frame(luma: Vec<u8>) -> Option<Frame> {
    Frame::new(WIDTH_PX as u32, HEIGHT_PX as u32, luma).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optics::Reader;

    #[test]
    fn the_longest_pass_is_drawn_and_read_and_what_is_longer_is_not_drawn() {
        let text = "A".repeat(menshen_core::pass::MAX_QR_TEXT);
        let sight = Reader::new().read(&of(&text).expect("it fits"));
        assert_eq!(sight.payloads.iter().map(|payload| payload.as_bytes()).collect::<Vec<_>>(), [text.as_bytes()]);
        assert!(of(&"a".repeat(2900)).is_none() && Reader::new().read(&blank().expect("a frame")).payloads.is_empty());
    }
}
