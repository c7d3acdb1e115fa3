//! CJMCU-90614: another MLX90614 behind a microcontroller, with another frame.
//!
//! 115200 baud 8N1 (settable: 9600, 57600). A frame is 9 bytes: `66 66 MODE 04 D1h D1l D2h D2l SUM`, MODE 01 where it
//! streams and 02 where it was asked, D1 the object and D2 the ambient temperature in signed 16-bit big-endian hundredths
//! of a degree, SUM the low 8 bits of the sum of all bytes before it. A command is `66 66 CMD 56`. (The seller's sheet.)

use super::Reading;
use super::summed::{self, FRAME_BYTES, Parser};

const MARK: u8 = 0x66;
const STREAMED: u8 = 0x01;
const ASKED: u8 = 0x02;
const DATA_BYTES: u8 = 0x04;

/// Asks the unit to stream readings.
pub const COMMAND_STREAM: [u8; 4] = [MARK, MARK, 0x01, 0x56];

/// Finds its frames in a stream of bytes.
pub const fn parser() -> Parser {
    Parser::new(|head| matches!(head, [MARK, MARK, STREAMED | ASKED, DATA_BYTES]))
}

/// The frame a unit that streams sends for a reading: for simulated units and tests.
pub fn frame(reading: Reading) -> [u8; FRAME_BYTES] {
    summed::frame([MARK, MARK, STREAMED, DATA_BYTES], reading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thermo::summed::sum_of;
    use std::vec::Vec;

    fn readings(bytes: &[u8]) -> Vec<Reading> {
        let mut parser = parser();
        bytes.iter().filter_map(|&byte| parser.push(byte)).collect()
    }

    #[test]
    fn a_frame_by_hand_reads_36_50_and_22_00() {
        let expected = Reading::of(3650, 2200);
        // 0x66 + 0x66 + 1 + 4 + 0x0e + 0x42 + 0x08 + 0x98 = 0x1c1
        let streamed = [0x66, 0x66, 0x01, 0x04, 0x0e, 0x42, 0x08, 0x98, 0xc1];
        let asked = [0x66, 0x66, 0x02, 0x04, 0x0e, 0x42, 0x08, 0x98, 0xc2];
        assert_eq!(frame(expected), streamed);
        assert_eq!(readings(&[streamed, asked].concat()), [expected; 2]);
    }

    #[test]
    fn a_wrong_sum_mode_or_length_is_no_reading() {
        for (at, value) in [(2, 0x03), (3, 0x05), (8, 0xc0)] {
            let mut frame = frame(Reading::of(3650, 2200));
            frame[at] = value;
            // With its sum right, too, where it is not the sum that is wrong.
            frame[8] = if at == 8 { value } else { sum_of(&frame[..8]) };
            assert_eq!(readings(&frame), [], "byte {at}");
        }
    }
}
