//! What is dark and what is light here: a threshold for every block of a picture, from the contrast around it.
//!
//! Light at a gate is never even, so one threshold for a picture does not do. Each block of [`BLOCK`] × [`BLOCK`] pixels
//! takes the middle between the darkest and the brightest pixel of the blocks around it: it needs one pass over the
//! pixels, stands shadow and low contrast, and a place without contrast has no edges at all. Separate from the search
//! for codes, which asks it per row. Invariant: buffers are kept; a picture of the same size allocates nothing.

use super::plane::Plane;

/// The side of a block, in pixels.
pub(crate) const BLOCK: usize = 8;

/// Where the brightest and darkest pixel around a block differ by less, there is nothing to read.
const LEAST_CONTRAST: u8 = 12;

/// The thresholds of one picture.
#[derive(Debug, Default)]
pub(crate) struct Field {
    columns: usize,
    rows: usize,
    darkest: Vec<u8>,
    brightest: Vec<u8>,
    thresholds: Vec<u8>,
    low: Vec<u8>,
    high: Vec<u8>,
}

impl Field {
    /// Measures `plane`; a block looks `reach` blocks far in each direction.
    pub(crate) fn measure(&mut self, plane: Plane<'_>, reach: usize) {
        self.columns = plane.width.div_ceil(BLOCK);
        self.rows = plane.height.div_ceil(BLOCK);
        self.extremes(plane);
        let Self { columns, darkest, brightest, low, .. } = self;
        spread(darkest, *columns, reach, u8::min, low);
        spread(brightest, *columns, reach, u8::max, low);
        self.thresholds.clear();
        self.thresholds.extend(
            self.darkest
                .iter()
                .zip(&self.brightest)
                .map(|(&low, &high)| if high - low < LEAST_CONTRAST { 0 } else { low + (high - low).div_ceil(2) }),
        );
    }

    fn extremes(&mut self, plane: Plane<'_>) {
        let Self { darkest, brightest, low, high, .. } = self;
        darkest.clear();
        brightest.clear();
        for top in (0..plane.height).step_by(BLOCK) {
            low.clear();
            low.extend_from_slice(plane.row(top));
            high.clear();
            high.extend_from_slice(plane.row(top));
            for y in top + 1..(top + BLOCK).min(plane.height) {
                for ((low, high), &pixel) in low.iter_mut().zip(high.iter_mut()).zip(plane.row(y)) {
                    *low = (*low).min(pixel);
                    *high = (*high).max(pixel);
                }
            }
            darkest.extend(low.chunks(BLOCK).map(|block| block.iter().fold(u8::MAX, |a, &b| a.min(b))));
            brightest.extend(high.chunks(BLOCK).map(|block| block.iter().fold(0, |a, &b| a.max(b))));
        }
    }

    /// The threshold at a pixel, which must be inside: what is below it is dark. 0 where there is no contrast.
    pub(crate) fn at(&self, x: usize, y: usize) -> u8 {
        self.thresholds[y / BLOCK * self.columns + x / BLOCK]
    }

    /// A row of the picture in bits, the first pixel in the lowest bit of the first word; 1 is dark. Bits
    /// beyond the row's end are 0.
    pub(crate) fn bits(&self, plane: Plane<'_>, y: usize, bits: &mut Vec<u64>) {
        let thresholds = &self.thresholds[y / BLOCK * self.columns..][..self.columns];
        bits.clear();
        for (pixels, thresholds) in plane.row(y).chunks(8 * BLOCK).zip(thresholds.chunks(8)) {
            let mut word = 0_u64;
            for (at, (block, &threshold)) in pixels.chunks(BLOCK).zip(thresholds).enumerate() {
                word |= u64::from(byte_of(block, threshold)) << (8 * at);
            }
            bits.push(word);
        }
    }
}

/// Eight pixels as eight bits.
fn byte_of(block: &[u8], threshold: u8) -> u8 {
    if let Ok(block) = <&[u8; BLOCK]>::try_from(block) {
        let mut dark = [0_u8; BLOCK];
        dark.iter_mut().zip(block).for_each(|(dark, &pixel)| *dark = u8::from(pixel < threshold));
        // Gathers the lowest bit of each byte in the highest byte.
        return (u64::from_le_bytes(dark).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8;
    }
    block.iter().enumerate().fold(0, |byte, (at, &pixel)| byte | u8::from(pixel < threshold) << at)
}

/// Replaces each entry by the extreme of the square of entries around it.
fn spread(field: &mut [u8], columns: usize, reach: usize, extreme: fn(u8, u8) -> u8, spare: &mut Vec<u8>) {
    spare.clear();
    spare.extend_from_slice(field);
    for (to, from) in field.chunks_exact_mut(columns).zip(spare.chunks_exact(columns)) {
        for by in 1..=reach.min(columns - 1) {
            to[by..].iter_mut().zip(from).for_each(|(to, &from)| *to = extreme(*to, from));
            to.iter_mut().zip(&from[by..]).for_each(|(to, &from)| *to = extreme(*to, from));
        }
    }
    spare.clear();
    spare.extend_from_slice(field);
    let rows = field.len() / columns;
    for by in 1..=reach.min(rows - 1) {
        let shift = by * columns;
        field[shift..].iter_mut().zip(spare.iter()).for_each(|(to, &from)| *to = extreme(*to, from));
        field.iter_mut().zip(&spare[shift..]).for_each(|(to, &from)| *to = extreme(*to, from));
    }
}
