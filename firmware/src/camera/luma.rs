//! The luma plane of what a camera's driver delivers.
//!
//! Pure, so that every layout is proved without a device. Lines may be longer than they are wide (a driver's stride),
//! and a buffer may be shorter than it claims: that is a damaged picture, never a panic.

/// How the pixels of a picture lie in its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pixels {
    /// One byte a pixel.
    Grey,
    /// A plane of luma, then colour that nobody needs.
    Nv12,
    /// Luma and colour in turn: Y U Y V.
    Yuyv,
    /// A JPEG.
    Mjpeg,
}

impl Pixels {
    /// Every kind, the cheapest to read first.
    pub(super) const ALL: [Pixels; 4] = [Pixels::Grey, Pixels::Nv12, Pixels::Yuyv, Pixels::Mjpeg];

    /// The name that V4L2 has for it.
    pub(super) fn fourcc(self) -> [u8; 4] {
        match self {
            Pixels::Grey => *b"GREY",
            Pixels::Nv12 => *b"NV12",
            Pixels::Yuyv => *b"YUYV",
            Pixels::Mjpeg => *b"MJPG",
        }
    }

    /// The kind of a V4L2 name; some drivers call a motion JPEG a JPEG.
    pub(super) fn of_fourcc(fourcc: [u8; 4]) -> Option<Pixels> {
        if fourcc == *b"JPEG" {
            return Some(Pixels::Mjpeg);
        }
        Pixels::ALL.into_iter().find(|pixels| pixels.fourcc() == fourcc)
    }

    fn bytes_a_pixel(self) -> usize {
        if self == Pixels::Yuyv { 2 } else { 1 }
    }
}

/// The size and layout of raw pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bytes from the start of a line to the start of the next; 0 for lines without a gap.
    pub(super) stride: u32,
    pub(super) pixels: Pixels,
}

/// A picture that can not be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Damaged(pub(super) String);

/// Puts the luma of a raw picture into `luma`, whose memory is used again.
///
/// # Errors
/// [`Damaged`] when the bytes end before the picture does.
pub(super) fn of_raw(bytes: &[u8], layout: Layout, luma: &mut Vec<u8>) -> Result<(), Damaged> {
    let (width, height) = (layout.width as usize, layout.height as usize);
    let line = width * layout.pixels.bytes_a_pixel();
    let stride = (layout.stride as usize).max(line);
    let needed = stride * height.saturating_sub(1) + line;
    let Some(bytes) = bytes.get(..needed) else {
        return Err(Damaged(format!("{} bytes instead of {needed}", bytes.len())));
    };
    luma.clear();
    luma.reserve(width * height);
    for line_of_picture in bytes.chunks(stride.max(1)).take(height) {
        match layout.pixels {
            Pixels::Yuyv => luma.extend(line_of_picture[..line].chunks_exact(2).map(|pair| pair[0])),
            _ => luma.extend_from_slice(&line_of_picture[..line]),
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;

    fn read(bytes: &[u8], stride: u32, pixels: Pixels) -> Result<Vec<u8>, Damaged> {
        let mut luma = vec![99; 100];
        of_raw(bytes, Layout { width: 2, height: 3, stride, pixels }, &mut luma).map(|()| luma)
    }

    #[test]
    fn of_yuyv_every_second_byte_is_luma() {
        let bytes = [1, 128, 2, 128, 3, 128, 4, 128, 5, 128, 6, 128];
        assert_eq!(read(&bytes, 0, Pixels::Yuyv).unwrap(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(read(&bytes, 4, Pixels::Yuyv).unwrap(), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn grey_is_luma_and_the_gap_of_a_longer_line_is_left_out() {
        assert_eq!(read(&[1, 2, 3, 4, 5, 6], 0, Pixels::Grey).unwrap(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(read(&[1, 2, 0, 0, 3, 4, 0, 0, 5, 6], 4, Pixels::Grey).unwrap(), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn of_nv12_the_first_plane_is_luma() {
        assert_eq!(read(&[1, 2, 3, 4, 5, 6, 128, 128, 128, 128], 2, Pixels::Nv12).unwrap(), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_picture_that_is_cut_short_is_damaged() {
        for pixels in [Pixels::Grey, Pixels::Nv12, Pixels::Yuyv] {
            for bytes in 0..6 {
                assert!(read(&vec![0; bytes], 0, pixels).is_err(), "{pixels:?} of {bytes} bytes");
            }
        }
    }

    #[test]
    fn the_names_of_v4l2_are_known_both_ways() {
        for pixels in Pixels::ALL {
            assert_eq!(Pixels::of_fourcc(pixels.fourcc()), Some(pixels));
        }
        assert_eq!(Pixels::of_fourcc(*b"JPEG"), Some(Pixels::Mjpeg));
        assert_eq!(Pixels::of_fourcc(*b"H264"), None);
    }
}
