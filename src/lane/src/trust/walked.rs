//! What came of the roads that were walked, and what of it a person is told.
//!
//! Each road has a line of its own, so that what one brings neither hides nor clears what is wrong with another; a
//! stick's line goes when the stick does. What may be the fault of the copy or of the disk and not of the publication
//! is walked again after a while: a stick that is still being mounted, a folder that is still being copied.

use super::feed::{Import, Road, RoadState};
use super::roads::Mark;
use menshen_trust::tuf::Refusal;
use menshen_trust::vault::RoleReport;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The first wait before a road is walked again that shows the same.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// The longest.
const AGAIN_AFTER_AT_MOST: Duration = Duration::from_secs(60);

/// Every road that shows something, as it was walked last.
#[derive(Debug, Default)]
pub(super) struct Walks {
    roads: BTreeMap<Road, Walk>,
    count: u64,
}

#[derive(Debug)]
struct Walk {
    mark: Option<Mark>,
    state: RoadState,
    /// When it is walked again although it shows the same, and after which wait.
    again: Option<(Instant, Duration)>,
    /// Rises from walk to walk.
    number: u64,
}

impl Walks {
    /// Whether a road that shows `mark` is worth a walk.
    pub(super) fn is_worth(&self, road: &Road, mark: Mark, now: Instant) -> bool {
        let walked = self.roads.get(road).filter(|walk| walk.mark == Some(mark));
        walked.is_none_or(|walk| walk.again.is_some_and(|(at, _)| now >= at))
    }

    /// What each road showed.
    pub(super) fn marks(&self) -> BTreeMap<Road, Mark> {
        self.roads.iter().filter_map(|(road, walk)| Some((road.clone(), walk.mark?))).collect()
    }

    /// A walk begins; where the road shows the same as before, the waits go on from the last.
    pub(super) fn begin(&mut self, road: &Road, mark: Option<Mark>) {
        self.count += 1;
        let waited = self.roads.get(road).filter(|walk| walk.mark == mark).and_then(|walk| walk.again);
        let walk = Walk { mark, state: RoadState::Importing, again: waited, number: self.count };
        self.roads.insert(road.clone(), walk);
    }

    /// It has ended; with `again` it may end otherwise though the road shows the same.
    pub(super) fn end(&mut self, road: &Road, state: RoadState, again: bool) {
        let Some(walk) = self.roads.get_mut(road) else { return };
        walk.state = state;
        let wait = walk.again.map_or(AGAIN_AFTER, |(_, wait)| (wait * 2).min(AGAIN_AFTER_AT_MOST));
        walk.again = again.then(|| (Instant::now() + wait, wait));
    }

    /// Ends the walks that a panic left open; they may end otherwise next time.
    pub(super) fn fail(&mut self, why: &str) {
        let open = self.roads.iter().filter(|(_, walk)| walk.state == RoadState::Importing);
        for road in open.map(|(road, _)| road.clone()).collect::<Vec<_>>() {
            self.end(&road, RoadState::Refused { refusal: None, why: why.to_owned() }, true);
        }
    }

    /// How a road stood when it was walked last.
    pub(super) fn state(&self, road: &Road) -> Option<RoadState> {
        self.roads.get(road).map(|walk| walk.state.clone())
    }

    /// Forgets the roads that are not there any more.
    pub(super) fn keep(&mut self, is_there: impl Fn(&Road) -> bool) {
        self.roads.retain(|road, _| is_there(road));
    }

    /// What the device tells of imports: of the stick that was walked last while it is in, else what was refused last.
    pub(super) fn import(&self) -> Option<Import> {
        let newest = |wanted: &dyn Fn(&Road, &Walk) -> bool| {
            let found = self.roads.iter().filter(|(road, walk)| wanted(road, walk));
            let (road, walk) = found.max_by_key(|(_, walk)| walk.number)?;
            Some(Import { road: road.clone(), state: walk.state.clone() })
        };
        newest(&|road, _| matches!(road, Road::Stick(_))).or_else(|| newest(&|road, walk| walk.fault(road).is_some()))
    }

    /// What is wrong with the newest that is.
    pub(super) fn fault(&self) -> Option<String> {
        let told = self.roads.iter().filter_map(|(road, walk)| Some((walk.number, walk.fault(road)?)));
        told.max_by_key(|(number, _)| *number).map(|(_, why)| why.to_owned())
    }
}

impl Walk {
    /// What a person should know of it. That a stick is older than what is believed somebody has to know who carried
    /// it here; a hub or a folder that is behind is only behind. A hub that can not be reached is told where records
    /// are.
    fn fault(&self, road: &Road) -> Option<&str> {
        let RoadState::Refused { refusal, why } = &self.state else { return None };
        let told = match (road, refusal) {
            (Road::Stick(_), _) | (_, None) => true,
            (_, Some(Refusal::Older)) => false,
            (Road::Hub, Some(refusal)) => !refusal.is_of_the_road(),
            (Road::Folder, Some(_)) => true,
        };
        told.then_some(why)
    }
}

/// Whether the same publication may fare better next time: it was not read, or not copied, to its end, or its moment
/// has not come yet.
pub(super) fn may_fare_better(refusal: Refusal) -> bool {
    refusal.is_of_the_road() || matches!(refusal, Refusal::CutOff | Refusal::Ahead)
}

/// What of the roles that are believed is not their newest, in one sentence.
pub(super) fn held_back(roles: &[RoleReport]) -> Option<String> {
    let mut held = roles.iter().filter_map(|role| Some((role.scope, role.held_back.as_ref()?)));
    let (scope, error) = held.next()?;
    Some(match held.count() {
        0 => format!("what {scope} says since is not believed: {error}"),
        more => format!("what {scope} and {more} more say since is not believed: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(refusal: Refusal) -> RoadState {
        RoadState::Refused { refusal: Some(refusal), why: refusal.name().into() }
    }

    fn walk(walks: &mut Walks, road: &Road, state: RoadState, again: bool) {
        walks.begin(road, Some([1; 32]));
        walks.end(road, state, again);
    }

    fn stick(name: &str) -> Road {
        Road::Stick(name.into())
    }

    #[test]
    fn of_two_sticks_each_is_told_while_it_is_in() {
        let mut walks = Walks::default();
        walk(&mut walks, &stick("good"), RoadState::Imported, false);
        walk(&mut walks, &stick("bad"), refused(Refusal::Signature), false);
        assert_eq!(walks.import().map(|import| import.road), Some(stick("bad")));
        assert_eq!(walks.fault().as_deref(), Some("signature"));
        walks.keep(|road| *road != stick("bad"));
        assert_eq!(walks.import(), Some(Import { road: stick("good"), state: RoadState::Imported }));
        assert_eq!(walks.fault(), None);
    }

    #[test]
    fn a_hub_that_is_well_does_not_clear_what_is_wrong_with_a_stick() {
        let mut walks = Walks::default();
        walk(&mut walks, &stick("bad"), refused(Refusal::Expired), false);
        walk(&mut walks, &Road::Hub, RoadState::Unchanged, false);
        assert_eq!(walks.fault().as_deref(), Some("expired"));
    }

    #[test]
    fn a_hub_out_of_reach_or_behind_is_no_fault_of_the_trust() {
        let mut walks = Walks::default();
        for refusal in [Refusal::Unreachable, Refusal::Missing, Refusal::Older] {
            walk(&mut walks, &Road::Hub, refused(refusal), false);
            assert_eq!((walks.fault(), walks.import()), (None, None), "{refusal:?}");
        }
        walk(&mut walks, &Road::Hub, refused(Refusal::Signature), false);
        assert_eq!(walks.fault().as_deref(), Some("signature"));
    }

    #[test]
    fn what_may_be_the_copys_fault_is_walked_again_after_longer_and_longer_waits() {
        let (mut walks, road, begun) = (Walks::default(), stick("slow"), Instant::now());
        assert!(walks.is_worth(&road, [1; 32], begun));
        for wait_s in [1, 2, 4, 8, 16, 32, 60, 60] {
            walk(&mut walks, &road, refused(Refusal::CutOff), true);
            let after = |s| Instant::now() + Duration::from_secs(s);
            assert!(!walks.is_worth(&road, [1; 32], after(wait_s - 1)), "{wait_s} s");
            assert!(walks.is_worth(&road, [1; 32], after(wait_s)), "{wait_s} s");
        }
        assert!(walks.is_worth(&road, [2; 32], begun), "something else at once");
        walk(&mut walks, &road, refused(Refusal::Signature), false);
        assert!(!walks.is_worth(&road, [1; 32], begun + Duration::from_secs(3600)), "never what is refused for good");
    }
}
