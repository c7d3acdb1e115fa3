//! What is dark and what is light here: a threshold for every block of a picture, from the contrast around it.
//!
//! Light at a gate is never even, so one threshold for a picture does not do. Each block, [`BLOCK`] pixels wide, takes a
//! level between the darkest and the brightest pixel of the blocks around it, as a [`Rule`] says: it needs one pass over the
//! pixels, stands shadow and low contrast, and a place without contrast has no edges at all. Separate from the search
//! for codes, which asks it per row. Invariant: buffers are kept; a picture of the same size allocates nothing.

use super::plane::Plane;

/// The side of a block, in pixels.
pub(crate) const BLOCK: usize = 8;

/// How the threshold of a block is made of what is around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rule {
    /// The rows of a block are two to this power.
    pub(crate) rows_log2: u32,
    /// How many blocks to the left and to the right are looked at.
    pub(crate) across: usize,
    /// How many blocks above and below are looked at.
    pub(crate) down: usize,
    /// How far the threshold is from the darkest to the brightest pixel, in sixteenths.
    pub(crate) level_16: u16,
    /// Where the brightest and the darkest pixel differ by less, there is nothing to read.
    pub(crate) least_contrast: u8,
}

impl Rule {
    /// The middle of what is within `reach` blocks all around.
    pub(crate) const fn around(reach: usize) -> Self {
        Self { rows_log2: 3, across: reach, down: reach, level_16: 8, least_contrast: 12 }
    }

    /// Each pair of rows by itself, with what is within `across` blocks: against the bands that the pulsed light of a
    /// screen leaves.
    pub(crate) const fn bands(across: usize) -> Self {
        Self { rows_log2: 1, across, down: 0, ..Self::around(0) }
    }

    /// Whether the levels of this rule are those of the picture's modules too.
    pub(crate) fn is_for_bands(self) -> bool {
        self.rows_log2 == 1
    }

    /// The same, with nothing to read where the contrast is below `least_contrast`.
    pub(crate) const fn above(self, least_contrast: u8) -> Self {
        Self { least_contrast, ..self }
    }
}

/// The thresholds of one picture.
#[derive(Debug, Default)]
pub(crate) struct Field {
    rows_log2: u32,
    columns: usize,
    rows: usize,
    darkest: Vec<u8>,
    brightest: Vec<u8>,
    thresholds: Vec<u8>,
    low: Vec<u8>,
    high: Vec<u8>,
}

impl Field {
    /// Measures `plane`.
    pub(crate) fn measure(&mut self, plane: Plane<'_>, rule: Rule) {
        self.rows_log2 = rule.rows_log2;
        self.columns = plane.width.div_ceil(BLOCK);
        self.rows = plane.height.div_ceil(1 << rule.rows_log2);
        self.extremes(plane);
        let Self { columns, darkest, brightest, low, .. } = self;
        spread(darkest, *columns, (rule.across, rule.down), u8::min, low);
        spread(brightest, *columns, (rule.across, rule.down), u8::max, low);
        let threshold = |(&low, &high): (&u8, &u8)| {
            let contrast = u16::from(high - low);
            let above = (contrast * rule.level_16 + 8) >> 4;
            if contrast < u16::from(rule.least_contrast) { 0 } else { low + above as u8 }
        };
        self.thresholds.clear();
        self.thresholds.extend(self.darkest.iter().zip(&self.brightest).map(threshold));
    }

    fn extremes(&mut self, plane: Plane<'_>) {
        let rows = 1 << self.rows_log2;
        let Self { darkest, brightest, low, high, .. } = self;
        darkest.clear();
        brightest.clear();
        for top in (0..plane.height).step_by(rows) {
            low.clear();
            low.extend_from_slice(plane.row(top));
            high.clear();
            high.extend_from_slice(plane.row(top));
            for y in top + 1..(top + rows).min(plane.height) {
                for ((low, high), &pixel) in low.iter_mut().zip(high.iter_mut()).zip(plane.row(y)) {
                    *low = (*low).min(pixel);
                    *high = (*high).max(pixel);
                }
            }
            fold_blocks(low, u8::min, darkest);
            fold_blocks(high, u8::max, brightest);
        }
    }

    /// The threshold at a pixel, which must be inside: what is below it is dark. 0 where there is no contrast.
    pub(crate) fn at(&self, x: usize, y: usize) -> u8 {
        self.thresholds[(y >> self.rows_log2) * self.columns + x / BLOCK]
    }

    /// A row of the picture in bits, the first pixel in the lowest bit of the first word; 1 is dark. Bits
    /// beyond the row's end are 0.
    pub(crate) fn bits(&self, plane: Plane<'_>, y: usize, bits: &mut Vec<u64>) {
        let thresholds = &self.thresholds[(y >> self.rows_log2) * self.columns..][..self.columns];
        bits.clear();
        let (blocks, rest) = plane.row(y).as_chunks::<BLOCK>();
        let last = rest.iter().enumerate();
        let byte_of_rest =
            |threshold: u8| last.clone().fold(0, |byte, (at, &pixel)| byte | u8::from(pixel < threshold) << at);
        for (blocks, thresholds) in blocks.chunks(8).zip(thresholds.chunks(8)) {
            let word = blocks.iter().zip(thresholds).rev();
            bits.push(word.fold(0, |word, (block, &threshold)| word << 8 | u64::from(byte_of(*block, threshold))));
        }
        if let (false, Some(&threshold)) = (rest.is_empty(), thresholds.last()) {
            let byte = u64::from(byte_of_rest(threshold));
            match bits.last_mut() {
                Some(word) if blocks.len() % 8 > 0 => *word |= byte << (8 * (blocks.len() % 8)),
                _ => bits.push(byte),
            }
        }
    }
}

impl Field {
    /// The picture with each block stretched between the darkest and the brightest around it.
    pub(crate) fn stretch(&self, plane: Plane<'_>, out: &mut Vec<u8>) {
        out.clear();
        for y in 0..plane.height {
            let line = (y >> self.rows_log2) * self.columns;
            let levels = self.darkest[line..].iter().zip(&self.brightest[line..]);
            for (block, (&low, &high)) in plane.row(y).chunks(BLOCK).zip(levels) {
                // In 256ths, so that a block divides once. Noise is not stretched to a picture.
                let gain = (255 << 8) / u32::from((high - low).max(LEAST_STRETCHED));
                out.extend(block.iter().map(|&pixel| ((u32::from(pixel.saturating_sub(low)) * gain) >> 8) as u8));
            }
        }
    }
}

/// Adds the extreme of every [`BLOCK`] entries of `row` to `out`, of the rest at its end too.
fn fold_blocks(row: &[u8], extreme: impl Fn(u8, u8) -> u8, out: &mut Vec<u8>) {
    let (blocks, rest) = row.as_chunks::<BLOCK>();
    out.extend(blocks.iter().map(|&[a, b, c, d, e, f, g, h]| {
        let (left, right) = (extreme(extreme(a, b), extreme(c, d)), extreme(extreme(e, f), extreme(g, h)));
        extreme(left, right)
    }));
    out.extend(rest.iter().copied().reduce(extreme));
}

/// Less contrast than this is stretched as if it were this.
const LEAST_STRETCHED: u8 = 16;

/// Eight pixels as eight bits.
fn byte_of(block: [u8; BLOCK], threshold: u8) -> u8 {
    // All eight at once: the borrow that leaves each byte when the threshold is taken from it is in its highest bit
    // (Warren, Hacker's Delight, 2-18).
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (x, y) = (u64::from_le_bytes(block), u64::from(threshold) * 0x0101_0101_0101_0101);
    let difference = ((x | HIGH) - (y & !HIGH)) ^ ((x ^ !y) & HIGH);
    let below = (!x & y) | (!(x ^ y) & difference);
    // Gathers the highest bit of each byte in the highest byte.
    (((below & HIGH) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

/// Replaces each entry by the extreme of the square of entries around it.
fn spread(
    field: &mut [u8],
    columns: usize,
    (across, down): (usize, usize),
    extreme: fn(u8, u8) -> u8,
    spare: &mut Vec<u8>,
) {
    spare.clear();
    spare.extend_from_slice(field);
    for (to, from) in field.chunks_exact_mut(columns).zip(spare.chunks_exact(columns)) {
        for by in 1..=across.min(columns - 1) {
            to[by..].iter_mut().zip(from).for_each(|(to, &from)| *to = extreme(*to, from));
            to.iter_mut().zip(&from[by..]).for_each(|(to, &from)| *to = extreme(*to, from));
        }
    }
    spare.clear();
    spare.extend_from_slice(field);
    let rows = field.len() / columns;
    for by in 1..=down.min(rows - 1) {
        let shift = by * columns;
        field[shift..].iter_mut().zip(spare.iter()).for_each(|(to, &from)| *to = extreme(*to, from));
        field.iter_mut().zip(&spare[shift..]).for_each(|(to, &from)| *to = extreme(*to, from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_says_whether_its_pixel_is_below_the_threshold() {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for round in 0..20_000_u32 {
            let threshold = noise();
            let near = |luma: u8| if round % 2 == 0 { luma } else { threshold.wrapping_add(luma % 3).wrapping_sub(1) };
            let block: [u8; BLOCK] = std::array::from_fn(|_| near(noise()));
            let expected = (0..BLOCK).fold(0, |byte, at| byte | u8::from(block[at] < threshold) << at);
            assert_eq!(byte_of(block, threshold), expected, "{block:?} below {threshold}");
        }
    }

    #[test]
    fn a_row_of_any_width_is_the_bits_of_its_pixels() {
        for width in [2, 7, 8, 9, 21, 63, 64, 65, 72, 130, 200] {
            let luma: Vec<u8> = (0..width * 9).map(|at| (at * 89 % 253) as u8).collect();
            let plane = Plane { luma: &luma, width, height: 9 };
            let (mut field, mut bits) = (Field::default(), Vec::new());
            field.measure(plane, Rule::around(1));
            for y in 0..9 {
                field.bits(plane, y, &mut bits);
                assert_eq!(bits.len(), width.div_ceil(64), "{width} wide");
                for x in 0..64 * bits.len() {
                    let expected = x < width && plane.pixel(x, y) < field.at(x, y);
                    assert_eq!(bits[x / 64] >> (x % 64) & 1 == 1, expected, "{x},{y} of {width}");
                }
            }
        }
    }

    #[test]
    fn a_block_has_the_extremes_of_its_pixels_and_a_rest_is_a_block() {
        let luma: Vec<u8> = (0..21 * 9).map(|at| (at * 37 % 251) as u8).collect();
        let plane = Plane { luma: &luma, width: 21, height: 9 };
        let mut field = Field::default();
        field.measure(plane, Rule::around(0).above(0));
        for (at, &threshold) in field.thresholds.iter().enumerate() {
            let (left, top) = (at % 3 * BLOCK, at / 3 * 8);
            let pixels = || (top..(top + 8).min(9)).flat_map(|y| (left..(left + BLOCK).min(21)).map(move |x| (x, y)));
            let extreme = |pick: fn(u8, u8) -> u8| pixels().map(|(x, y)| plane.pixel(x, y)).reduce(pick);
            let (low, high) = (extreme(u8::min).expect("pixels"), extreme(u8::max).expect("pixels"));
            assert_eq!(threshold, low + (high - low).div_ceil(2), "block {at}");
        }
    }
}
