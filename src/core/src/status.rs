//! What an issuer has said of a pass since it was made: overridden to a colour, or revoked.
//!
//! A paper pass lives for weeks and a colour for hours, so issuers publish lists of what has changed. The lists are
//! large and live in files, which the core does not have: a [`StatusSource`] looks a [`Tag`] up in them, and this
//! module says whose lists speak of a pass, which of their entries count, and how much a gate may have missed.
//!
//! Rules, each once:
//!
//! - A pass is spoken of by the list of its issuer and by that of the issuer's province ([`speakers`]).
//! - An entry of a *holder* counts for passes issued before the list said so: a later pass is newer evidence than the
//!   list. An entry of a *pass* always counts, since it can not be older than the pass.
//! - Of several entries the gravest counts, so that no entry can hide another.
//! - What a gate may have missed of a pass is the time since the list was made or the pass was issued, whichever is
//!   later ([`watched_since`]). A pass of a minute ago needs no list of today.

use crate::ids::{IssuerId, first_8};
use crate::pass::{Claims, Colour};
use crate::time::{Confidence, Time};
use crate::trust::Freshness;
use core::fmt;
use sha2::{Digest, Sha256};

/// Keeps a tag from being the hash of anything else.
const DOMAIN: &[u8] = b"menshen/status/1";
const KIND_HOLDER: u8 = 0;
const KIND_PASS: u8 = 1;

/// What a list is sorted by: 64 bits of a hash, so that whoever has the list can not read holders out of it without
/// meeting their pseudonyms, and so that every list is spread evenly whatever its issuer calls people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(u64);

impl Tag {
    /// The tag of a holder of an issuer: every pass that carries this `sub`.
    pub fn of_holder(issuer: IssuerId, holder: &[u8; 16]) -> Tag {
        Tag::of(issuer, KIND_HOLDER, holder)
    }

    /// The tag of one pass of an issuer, by its `cti`.
    pub fn of_pass(issuer: IssuerId, pass_id: &[u8; 8]) -> Tag {
        Tag::of(issuer, KIND_PASS, pass_id)
    }

    fn of(issuer: IssuerId, kind: u8, value: &[u8]) -> Tag {
        let hash = Sha256::new()
            .chain_update(DOMAIN)
            .chain_update(issuer.code().to_be_bytes())
            .chain_update([kind])
            .chain_update(value);
        Tag(u64::from_be_bytes(first_8(&hash.finalize().into())))
    }

    /// The tag of a stored number.
    pub const fn from_number(number: u64) -> Tag {
        Tag(number)
    }

    /// The number that files store.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// What became of a pass after it was issued, from the mildest to the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The issuer changed the colour to this one.
    Overridden(Colour),
    /// The issuer took the pass back.
    Revoked,
}

impl Status {
    /// A stable name for `--json` and for the files of texts.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Overridden(Colour::Green) => "overridden_green",
            Status::Overridden(Colour::Yellow) => "overridden_yellow",
            Status::Overridden(Colour::Red) => "overridden_red",
            Status::Revoked => "revoked",
        }
    }

    /// Every status, the mildest first.
    pub const ALL: [Status; 4] = [
        Status::Overridden(Colour::Green),
        Status::Overridden(Colour::Yellow),
        Status::Overridden(Colour::Red),
        Status::Revoked,
    ];
}

/// What a list says of a tag, and until when it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What became of the passes of the tag.
    pub status: Status,
    /// The newest moment for which the issuer has said this, seconds since 1970.
    pub as_of: u64,
}

/// A list that is there and can not be read: the gate does not know what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status list can not be read: check the card it is on, and import the list again")
    }
}

impl core::error::Error for Unreadable {}

/// The status lists that a gate has, one an issuer at most.
pub trait StatusSource: fmt::Debug {
    /// What the list of `publisher` says of a tag; `None` where it says nothing, or where there is no such list.
    ///
    /// # Errors
    /// [`Unreadable`] where the gate has the list and can not read what it says of this tag.
    fn look_up(&self, publisher: IssuerId, tag: Tag) -> Result<Option<Entry>, Unreadable>;

    /// Until when the list of `publisher` is complete, seconds since 1970; `None` where there is no such list.
    fn as_of(&self, publisher: IssuerId) -> Option<u64>;
}

/// Whose lists speak of the passes of an issuer: its own, and that of the province it belongs to.
///
/// A city's office may be closed at night and a village's has no list at all, so the superior may speak for it. Tags
/// carry the code of the pass's issuer, so in the list of a province nobody stands for somebody of another city.
pub fn speakers(issuer: IssuerId) -> impl Iterator<Item = IssuerId> {
    let province = issuer.province();
    [Some(issuer), (province != issuer).then_some(province)].into_iter().flatten()
}

/// What the lists say of one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The gravest of what counts.
    pub(crate) status: Option<Status>,
    /// Whether something that may count could not be read.
    pub(crate) unreadable: bool,
}

impl Finding {
    /// Looks the holder and the pass up in every list that speaks of them.
    pub(crate) fn of(source: &dyn StatusSource, claims: &Claims) -> Finding {
        let holder = Tag::of_holder(claims.issuer, &claims.holder);
        let pass = Tag::of_pass(claims.issuer, &claims.pass_id);
        let mut finding = Finding::default();
        for publisher in speakers(claims.issuer) {
            finding.add(source.look_up(publisher, holder), |entry| claims.issued_at <= entry.as_of);
            finding.add(source.look_up(publisher, pass), |_| true);
        }
        finding
    }

    fn add(&mut self, answer: Result<Option<Entry>, Unreadable>, counts: impl Fn(&Entry) -> bool) {
        match answer {
            Ok(entry) => self.status = self.status.max(entry.filter(counts).map(|entry| entry.status)),
            Err(Unreadable) => self.unreadable = true,
        }
    }
}

/// Since when nobody has told the gate of a pass: a list that is complete until `as_of` tells of passes issued before
/// it, and whatever was known when the pass was issued is in the pass.
pub fn watched_since(issued_at: u64, as_of: Option<u64>) -> u64 {
    as_of.map_or(issued_at, |as_of| as_of.max(issued_at))
}

/// Judges the time in which a gate may have missed something by a policy's two ages in seconds.
///
/// A clock that is only a floor proves that it is too long, and nothing else.
pub fn freshness(now: Time, since: u64, ageing_after_s: u64, stale_after_s: u64) -> Freshness {
    let unwatched_s = now.since(since);
    match now.confidence {
        _ if unwatched_s >= stale_after_s => Freshness::Stale,
        Confidence::Floor => Freshness::Unknown,
        Confidence::Trusted if unwatched_s >= ageing_after_s => Freshness::Ageing,
        Confidence::Trusted => Freshness::Fresh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pass::Kind;
    use crate::testworld::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_tag_is_the_hash_that_the_format_says() {
        let hash = crate::ids::sha256(
            b"menshen/status/1\x00\x05\x09\x74\x00\x5b\x5b\x5b\x5b\x5b\x5b\x5b\x5b\x5b\x5b\x5b\x5b\x5b\x5b\x5b\x5b",
        );
        assert_eq!(Tag::of_holder(id(HANGZHOU), &[0x5b; 16]).number().to_be_bytes(), first_8(&hash));
    }

    #[test]
    fn holders_passes_and_issuers_never_share_a_tag() {
        let mut sub = [0; 16];
        sub[..8].copy_from_slice(&[0xc1; 8]);
        let tags = [
            Tag::of_holder(id(ZHEJIANG), &sub),
            Tag::of_pass(id(ZHEJIANG), &[0xc1; 8]),
            Tag::of_holder(id(HANGZHOU), &sub),
            Tag::of_pass(id(HANGZHOU), &[0xc1; 8]),
        ];
        assert_eq!(BTreeSet::from(tags).len(), tags.len());
    }

    #[test]
    fn a_city_is_spoken_of_by_itself_and_its_province_and_a_province_by_itself() {
        assert!(speakers(id(HANGZHOU)).eq([id(HANGZHOU), id(ZHEJIANG)]));
        assert!(speakers(id(ZHEJIANG)).eq([id(ZHEJIANG)]));
        assert!(speakers(IssuerId::NATIONAL).eq([IssuerId::NATIONAL]));
    }

    #[test]
    fn the_gravest_entry_counts_whichever_list_and_tag_it_is_of() {
        let claims = claims(HANGZHOU, Kind::Paper);
        let tags = [Tag::of_holder(id(HANGZHOU), &claims.holder), Tag::of_pass(id(HANGZHOU), &claims.pass_id)];
        let places = [HANGZHOU, ZHEJIANG].into_iter().flat_map(|list| tags.map(|tag| (list, tag)));
        for (list, tag) in places.clone() {
            for grave in Status::ALL {
                let mut lists = Lists::default();
                places.clone().for_each(|(list, tag)| lists.put(list, tag, Status::ALL[0], NOW_S));
                lists.put(list, tag, grave, NOW_S);
                assert_eq!(Finding::of(&lists, &claims).status, Some(grave));
            }
        }
    }

    #[test]
    fn an_entry_of_a_holder_counts_for_passes_issued_until_it_and_one_of_a_pass_always() {
        let claims = claims(ZHEJIANG, Kind::Paper);
        let found = |tag, as_of| {
            let mut lists = Lists::default();
            lists.put(ZHEJIANG, tag, Status::Revoked, as_of);
            Finding::of(&lists, &claims).status
        };
        let holder = Tag::of_holder(id(ZHEJIANG), &claims.holder);
        let pass = Tag::of_pass(id(ZHEJIANG), &claims.pass_id);
        assert_eq!(found(holder, claims.issued_at), Some(Status::Revoked));
        assert_eq!(found(holder, claims.issued_at - 1), None, "the pass is newer evidence");
        assert_eq!(found(pass, claims.issued_at - 1), Some(Status::Revoked), "whatever the issuer's clocks said");
    }

    #[test]
    fn an_unsure_clock_proves_staleness_and_nothing_else() {
        for (unwatched_s, sure, floor) in [
            (99, Freshness::Fresh, Freshness::Unknown),
            (100, Freshness::Ageing, Freshness::Unknown),
            (200, Freshness::Stale, Freshness::Stale),
        ] {
            assert_eq!(freshness(Time::trusted(1000 + unwatched_s), 1000, 100, 200), sure);
            assert_eq!(freshness(Time::floor(1000 + unwatched_s), 1000, 100, 200), floor);
        }
        assert_eq!(freshness(Time::trusted(999), 1000, 100, 200), Freshness::Fresh, "a list from a little ahead");
    }
}
