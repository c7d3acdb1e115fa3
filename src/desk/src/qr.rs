//! A payload as the modules of a QR code, within what a gate can read.
//!
//! One place decides how passes become codes, for phones, sheets, the demo and
//! the benchmarks alike: error correction level M, the smallest version that
//! fits, alphanumeric segments wherever the payload allows, and nothing larger
//! than version 10, because beyond it the modules become too small for a gate's
//! camera at arm's length. Invariant: a [`QrPicture`] is always a whole code of
//! version 1 to [`MAX_VERSION`]. Source: ISO/IEC 18004.

use qrcode::bits::Bits;
use qrcode::types::{QrError as EncodeError, QrResult};
use qrcode::{Color, EcLevel, QrCode, Version};
use thiserror::Error;

/// The largest QR version a pass may take (57 × 57 modules).
pub const MAX_VERSION: u8 = 10;

/// The largest QR version there is.
const LARGEST_VERSION: i16 = 40;

/// The light border that a code needs on every side, in modules.
pub const QUIET_ZONE_MODULES: usize = 4;

/// The modules of one QR code, without its quiet zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrPicture {
    version: u8,
    side: usize,
    dark: Vec<bool>,
}

impl QrPicture {
    /// The QR version, `1..=MAX_VERSION`.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Modules along one side.
    pub fn side(&self) -> usize {
        self.side
    }

    /// Runs of dark modules as (column, row, length), row by row.
    pub fn runs(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        self.dark.chunks(self.side).enumerate().flat_map(|(row, line)| {
            let mut column = 0;
            line.chunk_by(|a, b| a == b).filter_map(move |run| {
                let start = column;
                column += run.len();
                run[0].then_some((start, row, run.len()))
            })
        })
    }

    /// Whether the module in column `x`, row `y` is dark; outside the code all
    /// is light, as its quiet zone must be.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.side && y < self.side && self.dark[y * self.side + x]
    }
}

/// The code of `payload`.
///
/// # Errors
/// [`QrError`] when it does not fit version [`MAX_VERSION`] at level M.
pub fn qr(payload: impl AsRef<[u8]>) -> Result<QrPicture, QrError> {
    let payload = payload.as_ref();
    let (version, bits) = smallest(payload)?;
    let code = QrCode::with_bits(bits, EcLevel::M).map_err(|error| QrError::new(payload.len(), error))?;
    match u8::try_from(version) {
        Ok(version) if version <= MAX_VERSION => {
            Ok(QrPicture { version, side: code.width(), dark: code.to_colors().into_iter().map(is_dark).collect() })
        }
        _ => Err(QrError::TooLarge { payload_len: payload.len(), version }),
    }
}

/// The smallest version that holds the payload, with the payload as its bits.
fn smallest(payload: &[u8]) -> Result<(i16, Bits), QrError> {
    let mut last = EncodeError::DataTooLong;
    for version in 1..=LARGEST_VERSION {
        match encode(payload, version) {
            Ok(bits) => return Ok((version, bits)),
            Err(error) => last = error,
        }
    }
    Err(QrError::new(payload.len(), last))
}

/// The payload as the bits of one version, at level M.
///
/// A pass is Base45, all of it in the alphanumeric alphabet, and goes in as one segment: the crate's own choice
/// of segments sets a run of ten digits apart at a loss, and one pass in some hundreds of 311 characters, the
/// most that 10-M holds, would be refused.
fn encode(payload: &[u8], version: i16) -> QrResult<Bits> {
    const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    let mut bits = Bits::new(Version::Normal(version));
    if payload.iter().all(|byte| ALPHANUMERIC.contains(byte)) {
        bits.push_alphanumeric_data(payload)?;
    } else {
        bits.push_optimal_data(payload)?;
    }
    bits.push_terminator(EcLevel::M)?;
    Ok(bits)
}

/// Why there is no code of a payload.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QrError {
    /// It fits a larger QR version only.
    #[error(
        "the payload of {payload_len} bytes needs QR version {version} but the limit is version {MAX_VERSION} at level M (311 alphanumeric characters or 213 bytes); shorten the pass"
    )]
    TooLarge {
        /// Length of the payload, in bytes.
        payload_len: usize,
        /// The smallest version that would hold it.
        version: i16,
    },
    /// It fits no QR code at all.
    #[error(
        "the payload of {payload_len} bytes fits no QR code and the limit is version {MAX_VERSION} at level M (311 alphanumeric characters or 213 bytes); shorten the pass"
    )]
    NoVersion {
        /// Length of the payload, in bytes.
        payload_len: usize,
    },
    /// The encoder refused it for another reason.
    #[error("the payload of {payload_len} bytes cannot become a QR code ({source}); report this")]
    Encoder {
        /// Length of the payload, in bytes.
        payload_len: usize,
        /// What the encoder said.
        source: EncodeError,
    },
}

impl QrError {
    fn new(payload_len: usize, source: EncodeError) -> Self {
        match source {
            EncodeError::DataTooLong => Self::NoVersion { payload_len },
            source => Self::Encoder { payload_len, source },
        }
    }
}

fn is_dark(color: Color) -> bool {
    color == Color::Dark
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;

    #[test]
    fn the_largest_alphanumeric_and_byte_payloads_are_version_10() {
        assert_eq!(qr("A".repeat(311)).unwrap().version(), 10);
        assert_eq!(qr("a".repeat(213)).unwrap().version(), 10);
        assert_eq!(qr("A".repeat(311)).unwrap().side(), 57);
    }

    #[test]
    fn one_more_is_refused_with_its_size_and_the_limit() {
        for payload in ["A".repeat(312), "a".repeat(214)] {
            let text = qr(&payload).unwrap_err().to_string();
            assert!(text.contains(&format!("{} bytes", payload.len())), "{text}");
            assert!(text.contains("version 11"), "{text}");
            assert!(text.contains("version 10 at level M"), "{text}");
        }
    }

    #[test]
    fn what_fits_no_code_is_refused_too() {
        let error = qr(vec![0xff; 9000]).unwrap_err();
        assert_eq!(error, QrError::NoVersion { payload_len: 9000 });
    }

    #[test]
    fn outside_the_code_all_is_light() {
        let code = qr("MS1:").unwrap();
        assert!(code.is_dark(0, 0));
        assert!(!code.is_dark(code.side(), 0));
        assert!(!code.is_dark(0, usize::MAX));
    }
}
