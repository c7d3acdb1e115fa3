//! GY-MCU90614 and GY-MCU90615: an MLX90614 behind a small microcontroller.
//!
//! 9600 baud 8N1 (GY-MCU90615: 115200), about 14 frames a second. A frame is 9 bytes:
//! `5A 5A 45 04 TOh TOl TAh TAl SUM`, object and ambient temperature as signed 16-bit big-endian
//! hundredths of a degree, SUM the low 8 bits of the sum of all bytes before it. Some units append a
//! tenth byte.

use super::Reading;
use super::summed::{self, FRAME_BYTES, Parser};

const HEADER: [u8; 4] = [0x5a, 0x5a, 0x45, 0x04];

/// Asks the unit to stream readings.
pub const COMMAND_STREAM: [u8; 3] = [0xa5, 0x45, 0xea];
/// Asks the unit for one reading.
pub const COMMAND_ONCE: [u8; 3] = [0xa5, 0x15, 0xba];

/// Finds its frames in a stream of bytes.
pub const fn parser() -> Parser {
    Parser::new(|head| matches!(head, HEADER))
}

/// The frame a unit sends for a reading: for simulated units and tests.
pub fn frame(reading: Reading) -> [u8; FRAME_BYTES] {
    summed::frame(HEADER, reading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const PUBLISHED: [u8; 9] = [0x5a, 0x5a, 0x45, 0x04, 0x0c, 0x78, 0x0d, 0x19, 0xa7];

    fn readings(bytes: &[u8]) -> Vec<Reading> {
        let mut parser = parser();
        bytes.iter().filter_map(|&byte| parser.push(byte)).collect()
    }

    #[test]
    fn the_published_example_reads_31_92_and_33_53() {
        let expected = Reading::of(3192, 3353);
        assert_eq!(readings(&PUBLISHED), [expected]);
        assert_eq!(frame(expected), PUBLISHED);
    }

    #[test]
    fn a_wrong_sum_is_no_reading() {
        let mut frame = PUBLISHED;
        frame[8] ^= 1;
        assert_eq!(readings(&frame), []);
    }

    #[test]
    fn a_tenth_byte_does_not_cost_the_next_frame() {
        let mut stream = PUBLISHED.to_vec();
        stream.push(0x14);
        stream.extend(PUBLISHED);
        assert_eq!(readings(&stream).len(), 2);
    }

    #[test]
    fn below_zero_is_signed() {
        let cold = Reading::of(-1234, -500);
        assert_eq!(readings(&frame(cold)), [cold]);
    }
}
