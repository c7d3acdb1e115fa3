//! A picture of luma as numbers to be asked: at a pixel, between pixels, and made smaller or sharper.
//!
//! Everything that finds or samples a code reads its pixels here. Invariant: any coordinate may be asked for; what lies
//! outside the picture is answered by its nearest edge, so that no caller needs to be right about bounds. The kernels
//! write into buffers of the caller and allocate nothing once these have grown to the size of a frame.

use super::geometry::Point;

/// A borrowed picture: `width * height` bytes, row-major, 0 black to 255 white.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plane<'a> {
    pub(crate) luma: &'a [u8],
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl<'a> Plane<'a> {
    /// The rows of the picture over a buffer of another maker; `None` when it does not fill it.
    pub(crate) fn new(luma: &'a [u8], width: usize, height: usize) -> Option<Self> {
        (width > 0 && height > 0 && luma.len() == width * height).then_some(Self { luma, width, height })
    }

    pub(crate) fn row(&self, y: usize) -> &'a [u8] {
        &self.luma[y * self.width..][..self.width]
    }

    /// The pixel at `x`, `y`, which must be inside.
    pub(crate) fn pixel(&self, x: usize, y: usize) -> u8 {
        self.luma[y * self.width + x]
    }

    pub(crate) fn contains(&self, at: Point) -> bool {
        at.x >= 0.0 && at.y >= 0.0 && at.x < self.width as f32 && at.y < self.height as f32
    }

    /// The luma at a point between pixel centres, bilinear.
    pub(crate) fn at(&self, at: Point) -> f32 {
        let fixed = |value: f32, len: usize| {
            let value = (value - 0.5).clamp(0.0, (len - 1) as f32);
            ((value * 256.0) as u32, len)
        };
        let ((fx, width), (fy, height)) = (fixed(at.x, self.width), fixed(at.y, self.height));
        let (x0, y0) = ((fx >> 8) as usize, (fy >> 8) as usize);
        let (x1, y1) = ((x0 + 1).min(width - 1), (y0 + 1).min(height - 1));
        let (ax, ay) = (fx & 255, fy & 255);
        let (upper, lower) = (&self.luma[y0 * width..][..width], &self.luma[y1 * width..][..width]);
        let mix = |row: &[u8]| u32::from(row[x0]) * (256 - ax) + u32::from(row[x1]) * ax;
        ((mix(upper) * (256 - ay) + mix(lower) * ay) as f32) * (1.0 / 65536.0)
    }
}

/// The mean of every square of `by` × `by` pixels; a rest at the edges is cut. Gives the new size.
pub(crate) fn shrink(plane: Plane<'_>, by: usize, sums: &mut Vec<u16>, out: &mut Vec<u8>) -> (usize, usize) {
    let (width, height) = (plane.width / by, plane.height / by);
    out.clear();
    out.resize(width * height, 0);
    let area = (by * by) as u32;
    for (y, line) in out.chunks_exact_mut(width.max(1)).enumerate() {
        sums.clear();
        sums.resize(width * by, 0);
        for row in y * by..(y + 1) * by {
            sums.iter_mut().zip(plane.row(row)).for_each(|(sum, &pixel)| *sum += u16::from(pixel));
        }
        if by == 2 {
            for (pixel, pair) in line.iter_mut().zip(sums.chunks_exact(2)) {
                *pixel = ((pair[0] + pair[1] + 2) >> 2) as u8;
            }
        } else {
            for (pixel, square) in line.iter_mut().zip(sums.chunks_exact(by)) {
                *pixel = (square.iter().map(|&sum| u32::from(sum)).sum::<u32>() / area) as u8;
            }
        }
    }
    (width, height)
}

/// The widest blur, in pixels from the middle.
pub(crate) const MAX_RADIUS: usize = 7;

/// The mean of the square of `2 * radius + 1` pixels around each pixel, the edge pixels counted again beyond the edge.
pub(crate) fn blur(plane: Plane<'_>, radius: usize, columns: &mut Vec<u16>, out: &mut Vec<u8>) {
    debug_assert!(radius <= MAX_RADIUS, "the sum of a larger square does not fit 16 bits");
    let (width, height) = (plane.width, plane.height);
    let area = ((2 * radius + 1) * (2 * radius + 1)) as u32;
    // Divides by multiplying, which is done for many pixels at once; rounded up, so that 255 stays 255.
    let reciprocal = ((1_u32 << 16) / area + 1) as u16;
    out.clear();
    out.resize(width * height, 0);
    // The sums of columns, the outermost repeated on both sides.
    columns.clear();
    columns.resize(width + 2 * radius, 0);
    let clamped = |y: isize| plane.row(y.clamp(0, height as isize - 1) as usize);
    for y in -(radius as isize)..=(radius as isize) {
        columns[radius..].iter_mut().zip(clamped(y)).for_each(|(sum, &pixel)| *sum += u16::from(pixel));
    }
    for (y, line) in out.chunks_exact_mut(width).enumerate() {
        let y = y as isize;
        let (first, last) = (columns[radius], columns[radius + width - 1]);
        columns[..radius].fill(first);
        columns[radius + width..].fill(last);
        match radius {
            1 => blur_row::<3>(columns, reciprocal, line),
            2 => blur_row::<5>(columns, reciprocal, line),
            3 => blur_row::<7>(columns, reciprocal, line),
            4 => blur_row::<9>(columns, reciprocal, line),
            5 => blur_row::<11>(columns, reciprocal, line),
            6 => blur_row::<13>(columns, reciprocal, line),
            7 => blur_row::<15>(columns, reciprocal, line),
            _ => line.copy_from_slice(plane.row(y as usize)),
        }
        let (leaving, coming) = (clamped(y - radius as isize), clamped(y + radius as isize + 1));
        for ((sum, &gone), &new) in columns[radius..].iter_mut().zip(leaving).zip(coming) {
            *sum = *sum + u16::from(new) - u16::from(gone);
        }
    }
}

/// A row from its sums of columns; the side of the square is known here, so that pixels go many at a time.
fn blur_row<const SIDE: usize>(columns: &[u16], reciprocal: u16, line: &mut [u8]) {
    let width = line.len();
    let shifted: [&[u16]; SIDE] = std::array::from_fn(|by| &columns[by..][..width]);
    for (x, pixel) in line.iter_mut().enumerate() {
        let sum = shifted.iter().fold(0_u16, |sum, row| sum + row[x]);
        *pixel = ((u32::from(sum) * u32::from(reciprocal)) >> 16) as u8;
    }
}

/// Makes edges steeper: `gain` sixteenths of the difference from `blurred` are added to each pixel.
pub(crate) fn sharpen(plane: Plane<'_>, blurred: &[u8], gain: i16, out: &mut Vec<u8>) {
    out.clear();
    out.extend(plane.luma.iter().zip(blurred).map(|(&pixel, &mean)| {
        let (pixel, mean) = (i16::from(pixel), i16::from(mean));
        (pixel + (((pixel - mean) * gain) >> 4)).clamp(0, 255) as u8
    }));
}

/// Stretches what is brightest and lets the rest sink: the sixth power of luma.
pub(crate) fn highlights(plane: Plane<'_>, out: &mut Vec<u8>) {
    let curve: [u8; 256] = std::array::from_fn(|luma| {
        let share = luma as f32 / 255.0;
        (255.0 * share.powi(6)) as u8
    });
    out.clear();
    out.extend(plane.luma.iter().map(|&pixel| curve[usize::from(pixel)]));
}

/// Makes light even: `gain` sixteenths (127 at most) of the difference of the two pictures, around grey.
pub(crate) fn flatten(near: &[u8], far: &[u8], gain: i16, out: &mut Vec<u8>) {
    let gain = gain.clamp(0, 127);
    out.clear();
    out.extend(near.iter().zip(far).map(|(&near, &far)| {
        let by = ((i16::from(near) - i16::from(far)) * gain) >> 4;
        (by + 128).clamp(0, 255) as u8
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_is_the_mean_of_the_square_around_each_pixel() {
        let mut state = 7_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for (width, height) in [(40, 23), (5, 1), (1, 9), (3, 3)] {
            let luma: Vec<u8> = (0..width * height).map(|_| noise()).collect();
            let plane = Plane { luma: &luma, width, height };
            for radius in 1..=MAX_RADIUS {
                let mut blurred = Vec::new();
                blur(plane, radius, &mut Vec::new(), &mut blurred);
                for (at, &pixel) in blurred.iter().enumerate() {
                    let mean = mean_around(plane, at % width, at / width, radius);
                    assert!((f32::from(pixel) - mean).abs() <= 1.0, "{pixel} for {mean}, radius {radius}");
                }
            }
        }
    }

    fn mean_around(plane: Plane<'_>, x: usize, y: usize, radius: usize) -> f32 {
        let reach = radius as isize;
        let clamped = |at: usize, by: isize, len: usize| (at as isize + by).clamp(0, len as isize - 1) as usize;
        let pixel = |(dx, dy)| f32::from(plane.pixel(clamped(x, dx, plane.width), clamped(y, dy, plane.height)));
        let square = (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| (dx, dy)));
        let side = (2 * radius + 1) as f32;
        square.map(pixel).sum::<f32>() / (side * side)
    }
}
