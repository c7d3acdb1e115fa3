//! Deflate for the streams of a PDF (ISO 32000-1, 7.4.4: a zlib stream).
//!
//! Apart because pages and the type use it alike. Level 6 is the knee for pages, which are mostly the
//! rectangles of QR codes: a higher level costs twice the time for a twentieth of the bytes.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};

/// Packs `bytes` as a zlib stream.
pub(super) fn zlib(bytes: &[u8]) -> Result<Vec<u8>, std::io::Error> {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::new(6));
    encoder.write_all(bytes)?;
    encoder.finish()
}
