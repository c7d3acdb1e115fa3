//! The luma of a camera's JPEG, cheaply and safely.
//!
//! Cameras leave out the Huffman tables that every decoder is supposed to know, pad their pictures with zeros, and
//! lose pieces of them on a bad cable. So: missing tables are put in, what follows the end of the picture is cut off,
//! and a picture that is cut short or does not decode is damaged. Damage inside that still decodes shows as grey or
//! smeared blocks, which the error correction of a code and the signature of a pass are there for. Colour is never
//! computed.
//!
//! Separate from the device so that every damage can be tried without one. Invariant: no bytes make it panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::luma::Damaged;

/// Reads one JPEG after another, keeping its buffer.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    with_tables: Vec<u8>,
}

impl Decoder {
    /// Puts the luma of `jpeg`, which must be of this size, into `luma`, whose memory is used again.
    ///
    /// # Errors
    /// [`Damaged`] when it is not whole, not a JPEG, or of another size.
    pub(super) fn luma(&mut self, jpeg: &[u8], size: (u32, u32), luma: &mut Vec<u8>) -> Result<(), Damaged> {
        let whole = whole(jpeg)?;
        let jpeg = match tables_belong_at(whole)? {
            None => whole,
            Some(at) => {
                self.with_tables.clear();
                self.with_tables.extend_from_slice(&whole[..at]);
                self.with_tables.extend(tables());
                self.with_tables.extend_from_slice(&whole[at..]);
                &self.with_tables
            }
        };
        // The decoder is kept well and fuzzed by its authors; should it panic all the same, one picture is lost.
        let decoded = catch_unwind(AssertUnwindSafe(|| decode(jpeg, size, luma)));
        decoded.unwrap_or_else(|_| Err(Damaged("a JPEG that the decoder panicked at".to_owned())))
    }
}

fn decode(jpeg: &[u8], (width, height): (u32, u32), luma: &mut Vec<u8>) -> Result<(), Damaged> {
    let damaged = |error: zune_jpeg::errors::DecodeErrors| Damaged(format!("a damaged JPEG: {error}"));
    let (width, height) = (width as usize, height as usize);
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(width)
        .set_max_height(height)
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    decoder.decode_headers().map_err(damaged)?;
    if decoder.dimensions() != Some((width, height)) || decoder.output_buffer_size() != Some(width * height) {
        return Err(Damaged(format!("a JPEG of another size than {width}×{height}")));
    }
    luma.resize(width * height, 0);
    decoder.decode_into(luma).map_err(damaged)
}

/// From the start of the picture to its end, without what the driver filled the buffer up with.
fn whole(jpeg: &[u8]) -> Result<&[u8], Damaged> {
    if !jpeg.starts_with(&[0xFF, SOI]) {
        return Err(Damaged("no JPEG begins there".to_owned()));
    }
    match jpeg.windows(2).rposition(|pair| pair == [0xFF, EOI]) {
        Some(at) => Ok(&jpeg[..at + 2]),
        None => Err(Damaged("a JPEG that is cut off".to_owned())),
    }
}

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DHT: u8 = 0xC4;

/// Where tables have to be put in: before the scan, if no tables come before it.
fn tables_belong_at(jpeg: &[u8]) -> Result<Option<usize>, Damaged> {
    let mut at = 2;
    loop {
        let Some(&[0xFF, marker, high, low]) = jpeg.get(at..at + 4) else {
            return Err(Damaged("a JPEG with a damaged head".to_owned()));
        };
        match marker {
            DHT => return Ok(None),
            SOS => return Ok(Some(at)),
            0xFF => at += 1,
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])).max(2),
        }
    }
}

/// The tables of the standard (ITU-T T.81, annex K.3.3) as segments, which is what a camera means by none.
fn tables() -> impl Iterator<Item = u8> {
    let table = |class_and_id: u8, counts: &'static [u8; 16], symbols: &'static [u8]| {
        let length = u16::try_from(2 + 1 + counts.len() + symbols.len()).unwrap_or(u16::MAX).to_be_bytes();
        let head = [0xFF, DHT, length[0], length[1], class_and_id];
        head.into_iter().chain(counts.iter().copied()).chain(symbols.iter().copied())
    };
    table(0x00, &LUMA_DC, &DC_SYMBOLS)
        .chain(table(0x01, &CHROMA_DC, &DC_SYMBOLS))
        .chain(table(0x10, &LUMA_AC, &LUMA_AC_SYMBOLS))
        .chain(table(0x11, &CHROMA_AC, &CHROMA_AC_SYMBOLS))
}

const LUMA_DC: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const CHROMA_DC: [u8; 16] = [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0];
const DC_SYMBOLS: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const LUMA_AC: [u8; 16] = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D];
const CHROMA_AC: [u8; 16] = [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77];
#[rustfmt::skip]
const LUMA_AC_SYMBOLS: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71,
    0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0, 0x24, 0x33, 0x62, 0x72,
    0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x34, 0x35, 0x36, 0x37,
    0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59,
    0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83,
    0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3,
    0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3,
    0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2,
    0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA,
];
#[rustfmt::skip]
const CHROMA_AC_SYMBOLS: [u8; 162] = [
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22,
    0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33, 0x52, 0xF0, 0x15, 0x62, 0x72, 0xD1,
    0x0A, 0x16, 0x24, 0x34, 0xE1, 0x25, 0xF1, 0x17, 0x18, 0x19, 0x1A, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x35, 0x36,
    0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58,
    0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A,
    0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A,
    0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA,
    0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA,
    0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA,
];

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;

    const SIZE: (u32, u32) = (64, 48);

    /// A ramp as a USB camera sends it: 4:2:2, without tables.
    const FROM_CAMERA: &[u8] = include_bytes!("../../tests/data/ramp-422-no-tables.mjpeg");
    /// The same from a camera that sends its tables.
    const WITH_TABLES: &[u8] = include_bytes!("../../tests/data/ramp-422.mjpeg");

    fn ramp() -> impl Iterator<Item = u8> {
        (0..48_u8).flat_map(|y| (0..64_u8).map(move |x| 20 + 2 * x + y))
    }

    fn read(jpeg: &[u8]) -> Result<Vec<u8>, Damaged> {
        let mut luma = vec![1; 10];
        Decoder::default().luma(jpeg, SIZE, &mut luma).map(|()| luma)
    }

    #[track_caller]
    fn shows_the_ramp(luma: &[u8]) {
        assert_eq!(luma.len(), 64 * 48);
        let off = luma.iter().zip(ramp()).map(|(got, want)| got.abs_diff(want)).max().unwrap();
        assert!(off <= 6, "the luma is off by up to {off}");
    }

    #[test]
    fn a_picture_with_tables_and_one_without_show_the_same() {
        assert!(FROM_CAMERA.windows(2).all(|pair| pair != [0xFF, DHT]));
        shows_the_ramp(&read(WITH_TABLES).unwrap());
        assert_eq!(read(FROM_CAMERA).unwrap(), read(WITH_TABLES).unwrap());
    }

    #[test]
    fn what_follows_the_end_of_a_picture_is_nothing() {
        let mut padded = FROM_CAMERA.to_vec();
        padded.resize(20_000, 0);
        shows_the_ramp(&read(&padded).unwrap());
    }

    #[test]
    fn a_picture_cut_off_anywhere_is_damaged() {
        for jpeg in [FROM_CAMERA, WITH_TABLES] {
            for end in 0..jpeg.len() {
                assert!(read(&jpeg[..end]).is_err(), "cut at {end}");
            }
        }
    }

    #[test]
    fn a_picture_whose_middle_is_lost_is_damaged_or_keeps_its_size() {
        for (from, to) in (1..FROM_CAMERA.len()).flat_map(|to| (0..to).step_by(7).map(move |from| (from, to))) {
            let lost = [&FROM_CAMERA[..from], &FROM_CAMERA[to..]].concat();
            assert!(read(&lost).is_ok_and(|luma| luma.len() == 64 * 48) || read(&lost).is_err(), "{from}..{to}");
        }
    }

    #[test]
    fn a_picture_of_another_size_is_damaged() {
        let mut luma = Vec::new();
        for size in [(64, 47), (63, 48), (128, 48), (32, 24)] {
            assert!(Decoder::default().luma(WITH_TABLES, size, &mut luma).is_err(), "{size:?}");
        }
    }

    #[test]
    fn no_changed_byte_makes_a_panic_or_a_picture_of_another_size() {
        let mut luma = Vec::new();
        let mut decoder = Decoder::default();
        for at in 0..FROM_CAMERA.len() {
            for change in [0x01, 0x80, 0xFF] {
                let mut jpeg = FROM_CAMERA.to_vec();
                jpeg[at] ^= change;
                if let Ok(()) = decoder.luma(&jpeg, SIZE, &mut luma) {
                    assert_eq!(luma.len(), 64 * 48);
                }
            }
        }
        shows_the_ramp(&read(FROM_CAMERA).unwrap());
    }
}
