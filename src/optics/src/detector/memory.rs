//! What earlier frames showed of a code that none of them shows whole.
//!
//! A gate sees ten frames of a code, not one: glare wanders, noise differs, a hand trembles. The shades of a code that
//! was not read are kept and added to those of the next frame, module by module, and the mean is decoded. Two frames
//! belong together when their shades agree far better than those of different codes ever would, so nobody's position
//! has to be followed. Separate from the detector, which sees one frame. Invariants: shades of codes that do not agree
//! are never added; what is kept is dropped when the code is read, when it has not been seen for [`MAX_AGE`] frames,
//! and on [`Memory::forget`].

use super::symbol::Soft;

/// After so many frames without its code a memory is dropped.
const MAX_AGE: u32 = 15;
/// Frames of one code agree at least so well (correlation; different codes stay below 0.1).
const LEAST_AGREEMENT: f32 = 0.2;
/// The share of a memory that is left when a frame is added: old frames fade.
const KEPT: f32 = 0.93;

/// Codes in view that were not read yet; two, because two people may hold theirs up.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    codes: [Seen; 2],
}

#[derive(Debug, Default)]
struct Seen {
    /// Modules a side; 0 when nothing is kept.
    size: usize,
    sums: Vec<f32>,
    /// How many frames told something of each module, faded like the sums.
    counts: Vec<f32>,
    frames: u32,
    age: u32,
    soft: Vec<i8>,
}

impl Memory {
    /// Drops all that is kept.
    pub(crate) fn forget(&mut self) {
        self.codes.iter_mut().for_each(|seen| seen.size = 0);
    }

    /// A new frame begins.
    pub(crate) fn tick(&mut self) {
        for seen in self.codes.iter_mut().filter(|seen| seen.size > 0) {
            seen.age += 1;
            if seen.age > MAX_AGE {
                seen.size = 0;
            }
        }
    }

    /// Adds the `shades` of a code of `size` modules a side (0: unknown), once a frame for each code. Gives what all
    /// frames together show, when there were several. `fixed` are the modules that tell nothing about which code it is.
    pub(crate) fn add(&mut self, size: usize, shades: &[f32], fixed: &[i8]) -> Option<Soft<'_>> {
        let known = self.codes.iter().position(|seen| seen.agreement(size, shades, fixed) >= LEAST_AGREEMENT);
        let Some(at) = known else {
            let oldest = usize::from(self.codes[1].age_or_empty() > self.codes[0].age_or_empty());
            self.codes[oldest].begin(size, shades);
            return None;
        };
        self.codes[at].add(shades);
        (self.codes[at].frames > 1).then(|| self.codes[at].soft())
    }
}

impl Seen {
    fn age_or_empty(&self) -> u32 {
        if self.size == 0 { u32::MAX } else { self.age }
    }

    fn begin(&mut self, size: usize, shades: &[f32]) {
        (self.size, self.frames, self.age) = (size, 1, 0);
        self.sums.clear();
        self.sums.extend(shades.iter().map(|shade| shade.clamp(-1.5, 1.5)));
        self.counts.clear();
        self.counts.extend(shades.iter().map(|&shade| f32::from(u8::from(shade != 0.0))));
    }

    fn add(&mut self, shades: &[f32]) {
        // The same frame seen through another view adds nothing new.
        if self.age > 0 {
            self.frames += 1;
            for ((sum, count), &shade) in self.sums.iter_mut().zip(&mut self.counts).zip(shades) {
                *sum = *sum * KEPT + shade.clamp(-1.5, 1.5);
                *count = *count * KEPT + f32::from(u8::from(shade != 0.0));
            }
        }
        self.age = 0;
    }

    /// How well a code's shades agree with what is kept: their correlation.
    fn agreement(&self, size: usize, shades: &[f32], fixed: &[i8]) -> f32 {
        if self.size != size {
            return 0.0;
        }
        let (mut both, mut here, mut there) = (0.0, 0.0, 1e-6);
        for ((&sum, &shade), _) in self.sums.iter().zip(shades).zip(fixed).filter(|(_, fixed)| **fixed == 0) {
            let shade = shade.clamp(-1.5, 1.5);
            both += sum * shade;
            here += sum * sum;
            there += shade * shade;
        }
        both / (here * there).sqrt().max(1e-6)
    }

    fn soft(&mut self) -> Soft<'_> {
        self.soft.clear();
        self.soft.extend(self.sums.iter().zip(&self.counts).map(|(&sum, &count)| {
            let mean = if count > 0.0 { sum / count } else { 0.0 };
            (mean * super::sample::SURE).clamp(-127.0, 127.0) as i8
        }));
        Soft { size: self.size, modules: &self.soft }
    }
}
