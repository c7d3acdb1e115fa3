//! How often something took how long, to the nanosecond, in little memory: what is measured is memory too.

use std::time::Duration;

/// Whatever takes longer counts as so long.
const LONGEST_NS: usize = 1 << 17;

/// A count for each nanosecond. Only those that occur cost memory.
pub(super) struct Times(Vec<u32>);

impl Times {
    pub(super) fn new() -> Times {
        Times(vec![0; LONGEST_NS])
    }

    pub(super) fn add(&mut self, took: Duration) {
        let ns = usize::try_from(took.as_nanos()).unwrap_or(LONGEST_NS);
        self.0[ns.min(LONGEST_NS - 1)] += 1;
    }

    /// These and others.
    pub(super) fn and(&self, others: &Times) -> Times {
        Times(self.0.iter().zip(&others.0).map(|(a, b)| a + b).collect())
    }

    /// The time that `percent` of them do not exceed; 0 where there are none.
    pub(super) fn percentile_ns(&self, percent: u64) -> usize {
        let all: u64 = self.0.iter().copied().map(u64::from).sum();
        let wanted = (all * percent).div_ceil(100);
        let mut below = 0;
        let at = self.0.iter().position(|count| {
            below += u64::from(*count);
            below >= wanted && below > 0
        });
        at.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_occurred() {
        let mut times = Times::new();
        assert_eq!(times.percentile_ns(99), 0, "of none");
        (1..=100).for_each(|ns| times.add(Duration::from_nanos(ns)));
        assert_eq!([1, 50, 99, 100].map(|percent| times.percentile_ns(percent)), [1, 50, 99, 100]);
        times.add(Duration::from_secs(1));
        assert_eq!(times.percentile_ns(100), LONGEST_NS - 1);
    }
}
