//! What came of the stick that was in last, for a while after it was pulled out.
//!
//! A verdict may lie over the stick's card for longer than the stick is in. So the device remembers the outcome itself,
//! and every screen, also one that joins later, tells it.

use crate::trust::{Import, Road, RoadState};

/// How long it is told.
const TOLD_MS: u64 = 60_000;

/// The stick that is in, or was.
#[derive(Debug, Default)]
pub(super) struct LastStick {
    /// What is told of the stick that is in.
    shown: Option<RoadState>,
    /// What came of the last one, and when it was gone.
    gone: Option<(RoadState, u64)>,
}

impl LastStick {
    /// Takes what is told of imports now; gives what came of a stick that is not in any more.
    pub(super) fn look(&mut self, import: Option<&Import>, now_ms: u64) -> Option<RoadState> {
        match import {
            Some(Import { road: Road::Stick(_), state }) => {
                (self.shown, self.gone) = (Some(state.clone()), None);
            }
            _ => {
                let pulled = self.shown.take().filter(|state| *state != RoadState::Importing);
                self.gone = pulled.map(|state| (state, now_ms)).or(self.gone.take());
            }
        }
        let (state, gone_ms) = self.gone.as_ref()?;
        (now_ms < gone_ms + TOLD_MS).then(|| state.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stick(state: RoadState) -> Option<Import> {
        Some(Import { road: Road::Stick("/media/stick".into()), state })
    }

    #[test]
    fn what_came_of_a_stick_is_told_for_a_minute_after_it_was_pulled_out() {
        let refused = RoadState::Refused { refusal: None, why: "the disk is full".to_owned() };
        for state in [RoadState::Imported, RoadState::Unchanged, refused] {
            let mut last = LastStick::default();
            assert_eq!(last.look(stick(RoadState::Importing).as_ref(), 0), None);
            assert_eq!(last.look(stick(state.clone()).as_ref(), 1000), None, "the card tells it");
            assert_eq!(last.look(None, 5000), Some(state.clone()));
            let folder = Import { road: Road::Folder, state: RoadState::Imported };
            assert_eq!(last.look(Some(&folder), 64_999), Some(state));
            assert_eq!(last.look(None, 65_000), None);
        }
    }

    #[test]
    fn another_stick_takes_the_place_of_the_last() {
        let mut last = LastStick::default();
        last.look(stick(RoadState::Unchanged).as_ref(), 0);
        assert_eq!(last.look(None, 1000), Some(RoadState::Unchanged));
        assert_eq!(last.look(stick(RoadState::Importing).as_ref(), 2000), None);
        assert_eq!(last.look(None, 3000), None, "nothing came of it");
    }
}
