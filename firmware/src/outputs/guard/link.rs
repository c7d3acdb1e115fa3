//! The words between a gate and its relay guard, over one socket.
//!
//! A frame is nine bytes: what it is, a number that an answer repeats, and a value. Both ends are the same program, so
//! the format has no version. Neither end ever waits for the other to read: a gate that is frozen must not freeze its
//! guard, so what does not fit into the socket is lost, and a lost answer is a guard that did not answer.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

const BYTES: usize = 9;

/// One word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Gate: let somebody pass for so many milliseconds.
    Pass { number: u32, for_ms: u32 },
    /// Gate: nobody may pass.
    Shut { number: u32 },
    /// Gate: say that you are there.
    Ping { number: u32 },
    /// Guard: the pin is at rest and it listens.
    Ready,
    /// Guard: can not use its pins; so many bytes of a sentence follow.
    Refused { bytes: u32 },
    /// Guard: what was asked is done, and whether the pin obeyed.
    Done { number: u32, obeyed: bool },
    /// Guard: the fire alarm began (`true`) or ended.
    Alarm { lasts: bool },
    /// Guard: it shut the way, because nobody else did in time.
    Cut,
    /// Gate: the pin is yours now.
    Begin,
}

impl Word {
    fn bytes(self) -> [u8; BYTES] {
        let (tag, number, value) = match self {
            Word::Pass { number, for_ms } => (1, number, for_ms),
            Word::Shut { number } => (2, number, 0),
            Word::Ping { number } => (3, number, 0),
            Word::Ready => (4, 0, 0),
            Word::Refused { bytes } => (5, 0, bytes),
            Word::Done { number, obeyed } => (6, number, obeyed.into()),
            Word::Alarm { lasts } => (7, 0, lasts.into()),
            Word::Cut => (8, 0, 0),
            Word::Begin => (9, 0, 0),
        };
        let mut bytes = [tag; BYTES];
        bytes[1..5].copy_from_slice(&number.to_le_bytes());
        bytes[5..].copy_from_slice(&value.to_le_bytes());
        bytes
    }

    fn of([tag, n0, n1, n2, n3, v0, v1, v2, v3]: [u8; BYTES]) -> Option<Word> {
        let (number, value) = (u32::from_le_bytes([n0, n1, n2, n3]), u32::from_le_bytes([v0, v1, v2, v3]));
        Some(match tag {
            1 => Word::Pass { number, for_ms: value },
            2 => Word::Shut { number },
            3 => Word::Ping { number },
            4 => Word::Ready,
            5 => Word::Refused { bytes: value },
            6 => Word::Done { number, obeyed: value != 0 },
            7 => Word::Alarm { lasts: value != 0 },
            8 => Word::Cut,
            9 => Word::Begin,
            _ => return None,
        })
    }
}

/// One end of the socket.
#[derive(Debug)]
pub(super) struct Link {
    socket: UnixStream,
    begun: Vec<u8>,
}

impl Link {
    pub(super) fn new(socket: UnixStream) -> Link {
        Link { socket, begun: Vec::new() }
    }

    pub(super) fn socket(&self) -> &UnixStream {
        &self.socket
    }

    /// Ends the talk for both ends at once, also where another thread still waits at a copy of the socket.
    pub(super) fn shut_down(&self) {
        // An end that is gone already is what is wanted.
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    pub(super) fn send(&mut self, word: Word) -> io::Result<()> {
        self.socket.write_all(&word.bytes())
    }

    pub(super) fn send_text(&mut self, text: &str) -> io::Result<()> {
        self.send(Word::Refused { bytes: u32::try_from(text.len()).unwrap_or(0) })?;
        self.socket.write_all(text.as_bytes())
    }

    /// The text that a [`Word::Refused`] announced.
    pub(super) fn text(&mut self, bytes: u32) -> io::Result<String> {
        let mut text = std::mem::take(&mut self.begun);
        (&self.socket).take(u64::from(bytes).saturating_sub(text.len() as u64)).read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// The next word, within the socket's own time limit; what is no word is an error.
    pub(super) fn receive(&mut self) -> io::Result<Word> {
        loop {
            if let Some((word, rest)) = self.begun.split_first_chunk::<BYTES>() {
                let word = Word::of(*word);
                self.begun = rest.to_vec();
                return word.ok_or_else(|| io::ErrorKind::InvalidData.into());
            }
            let mut buffer = [0; 16 * BYTES];
            match self.socket.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.begun.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether there was nothing to read, or no room to write, in time.
pub(super) fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_arrives_as_it_was_sent_also_in_pieces() -> io::Result<()> {
        let words = [
            Word::Pass { number: 7, for_ms: 5000 },
            Word::Shut { number: u32::MAX },
            Word::Ping { number: 1 },
            Word::Ready,
            Word::Done { number: 7, obeyed: false },
            Word::Alarm { lasts: true },
            Word::Cut,
            Word::Begin,
        ];
        let (mut near, far) = UnixStream::pair()?;
        let mut far = Link::new(far);
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.bytes()).collect();
        for piece in bytes.chunks(5) {
            near.write_all(piece)?;
        }
        for word in words {
            assert_eq!(far.receive()?, word);
        }
        near.write_all(&[99; BYTES])?;
        assert_eq!(far.receive().map_err(|error| error.kind()), Err(io::ErrorKind::InvalidData));
        Ok(())
    }

    #[test]
    fn a_sentence_that_follows_a_refusal_arrives_whole() -> io::Result<()> {
        let (near, far) = UnixStream::pair()?;
        Link::new(near).send_text("cannot use GPIO 17: no")?;
        let mut far = Link::new(far);
        let Word::Refused { bytes } = far.receive()? else { panic!("not a refusal") };
        assert_eq!(far.text(bytes)?, "cannot use GPIO 17: no");
        Ok(())
    }
}
