//! The frame that the microcontrollers behind an MLX90614 have in common, whoever sells them.
//!
//! 9 bytes: a head of 4, the object's and the ambient temperature as signed 16-bit big-endian hundredths of a degree, and the
//! low 8 bits of the sum of all bytes before it. The kinds differ in their heads alone.

use super::Reading;
use super::window::Window;

/// Bytes of a frame.
pub const FRAME_BYTES: usize = 9;

/// Finds frames with one kind's head in a stream of bytes.
#[derive(Clone, Debug)]
pub struct Parser {
    window: Window<FRAME_BYTES>,
    is_head: fn([u8; 4]) -> bool,
}

impl Parser {
    /// A parser that has seen nothing.
    pub(super) const fn new(is_head: fn([u8; 4]) -> bool) -> Parser {
        Parser { window: Window::new(), is_head }
    }

    /// Takes one byte; gives a reading when it completes a frame whose sum is right.
    pub fn push(&mut self, byte: u8) -> Option<Reading> {
        let [body @ .., sum] = *self.window.push(byte)?;
        let [h0, h1, h2, h3, a, b, c, d] = body;
        if !(self.is_head)([h0, h1, h2, h3]) || sum_of(&body) != sum {
            return None;
        }
        self.window.clear();
        Some(Reading::of(i16::from_be_bytes([a, b]), i16::from_be_bytes([c, d])))
    }
}

/// The frame with a head for a reading.
pub(super) fn frame([h0, h1, h2, h3]: [u8; 4], reading: Reading) -> [u8; FRAME_BYTES] {
    let [a, b] = reading.temp_centi_c.to_be_bytes();
    let [c, d] = reading.ambient_centi_c.to_be_bytes();
    [h0, h1, h2, h3, a, b, c, d, sum_of(&[h0, h1, h2, h3, a, b, c, d])]
}

/// The low 8 bits of a sum.
pub(super) fn sum_of(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte))
}
