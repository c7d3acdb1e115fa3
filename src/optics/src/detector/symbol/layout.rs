//! Where everything stands in a symbol: function patterns, the path of the data
//! bits and the division into blocks (ISO/IEC 18004:2015 §6.3, §7.5, §7.7.3).
//!
//! Pure geometry and tables, apart from the decoder, so that the grid sampler
//! can train on the modules whose colour is known. Invariants: a layout is
//! computed once per version and process, and never changes; each module is
//! either fixed, format information, or exactly one data bit.

use std::sync::OnceLock;

/// The error correction level of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// About 7 % of the codewords can be restored.
    L,
    /// About 15 %.
    M,
    /// About 25 %.
    Q,
    /// About 30 %.
    H,
}

/// The versions there are.
pub(crate) const MAX_VERSION: u8 = 40;

/// Modules a side of a symbol of `version`.
pub(crate) fn size_of(version: u8) -> usize {
    17 + 4 * usize::from(version)
}

/// The version whose symbols have `size` modules a side.
pub(crate) fn version_of_size(size: usize) -> Option<u8> {
    let version = u8::try_from(size.checked_sub(17)? / 4).ok()?;
    ((1..=MAX_VERSION).contains(&version) && size_of(version) == size).then_some(version)
}

/// The modules that have the same colour in every symbol of `version`, row by row:
/// 1 dark, -1 light, 0 for data and format information. `None` if there is no such version.
pub(crate) fn fixed_map(version: u8) -> Option<&'static [i8]> {
    Some(&Layout::of(version)?.fixed)
}

/// The rows, which are also the columns, of the centres of alignment patterns.
/// Empty for version 1 and for versions there are not.
pub(crate) fn alignment_centres(version: u8) -> &'static [u8] {
    ALIGNMENT.get(usize::from(version)).copied().unwrap_or(&[])
}

/// The geometry of one version.
#[derive(Debug)]
pub(super) struct Layout {
    fixed: Vec<i8>,
    /// The index of the module of each data bit, in the order of the stream;
    /// 8 for each codeword, without the remainder bits.
    pub(super) path: Vec<u16>,
    /// For each bit of `path` the masks that invert it: bit `m` for mask `m`.
    pub(super) masks: Vec<u8>,
}

impl Layout {
    /// The layout of `version`, kept for the life of the process.
    pub(super) fn of(version: u8) -> Option<&'static Self> {
        static LAYOUTS: [OnceLock<Layout>; 41] = [const { OnceLock::new() }; 41];
        if !(1..=MAX_VERSION).contains(&version) {
            return None;
        }
        Some(LAYOUTS[usize::from(version)].get_or_init(|| Self::compute(version)))
    }

    fn compute(version: u8) -> Self {
        let size = size_of(version);
        let mut fixed = vec![0_i8; size * size];
        draw_timing(&mut fixed, size);
        draw_alignment(&mut fixed, size, alignment_centres(version));
        draw_finders(&mut fixed, size);
        draw_version(&mut fixed, size, version);
        // The dark module.
        fixed[(size - 8) * size + 8] = 1;
        let path = data_path(&fixed, size);
        let masks = path.iter().map(|&module| masks_at(usize::from(module) % size, usize::from(module) / size));
        let masks = masks.collect();
        Self { fixed, path, masks }
    }
}

fn colour(dark: bool) -> i8 {
    if dark { 1 } else { -1 }
}

fn draw_timing(fixed: &mut [i8], size: usize) {
    for at in 8..size - 8 {
        fixed[6 * size + at] = colour(at % 2 == 0);
        fixed[at * size + 6] = colour(at % 2 == 0);
    }
}

fn draw_alignment(fixed: &mut [i8], size: usize, centres: &[u8]) {
    for cy in centres.iter().copied().map(usize::from) {
        for cx in centres.iter().copied().map(usize::from) {
            let low = |at: usize| at == 6;
            let high = |at: usize| at == size - 7;
            if (low(cx) && (low(cy) || high(cy))) || (high(cx) && low(cy)) {
                continue; // There is a finder.
            }
            for y in cy - 2..=cy + 2 {
                for x in cx - 2..=cx + 2 {
                    let ring = x.abs_diff(cx).max(y.abs_diff(cy));
                    fixed[y * size + x] = colour(ring != 1);
                }
            }
        }
    }
}

fn draw_finders(fixed: &mut [i8], size: usize) {
    for (cx, cy) in [(3, 3), (size - 4, 3), (3, size - 4)] {
        for y in cy.saturating_sub(4)..=(cy + 4).min(size - 1) {
            for x in cx.saturating_sub(4)..=(cx + 4).min(size - 1) {
                let ring = x.abs_diff(cx).max(y.abs_diff(cy));
                fixed[y * size + x] = colour(matches!(ring, 0 | 1 | 3));
            }
        }
    }
}

fn draw_version(fixed: &mut [i8], size: usize, version: u8) {
    if version < 7 {
        return;
    }
    let word = super::format::version_word(version);
    for bit in 0..18 {
        let dark = colour(word >> bit & 1 == 1);
        let [above, beside] = version_modules(size, bit);
        fixed[above] = dark;
        fixed[beside] = dark;
    }
}

/// The modules that hold `bit` of the version information (bit 0 is the lowest).
pub(super) fn version_modules(size: usize, bit: usize) -> [usize; 2] {
    let (along, across) = (bit / 3, size - 11 + bit % 3);
    [along * size + across, across * size + along]
}

/// The modules that hold `bit` of the format information (bit 0 is the lowest).
pub(super) fn format_modules(size: usize, bit: usize) -> [usize; 2] {
    let corner = match bit {
        0..=5 => (8, bit),
        6 => (8, 7),
        7 => (8, 8),
        8 => (7, 8),
        _ => (14 - bit, 8),
    };
    let split = if bit < 8 { (size - 1 - bit, 8) } else { (8, size - 15 + bit) };
    [corner, split].map(|(x, y)| y * size + x)
}

/// Two columns at a time from the right, up and down in turn (§7.7.3).
fn data_path(fixed: &[i8], size: usize) -> Vec<u16> {
    let mut free: Vec<bool> = fixed.iter().map(|&colour| colour == 0).collect();
    for bit in 0..15 {
        format_modules(size, bit).into_iter().for_each(|module| free[module] = false);
    }
    let mut path = Vec::with_capacity(size * size);
    let mut upward = true;
    // The vertical timing pattern belongs to no pair of columns.
    let pairs = (0..size).rev().filter(|&x| x != 6).step_by(2);
    for right in pairs {
        let left = right - 1;
        for step in 0..size {
            let y = if upward { size - 1 - step } else { step };
            for x in [right, left] {
                if free[y * size + x] {
                    path.push((y * size + x) as u16);
                }
            }
        }
        upward = !upward;
    }
    path.truncate(path.len() / 8 * 8);
    path
}

/// The masks that invert the module in column `x`, row `y` (§7.8.2, table 10).
fn masks_at(x: usize, y: usize) -> u8 {
    let inverts = [
        (x + y) % 2,
        y % 2,
        x % 3,
        (x + y) % 3,
        (x / 3 + y / 2) % 2,
        x * y % 2 + x * y % 3,
        (x * y % 2 + x * y % 3) % 2,
        ((x + y) % 2 + x * y % 3) % 2,
    ];
    inverts.iter().enumerate().fold(0, |masks, (mask, &rest)| masks | u8::from(rest == 0) << mask)
}

/// How the codewords of a symbol are divided into blocks (§7.5.1, table 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blocks {
    /// Blocks in the symbol.
    pub(super) count: usize,
    /// Error correction codewords in each.
    pub(super) ec: usize,
    /// Blocks, the first ones, with one data codeword fewer than the others.
    pub(super) short: usize,
    /// Data codewords of the short ones.
    pub(super) short_data: usize,
}

impl Blocks {
    pub(super) fn of(version: u8, level: Level) -> Option<Self> {
        let codewords = Layout::of(version)?.path.len() / 8;
        let (ec, count) = BLOCKS[usize::from(version) - 1][level as usize];
        let (ec, count) = (usize::from(ec), usize::from(count));
        let short = count - codewords % count;
        Some(Self { count, ec, short, short_data: codewords / count - ec })
    }

    /// Data codewords of block `block`.
    pub(super) fn data(&self, block: usize) -> usize {
        self.short_data + usize::from(block >= self.short)
    }

    /// Where codeword `at` of block `block` stands in the interleaved stream.
    pub(super) fn place(&self, block: usize, at: usize) -> usize {
        if at < self.short_data {
            return at * self.count + block;
        }
        let long = self.count - self.short;
        if at < self.data(block) {
            return self.short_data * self.count + block - self.short;
        }
        let parity = at - self.data(block);
        self.short_data * self.count + long + parity * self.count + block
    }
}

#[rustfmt::skip]
const ALIGNMENT: [&[u8]; 41] = [
    &[], &[], &[6, 18], &[6, 22], &[6, 26], &[6, 30], &[6, 34],
    &[6, 22, 38], &[6, 24, 42], &[6, 26, 46], &[6, 28, 50], &[6, 30, 54], &[6, 32, 58], &[6, 34, 62],
    &[6, 26, 46, 66], &[6, 26, 48, 70], &[6, 26, 50, 74], &[6, 30, 54, 78], &[6, 30, 56, 82],
    &[6, 30, 58, 86], &[6, 34, 62, 90],
    &[6, 28, 50, 72, 94], &[6, 26, 50, 74, 98], &[6, 30, 54, 78, 102], &[6, 28, 54, 80, 106],
    &[6, 32, 58, 84, 110], &[6, 30, 58, 86, 114], &[6, 34, 62, 90, 118],
    &[6, 26, 50, 74, 98, 122], &[6, 30, 54, 78, 102, 126], &[6, 26, 52, 78, 104, 130],
    &[6, 30, 56, 82, 108, 134], &[6, 34, 60, 86, 112, 138], &[6, 30, 58, 86, 114, 142],
    &[6, 34, 62, 90, 118, 146],
    &[6, 30, 54, 78, 102, 126, 150], &[6, 24, 50, 76, 102, 128, 154], &[6, 28, 54, 80, 106, 132, 158],
    &[6, 32, 58, 84, 110, 136, 162], &[6, 26, 54, 82, 110, 138, 166], &[6, 30, 58, 86, 114, 142, 170],
];

/// Error correction codewords a block and blocks, for the levels L, M, Q, H of each version.
#[rustfmt::skip]
const BLOCKS: [[(u8, u8); 4]; 40] = [
    [(7, 1), (10, 1), (13, 1), (17, 1)], [(10, 1), (16, 1), (22, 1), (28, 1)],
    [(15, 1), (26, 1), (18, 2), (22, 2)], [(20, 1), (18, 2), (26, 2), (16, 4)],
    [(26, 1), (24, 2), (18, 4), (22, 4)], [(18, 2), (16, 4), (24, 4), (28, 4)],
    [(20, 2), (18, 4), (18, 6), (26, 5)], [(24, 2), (22, 4), (22, 6), (26, 6)],
    [(30, 2), (22, 5), (20, 8), (24, 8)], [(18, 4), (26, 5), (24, 8), (28, 8)],
    [(20, 4), (30, 5), (28, 8), (24, 11)], [(24, 4), (22, 8), (26, 10), (28, 11)],
    [(26, 4), (22, 9), (24, 12), (22, 16)], [(30, 4), (24, 9), (20, 16), (24, 16)],
    [(22, 6), (24, 10), (30, 12), (24, 18)], [(24, 6), (28, 10), (24, 17), (30, 16)],
    [(28, 6), (28, 11), (28, 16), (28, 19)], [(30, 6), (26, 13), (28, 18), (28, 21)],
    [(28, 7), (26, 14), (26, 21), (26, 25)], [(28, 8), (26, 16), (30, 20), (28, 25)],
    [(28, 8), (26, 17), (28, 23), (30, 25)], [(28, 9), (28, 17), (30, 23), (24, 34)],
    [(30, 9), (28, 18), (30, 25), (30, 30)], [(30, 10), (28, 20), (30, 27), (30, 32)],
    [(26, 12), (28, 21), (30, 29), (30, 35)], [(28, 12), (28, 23), (28, 34), (30, 37)],
    [(30, 12), (28, 25), (30, 34), (30, 40)], [(30, 13), (28, 26), (30, 35), (30, 42)],
    [(30, 14), (28, 28), (30, 38), (30, 45)], [(30, 15), (28, 29), (30, 40), (30, 48)],
    [(30, 16), (28, 31), (30, 43), (30, 51)], [(30, 17), (28, 33), (30, 45), (30, 54)],
    [(30, 18), (28, 35), (30, 48), (30, 57)], [(30, 19), (28, 37), (30, 51), (30, 60)],
    [(30, 19), (28, 38), (30, 53), (30, 63)], [(30, 20), (28, 40), (30, 56), (30, 66)],
    [(30, 21), (28, 43), (30, 59), (30, 70)], [(30, 22), (28, 45), (30, 62), (30, 74)],
    [(30, 24), (28, 47), (30, 65), (30, 77)], [(30, 25), (28, 49), (30, 68), (30, 81)],
];
