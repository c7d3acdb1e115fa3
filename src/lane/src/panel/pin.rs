//! The PIN of a gate: what a volunteer types before they decide by hand or change a setting.
//!
//! It is kept in the state folder as a salted hash that takes long to compute (PBKDF2, RFC 8018), readable by the gate
//! alone, and is read again at each use, so that a technician sets or takes it away beside a running gate. Apart from
//! sessions, because the desk and the device program set it too.
//!
//! Invariants: the digits are written nowhere; wrong ones cost time that doubles, counted for each place that they come
//! from, so that whoever guesses from the network keeps nobody from the gate's own screen; a file that can not be read
//! opens nothing.

use aws_lc_rs::pbkdf2;
use menshen_core::ids::{Hex, sha256, unhex};
use menshen_trust::durable;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

/// Where it is kept, within the state folder.
pub const FILE: &str = "panel-pin.json";
/// As a bank's: what people remember, and too many to be tried one after another.
pub const DIGITS: std::ops::RangeInclusive<usize> = 6..=12;
/// About a third of a second on a small Pi.
const ROUNDS: u32 = 60_000;
/// So many wrong ones cost nothing.
const FREE: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// The same at the gate's own screen: who stands there in the queue must not keep the volunteer from it for long, and a
/// million PINs at one a minute are two years.
const LONGEST_OWN_WAIT: Duration = Duration::from_secs(60);
/// Where nobody has typed a wrong one for so long, the count begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);
/// So many addresses are told apart; further ones share one count.
const MAX_PLACES: usize = 256;

/// Why a PIN is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// It is not made of digits, or of too few or too many.
    #[error("a PIN has {} to {} digits and nothing else", DIGITS.start(), DIGITS.end())]
    Digits,
    /// Everybody tries it first.
    #[error("this PIN is the first that others try: choose one that is no row or repetition")]
    Guessed,
    /// It can not be written or read.
    #[error(
        "the PIN's file {} cannot be used ({source}): check the memory card, or remove the file beside a gate whose PIN is to be set again",
        path.display()
    )]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is written there is no PIN's.
    #[error("the PIN's file {} is damaged: set the PIN again with `menshen-gate pin`", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// There is no randomness.
    #[error("the system has no random numbers to keep a PIN with: check /dev/urandom")]
    Random,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    salt: String,
    hash: String,
    rounds: NonZeroU32,
}

/// What is kept, as a hash that tells one PIN from the next: whoever unlocked with another one starts again.
pub(super) type Mark = [u8; 32];

/// Where a gate's PIN is kept.
#[derive(Clone, Debug)]
pub struct PinFile {
    path: PathBuf,
}

impl PinFile {
    /// That of a state folder.
    pub fn of(state: &Path) -> PinFile {
        PinFile { path: state.join(FILE) }
    }

    /// Whether there is one. A file that can not be read counts as one, and so does a state folder that is not there: it
    /// opens nothing.
    pub fn is_set(&self) -> bool {
        let is_missing =
            |path: &Path| matches!(fs::metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound);
        !is_missing(&self.path) || self.path.parent().is_some_and(is_missing)
    }

    /// What is kept now; `None` where nothing is or it can not be read.
    pub(super) fn mark(&self) -> Option<Mark> {
        fs::read(&self.path).ok().map(|text| sha256(&text))
    }

    /// Keeps a new PIN in place of the old one. Where the superuser sets it, it belongs to whoever owns the state folder, so
    /// that a gate that runs as another user can read it.
    ///
    /// # Errors
    /// [`PinError`] where it is no PIN or can not be kept.
    pub fn set(&self, pin: &str) -> Result<(), PinError> {
        check(pin)?;
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|_| PinError::Random)?;
        let rounds = NonZeroU32::new(ROUNDS).expect("a constant above zero");
        let kept = Kept { salt: Hex(&salt).to_string(), hash: Hex(&derive(pin, &salt, rounds)).to_string(), rounds };
        let text = serde_json::to_vec(&kept).expect("two texts and a number are JSON");
        durable::replace(&self.path, &text, 0o600).map_err(|source| self.failed(source))?;
        self.hand_over().map_err(|source| self.failed(source))
    }

    /// Gives the file to the owner of its folder.
    fn hand_over(&self) -> io::Result<()> {
        let Some(folder) = self.path.parent() else { return Ok(()) };
        let (owner, own) = (fs::metadata(folder)?, fs::metadata(&self.path)?);
        if (owner.uid(), owner.gid()) == (own.uid(), own.gid()) {
            return Ok(());
        }
        match chown(&self.path, Some(owner.uid()), Some(owner.gid())) {
            // Whoever may only write there is not the superuser, and the gate that runs as them can read it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            done => done,
        }
    }

    /// Takes it away: then only the gate's own screen may do what it protects.
    ///
    /// # Errors
    /// [`PinError::File`].
    pub fn clear(&self) -> Result<(), PinError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed(error)),
            _ => Ok(()),
        }
    }

    /// Whether these are its digits. Takes long.
    ///
    /// # Errors
    /// [`PinError`] where what is kept can not be read.
    pub fn is(&self, pin: &str) -> Result<bool, PinError> {
        self.opened_by(pin).map(|mark| mark.is_some())
    }

    /// The mark of the very PIN that these digits are. Takes long.
    ///
    /// # Errors
    /// [`PinError`] where what is kept can not be read.
    pub(super) fn opened_by(&self, pin: &str) -> Result<Option<Mark>, PinError> {
        let damaged = || PinError::Damaged { path: self.path.clone() };
        let text = fs::read(&self.path).map_err(|source| self.failed(source))?;
        let kept: Kept = serde_json::from_slice(&text).map_err(|_| damaged())?;
        let (mut salt, mut hash) = ([0; 16], [0; 32]);
        unhex(&kept.salt, &mut salt).and_then(|_| unhex(&kept.hash, &mut hash)).ok_or_else(damaged)?;
        let same = pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, kept.rounds, &salt, pin.as_bytes(), &hash);
        Ok(same.is_ok().then(|| sha256(&text)))
    }

    fn failed(&self, source: io::Error) -> PinError {
        PinError::File { path: self.path.clone(), source }
    }
}

fn derive(pin: &str, salt: &[u8], rounds: NonZeroU32) -> [u8; 32] {
    let mut hash = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, pin.as_bytes(), &mut hash);
    hash
}

/// Whether a text may be a PIN.
fn check(pin: &str) -> Result<(), PinError> {
    if !DIGITS.contains(&pin.len()) || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PinError::Digits);
    }
    let steps: Vec<i16> = pin.as_bytes().windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect();
    let is_row = [-1, 0, 1].iter().any(|step| steps.iter().all(|found| found == step));
    let half = pin.len() / 2;
    let repeats = (1..=half).any(|unit| pin.len().is_multiple_of(unit) && pin == pin[..unit].repeat(pin.len() / unit));
    if is_row || repeats { Err(PinError::Guessed) } else { Ok(()) }
}

/// Wrong ones, by where they came from: what each place must wait.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    places: HashMap<Option<IpAddr>, Place>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    wrong: u32,
    until: Option<Instant>,
    /// When the last one was.
    last: Option<Instant>,
}

impl Attempts {
    /// How long this place must still wait; `None` if it may try.
    pub(super) fn wait(&self, from: IpAddr, now: Instant) -> Option<Duration> {
        let until = self.places.get(&self.key(from))?.until?;
        Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// One that was wrong.
    pub(super) fn wrong(&mut self, from: IpAddr, now: Instant) {
        self.places.retain(|_, place| place.last.is_some_and(|last| now < last + FORGOTTEN_AFTER));
        let key = self.key(from);
        let place = self.places.entry(key).or_default();
        (place.wrong, place.last) = (place.wrong.saturating_add(1), Some(now));
        let beyond = place.wrong.checked_sub(FREE + 1);
        let longest = if from.is_loopback() { LONGEST_OWN_WAIT } else { LONGEST_WAIT };
        place.until = beyond.map(|beyond| now + FIRST_WAIT.saturating_mul(1 << beyond.min(10)).min(longest));
    }

    /// One that was right.
    pub(super) fn right(&mut self, from: IpAddr) {
        self.places.remove(&self.key(from));
    }

    /// Its own count; beyond [`MAX_PLACES`] of them the one that all others share, and the loopback's own always.
    fn key(&self, from: IpAddr) -> Option<IpAddr> {
        let from = place_of(from);
        let has_own = from.is_loopback() || self.places.contains_key(&Some(from)) || self.places.len() < MAX_PLACES;
        Some(from).filter(|_| has_own)
    }
}

/// A device on the network has as many IPv6 addresses as it likes, all in one network of 64 bits. Of the link's own, which
/// are all in one such network, each counts for itself.
pub(super) fn place_of(from: IpAddr) -> IpAddr {
    match from {
        IpAddr::V6(v6) if !v6.is_loopback() && !v6.is_unicast_link_local() => {
            Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into()
        }
        other => other,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_the_same_digits_open_and_the_file_does_not_say_them() {
        let dir = tempfile::tempdir().unwrap();
        let file = PinFile::of(dir.path());
        assert!(!file.is_set());
        file.set("284916").unwrap();
        assert!(file.is_set() && file.is("284916").unwrap());
        for other in ["284917", "28491", "2849166", "", "２８４９１６"] {
            assert!(!file.is(other).unwrap(), "{other}");
        }
        assert!(!fs::read_to_string(dir.path().join(FILE)).unwrap().contains("284916"));
        assert_eq!(fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        file.clear().unwrap();
        assert!(!file.is_set());
    }

    #[test]
    fn what_others_try_first_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        for pin in
            ["12345", "1234567890123", "12a456", "111111", "123456", "654321", "121212", "123123", "一二三四五六"]
        {
            assert!(PinFile::of(dir.path()).set(pin).is_err(), "{pin}");
        }
        assert!(!PinFile::of(dir.path()).is_set());
    }

    #[test]
    fn a_file_that_can_not_be_read_opens_nothing() {
        let dir = tempfile::tempdir().unwrap();
        for text in
            ["", "{}", "{\"salt\":\"\",\"hash\":\"\",\"rounds\":1}", "{\"salt\":\"00\",\"hash\":\"00\",\"rounds\":0}"]
        {
            fs::write(dir.path().join(FILE), text).unwrap();
            let file = PinFile::of(dir.path());
            assert!(file.is_set() && matches!(file.is("284916"), Err(PinError::Damaged { .. })), "{text}");
        }
    }

    #[test]
    fn wrong_ones_cost_time_that_doubles_at_the_place_they_come_from_and_nowhere_else() {
        let (here, there) = ("127.0.0.1".parse().unwrap(), "192.168.8.20".parse().unwrap());
        let mut attempts = Attempts::default();
        let now = Instant::now();
        (0..FREE).for_each(|_| attempts.wrong(there, now));
        assert_eq!(attempts.wait(there, now), None);
        for wait_s in [30, 60, 120, 240, 480, 900, 900] {
            attempts.wrong(there, now);
            assert_eq!(attempts.wait(there, now), Some(Duration::from_secs(wait_s)));
        }
        assert_eq!(attempts.wait(here, now), None);
        (0..20).for_each(|_| attempts.wrong(here, now));
        assert_eq!(attempts.wait(here, now), Some(LONGEST_OWN_WAIT));
        assert_eq!(attempts.wait(there, now + LONGEST_WAIT), None);
        attempts.right(there);
        assert_eq!(attempts.wait(there, now), None);
    }

    #[test]
    fn a_crowd_of_addresses_takes_no_memory_and_does_not_reach_the_own_screen() {
        let mut attempts = Attempts::default();
        let now = Instant::now();
        for n in 0..2000_u32 {
            (0..=FREE).for_each(|_| attempts.wrong(IpAddr::V4((0x0a00_0000 + n).into()), now));
        }
        assert!(attempts.places.len() <= MAX_PLACES + 1);
        assert!(attempts.wait("10.9.9.9".parse().unwrap(), now).is_some());
        assert_eq!(attempts.wait("127.0.0.1".parse().unwrap(), now), None);
        let later = now + FORGOTTEN_AFTER;
        attempts.wrong("10.9.9.9".parse().unwrap(), later);
        assert_eq!((attempts.places.len(), attempts.wait("10.9.9.9".parse().unwrap(), later)), (1, None));
    }

    #[test]
    fn whoever_takes_another_ipv6_address_of_their_network_waits_all_the_same() {
        let mut attempts = Attempts::default();
        let now = Instant::now();
        (0..=u128::from(FREE)).for_each(|n| attempts.wrong(Ipv6Addr::from_bits(0xfd00 << 112 | n).into(), now));
        assert!(attempts.wait("fd00::9".parse().unwrap(), now).is_some());
        assert_eq!(attempts.wait("fd00:0:0:1::9".parse().unwrap(), now), None);
        (0..=FREE).for_each(|_| attempts.wrong("fe80::1".parse().unwrap(), now));
        assert_eq!(attempts.wait("fe80::2".parse().unwrap(), now), None);
        assert_eq!(attempts.wait("::1".parse().unwrap(), now), None);
    }

    #[test]
    fn a_state_folder_that_is_not_there_opens_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = PinFile::of(&dir.path().join("gone"));
        assert!(file.is_set() && file.is("284916").is_err());
    }

    #[test]
    fn what_the_superuser_sets_belongs_to_whoever_owns_the_state() {
        let dir = tempfile::tempdir().unwrap();
        if chown(dir.path(), Some(4711), Some(4712)).is_err() {
            // Past the test harness, which shows what is printed only of a test that fails.
            let told = b"\n*** SKIPPED: whose a PIN is that root sets was NOT tested: only root can give a folder away ***\n\n";
            std::io::Write::write_all(&mut io::stderr(), told).unwrap();
            return;
        }
        PinFile::of(dir.path()).set("284916").unwrap();
        let kept = fs::metadata(dir.path().join(FILE)).unwrap();
        assert_eq!((kept.uid(), kept.gid(), kept.mode() & 0o777), (4711, 4712, 0o600));
    }
}
