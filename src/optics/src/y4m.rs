//! Luma frames out of a YUV4MPEG2 (Y4M) stream.
//!
//! Y4M is what `ffmpeg` and `rpicam-vid | ffmpeg` write to a pipe: one header
//! line, then `FRAME` lines each followed by raw planes. The reader keeps luma
//! and drops chroma unread into memory. It is our own because a camera's pipe
//! ends either between two frames (the program stopped) or inside one (it
//! died), the gate must tell these apart, and the known parsers report both as
//! the same end of file.
//!
//! Invariants: nothing is allocated before the header's size is within a
//! [`Frame`]'s bounds; a line longer than [`MAX_LINE_BYTES`] is refused; after
//! an error the stream is over. Format: the mjpegtools manual page `yuv4mpeg(5)`.

use std::io::{self, BufRead, BufReader, Read};

use thiserror::Error;

use super::frame::{Frame, MAX_SIDE_PX};

/// The longest header or frame line accepted, in bytes.
pub const MAX_LINE_BYTES: usize = 512;

pub(super) const MAGIC: &str = "YUV4MPEG2";
pub(super) const FRAME: &str = "FRAME";

/// Reads luma frames from a Y4M stream.
#[derive(Debug)]
pub struct Y4mReader<R> {
    source: BufReader<R>,
    header: Header,
    over: bool,
}

impl<R: Read> Y4mReader<R> {
    /// Reads the stream's header; blocks until it has arrived.
    ///
    /// # Errors
    /// [`Y4mError`], by what is wrong with the header.
    pub fn new(source: R) -> Result<Self, Y4mError> {
        let mut source = BufReader::new(source);
        let line = read_line(&mut source)?.ok_or(Y4mError::NotY4m)?;
        let header = Header::parse(&line)?;
        Ok(Self { source, header, over: false })
    }

    /// Width of every frame, in pixels.
    pub fn width(&self) -> u32 {
        self.header.width
    }

    /// Height of every frame, in pixels.
    pub fn height(&self) -> u32 {
        self.header.height
    }

    /// The next frame, or `None` where the stream ends between two frames.
    ///
    /// # Errors
    /// [`Y4mError::Truncated`] where it ends inside a frame,
    /// [`Y4mError::Frame`] where no frame begins, [`Y4mError::Io`].
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Y4mError> {
        if self.over {
            return Ok(None);
        }
        let next = self.read_frame();
        self.over = !matches!(next, Ok(Some(_)));
        next
    }

    fn read_frame(&mut self) -> Result<Option<Frame>, Y4mError> {
        let Some(line) = read_line(&mut self.source)? else {
            return Ok(None);
        };
        if line.split(' ').next() != Some(FRAME) {
            return Err(Y4mError::Frame);
        }
        let mut luma = vec![0; self.header.luma_len()];
        self.source.read_exact(&mut luma).map_err(truncated)?;
        skip(&mut self.source, self.header.chroma_len())?;
        Frame::new(self.header.width, self.header.height, luma).map(Some).map_err(|_| Y4mError::Size)
    }
}

impl<R: Read> Iterator for Y4mReader<R> {
    type Item = Result<Frame, Y4mError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_frame().transpose()
    }
}

/// Why a stream gives no (further) frame.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Y4mError {
    /// The stream does not begin with `YUV4MPEG2`.
    #[error("the stream is not Y4M: it must begin with YUV4MPEG2; check the camera's output format")]
    NotY4m,
    /// A header field is missing or is no number.
    #[error("the Y4M header has no valid {field}; check the program that writes the stream")]
    Header {
        /// The field: `width` or `height`.
        field: &'static str,
    },
    /// A side is zero or too long, or a frame differs from its stream.
    #[error("the Y4M stream's frame size is not usable; use one size of 1 to {MAX_SIDE_PX} pixels a side")]
    Size,
    /// A chroma format other than 8-bit mono, 4:2:0, 4:1:1, 4:2:2 or 4:4:4.
    #[error("the Y4M chroma format C{tag} is not 8-bit; write the stream with -pix_fmt gray or yuv420p")]
    Chroma {
        /// The format as the header names it.
        tag: String,
    },
    /// No `FRAME` where a frame should begin.
    #[error("the Y4M stream lost its frame boundary; start the camera again")]
    Frame,
    /// The stream ends inside a frame or a line.
    #[error("the Y4M stream ended inside a frame; check that the camera program still runs")]
    Truncated,
    /// A header or frame line longer than [`MAX_LINE_BYTES`].
    #[error("a Y4M line is longer than {MAX_LINE_BYTES} bytes; check the program that writes the stream")]
    Line,
    /// The stream itself failed.
    #[error("the Y4M stream failed: {0}; check the camera's pipe")]
    Io(#[from] io::Error),
}

#[derive(Debug)]
struct Header {
    width: u32,
    height: u32,
    chroma: Chroma,
}

impl Header {
    fn parse(line: &str) -> Result<Self, Y4mError> {
        let mut fields = line.split(' ');
        if fields.next() != Some(MAGIC) {
            return Err(Y4mError::NotY4m);
        }
        let (mut width, mut height, mut chroma) = (None, None, Chroma::Quarter);
        for field in fields {
            if let Some(value) = field.strip_prefix('W') {
                width = value.parse().ok();
            } else if let Some(value) = field.strip_prefix('H') {
                height = value.parse().ok();
            } else if let Some(tag) = field.strip_prefix('C') {
                chroma = Chroma::parse(tag)?;
            }
        }
        let width = width.ok_or(Y4mError::Header { field: "width" })?;
        let height = height.ok_or(Y4mError::Header { field: "height" })?;
        check_size(width, height)?;
        Ok(Self { width, height, chroma })
    }

    fn luma_len(&self) -> usize {
        self.width as usize * self.height as usize
    }

    fn chroma_len(&self) -> u64 {
        let (width, height) = (u64::from(self.width), u64::from(self.height));
        match self.chroma {
            Chroma::None => 0,
            Chroma::Quarter => 2 * width.div_ceil(2) * height.div_ceil(2),
            Chroma::FourthOfRow => 2 * width.div_ceil(4) * height,
            Chroma::Half => 2 * width.div_ceil(2) * height,
            Chroma::Full => 2 * width * height,
            Chroma::FullAndAlpha => 3 * width * height,
        }
    }
}

/// How much chroma follows the luma.
#[derive(Debug, Clone, Copy)]
enum Chroma {
    None,
    Quarter,
    FourthOfRow,
    Half,
    Full,
    FullAndAlpha,
}

impl Chroma {
    fn parse(tag: &str) -> Result<Self, Y4mError> {
        match tag {
            "mono" => Ok(Self::None),
            "420" | "420jpeg" | "420mpeg2" | "420paldv" => Ok(Self::Quarter),
            "411" => Ok(Self::FourthOfRow),
            "422" => Ok(Self::Half),
            "444" => Ok(Self::Full),
            "444alpha" => Ok(Self::FullAndAlpha),
            _ => Err(Y4mError::Chroma { tag: tag.to_owned() }),
        }
    }
}

pub(super) fn check_size(width: u32, height: u32) -> Result<(), Y4mError> {
    let sides = 1..=MAX_SIDE_PX;
    if sides.contains(&width) && sides.contains(&height) { Ok(()) } else { Err(Y4mError::Size) }
}

/// One line without its end, or `None` where the stream ends before it.
fn read_line(source: &mut impl BufRead) -> Result<Option<String>, Y4mError> {
    let mut line = Vec::new();
    let bound = MAX_LINE_BYTES as u64 + 1;
    source.by_ref().take(bound).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        let cut_by_us = line.len() == MAX_LINE_BYTES;
        return Err(if cut_by_us { Y4mError::Line } else { Y4mError::Truncated });
    }
    // Not UTF-8 is not Y4M either: what is replaced here matches no field.
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

fn skip(source: &mut impl Read, len: u64) -> Result<(), Y4mError> {
    let skipped = io::copy(&mut source.take(len), &mut io::sink())?;
    if skipped == len { Ok(()) } else { Err(Y4mError::Truncated) }
}

fn truncated(error: io::Error) -> Y4mError {
    if error.kind() == io::ErrorKind::UnexpectedEof { Y4mError::Truncated } else { Y4mError::Io(error) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;

    fn header_error(header: &str) -> Y4mError {
        Y4mReader::new(header.as_bytes()).unwrap_err()
    }

    #[test]
    fn chroma_of_every_8_bit_format_is_stepped_over() {
        let cases = [
            ("", 2 * 3),
            (" C420jpeg", 2 * 3),
            (" C420mpeg2 XYSCSS=420MPEG2", 2 * 3),
            (" C411", 2 * 2 * 2),
            (" C422", 2 * 3 * 2),
            (" C444", 2 * 5 * 2),
            (" C444alpha", 3 * 5 * 2),
            (" Cmono", 0),
        ];
        for (tag, chroma_len) in cases {
            let mut bytes = format!("YUV4MPEG2 W5 H2 F30:1 Ip A1:1{tag}\n").into_bytes();
            for luma in [7, 9] {
                bytes.extend_from_slice(b"FRAME Ip\n");
                bytes.extend_from_slice(&[luma; 10]);
                bytes.extend(std::iter::repeat_n(b'F', chroma_len));
            }
            let frames: Vec<_> = Y4mReader::new(&bytes[..]).unwrap().map(Result::unwrap).collect();
            assert_eq!(frames.len(), 2, "{tag}");
            assert_eq!(frames[1].luma(), [9; 10], "{tag}");
        }
    }

    #[test]
    fn a_stream_cut_anywhere_inside_a_frame_is_truncated() {
        let mut whole = b"YUV4MPEG2 W2 H2\n".to_vec();
        let boundary = whole.len();
        whole.extend_from_slice(b"FRAME\n\x01\x02\x03\x04\x05\x06");
        for end in boundary..=whole.len() {
            let mut reader = Y4mReader::new(&whole[..end]).unwrap();
            let next = reader.next_frame();
            if end == boundary {
                assert!(matches!(next, Ok(None)));
            } else if end == whole.len() {
                assert!(next.unwrap().is_some());
                assert!(reader.next_frame().unwrap().is_none());
            } else {
                assert!(matches!(next, Err(Y4mError::Truncated)), "cut at {end}");
                assert!(reader.next_frame().unwrap().is_none());
            }
        }
    }

    #[test]
    fn more_than_8_bits_is_refused_by_name() {
        for tag in ["420p10", "422p12", "mono16", "mono10", "444p16"] {
            let error = header_error(&format!("YUV4MPEG2 W2 H2 C{tag}\n"));
            assert!(matches!(&error, Y4mError::Chroma { tag: got } if got == tag));
        }
    }

    #[test]
    fn a_hostile_header_is_an_error_and_reserves_nothing() {
        assert!(matches!(header_error(""), Y4mError::NotY4m));
        assert!(matches!(header_error("RIFF W2 H2\n"), Y4mError::NotY4m));
        assert!(matches!(header_error("YUV4MPEG2 W2 H2"), Y4mError::Truncated));
        assert!(matches!(header_error("YUV4MPEG2 H2\n"), Y4mError::Header { field: "width" }));
        assert!(matches!(header_error("YUV4MPEG2 W2 H-2\n"), Y4mError::Header { field: "height" }));
        for size in ["W0 H2", "W2 H4097", "W4294967295 H4294967295"] {
            assert!(matches!(header_error(&format!("YUV4MPEG2 {size}\n")), Y4mError::Size));
        }
        assert!(matches!(header_error(&"Y".repeat(1 << 20)), Y4mError::Line));
    }

    #[test]
    fn noise_in_place_of_a_frame_is_a_lost_boundary() {
        let mut reader = Y4mReader::new(&b"YUV4MPEG2 W2 H2 Cmono\nFRAMES\n\0\0\0\0"[..]).unwrap();
        assert!(matches!(reader.next_frame(), Err(Y4mError::Frame)));
    }
}
