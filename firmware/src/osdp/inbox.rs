//! Whole packets out of what a line brings.
//!
//! A line brings halves of packets, noise, what other readers on the same two wires say, and the echo of what this
//! reader said itself. A packet is taken as soon as all of it is there, also behind something that began like a longer
//! packet and was noise: so a panel's next poll is answered whatever came before it, without waiting for a silence.
//! What is garbled is not answered at all, because it may have been meant for another reader, and two that answer
//! at once garble each other; the panel asks again.

use osdp::packet::{ControlByte, HEADER_LEN, checksum8, crc16};
use osdp::{BROADCAST_ADDR, REPLY_FLAG, SOM};

/// The longest packet that is taken, in bytes; no command that this reader obeys is longer.
pub(super) const MAX_PACKET_BYTES: usize = 256;
/// The shortest that there is: a header, a code and a sum.
const MIN_PACKET_BYTES: usize = HEADER_LEN + 2;

/// What has come and was not taken yet; never more than two packets' worth.
#[derive(Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
}

/// What some bytes that begin with the mark of a packet are.
enum Found {
    Packet(usize),
    /// It may become one when more comes.
    Unfinished,
    Noise,
}

impl Inbox {
    /// Takes what the line brought.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next packet whose sum is right and which the panel sent to `address` or to everybody.
    pub(super) fn next(&mut self, address: u8) -> Option<Vec<u8>> {
        loop {
            let packet = self.next_of_anybody()?;
            let to = packet.get(1).copied().unwrap_or(REPLY_FLAG);
            if to & REPLY_FLAG == 0 && (to == address || to == BROADCAST_ADDR) {
                return Some(packet);
            }
        }
    }

    fn next_of_anybody(&mut self) -> Option<Vec<u8>> {
        let mut unfinished = None;
        for at in 0..self.bytes.len() {
            match found(&self.bytes[at..]) {
                Found::Packet(length) => {
                    let rest = self.bytes.split_off(at + length);
                    let packet = self.bytes.split_off(at);
                    self.bytes = rest;
                    return Some(packet);
                }
                Found::Unfinished => unfinished = unfinished.or(Some(at)),
                Found::Noise => {}
            }
        }
        self.bytes.drain(..unfinished.unwrap_or(self.bytes.len()));
        None
    }
}

fn found(bytes: &[u8]) -> Found {
    let (Some(SOM), Some(header)) = (bytes.first().copied(), bytes.get(..HEADER_LEN)) else {
        return if bytes.first() == Some(&SOM) { Found::Unfinished } else { Found::Noise };
    };
    let length = usize::from(u16::from_le_bytes([header[2], header[3]]));
    let Ok(control) = ControlByte::decode(header[4]) else { return Found::Noise };
    if !(MIN_PACKET_BYTES..=MAX_PACKET_BYTES).contains(&length) {
        return Found::Noise;
    }
    let Some(packet) = bytes.get(..length) else { return Found::Unfinished };
    let is_right = if control.use_crc() {
        let (body, sum) = packet.split_at(length - 2);
        crc16(body).to_le_bytes() == sum
    } else {
        let (body, sum) = packet.split_at(length - 1);
        [checksum8(body)] == sum
    };
    if is_right { Found::Packet(length) } else { Found::Noise }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A poll of reader 5, from the documentation of the crate.
    const POLL: [u8; 8] = [0x53, 0x05, 0x08, 0x00, 0x04, 0x60, 0xBC, 0x89];

    fn all(inbox: &mut Inbox, bytes: &[u8]) -> usize {
        inbox.push(bytes);
        std::iter::from_fn(|| inbox.next(5)).inspect(|packet| assert_eq!(packet, &POLL)).count()
    }

    #[test]
    fn a_packet_is_taken_in_one_piece_in_many_and_behind_noise() {
        let mut inbox = Inbox::default();
        assert_eq!(all(&mut inbox, &POLL), 1);
        assert_eq!(all(&mut inbox, &[POLL, POLL].concat()), 2);
        for byte in &POLL[..7] {
            assert_eq!(all(&mut inbox, &[*byte]), 0);
        }
        assert_eq!(all(&mut inbox, &POLL[7..]), 1);
        // What begins like a packet of 200 bytes does not swallow the poll behind it.
        let noise = [0xFF, 0x53, 0x05, 200, 0x00, 0x04, 0x60, 0x53];
        assert_eq!(all(&mut inbox, &[&noise[..], &POLL].concat()), 1);
        assert_eq!(inbox.bytes.len(), 0);
    }

    #[test]
    fn others_and_what_is_garbled_are_passed_over() {
        let mut inbox = Inbox::default();
        let mut echo = POLL;
        echo[1] |= REPLY_FLAG;
        let sum = crc16(&echo[..6]).to_le_bytes();
        echo[6..].copy_from_slice(&sum);
        let mut other = POLL;
        other[1] = 6;
        let sum = crc16(&other[..6]).to_le_bytes();
        other[6..].copy_from_slice(&sum);
        let mut garbled = POLL;
        garbled[7] ^= 1;
        assert_eq!(all(&mut inbox, &[echo, other, garbled, POLL].concat()), 1);
    }

    #[test]
    fn what_is_kept_has_an_end() {
        let mut inbox = Inbox::default();
        for _ in 0..100 {
            assert_eq!(all(&mut inbox, &[0x53, 0x05, 0xFF, 0x00, 0x04].repeat(20)), 0);
            assert!(inbox.bytes.len() <= 2 * MAX_PACKET_BYTES, "{}", inbox.bytes.len());
        }
        assert_eq!(all(&mut inbox, &POLL), 1);
    }
}
