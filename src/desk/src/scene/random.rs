//! Numbers that follow from a seed: SplitMix64 (Steele, Lea, Flood 2014).
//!
//! Separate and our own because a scene's numbers must never change with a
//! dependency's version. Not for secrets.

use std::ops::RangeInclusive;

/// A stream of numbers from one seed.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    #[expect(clippy::should_implement_trait, reason = "a stream that never ends is no iterator")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// Evenly in `0.0..1.0`.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u32 << 24) as f32
    }

    /// Evenly in `range`.
    pub fn within(&mut self, range: &RangeInclusive<f32>) -> f32 {
        range.start() + self.unit() * (range.end() - range.start())
    }

    /// Evenly in `0..bound`; 0 when there is no such number.
    pub fn below(&mut self, bound: usize) -> usize {
        let at = (self.unit() * bound as f32) as usize;
        at.min(bound.saturating_sub(1))
    }

    /// About normal, mean 0 and deviation 1: the sum of four even numbers
    /// (Irwin–Hall), within ±3.5, which no sensor's noise is told apart from.
    pub fn normal(&mut self) -> f32 {
        let bits = self.next();
        let sum: u64 = (0..4).map(|n| (bits >> (16 * n)) & 0xffff).sum();
        (sum as f32 / 65536.0 - 2.0) * 3_f32.sqrt()
    }
}

/// A number in `0.0..1.0` that belongs to one cell of a lattice.
pub fn lattice(seed: u64, x: i32, y: i32) -> f32 {
    let cell = (u64::from(x.cast_unsigned()) << 32) | u64::from(y.cast_unsigned());
    (mix(seed ^ cell.wrapping_mul(0x9E37_79B9_7F4A_7C15)) >> 40) as f32 / (1_u32 << 24) as f32
}

/// The lattice's numbers, blended smoothly between the cells.
pub fn cloud(seed: u64, x: f32, y: f32) -> f32 {
    let (column, row) = (x.floor(), y.floor());
    let (right, down) = (x - column, y - row);
    let (column, row) = (column as i32, row as i32);
    let at = |dx: i32, dy: i32| lattice(seed, column.wrapping_add(dx), row.wrapping_add(dy));
    let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
    mix(mix(at(0, 0), at(1, 0), right), mix(at(0, 1), at(1, 1), right), down)
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_splitmix64() {
        // The reference implementation's first numbers for seed 1234567.
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn normal_numbers_have_mean_0_and_deviation_1() {
        let mut random = Random::new(9);
        let numbers: Vec<f32> = (0..20_000).map(|_| random.normal()).collect();
        let mean = numbers.iter().sum::<f32>() / 20_000.0;
        let variance = numbers.iter().map(|n| n * n).sum::<f32>() / 20_000.0;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }
}
