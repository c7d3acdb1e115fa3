//! The status lists of all issuers, as the core asks for them.

use super::issuer::IssuerStatus;
use menshen_core::ids::IssuerId;
use menshen_core::status::{Entry, StatusSource, Tag, Unreadable};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What every issuer says now. A value that is cheap to clone: whoever decides holds one, and an import makes the next.
#[derive(Clone, Debug, Default)]
pub struct StatusBook {
    /// `None` for an issuer whose list is there and can not be opened.
    lists: BTreeMap<IssuerId, Option<Arc<IssuerStatus>>>,
}

impl StatusBook {
    /// A book without lists.
    pub fn new() -> StatusBook {
        StatusBook::default()
    }

    /// Puts in what an issuer says, in place of what it said before.
    pub fn put(&mut self, status: IssuerStatus) {
        self.lists.insert(status.complete().issuer, Some(Arc::new(status)));
    }

    /// Says that the list of an issuer is there and can not be opened: its passes are referred to a person.
    pub fn put_unreadable(&mut self, issuer: IssuerId) {
        self.lists.insert(issuer, None);
    }

    /// What an issuer says, where it has a list that can be read.
    pub fn get(&self, issuer: IssuerId) -> Option<&Arc<IssuerStatus>> {
        self.lists.get(&issuer)?.as_ref()
    }

    /// Every issuer with a list, and what it says; `None` where that can not be read.
    pub fn iter(&self) -> impl Iterator<Item = (IssuerId, Option<&IssuerStatus>)> {
        self.lists.iter().map(|(issuer, status)| (*issuer, status.as_deref()))
    }
}

impl StatusSource for StatusBook {
    fn look_up(&self, publisher: IssuerId, tag: Tag) -> Result<Option<Entry>, Unreadable> {
        match self.lists.get(&publisher) {
            None => Ok(None),
            Some(None) => Err(Unreadable),
            Some(Some(status)) => status.look_up(tag),
        }
    }

    fn as_of(&self, publisher: IssuerId) -> Option<u64> {
        self.get(publisher).map(|status| status.complete().as_of)
    }
}
