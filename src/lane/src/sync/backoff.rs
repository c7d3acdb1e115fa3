//! How long to wait after a failure: exponential, with full jitter.
//!
//! The wait is drawn evenly from zero to a bound that doubles with each failure in a row, so that a
//! thousand gates that lost their hub together do not come back together (M. Brooker, "Exponential
//! Backoff And Jitter", the "full jitter" variant).

use std::time::Duration;

/// The bound of the first wait.
pub const BASE: Duration = Duration::from_millis(500);
/// No bound is above this, unless the site says otherwise.
pub const CAP: Duration = Duration::from_secs(300);

/// The waits of one gate.
#[derive(Clone, Debug)]
pub struct Backoff {
    failures: u32,
    random: u64,
    cap: Duration,
}

impl Backoff {
    /// Begins without a failure. Two gates should have two seeds.
    pub fn new(seed: u64, cap: Duration) -> Backoff {
        Backoff { failures: 0, random: seed, cap }
    }

    /// One more failure: how long to wait.
    pub fn fail(&mut self) -> Duration {
        let bound = BASE.saturating_mul(1 << self.failures.min(20)).min(self.cap);
        self.failures = self.failures.saturating_add(1);
        let part = (self.next_random() >> 11) as f64 / (1u64 << 53) as f64;
        bound.mul_f64(part)
    }

    /// It worked.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): even enough for waiting.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_cap() {
        for failures in 0..40u32 {
            let longest = (0..200)
                .map(|seed| {
                    let mut backoff = Backoff { failures, random: seed, cap: CAP };
                    backoff.fail()
                })
                .max()
                .unwrap_or_default();
            let bound = BASE.saturating_mul(1 << failures.min(20)).min(CAP);
            assert!(longest <= bound && longest > bound / 2, "{failures}: {longest:?} of {bound:?}");
        }
    }

    #[test]
    fn two_gates_do_not_wait_alike() {
        let waits = |seed| {
            let mut backoff = Backoff::new(seed, CAP);
            (0..8).map(|_| backoff.fail()).collect::<Vec<_>>()
        };
        assert_ne!(waits(1), waits(2));
    }

    #[test]
    fn success_begins_anew() {
        let mut backoff = Backoff::new(1, CAP);
        (0..10).for_each(|_| {
            backoff.fail();
        });
        backoff.reset();
        assert!(backoff.fail() <= BASE);
    }
}
