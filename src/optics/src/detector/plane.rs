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
    /// The rows of the picture over a buffer of another maker; `None` when it does not fill it, or has no pixel beside
    /// another.
    pub(crate) fn new(luma: &'a [u8], width: usize, height: usize) -> Option<Self> {
        (width > 1 && height > 1 && luma.len() == width * height).then_some(Self { luma, width, height })
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
        // Kept a 256th off the last pixel, so that the one beyond each is inside too. Beyond 2^15 an f32 has 256ths for
        // its last places, so adding that much leaves a fixed-point number in its mantissa.
        let fixed = |value: f32, len: usize| {
            let inside = (value - 0.5).min(len as f32 - (1.0 + 1.0 / 256.0)).max(0.0);
            (inside + 32768.0).to_bits() & 0x7F_FFFF
        };
        let (fx, fy) = (fixed(at.x, self.width), fixed(at.y, self.height));
        let (ax, ay) = (fx & 255, fy & 255);
        let from = (fy >> 8) as usize * self.width + (fx >> 8) as usize;
        let (upper, lower) = (&self.luma[from..][..2], &self.luma[from + self.width..][..2]);
        let mix = |pair: &[u8]| u32::from(pair[0]) * (256 - ax) + u32::from(pair[1]) * ax;
        ((mix(upper) * (256 - ay) + mix(lower) * ay) as i32 as f32) * (1.0 / 65536.0)
    }
}

/// The mean of every square of two by two pixels; a rest at the edges is cut. Gives the new size.
pub(crate) fn halve(plane: Plane<'_>, sums: &mut Vec<u16>, out: &mut Vec<u8>) -> (usize, usize) {
    let (width, height) = (plane.width / 2, plane.height / 2);
    out.resize(width * height, 0);
    for (y, line) in out.chunks_exact_mut(width.max(1)).enumerate() {
        sums.clear();
        sums.extend(plane.row(2 * y).iter().zip(plane.row(2 * y + 1)).map(|(&a, &b)| u16::from(a) + u16::from(b)));
        for (pixel, pair) in line.iter_mut().zip(sums.chunks_exact(2)) {
            *pixel = ((pair[0] + pair[1] + 2) >> 2) as u8;
        }
    }
    (width, height)
}

/// A light blur: each pixel and its neighbours in the shares 1 : 2 : 1, across and down.
pub(crate) fn soften(plane: Plane<'_>, columns: &mut Vec<u16>, out: &mut Vec<u8>) {
    let down = |a: u8, b: u8, c: u8| u16::from(a) + 2 * u16::from(b) + u16::from(c);
    over_nine(plane, columns, out, down, |left, here, right| ((left + 2 * here + right + 8) >> 4) as u8);
}

/// The darkest of the square of nine pixels around each: what light has bled into grows back.
pub(crate) fn erode(plane: Plane<'_>, columns: &mut Vec<u8>, out: &mut Vec<u8>) {
    let least = |a: u8, b: u8, c: u8| a.min(b).min(c);
    over_nine(plane, columns, out, least, least);
}

/// Makes each pixel of the nine around it: of three `down` each column, then of three columns `across`. The edge pixels
/// count again beyond the edge.
fn over_nine<T: Copy + Default>(
    plane: Plane<'_>,
    columns: &mut Vec<T>,
    out: &mut Vec<u8>,
    down: impl Fn(u8, u8, u8) -> T,
    across: impl Fn(T, T, T) -> u8,
) {
    let (width, height) = (plane.width, plane.height);
    out.resize(width * height, 0);
    columns.clear();
    columns.resize(width + 2, T::default());
    for (y, line) in out.chunks_exact_mut(width).enumerate() {
        let (above, here, below) = (plane.row(y.saturating_sub(1)), plane.row(y), plane.row((y + 1).min(height - 1)));
        for (((column, &a), &b), &c) in columns[1..=width].iter_mut().zip(above).zip(here).zip(below) {
            *column = down(a, b, c);
        }
        (columns[0], columns[width + 1]) = (columns[1], columns[width]);
        let shifted = columns.iter().zip(&columns[1..]).zip(&columns[2..]);
        for (pixel, ((&left, &here), &right)) in line.iter_mut().zip(shifted) {
            *pixel = across(left, here, right);
        }
    }
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

/// How much smaller than the picture the far one is that [`flatten`] takes away.
pub(crate) const FAR: usize = 4;

/// Makes light even: `gain` sixteenths (127 at most) of the difference from `far`, the same picture shrunk by [`FAR`] and
/// blurred, around grey.
pub(crate) fn flatten(near: Plane<'_>, far: Plane<'_>, gain: i16, line: &mut Vec<u8>, out: &mut Vec<u8>) {
    let gain = gain.clamp(0, 127);
    out.resize(near.width * near.height, 0);
    for (y, row) in out.chunks_exact_mut(near.width).enumerate() {
        if y % FAR == 0 && y / FAR < far.height {
            line.clear();
            line.extend(far.row(y / FAR).iter().flat_map(|&pixel| [pixel; FAR]));
            line.resize(near.width, line.last().copied().unwrap_or(0));
        }
        for ((out, &near), &far) in row.iter_mut().zip(near.row(y)).zip(line.iter()) {
            let by = ((i16::from(near) - i16::from(far)) * gain) >> 4;
            *out = (by + 128).clamp(0, 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_pixels_luma_is_bilinear_and_beyond_the_picture_it_is_that_of_the_edge() {
        let luma: Vec<u8> = (0..12 * 7).map(|at| (at * 53 % 251) as u8).collect();
        let plane = Plane { luma: &luma, width: 12, height: 7 };
        let clamped = |at: f32, len: usize| (at - 0.5).clamp(0.0, (len - 1) as f32);
        for step in 0..4000 {
            let at = Point::new(-3.0 + (step % 61) as f32 * 0.31, -2.0 + (step / 61) as f32 * 0.17);
            let (x, y) = (clamped(at.x, 12), clamped(at.y, 7));
            let (left, top) = ((x as usize).min(10), (y as usize).min(5));
            let (a, b) = (x - left as f32, y - top as f32);
            let row = |y: usize| f32::from(plane.pixel(left, y)) * (1.0 - a) + f32::from(plane.pixel(left + 1, y)) * a;
            let expected = row(top) * (1.0 - b) + row(top + 1) * b;
            // A 256th of a pixel along both axes.
            assert!((plane.at(at) - expected).abs() < 2.5, "{at:?}: {} for {expected}", plane.at(at));
        }
    }

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
