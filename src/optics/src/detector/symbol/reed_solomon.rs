//! Reed–Solomon over GF(256)/0x11D with errors and erasures (ISO/IEC 18004:2015
//! §7.5.2), for blocks of any length.
//!
//! Our own because the crates there are either correct no erasures, or allocate
//! and search on arrays of fixed size at a multiple of the time. Invariants:
//! what [`correct`] accepts is a codeword, checked by its syndromes; a block
//! that it refuses is left as it was; 2·errors + erasures never exceeds the
//! number of check symbols. Generator roots are α⁰ … α^(ec−1).

/// Error correction codewords of a block at most.
pub(super) const MAX_EC: usize = 30;
/// Codewords of a block at most.
pub(super) const MAX_BLOCK: usize = 255;

/// A polynomial, lowest coefficient first.
type Poly = [u8; MAX_EC + 2];
/// One value for each check symbol; all zero for a codeword.
pub(super) type Syndromes = [u8; MAX_EC];

/// What it took to make a codeword of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Correction {
    /// Wrong symbols found besides the erased ones.
    pub(super) errors: usize,
    /// Symbols that had to change, erased ones among them.
    pub(super) changed: usize,
}

/// The syndromes of `block`, or `None` if it is a codeword as it is.
pub(super) fn syndromes(block: &[u8], ec: usize) -> Option<Syndromes> {
    let mut sums = [0; MAX_EC];
    let sums_used = sums.get_mut(..ec)?;
    for &symbol in block {
        for (sum, times) in sums_used.iter_mut().zip(&TIMES_POWER) {
            *sum = times[usize::from(*sum)] ^ symbol;
        }
    }
    sums_used.iter().any(|&sum| sum != 0).then_some(sums)
}

/// Makes `block`, whose last `ec` symbols are check symbols and whose syndromes
/// are `seen`, a codeword; the symbols at `erased` count as unknown. Positions
/// must be in the block and differ.
pub(super) fn correct(block: &mut [u8], ec: usize, seen: &Syndromes, erased: &[u8]) -> Option<Correction> {
    if ec > MAX_EC || block.len() > MAX_BLOCK || erased.len() > ec {
        return None;
    }
    let locator = locator(&seen[..ec], block.len(), erased);
    let degree = locator.iter().rposition(|&coefficient| coefficient != 0)?;
    let errors = degree.checked_sub(erased.len())?;
    if 2 * errors + erased.len() > ec {
        return None;
    }
    let evaluator = evaluator(&seen[..ec], &locator[..=degree]);
    // Power of α of each wrong place, and what to add there.
    let mut found = [(0_usize, 0_u8); MAX_EC];
    let mut roots = 0;
    for power in 0..block.len() {
        let inverse = (ORDER - power) % ORDER;
        if evaluate(&locator[..=degree], inverse) != 0 {
            continue;
        }
        // More roots than the degree there cannot be.
        let slot = found.get_mut(roots)?;
        *slot = (power, magnitude(&locator[..=degree], &evaluator[..ec], power)?);
        roots += 1;
    }
    let found = &found[..roots];
    if roots != degree || !explains(&seen[..ec], found) {
        return None;
    }
    for &(power, value) in found {
        block[block.len() - 1 - power] ^= value;
    }
    Some(Correction { errors, changed: found.iter().filter(|&&(_, value)| value != 0).count() })
}

/// Berlekamp–Massey, begun with the locator of what is erased (Blahut).
fn locator(seen: &[u8], len: usize, erased: &[u8]) -> Poly {
    let mut locator: Poly = [0; MAX_EC + 2];
    locator[0] = 1;
    for &at in erased {
        let root = EXP[len - 1 - usize::from(at)];
        for k in (1..locator.len()).rev() {
            locator[k] ^= mul(locator[k - 1], root);
        }
    }
    let mut previous = locator;
    let mut length = erased.len();
    for step in erased.len()..seen.len() {
        shift(&mut previous);
        let discrepancy = (0..=step).fold(0, |sum, k| sum ^ mul(locator[k], seen[step - k]));
        if discrepancy == 0 {
            continue;
        }
        let before = locator;
        for (coefficient, &other) in locator.iter_mut().zip(&previous) {
            *coefficient ^= mul(discrepancy, other);
        }
        if 2 * length <= step + erased.len() {
            length = step + 1 + erased.len() - length;
            let inverse = EXP[(ORDER - usize::from(LOG[usize::from(discrepancy)])) % ORDER];
            previous = before.map(|coefficient| mul(coefficient, inverse));
        }
    }
    locator
}

/// Times x; what grows out of the top cannot be part of a solution.
fn shift(polynomial: &mut Poly) {
    polynomial.copy_within(..MAX_EC + 1, 1);
    polynomial[0] = 0;
}

/// Syndromes × locator modulo x^ec.
fn evaluator(seen: &[u8], locator: &[u8]) -> Poly {
    let mut product: Poly = [0; MAX_EC + 2];
    for (at, value) in product.iter_mut().enumerate().take(seen.len()) {
        let terms = locator.iter().take(at + 1).enumerate();
        *value = terms.fold(0, |sum, (k, &coefficient)| sum ^ mul(coefficient, seen[at - k]));
    }
    product
}

/// Forney: what to add at the place α^`power`.
fn magnitude(locator: &[u8], evaluator: &[u8], power: usize) -> Option<u8> {
    let inverse = (ORDER - power) % ORDER;
    // Formal derivative: odd coefficients, one power lower.
    let mut slope = 0;
    let mut at = 0;
    for pair in locator[1..].chunks(2) {
        slope ^= mul_power(pair[0], at);
        at = (at + 2 * inverse) % ORDER;
    }
    if slope == 0 {
        return None;
    }
    let value = mul_power(evaluate(evaluator, inverse), power);
    Some(mul_power(value, ORDER - usize::from(LOG[usize::from(slope)])))
}

/// Whether the changes `found` account for all that was `seen`.
fn explains(seen: &[u8], found: &[(usize, u8)]) -> bool {
    seen.iter().enumerate().all(|(root, &syndrome)| {
        let sum = found.iter().fold(0, |sum, &(power, value)| sum ^ mul_power(value, power * root % ORDER));
        sum == syndrome
    })
}

/// A polynomial at α^`power`.
fn evaluate(polynomial: &[u8], power: usize) -> u8 {
    let mut at = 0;
    let mut sum = 0;
    for &coefficient in polynomial {
        sum ^= mul_power(coefficient, at);
        at += power;
        if at >= ORDER {
            at -= ORDER;
        }
    }
    sum
}

fn mul(a: u8, b: u8) -> u8 {
    if a == 0 || b == 0 { 0 } else { EXP[usize::from(LOG[usize::from(a)]) + usize::from(LOG[usize::from(b)])] }
}

/// `a` × α^`power`, for powers up to [`ORDER`].
fn mul_power(a: u8, power: usize) -> u8 {
    if a == 0 { 0 } else { EXP[usize::from(LOG[usize::from(a)]) + power] }
}

/// Powers of α before they repeat.
const ORDER: usize = 255;
/// α to the power of the index, twice over.
const EXP: [u8; 512] = exponents();
/// The power of α that the index is; nothing for 0.
const LOG: [u8; 256] = logarithms();
/// Products with α⁰, α¹ …: a syndrome takes one look-up a symbol.
static TIMES_POWER: [[u8; 256]; MAX_EC] = products();

const fn exponents() -> [u8; 512] {
    let mut table = [0; 512];
    let mut value = 1_u16;
    let mut at = 0;
    while at < table.len() {
        table[at] = value as u8;
        value <<= 1;
        if value > 0xFF {
            value ^= 0x11D;
        }
        at += 1;
    }
    table
}

const fn logarithms() -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < ORDER {
        table[EXP[at] as usize] = at as u8;
        at += 1;
    }
    table
}

const fn products() -> [[u8; 256]; MAX_EC] {
    let mut table = [[0; 256]; MAX_EC];
    let mut power = 0;
    while power < MAX_EC {
        let mut value = 1;
        while value < 256 {
            table[power][value] = EXP[LOG[value] as usize + power];
            value += 1;
        }
        power += 1;
    }
    table
}
