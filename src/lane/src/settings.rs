//! What a volunteer may set at the panel while the gate runs.
//!
//! Little, and nothing that decides about anybody: how long a verdict stays, how loud the gate is, and after how long a
//! screen locks itself.
//! What the site file says counts where nothing is set; what is set is kept in the state folder and outlives a restart.
//! Apart from the panel, because the lane goes by it.
//!
//! Invariant: every value is in range, wherever it came from.

use crate::sound::{Percent, SoundRules};
use menshen_core::policy::Policy;
use menshen_trust::durable;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fs, io};

/// Where they are kept, within the state folder of the lane.
pub const FILE: &str = "panel-settings.json";

/// The longest that a verdict may be set to stay, here and in a site file. A screen takes an admission that stands for
/// longer for one of a gate that froze.
pub const LONGEST_HOLD_MS: u32 = 60_000;
const HOLD_MS: RangeInclusive<u32> = 1000..=LONGEST_HOLD_MS;
const LOCK_MIN: RangeInclusive<u16> = 1..=720;
/// How long an own screen that nobody touches stays unlocked, where nobody says.
const USUAL_LOCK_MIN: u16 = 10;

/// What is set; `None` where the site's own counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Set {
    /// How long an admission stays on the screen.
    pub hold_admit_ms: Option<u32>,
    /// How long a referral or refusal does at least.
    pub hold_other_ms: Option<u32>,
    /// Whether it stays after that, until somebody acts.
    pub other_stays: Option<bool>,
    /// After how many minutes without a touch an own screen locks itself.
    pub lock_after_min: Option<u16>,
    /// How loud the device is by day, in hundredths; 0 is silent.
    pub volume_percent: Option<u8>,
    /// Whether it speaks.
    pub speech: Option<bool>,
}

/// Why a setting is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Out of range.
    #[error("`{key}` may be {from} to {to}")]
    Range {
        /// Which one.
        key: &'static str,
        /// The least.
        from: u32,
        /// The most.
        to: u32,
    },
    /// It can not be kept.
    #[error("the settings cannot be kept in {} ({source}): check the memory card", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Set {
    fn check(&self) -> Result<(), SettingsError> {
        within("hold_admit_ms", self.hold_admit_ms, &HOLD_MS)?;
        within("hold_other_ms", self.hold_other_ms, &HOLD_MS)?;
        let lock = RangeInclusive::new(u32::from(*LOCK_MIN.start()), u32::from(*LOCK_MIN.end()));
        within("lock_after_min", self.lock_after_min.map(u32::from), &lock)?;
        within("volume_percent", self.volume_percent.map(u32::from), &(0..=100))
    }

    /// The rules of a site with what is set over them.
    pub fn over(&self, policy: Policy) -> Policy {
        Policy {
            hold_admit_ms: self.hold_admit_ms.unwrap_or(policy.hold_admit_ms),
            hold_other_ms: self.hold_other_ms.unwrap_or(policy.hold_other_ms),
            other_stays: self.other_stays.unwrap_or(policy.other_stays),
            ..policy
        }
    }

    /// The site's sound with what is set over it.
    pub fn over_sound(&self, rules: SoundRules) -> SoundRules {
        SoundRules {
            volume: self.volume_percent.and_then(Percent::new).unwrap_or(rules.volume),
            speech: self.speech.unwrap_or(rules.speech),
            ..rules
        }
    }

    /// How long an own screen that nobody touches stays unlocked.
    pub fn own_lock(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.lock_after_min.unwrap_or(USUAL_LOCK_MIN)))
    }
}

fn within(key: &'static str, value: Option<u32>, range: &RangeInclusive<u32>) -> Result<(), SettingsError> {
    match value {
        Some(value) if !range.contains(&value) => {
            Err(SettingsError::Range { key, from: *range.start(), to: *range.end() })
        }
        _ => Ok(()),
    }
}

/// The settings of one lane, shared by its panel and its loop.
#[derive(Debug, Default)]
pub struct Settings {
    set: Mutex<Set>,
    /// Held by whoever writes the file.
    writing: Mutex<()>,
    changes: AtomicU64,
    /// Where they are kept; `None`: nowhere.
    path: Option<PathBuf>,
}

impl Settings {
    /// Those that were kept in a state folder. A file that can not be read counts as none, and is told in the log.
    pub fn open(state: &Path) -> Settings {
        let path = state.join(FILE);
        let set = match fs::read(&path) {
            Ok(bytes) => read(&bytes).unwrap_or_else(|why| {
                tracing::error!("the settings in {} do not count ({why}): set them again at the panel", path.display());
                Set::default()
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Set::default(),
            Err(error) => {
                tracing::error!("the settings in {} cannot be read ({error}): check the memory card", path.display());
                Set::default()
            }
        };
        Settings { set: Mutex::new(set), path: Some(path), ..Settings::default() }
    }

    /// What is set now.
    pub fn get(&self) -> Set {
        *self.lock()
    }

    /// Sets all of them, durably.
    ///
    /// # Errors
    /// [`SettingsError`]; then nothing changes.
    pub fn put(&self, new: Set) -> Result<(), SettingsError> {
        new.check()?;
        // The lane reads what is set between two people; it does not wait for a memory card.
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &self.path {
            let bytes = serde_json::to_vec(&new).expect("numbers are JSON");
            let failed = |source| SettingsError::File { path: path.clone(), source };
            durable::replace(path, &bytes, 0o644).map_err(failed)?;
        }
        *self.lock() = new;
        self.changes.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// How often they were set since the start.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Set> {
        // It is replaced as a whole.
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(bytes: &[u8]) -> Result<Set, String> {
    let set: Set = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    set.check().map_err(|error| error.to_string())?;
    Ok(set)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_outlives_a_restart_and_goes_over_the_sites_own() {
        let dir = tempfile::tempdir().unwrap();
        let set = Set { hold_admit_ms: Some(3000), other_stays: Some(false), ..Set::default() };
        Settings::open(dir.path()).put(set).unwrap();
        let kept = Settings::open(dir.path()).get();
        let policy = kept.over(Policy { hold_other_ms: 5000, ..Policy::default() });
        assert_eq!((policy.hold_admit_ms, policy.hold_other_ms, policy.other_stays), (3000, 5000, false));
    }

    #[test]
    fn what_is_out_of_range_changes_nothing() {
        let settings = Settings::default();
        let wrong = [
            Set { hold_admit_ms: Some(999), ..Set::default() },
            Set { hold_other_ms: Some(60_001), ..Set::default() },
            Set { lock_after_min: Some(0), ..Set::default() },
            Set { volume_percent: Some(101), ..Set::default() },
        ];
        for set in wrong {
            assert!(matches!(settings.put(set), Err(SettingsError::Range { .. })), "{set:?}");
        }
        assert_eq!((settings.get(), settings.changes()), (Set::default(), 0));
    }

    #[test]
    fn a_file_that_is_no_settings_counts_as_none() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["", "{", "{\"hold_admit_ms\":1}", "{\"threshold_c\":40}"] {
            fs::write(dir.path().join(FILE), text).unwrap();
            assert_eq!(Settings::open(dir.path()).get(), Set::default(), "{text}");
        }
    }
}
