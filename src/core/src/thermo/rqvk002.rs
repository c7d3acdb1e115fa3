//! RQVK002: a single-point forehead module that streams by itself.
//!
//! 19200 baud 8N1, no commands. A frame is 6 bytes: `5A ? TA TO ? A5`. TA is the ambient temperature in tenths of a
//! degree from 25.0 and TO the object's from 36.0; a byte above 127 counts downwards from 255, as in the maker's own
//! program: there is no data sheet. What the two other bytes mean is not known, and there is no sum, so a frame counts
//! only right behind another one, with about the same ambient temperature: of random bytes one place in some 10^10 is so.

use super::Reading;
use super::window::Window;

/// Bytes of a frame.
pub const FRAME_BYTES: usize = 6;
const BEGIN: u8 = 0x5a;
const END: u8 = 0xa5;
const OBJECT_FROM_CENTI_C: i16 = 3600;
const AMBIENT_FROM_CENTI_C: i16 = 2500;
/// The surroundings do not change more from one frame to the next.
const MAX_AMBIENT_STEP_CENTI_C: u16 = 100;

/// Finds frames in a stream of bytes.
#[derive(Clone, Debug, Default)]
pub struct Parser {
    window: Window<{ 2 * FRAME_BYTES }>,
    /// How many bytes must come before the next frame can end: while frames follow each other nothing between counts.
    ahead: u8,
}

impl Parser {
    /// A parser that has seen nothing.
    pub const fn new() -> Parser {
        Parser { window: Window::new(), ahead: 0 }
    }

    /// Takes one byte; gives a reading when it completes a frame that is right behind another one.
    pub fn push(&mut self, byte: u8) -> Option<Reading> {
        let bytes = self.window.push(byte)?;
        if self.ahead > 0 {
            self.ahead -= 1;
            return None;
        }
        let (before, frame) = bytes.split_at(FRAME_BYTES);
        let (before, reading) = (whole_frame(before)?, whole_frame(frame)?);
        if before.ambient_centi_c.abs_diff(reading.ambient_centi_c) > MAX_AMBIENT_STEP_CENTI_C {
            return None;
        }
        self.ahead = FRAME_BYTES as u8 - 1;
        Some(reading)
    }
}

fn whole_frame(bytes: &[u8]) -> Option<Reading> {
    match *bytes {
        [BEGIN, _, ambient, object, _, END] => {
            Some(Reading::of(OBJECT_FROM_CENTI_C + tenths(object), AMBIENT_FROM_CENTI_C + tenths(ambient)))
        }
        _ => None,
    }
}

/// Hundredths of a degree of a byte that says tenths.
fn tenths(byte: u8) -> i16 {
    let signed = i16::from(byte);
    10 * if signed > 127 { signed - 255 } else { signed }
}

/// The frame a unit sends for a reading, to the tenth: for simulated units and tests.
pub fn frame(reading: Reading) -> [u8; FRAME_BYTES] {
    let byte = |centi_c: i16, from_centi_c: i16| {
        let tenths = ((centi_c - from_centi_c) / 10).clamp(-127, 127);
        // Between -127 and 127, so between 1 and 255 where it counts downwards.
        if tenths < 0 { (tenths + 255) as u8 } else { tenths as u8 }
    };
    let (ambient, object) = (reading.ambient_centi_c, reading.temp_centi_c);
    [BEGIN, 0, byte(ambient, AMBIENT_FROM_CENTI_C), byte(object, OBJECT_FROM_CENTI_C), 0, END]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn readings(bytes: &[u8]) -> Vec<Reading> {
        let mut parser = Parser::new();
        bytes.iter().filter_map(|&byte| parser.push(byte)).collect()
    }

    #[test]
    fn frames_by_hand_read_36_5_and_35_2_at_24_0_degrees() {
        let (warm, cool) = ([0x5a, 0x31, 0xf5, 0x05, 0x77, 0xa5], [0x5a, 0x31, 0xf5, 0xf7, 0x6a, 0xa5]);
        let reading = |temp_centi_c| Reading::of(temp_centi_c, 2400);
        assert_eq!(readings(&[warm, warm, cool].concat()), [reading(3650), reading(3520)]);
    }

    #[test]
    fn a_reading_is_framed_and_read_to_the_tenth() {
        for (temp_centi_c, ambient_centi_c) in [(3640, 2250), (2330, 1230), (4870, 3770), (3600, 2500), (3590, 2490)] {
            let reading = Reading::of(temp_centi_c, ambient_centi_c);
            assert_eq!(readings(&[frame(reading); 2].concat()), [reading]);
        }
    }

    #[test]
    fn one_frame_alone_and_two_of_different_surroundings_are_no_reading() {
        let at = |ambient_centi_c| frame(Reading::of(3640, ambient_centi_c));
        assert_eq!(readings(&at(2250)), []);
        assert_eq!(readings(&[at(2250), at(1140)].concat()), []);
        let between = [&at(2250)[..], &[0], &at(2250)].concat();
        assert_eq!(readings(&between), []);
    }
}
