//! One picture as the reader wants it: 8-bit luma, bounded, with its moment.
//!
//! Separate from the reader because cameras make frames and never read them.
//! Invariants: `luma.len() == width * height`, row-major without padding, and
//! both sides lie in `1..=MAX_SIDE_PX`. A frame that breaks one cannot be made.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::Instant;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageError, ImageReader, Limits, Luma, imageops};
use thiserror::Error;

/// The longest side of a frame, in pixels: four times what a gate camera gives.
pub const MAX_SIDE_PX: u32 = 4096;

/// The longest side of a picture file, in pixels: beyond today's phones.
const MAX_PICTURE_SIDE_PX: u32 = 16_384;

/// The most a picture may take while it is decoded: 108 megapixels of RGB fit.
const MAX_PICTURE_BYTES: u64 = 384 << 20;

/// A picture in 8-bit luma (0 black, 255 white), row-major, stride = width.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    width: u32,
    height: u32,
    luma: Vec<u8>,
    captured_at: Instant,
}

impl Frame {
    /// A frame captured now.
    ///
    /// # Errors
    /// [`FrameError::Size`] when a side is outside `1..=MAX_SIDE_PX`,
    /// [`FrameError::Length`] when `luma` is not `width * height` bytes.
    pub fn new(width: u32, height: u32, luma: Vec<u8>) -> Result<Self, FrameError> {
        let sides = 1..=MAX_SIDE_PX;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(FrameError::Size { width, height });
        }
        let expected = width as usize * height as usize;
        if luma.len() != expected {
            return Err(FrameError::Length { width, height, expected, got: luma.len() });
        }
        Ok(Self { width, height, luma, captured_at: Instant::now() })
    }

    /// The picture in a file: turned upright as its EXIF data says, laid on
    /// white where it is transparent, and made smaller when it is larger than a
    /// frame may be (a photograph of a phone often is).
    ///
    /// # Errors
    /// [`FrameError::Open`], [`FrameError::Picture`] or [`FrameError::TooLarge`].
    pub fn from_picture(path: impl AsRef<Path>) -> Result<Self, FrameError> {
        let path = path.as_ref();
        let (picture, orientation) = decode(path)?;
        let luma = shrink_to_fit(luma_on_white(picture));
        let mut upright = DynamicImage::ImageLuma8(luma);
        upright.apply_orientation(orientation);
        let luma = upright.into_luma8();
        Self::new(luma.width(), luma.height(), luma.into_raw())
    }

    /// The same frame, captured at another moment (a replay, a device's stamp).
    #[must_use]
    pub fn at(mut self, captured_at: Instant) -> Self {
        self.captured_at = captured_at;
        self
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The pixels: `width * height` bytes, row-major.
    pub fn luma(&self) -> &[u8] {
        &self.luma
    }

    /// The pixels, taken out so that their memory can be used again.
    #[must_use]
    pub fn into_luma(self) -> Vec<u8> {
        self.luma
    }

    /// When the last of its pixels arrived.
    pub fn captured_at(&self) -> Instant {
        self.captured_at
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({}×{})", self.width, self.height)
    }
}

/// Why there is no frame.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A side is zero or too long.
    #[error(
        "a frame of {width}×{height} pixels is outside 1 to {MAX_SIDE_PX} a side; set the camera to a size within it"
    )]
    Size {
        /// Width asked for, in pixels.
        width: u32,
        /// Height asked for, in pixels.
        height: u32,
    },
    /// The pixels do not fill the size.
    #[error(
        "a frame of {width}×{height} needs {expected} bytes of luma but came with {got}; check the camera's pixel format"
    )]
    Length {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes that the size asks for.
        expected: usize,
        /// Bytes that came.
        got: usize,
    },
    /// The file cannot be read.
    #[error("cannot read the picture {}: {source}; check its path and permissions", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no picture, a damaged one, or of a format not built in.
    #[error("{} is not a picture that can be read ({source}); use png, jpg, bmp, webp or pgm", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: ImageError,
    },
    /// The file's picture would take too much memory.
    #[error(
        "the picture {} is larger than {MAX_PICTURE_SIDE_PX} pixels a side or 100 megapixels; make it smaller", path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

fn decode(path: &Path) -> Result<(DynamicImage, Orientation), FrameError> {
    let open = |source| FrameError::Open { path: path.to_owned(), source };
    let picture = |source| match source {
        ImageError::Limits(_) => FrameError::TooLarge { path: path.to_owned() },
        source => FrameError::Picture { path: path.to_owned(), source },
    };
    let file = BufReader::new(File::open(path).map_err(open)?);
    // By content, not by name: a phone's "png" is often a jpeg.
    let mut reader = ImageReader::new(file).with_guessed_format().map_err(open)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_PICTURE_SIDE_PX);
    limits.max_image_height = Some(MAX_PICTURE_SIDE_PX);
    limits.max_alloc = Some(MAX_PICTURE_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(picture)?;
    if decoder.total_bytes() > MAX_PICTURE_BYTES {
        return Err(FrameError::TooLarge { path: path.to_owned() });
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(picture)?;
    Ok((picture, orientation))
}

/// A transparent pixel often holds black, which would swallow a black code.
fn luma_on_white(picture: DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.into_luma8();
    }
    let with_alpha = picture.into_luma_alpha8();
    GrayImage::from_fn(with_alpha.width(), with_alpha.height(), |x, y| {
        let [luma, alpha] = with_alpha.get_pixel(x, y).0.map(u32::from);
        let over_white = (luma * alpha + 255 * (255 - alpha)) / 255;
        Luma([u8::try_from(over_white).unwrap_or(u8::MAX)])
    })
}

fn shrink_to_fit(luma: GrayImage) -> GrayImage {
    let (width, height) = luma.dimensions();
    let longest = width.max(height);
    if longest <= MAX_SIDE_PX {
        return luma;
    }
    let scaled = |side: u32| {
        let side = u64::from(side) * u64::from(MAX_SIDE_PX) / u64::from(longest);
        u32::try_from(side).unwrap_or(MAX_SIDE_PX).max(1)
    };
    imageops::thumbnail(&luma, scaled(width), scaled(height))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use image::{LumaA, Rgb, RgbImage};

    use super::*;

    #[test]
    fn luma_of_another_length_is_refused() {
        let error = Frame::new(4, 3, vec![0; 11]).unwrap_err();
        assert!(matches!(error, FrameError::Length { expected: 12, got: 11, .. }));
    }

    #[test]
    fn a_side_of_zero_or_beyond_the_bound_is_refused() {
        for (width, height) in [(0, 1), (1, 0), (MAX_SIDE_PX + 1, 1), (1, u32::MAX)] {
            let error = Frame::new(width, height, Vec::new()).unwrap_err();
            assert!(matches!(error, FrameError::Size { .. }), "{width}×{height}");
        }
    }

    #[test]
    fn a_picture_file_keeps_its_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grey.png");
        GrayImage::from_fn(5, 2, |x, y| Luma([(x * 10 + y) as u8])).save(&path).unwrap();
        let frame = Frame::from_picture(&path).unwrap();
        assert_eq!((frame.width(), frame.height()), (5, 2));
        assert_eq!(frame.luma(), [0, 10, 20, 30, 40, 1, 11, 21, 31, 41]);
    }

    #[test]
    fn a_transparent_picture_lies_on_white() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clear.png");
        let mut picture = image::GrayAlphaImage::from_pixel(2, 1, LumaA([0, 0]));
        picture.put_pixel(1, 0, LumaA([0, 255]));
        picture.save(&path).unwrap();
        assert_eq!(Frame::from_picture(&path).unwrap().luma(), [255, 0]);
    }

    #[test]
    fn a_phone_photo_is_made_to_fit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.jpg");
        RgbImage::from_pixel(8192, 30, Rgb([200, 200, 200])).save(&path).unwrap();
        let frame = Frame::from_picture(&path).unwrap();
        assert_eq!((frame.width(), frame.height()), (MAX_SIDE_PX, 15));
        assert!(frame.luma().iter().all(|&luma| luma.abs_diff(200) < 3));
    }

    #[test]
    fn a_header_that_claims_too_much_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("claim.pgm");
        std::fs::write(&path, b"P5 16384 4000000000 255\n").unwrap();
        let error = Frame::from_picture(&path).unwrap_err();
        assert!(matches!(error, FrameError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn what_is_no_picture_is_told_apart_from_what_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("notes.png");
        std::fs::write(&text, "not a picture").unwrap();
        assert!(matches!(Frame::from_picture(&text).unwrap_err(), FrameError::Picture { .. }));
        assert!(matches!(Frame::from_picture(folder.path().join("absent.png")).unwrap_err(), FrameError::Open { .. }));
    }
}
