//! From the modules of one QR symbol to its payload (ISO/IEC 18004:2015, Model 2).
//!
//! The modules come *softly*: how dark each is and how far that can be
//! believed. What is known to be unknown costs Reed–Solomon half of what an
//! unknown error costs, so glare and fingers are erased, and with
//! [`Effort::Soft`] the least reliable codewords too, more and more of them
//! (generalised minimum distance decoding). Separate from finding and sampling,
//! so that evidence of several frames can be added before it comes here.
//!
//! Invariants: no input panics or allocates without bound; a false reading is
//! next to impossible: every block must be improbable enough to have come about
//! by chance ([`MIN_EVIDENCE_BITS`]), and the bit stream be sound; after the
//! first symbol of a version only the payload is allocated.

mod bits;
mod format;
mod layout;
mod reed_solomon;
mod text;

use bits::{Content, Padding};
use format::Format;
use layout::{Blocks, Layout};
use reed_solomon::Correction;

use format::version_of;
pub(crate) use layout::{Level, alignment_centres, fixed_map};

/// The modules of a symbol, `size` × `size`, row by row: positive is dark,
/// negative light, the magnitude (127 at most) how far to believe it, and 0
/// that nothing is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Soft<'a> {
    pub(crate) size: usize,
    pub(crate) modules: &'a [i8],
}

/// How far to go for a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effort {
    /// Each module as it looks; erased is only what is unknown.
    Hard,
    /// The least reliable codewords erased too, in growing numbers; and the
    /// second-best format information tried.
    Soft,
}

/// What a symbol said, and what it took to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) payload: Vec<u8>,
    pub(crate) version: u8,
    pub(crate) level: Level,
    pub(crate) mask: u8,
    /// Codewords that were wrong or unknown and had to change.
    pub(crate) corrected: u32,
    /// Codewords erased in the attempt that succeeded.
    pub(crate) erased: u32,
    /// Whether nothing was erased but what is unknown, nor a second format tried.
    pub(crate) hard: bool,
}

/// Why a symbol was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SymbolError {
    /// Not as many modules as some version has.
    #[error("no version of QR code has {size} × {size} modules: sample the grid anew")]
    Size {
        /// Modules a side, as given.
        size: usize,
    },
    /// The format information is too damaged.
    #[error("the format information beside the finder patterns is unreadable: look again, or softly")]
    Format,
    /// Undecodable, and the version information names another version.
    #[error("the symbol says that it is of version {named}: sample the grid anew with its size")]
    Version {
        /// The version to sample for.
        named: u8,
    },
    /// Too much is wrong or unknown.
    #[error("block {failed_block} has more errors than can be corrected: look again")]
    ErrorCorrection {
        /// The first block that failed.
        failed_block: usize,
    },
    /// Error correction succeeded, but on something that is no bit stream.
    #[error("the corrected data is not the content of a QR code: look again")]
    Content,
}

/// What decoding needs besides its input; kept, it is allocated once.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    codewords: Codewords,
    data: Vec<u8>,
    content: Content,
}

/// Reads the symbol in `soft`.
pub(crate) fn decode(soft: Soft<'_>, effort: Effort, work: &mut Workspace) -> Result<Decoded, SymbolError> {
    let unfit = SymbolError::Size { size: soft.size };
    let version = layout::version_of_size(soft.size).ok_or(unfit)?;
    let layout = Layout::of(version).filter(|_| soft.modules.len() == soft.size * soft.size).ok_or(unfit)?;
    let reading = format::read(soft);
    if effort == Effort::Hard && !reading.plausible {
        return Err(SymbolError::Format);
    }
    let failure = match attempt(soft, version, layout, reading.best, effort, work) {
        Ok(decoded) => return Ok(decoded),
        Err(failure) => failure,
    };
    if effort == Effort::Soft
        && let Ok(decoded) = attempt(soft, version, layout, reading.second, effort, work)
    {
        return Ok(Decoded { hard: false, ..decoded });
    }
    match version_of(soft) {
        Some((named, _)) if named != version => Err(SymbolError::Version { named }),
        _ => Err(failure),
    }
}

fn attempt(
    soft: Soft<'_>,
    version: u8,
    layout: &Layout,
    format: Format,
    effort: Effort,
    work: &mut Workspace,
) -> Result<Decoded, SymbolError> {
    let Format { level, mask } = format;
    let blocks = Blocks::of(version, level).ok_or(SymbolError::Size { size: soft.size })?;
    work.codewords.read(soft, layout, mask);
    work.data.clear();
    let (mut corrected, mut erased, mut hard) = (0, 0, true);
    for block in 0..blocks.count {
        let mut search = Search::new(&work.codewords, &blocks, block, spared(version, level));
        let repair = search.repair(effort).ok_or(SymbolError::ErrorCorrection { failed_block: block })?;
        work.data.extend_from_slice(&search.word[..blocks.data(block)]);
        corrected += repair.changed as u32;
        erased += repair.erased as u32;
        hard &= repair.hard;
    }
    let padding = if hard { Padding::Any } else { Padding::Standard };
    bits::parse(&work.data, version, padding, &mut work.content).ok_or(SymbolError::Content)?;
    let payload = text::payload(&work.content);
    Ok(Decoded { payload, version, level, mask, corrected, erased, hard })
}

/// Check codewords that the standard keeps back from correction, because so few
/// of them are too weak against a false correction (table 9, note b).
fn spared(version: u8, level: Level) -> usize {
    match (version, level) {
        (1, Level::L) => 3,
        (1, Level::M) | (2, Level::L) => 2,
        (1, _) | (3, Level::L) => 1,
        _ => 0,
    }
}

/// The codewords of a symbol as they look.
#[derive(Debug, Default)]
struct Codewords {
    values: Vec<u8>,
    /// Which bits of each are known.
    known: Vec<u8>,
    /// How far to believe each: the two weakest modules together; below 1 with
    /// as many unknown modules.
    trust: Vec<i16>,
}

impl Codewords {
    fn read(&mut self, soft: Soft<'_>, layout: &Layout, mask: u8) {
        self.values.clear();
        self.known.clear();
        self.trust.clear();
        for (path, masks) in layout.path.chunks_exact(8).zip(layout.masks.chunks_exact(8)) {
            let (mut value, mut known) = (0_u8, 0_u8);
            let (mut weakest, mut second) = (u8::MAX, u8::MAX);
            for (&module, &inverted) in path.iter().zip(masks) {
                let seen = soft.modules[usize::from(module)];
                value = value << 1 | (u8::from(seen > 0) ^ (inverted >> mask & 1));
                known = known << 1 | u8::from(seen != 0);
                let confidence = seen.unsigned_abs();
                second = second.min(weakest.max(confidence));
                weakest = weakest.min(confidence);
            }
            self.values.push(value);
            self.known.push(known);
            let unknown = known.count_zeros() as i16;
            self.trust.push(if unknown > 0 { 1 - unknown } else { i16::from(weakest) + i16::from(second) });
        }
    }
}

/// How improbable a block must be to have come about by chance, as a power of
/// two. The weakest corrections that the standard allows have 31.
const MIN_EVIDENCE_BITS: f32 = 28.0;
/// Check codewords kept back where something is erased, at least.
const MARGIN: usize = 2;
/// Codewords that each further attempt erases in addition.
const ERASURE_STEP: usize = 2;
/// Codewords up to whose trust all are erased: they have an unknown module.
const UNKNOWN: i16 = 0;

/// The search for the codeword that one block was printed as.
struct Search<'a> {
    codewords: &'a Codewords,
    len: usize,
    ec: usize,
    spared: usize,
    /// Where each codeword of the block is in the stream.
    places: [u16; reed_solomon::MAX_BLOCK],
    /// The block; after [`Search::repair`] as corrected.
    word: [u8; reed_solomon::MAX_BLOCK],
}

struct Repair {
    changed: usize,
    erased: usize,
    hard: bool,
}

impl<'a> Search<'a> {
    fn new(codewords: &'a Codewords, blocks: &Blocks, block: usize, spared: usize) -> Self {
        let len = (blocks.data(block) + blocks.ec).min(reed_solomon::MAX_BLOCK);
        let mut places = [0; reed_solomon::MAX_BLOCK];
        let mut word = [0; reed_solomon::MAX_BLOCK];
        for at in 0..len {
            let place = blocks.place(block, at);
            places[at] = place as u16;
            word[at] = codewords.values[place];
        }
        Self { codewords, len, ec: blocks.ec, spared, places, word }
    }

    fn repair(&mut self, effort: Effort) -> Option<Repair> {
        let unknown = (0..self.len).filter(|&at| self.trust(at) <= UNKNOWN).count();
        let Some(seen) = reed_solomon::syndromes(&self.word[..self.len], self.ec) else {
            // A codeword by chance, with this many unknown modules taken for light?
            let trusted = self.ec.saturating_sub(unknown) * 8;
            return (trusted as f32 >= MIN_EVIDENCE_BITS).then_some(Repair { changed: 0, erased: 0, hard: true });
        };
        let mut order = [0_u8; reed_solomon::MAX_BLOCK];
        let order = &mut order[..self.len];
        order.iter_mut().zip(0..).for_each(|(slot, at)| *slot = at);
        order.sort_unstable_by_key(|&at| (self.trust(usize::from(at)), at));
        let most = self.ec - self.spared.max(MARGIN).min(self.ec);
        let begin = unknown.min(most);
        let softer =
            (ERASURE_STEP..=most).step_by(ERASURE_STEP).filter(|&count| effort == Effort::Soft && count != begin);
        let plain = (begin != 0).then_some(0);
        for count in [begin].into_iter().chain(plain).chain(softer) {
            let Some(correction) = self.attempt(&seen, &order[..count]) else {
                continue;
            };
            return Some(Repair { changed: correction.changed, erased: count, hard: count <= unknown });
        }
        None
    }

    fn trust(&self, at: usize) -> i16 {
        self.codewords.trust[usize::from(self.places[at])]
    }

    /// Corrects the block with `erased` unknown, if that is credible.
    fn attempt(&mut self, seen: &reed_solomon::Syndromes, erased: &[u8]) -> Option<Correction> {
        let before = self.word;
        let correction = reed_solomon::correct(&mut self.word[..self.len], self.ec, seen, erased)?;
        let spent = 2 * correction.errors + erased.len();
        let kept_back = if erased.is_empty() { self.spared } else { self.spared.max(MARGIN) };
        if spent + kept_back <= self.ec && self.evidence_bits(correction.errors, erased) >= MIN_EVIDENCE_BITS {
            return Some(correction);
        }
        self.word = before;
        None
    }

    /// How improbable the corrected block is to have come about by chance, as a
    /// power of two: of random blocks one in 2^this is so near to a codeword
    /// and agrees so well with what was seen of the erased ones.
    fn evidence_bits(&self, errors: usize, erased: &[u8]) -> f32 {
        let trusted = self.len - erased.len();
        let ways: f32 = (0..errors).map(|k| ((trusted - k) as f32 / (k + 1) as f32).log2()).sum();
        let checks = 8.0 * (self.ec - erased.len() - errors) as f32;
        checks - ways + self.agreement_bits(erased)
    }

    /// The Chernoff bound on so many of the known bits of erased codewords
    /// being as they were seen, had they been drawn by lot.
    fn agreement_bits(&self, erased: &[u8]) -> f32 {
        let (mut known, mut agreeing) = (0, 0);
        for at in erased.iter().copied().map(usize::from) {
            let place = usize::from(self.places[at]);
            let bits = self.codewords.known[place];
            known += bits.count_ones();
            agreeing += (bits & !(self.word[at] ^ self.codewords.values[place])).count_ones();
        }
        if 2 * agreeing <= known {
            return 0.0;
        }
        let share = agreeing as f32 / known as f32;
        let entropy = |p: f32| if p <= 0.0 { 0.0 } else { -p * p.log2() };
        known as f32 * (1.0 - entropy(share) - entropy(1.0 - share))
    }
}
