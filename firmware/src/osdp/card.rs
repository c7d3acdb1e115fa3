//! The number that a gate shows to an access controller, as the bits of a card.
//!
//! It is the gate's own number and the same for everybody: it says "this gate says admit" and nothing of a person. Bits
//! come as a Wiegand reader would send them, the first one first: an even parity bit over the first half, the facility,
//! the card, an odd parity bit over the second half.

use crate::board::WiegandFrame;
use crate::outputs::Frame;

/// How many bits a card has, and how they are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// 26 bits: 8 for the facility, 16 for the card.
    Wiegand26,
    /// 34 bits: 16 for the facility, 16 for the card.
    Wiegand34,
}

impl Format {
    /// The bits of a card, parity among them.
    pub const fn bits(self) -> u16 {
        match self {
            Format::Wiegand26 => 26,
            Format::Wiegand34 => 34,
        }
    }

    /// The highest facility that there is room for.
    pub const fn max_facility(self) -> u16 {
        match self {
            Format::Wiegand26 => 0xFF,
            Format::Wiegand34 => u16::MAX,
        }
    }
}

/// The number of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    /// How it is written.
    pub format: Format,
    /// The facility, at most [`Format::max_facility`]; what is above that is not sent.
    pub facility: u16,
    /// The card.
    pub card: u16,
}

impl Card {
    /// Facility and card in one number.
    pub(super) fn number(self) -> u32 {
        u32::from(self.facility & self.format.max_facility()) << 16 | u32::from(self.card)
    }

    /// The bits, eight a byte, the first one highest; the last byte is filled with zeros.
    pub(super) fn bytes(self) -> Vec<u8> {
        let bits: Vec<bool> = Frame::of(self.frame()).bits().collect();
        let byte = |bits: &[bool]| bits.iter().zip((0..8).rev()).fold(0, |byte, (bit, at)| byte | u8::from(*bit) << at);
        bits.chunks(8).map(byte).collect()
    }

    fn frame(self) -> WiegandFrame {
        let (facility, card) = (self.facility & self.format.max_facility(), self.card);
        match self.format {
            // Eight bits are left of it.
            Format::Wiegand26 => WiegandFrame::W26 { facility: facility as u8, card },
            Format::Wiegand34 => WiegandFrame::W34 { facility, card },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format, facility: u16, card: u16) -> String {
        let card = Card { format, facility, card };
        let all: String = card.bytes().iter().map(|byte| format!("{byte:08b}")).collect();
        let (bits, filled) = all.split_at(usize::from(format.bits()));
        assert!(filled.len() < 8 && filled.chars().all(|bit| bit == '0'), "{all}");
        bits.to_owned()
    }

    #[test]
    fn bits_are_in_the_order_of_the_wire() {
        // Facility 1, card 1: one bit in each half, so even parity is 1 and odd parity 0.
        assert_eq!(written(Format::Wiegand26, 1, 1), "10000000100000000000000010");
        assert_eq!(written(Format::Wiegand34, 1, 1), "1000000000000000100000000000000010");
        // Facility 123, card 4567, as card calculators have it: 0x0F6 0x23AF with both parities.
        assert_eq!(written(Format::Wiegand26, 123, 4567), "10111101100010001110101110");
        assert_eq!(written(Format::Wiegand26, 0, 0), "00000000000000000000000001");
    }

    #[test]
    fn each_half_has_its_parity() {
        for (format, half) in [(Format::Wiegand26, 13), (Format::Wiegand34, 17)] {
            for number in (0..=u32::MAX).step_by(9_999_991) {
                let facility = (number >> 16) as u16 & format.max_facility();
                let bits = written(format, facility, number as u16);
                let ones = |part: &str| part.matches('1').count() % 2;
                assert_eq!((ones(&bits[..half]), ones(&bits[half..])), (0, 1), "{bits}");
                assert_eq!(
                    u32::from_str_radix(&bits[1..bits.len() - 1], 2).ok(),
                    Some(Card { format, facility, card: number as u16 }.number())
                );
            }
        }
    }
}
