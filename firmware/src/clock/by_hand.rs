//! A clock that a person set: the order that waits for the gate.
//!
//! Setting the chip is not enough. A gate that runs would take the change for a jump, and one that starts would not
//! know that anybody confirmed it. So the one who sets it leaves a line in the state folder: the moment, and when that
//! was by the counter that runs since this boot. Whoever may write there may also change what the gate believes, so the
//! line is as good as the site file. It is taken once, and is worth nothing after another boot: then the counter is another.

use menshen_lane::durable;
use rustix::time::{ClockId, clock_gettime};
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const ORDER_FILE: &str = "clock-set";
const TRIAL_FILE: &str = "clock-set.try";
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Milliseconds since this device was started, sleep included.
pub(crate) fn since_boot_ms() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec).unwrap_or(0), u64::try_from(time.tv_nsec).unwrap_or(0));
    seconds.saturating_mul(1000) + nanos / 1_000_000
}

/// Leaves the order: it is `unix_s` now, in seconds since 1970.
pub(crate) fn leave(state_dir: &Path, unix_s: u64) -> Result<(), (PathBuf, io::Error)> {
    let path = state_dir.join(ORDER_FILE);
    let order = boot_id().map(|boot| format!("{unix_s} {} {boot}\n", since_boot_ms()));
    order.and_then(|order| durable::replace(&path, order.as_bytes(), 0o644)).map_err(|error| (path.clone(), error))?;
    // Whoever sets a clock is often root and the gate is not: it must be able to read this whatever the umask. A gate
    // that runs may have taken it already.
    match std::fs::set_permissions(&path, Permissions::from_mode(0o644)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err((path, error)),
        _ => Ok(()),
    }
}

/// Tries whether an order could be left, with a file that no gate reads.
pub(crate) fn may_leave(state_dir: &Path) -> Result<(), (PathBuf, io::Error)> {
    let path = state_dir.join(TRIAL_FILE);
    durable::replace(&path, b"", 0o600).and_then(|()| std::fs::remove_file(&path)).map_err(|error| (path, error))
}

/// Takes the order that waits, if there is one: what time it is now, in seconds since 1970.
pub(crate) fn take(state_dir: &Path) -> Option<u64> {
    let path = state_dir.join(ORDER_FILE);
    let text = std::fs::read_to_string(&path).ok()?;
    if let Err(error) = std::fs::remove_file(&path) {
        tracing::warn!("{} can not be removed ({error}): it does not count", path.display());
        return None;
    }
    let now = boot_id().ok().and_then(|boot| moment_of(&text, &boot, since_boot_ms()));
    if now.is_none() {
        tracing::warn!("{} is of another start of this device and does not count: set the clock again", path.display());
    }
    now
}

fn moment_of(text: &str, boot: &str, since_boot_ms: u64) -> Option<u64> {
    let mut words = text.split_whitespace();
    let (unix_s, at_ms): (u64, u64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let is_of_this_boot = words.next() == Some(boot) && words.next().is_none();
    let ago_ms = since_boot_ms.checked_sub(at_ms)?;
    if is_of_this_boot { unix_s.checked_add((ago_ms + 500) / 1000) } else { None }
}

fn boot_id() -> io::Result<String> {
    Ok(std::fs::read_to_string(BOOT_ID)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_carried_on_by_the_counter_of_its_boot_and_of_no_other() {
        assert_eq!(moment_of("1600000000 5000 abc\n", "abc", 7600), Some(1_600_000_003));
        assert_eq!(moment_of("1600000000 5000 abc\n", "abd", 7600), None);
        assert_eq!(moment_of("1600000000 5000 abc\n", "abc", 4000), None);
        for text in ["", "1600000000", "1600000000 5000", "x 5000 abc", "1600000000 5000 abc more", "\0\0\0"] {
            assert_eq!(moment_of(text, "abc", 7600), None, "{text:?}");
        }
    }

    #[test]
    fn an_order_is_taken_once_by_whichever_user_the_gate_is() -> io::Result<()> {
        let state = tempfile::tempdir()?;
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        leave(state.path(), 1_600_000_000).map_err(|(_, error)| error)?;
        let mode = std::fs::metadata(state.path().join(ORDER_FILE))?.permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert!(take(state.path()).is_some_and(|unix_s| unix_s.abs_diff(1_600_000_000) <= 2));
        assert_eq!(take(state.path()), None);
        Ok(())
    }
}
