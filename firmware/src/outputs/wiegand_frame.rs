//! The bits of a Wiegand frame, with their parities (see [`Lines`](super::Lines) for the sources).

use crate::board::WiegandFrame;

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    data: u32,
    data_bits: u32,
}

impl Frame {
    /// The frame of a board's number.
    pub fn of(number: WiegandFrame) -> Frame {
        match number {
            WiegandFrame::W26 { facility, card } => {
                Frame { data: u32::from(facility) << 16 | u32::from(card), data_bits: 24 }
            }
            WiegandFrame::W34 { facility, card } => {
                Frame { data: u32::from(facility) << 16 | u32::from(card), data_bits: 32 }
            }
        }
    }

    /// Its bits in the order of sending: the parity that makes the first half even, the data with the highest bit first,
    /// and the parity that makes the second half odd.
    pub fn bits(self) -> impl Iterator<Item = bool> {
        let half = self.data_bits / 2;
        let second = self.data & ((1 << half) - 1);
        let even = !(self.data >> half).count_ones().is_multiple_of(2);
        let odd = second.count_ones().is_multiple_of(2);
        let data = (0..self.data_bits).rev().map(move |bit| self.data >> bit & 1 == 1);
        std::iter::once(even).chain(data).chain(std::iter::once(odd))
    }
}
