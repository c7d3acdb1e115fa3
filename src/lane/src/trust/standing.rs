//! How each issuer stands: how old its status list is by the site's policy, and whether its newest publication is held
//! back and why.
//!
//! For people only: a decision judges the lists that speak of its one pass by itself, at its own moment. This is what
//! the panel shows beside it, so it is made once in some seconds and shared, and two of them can be compared.

use super::Trust;
use menshen_core::ids::IssuerId;
use menshen_core::policy::Policy;
use menshen_core::status;
use menshen_core::time::Time;
use menshen_core::trust::{Freshness, Issuer};
use menshen_trust::tuf::TufError;
use std::collections::BTreeMap;

/// What a gate has of an issuer's status list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListState {
    /// The list is there and can not be opened: passes that it speaks of are referred.
    Unreadable,
    /// Too old to admit on, except for passes that are newer.
    Stale,
    /// The issuer publishes one and the gate has none.
    Missing,
    /// Old enough to say so.
    Ageing,
    /// The clock can not tell.
    Unknown,
    /// Young enough to say nothing.
    Fresh,
    /// The issuer publishes none.
    None,
}

impl ListState {
    /// Every state, the gravest first.
    pub const ALL: [ListState; 7] = [
        ListState::Unreadable,
        ListState::Stale,
        ListState::Missing,
        ListState::Ageing,
        ListState::Unknown,
        ListState::Fresh,
        ListState::None,
    ];

    /// A stable name for the panel and the files of texts.
    pub const fn name(self) -> &'static str {
        match self {
            ListState::Unreadable => "unreadable",
            ListState::Stale => "stale",
            ListState::Missing => "missing",
            ListState::Ageing => "ageing",
            ListState::Unknown => "unknown",
            ListState::Fresh => "fresh",
            ListState::None => "none",
        }
    }

    const fn of(freshness: Freshness) -> ListState {
        match freshness {
            Freshness::Fresh => ListState::Fresh,
            Freshness::Ageing => ListState::Ageing,
            Freshness::Stale => ListState::Stale,
            Freshness::Unknown => ListState::Unknown,
        }
    }
}

/// What an issuer published and the gate does not believe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// Why.
    pub error: TufError,
    /// Until when what it published before, and is believed still, was its newest, seconds since 1970; `None` where
    /// nothing of it is believed.
    pub older_as_of: Option<u64>,
}

/// How an issuer stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which issuer.
    pub issuer: IssuerId,
    /// The names of its code in Chinese and English; `None` where the gate believes nothing of it.
    pub names: Option<(String, String)>,
    /// Its status list.
    pub list: ListState,
    /// Until when that list is complete, seconds since 1970; `None` without one that can be read.
    pub as_of: Option<u64>,
    /// Its newest publication, where that is refused.
    pub held_back: Option<HeldBack>,
}

impl Standing {
    fn of(id: IssuerId, known: Option<&Issuer>) -> Standing {
        let publishes = known.is_some_and(|issuer| issuer.lists_status);
        Standing {
            issuer: id,
            names: known.map(|issuer| (issuer.name_zh.to_string(), issuer.name_en.to_string())),
            list: if publishes { ListState::Missing } else { ListState::None },
            as_of: None,
            held_back: None,
        }
    }
}

/// How all issuers stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standings {
    /// Every issuer that the gate knows of, by its code.
    pub issuers: Vec<Standing>,
}

impl Standings {
    /// Of what is believed, judged at a moment by a policy.
    pub fn of(trust: &Trust, policy: &Policy, now: Time) -> Standings {
        let known = trust.list.content().issuers.iter();
        let mut issuers: BTreeMap<IssuerId, Standing> =
            known.map(|issuer| (issuer.id, Standing::of(issuer.id, Some(issuer)))).collect();
        for (id, status) in trust.status.iter() {
            let standing = issuers.entry(id).or_insert_with(|| Standing::of(id, None));
            standing.as_of = status.map(|status| status.complete().as_of);
            standing.list = standing.as_of.map_or(ListState::Unreadable, |as_of| {
                let Policy { status_ageing_after_s, status_stale_after_s, .. } = *policy;
                ListState::of(status::freshness(now, as_of, status_ageing_after_s, status_stale_after_s))
            });
        }
        for role in trust.roles.iter() {
            let Some(error) = &role.held_back else { continue };
            let standing = issuers.entry(role.scope).or_insert_with(|| Standing::of(role.scope, None));
            standing.held_back = Some(HeldBack { error: error.clone(), older_as_of: role.version.map(|_| role.as_of) });
        }
        Standings { issuers: issuers.into_values().collect() }
    }

    /// How many lists are in a state.
    pub fn count(&self, state: ListState) -> usize {
        self.issuers.iter().filter(|standing| standing.list == state).count()
    }

    /// How many lists there should be.
    pub fn lists(&self) -> usize {
        self.issuers.len() - self.count(ListState::None)
    }

    /// Of how many issuers the newest publication is refused.
    pub fn held_back(&self) -> usize {
        self.issuers.iter().filter(|standing| standing.held_back.is_some()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use menshen_core::trust::{TrustContent, TrustList};
    use menshen_trust::status::{About, IssuerStatus, StatusBook, StatusList, write_list};
    use menshen_trust::tuf::Refusal;
    use menshen_trust::vault::RoleReport;
    use std::sync::Arc;

    const DAY_S: u64 = 86_400;
    const NOW_S: u64 = 20_000 * DAY_S;
    const ZHEJIANG: u32 = 330_000;

    fn id(code: u32) -> IssuerId {
        IssuerId::new(code).expect("a code")
    }

    fn issuer(code: u32, lists_status: bool) -> Issuer {
        Issuer {
            id: id(code),
            name_zh: "健康码".parse().expect("short"),
            name_en: "health code".parse().expect("short"),
            hotline: Default::default(),
            levels: Default::default(),
            lists_status,
        }
    }

    fn list(code: u32, as_of: u64) -> IssuerStatus {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        write_list(&mut file, About { issuer: id(code), seq: 1, as_of }, []).expect("it is written");
        IssuerStatus::new(StatusList::open(file.path()).expect("a list"))
    }

    /// Trust in some issuers that publish lists.
    fn trust(issuers: impl IntoIterator<Item = Issuer>, status: StatusBook, roles: Vec<RoleReport>) -> Trust {
        let content = TrustContent { issuers: issuers.into_iter().collect(), ..TrustContent::default() };
        Trust { list: Arc::new(TrustList::new(content).expect("in order")), status, roles: roles.into() }
    }

    fn standings(trust: &Trust, now: Time) -> Standings {
        Standings::of(trust, &Policy::default(), now)
    }

    #[test]
    fn a_list_ages_by_the_policy_and_each_issuer_by_itself() {
        let ages = [(110_000, 1, ListState::Fresh), (120_000, 3, ListState::Ageing), (130_000, 15, ListState::Stale)];
        let mut book = StatusBook::new();
        ages.iter().for_each(|(code, days, _)| book.put(list(*code, NOW_S - days * DAY_S)));
        let trust = trust(ages.map(|(code, ..)| issuer(code, true)), book, Vec::new());
        let standings = standings(&trust, Time::trusted(NOW_S));
        let found: Vec<_> = standings.issuers.iter().map(|s| (s.issuer, s.as_of, s.list)).collect();
        assert_eq!(found, ages.map(|(code, days, state)| (id(code), Some(NOW_S - days * DAY_S), state)));
        assert_eq!((standings.lists(), standings.count(ListState::Stale)), (3, 1));
    }

    #[test]
    fn a_clock_that_is_a_floor_proves_that_a_list_is_old_and_nothing_else() {
        let mut book = StatusBook::new();
        book.put(list(110_000, NOW_S));
        book.put(list(120_000, NOW_S - 15 * DAY_S));
        let trust = trust([issuer(110_000, true), issuer(120_000, true)], book, Vec::new());
        let found = standings(&trust, Time::floor(NOW_S)).issuers;
        assert_eq!([found[0].list, found[1].list], [ListState::Unknown, ListState::Stale]);
    }

    #[test]
    fn a_list_that_is_promised_is_missed_and_one_that_is_not_is_no_lack() {
        let mut book = StatusBook::new();
        book.put_unreadable(id(130_000));
        let issuers = [issuer(110_000, true), issuer(120_000, false), issuer(130_000, true)];
        let standings = standings(&trust(issuers, book, Vec::new()), Time::trusted(NOW_S));
        let found: Vec<_> = standings.issuers.iter().map(|standing| standing.list).collect();
        assert_eq!(found, [ListState::Missing, ListState::None, ListState::Unreadable]);
        assert_eq!(standings.lists(), 2);
    }

    #[test]
    fn what_is_held_back_is_told_with_its_reason_even_of_an_issuer_that_nothing_is_known_of() {
        let error = TufError::new(Refusal::Expired, "330000.json");
        let held =
            |code, version| RoleReport { scope: id(code), version, held_back: Some(error.clone()), as_of: NOW_S };
        let fine = RoleReport { scope: id(110_000), version: Some(2), held_back: None, as_of: NOW_S };
        let issuers = [issuer(110_000, false), issuer(ZHEJIANG, false)];
        let roles = vec![held(ZHEJIANG, Some(4)), held(440_000, None), fine];
        let standings = standings(&trust(issuers, StatusBook::new(), roles), Time::trusted(NOW_S));
        let found: Vec<_> = standings.issuers.iter().map(|s| s.held_back.as_ref().map(|h| h.older_as_of)).collect();
        assert_eq!(found, [None, Some(Some(NOW_S)), Some(None)]);
        assert_eq!(standings.issuers[2].names, None);
        assert_eq!(standings.held_back(), 2);
    }
}
