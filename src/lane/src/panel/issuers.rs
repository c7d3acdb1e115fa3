//! How each issuer stands, as the page is told: a count in the bar, which goes out twice a second, and the issuers by
//! name at an address of their own, for whoever asks.

use crate::trust::{HeldBack, ListState, Standing, Standings};
use crate::view::{NameView, rfc3339};
use serde::Serialize;

/// How many of the issuers' status lists are not as they should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListsView {
    /// How many lists there should be.
    pub of: usize,
    /// How many are there and can not be opened.
    pub unreadable: usize,
    /// How many are too old.
    pub stale: usize,
    /// How many are not there.
    pub missing: usize,
    /// How many are getting old.
    pub ageing: usize,
    /// Of how many issuers the newest publication is refused.
    pub held_back: usize,
}

impl ListsView {
    /// Counts them.
    pub fn of(standings: &Standings) -> ListsView {
        ListsView {
            of: standings.lists(),
            unreadable: standings.count(ListState::Unreadable),
            stale: standings.count(ListState::Stale),
            missing: standings.count(ListState::Missing),
            ageing: standings.count(ListState::Ageing),
            held_back: standings.held_back(),
        }
    }
}

/// How an issuer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IssuerView {
    /// Its division code.
    pub issuer: u32,
    /// The name of its code, where the gate knows it.
    pub name: Option<NameView>,
    /// `fresh`, `ageing`, `stale`, `unknown`, `missing`, `unreadable` or `none`.
    pub list: &'static str,
    /// Until when its list tells everything, in RFC 3339.
    pub as_of: Option<String>,
    /// Its newest publication, where that is refused.
    pub held_back: Option<HeldBackView>,
}

/// What an issuer published and the gate does not believe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldBackView {
    /// Which kind of refusal.
    pub refusal: &'static str,
    /// One sentence for the technician.
    pub why: String,
    /// Until when what it published before, and counts still, was its newest, in RFC 3339.
    pub older_as_of: Option<String>,
}

impl IssuerView {
    /// Of one issuer.
    pub fn of(standing: &Standing) -> IssuerView {
        let name = |(zh, en): &(String, String)| NameView { zh: zh.clone(), en: en.clone() };
        IssuerView {
            issuer: standing.issuer.code(),
            name: standing.names.as_ref().map(name),
            list: standing.list.name(),
            as_of: standing.as_of.map(rfc3339),
            held_back: standing.held_back.as_ref().map(HeldBackView::of),
        }
    }

    /// Of all, those that want attention first.
    pub fn all(standings: &Standings) -> Vec<IssuerView> {
        let mut standings: Vec<&Standing> = standings.issuers.iter().collect();
        standings.sort_by_key(|standing| (standing.held_back.is_none(), standing.list, standing.issuer));
        standings.into_iter().map(IssuerView::of).collect()
    }
}

impl HeldBackView {
    fn of(held_back: &HeldBack) -> HeldBackView {
        let HeldBack { error, older_as_of } = held_back;
        HeldBackView { refusal: error.refusal.name(), why: error.to_string(), older_as_of: older_as_of.map(rfc3339) }
    }
}
