//! Room for one picture between the thread that reads a camera and the one that looks.
//!
//! The newest picture wins and no queue grows: a picture that nobody took is replaced by the next. What was replaced,
//! and what was looked at, comes back to be filled again, so a running camera needs no new memory.
//!
//! Invariants: at most one picture waits; the end of a camera is told after the last picture, and stays told.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use menshen_lane::ports::PortError;

/// Room for one `T`.
#[derive(Debug)]
pub(super) struct Slot<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    newest: Option<T>,
    spare: Option<T>,
    end: Option<PortError>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        let state = State { newest: None, spare: None, end: None };
        Slot { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl<T> Slot<T> {
    /// Puts the newest; what waited until now becomes the spare.
    pub(super) fn put(&self, newest: T) {
        let mut state = self.state();
        if let Some(old) = state.newest.replace(newest) {
            state.spare = Some(old);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Tells that nothing more comes.
    pub(super) fn end(&self, why: PortError) {
        self.state().end = Some(why);
        self.changed.notify_one();
    }

    /// Waits at most `timeout` for the newest.
    ///
    /// # Errors
    /// Why it ended, once nothing is left.
    pub(super) fn take(&self, timeout: Duration) -> Result<Option<T>, PortError> {
        let nothing = |state: &mut State<T>| state.newest.is_none() && state.end.is_none();
        let waited = self.changed.wait_timeout_while(self.state(), timeout, nothing);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match (state.newest.take(), &state.end) {
            (Some(newest), _) => Ok(Some(newest)),
            (None, Some(end)) => Err(end.clone()),
            (None, None) => Ok(None),
        }
    }

    /// Gives back what has been looked at.
    pub(super) fn give_back(&self, used: T) {
        self.state().spare = Some(used);
    }

    /// Something to fill again, if there is any.
    pub(super) fn spare(&self) -> Option<T> {
        self.state().spare.take()
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // Each change is one assignment, so what a panicking thread leaves behind is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_wins_and_the_one_it_replaced_is_filled_again() {
        let slot = Slot::default();
        for picture in 1..=5 {
            slot.put(picture);
        }
        assert_eq!(slot.take(Duration::ZERO), Ok(Some(5)));
        assert_eq!(slot.take(Duration::ZERO), Ok(None), "no queue");
        assert_eq!(slot.spare(), Some(4));
        slot.give_back(5);
        assert_eq!(slot.spare(), Some(5));
        assert_eq!(slot.spare(), None);
    }

    #[test]
    fn the_end_is_told_after_the_last_picture_and_stays_told() {
        let slot = Slot::default();
        let end = PortError::Failed("unplugged".into());
        slot.put(7);
        slot.end(end.clone());
        assert_eq!(slot.take(Duration::ZERO), Ok(Some(7)));
        assert_eq!(slot.take(Duration::ZERO), Err(end.clone()));
        assert_eq!(slot.take(Duration::ZERO), Err(end));
    }
}
