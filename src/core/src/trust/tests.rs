//! Parts and lists that are good, and every way in which one may not be.

use super::part::{Issuers, MAX_PART_BYTES, Rules};
use super::*;
use crate::cbor::Buf;
use crate::pass::{self, Claims, Kind};
use crate::testworld::*;
use minicbor::Encoder;
use std::vec::Vec;

/// The issuers and keys of the test world as one part.
fn part() -> Issuers {
    let TrustContent { authority_key, issuers, keys, .. } = content();
    Issuers { authority_key, issuers, keys }
}

/// Only these issuers and their keys.
fn part_of(codes: &[u32]) -> Issuers {
    let mut part = part();
    part.issuers.retain(|issuer| codes.contains(&issuer.id.code()));
    part.keys.retain(|key| codes.contains(&key.issuer.code()));
    part
}

fn rules() -> Rules {
    Rules { rules: content().rules }
}

fn encoded(part: &Issuers) -> Vec<u8> {
    let mut out = Buf::<MAX_PART_BYTES>::new();
    part.encode(&mut out).expect("within bounds");
    out.as_bytes().to_vec()
}

fn encoded_rules(part: &Rules) -> Vec<u8> {
    let mut out = Buf::<MAX_PART_BYTES>::new();
    part.encode(&mut out).expect("within bounds");
    out.as_bytes().to_vec()
}

#[test]
fn a_list_finds_every_issuer_and_every_key_it_was_made_of() {
    let list = TrustList::new(content()).expect("a good list");
    assert_eq!(list.content(), &content());
    for code in [NATIONAL, SHANGHAI, ZHEJIANG, HANGZHOU, HENAN, HUBEI] {
        let kid = KeyId::of(&key_of(code).verifying_key().to_bytes());
        assert_eq!(list.keys(kid).iter().map(|key| key.issuer).collect::<Vec<_>>(), [id(code)]);
        assert_eq!(list.issuer(id(code)).map(|issuer| issuer.id), Some(id(code)));
    }
    assert_eq!(list.issuer(id(510_000)), None);
    assert_eq!(list.keys(KeyId([0; 8])), []);
}

#[test]
fn a_part_reads_back_as_it_was_written() {
    // One at a time: a part is large, and a test's stack is not.
    let reads_back = |part: Issuers| assert_eq!(Issuers::decode(&encoded(&part)), Ok(part));
    reads_back(part());
    reads_back(part_of(&[]));
    reads_back(Issuers { authority_key: None, ..part() });
}

#[test]
fn rules_read_back_as_they_were_written() {
    for part in [rules(), Rules::default()] {
        assert_eq!(Rules::decode(&encoded_rules(&part)), Ok(part));
    }
}

#[test]
fn every_truncation_of_a_part_is_refused() {
    let (issuers, rules) = (encoded(&part()), encoded_rules(&rules()));
    for size in 0..issuers.len() {
        assert_eq!(Issuers::decode(&issuers[..size]), Err(TrustError::Content(CborError::Truncated)), "{size} bytes");
    }
    for size in 0..rules.len() {
        assert_eq!(Rules::decode(&rules[..size]), Err(TrustError::Content(CborError::Truncated)), "{size} bytes");
    }
}

#[test]
fn a_part_has_one_spelling() {
    let good = encoded(&part());
    let mut trailing = good.clone();
    trailing.push(0);
    assert_eq!(Issuers::decode(&trailing), Err(TrustError::Content(CborError::NotCanonical)));
    let mut longer = good.clone();
    longer.splice(1..2, [0x18, 1]);
    assert_eq!(Issuers::decode(&longer), Err(TrustError::Content(CborError::NotCanonical)));
    let mut rules = encoded_rules(&rules());
    rules.push(0);
    assert_eq!(Rules::decode(&rules), Err(TrustError::Content(CborError::NotCanonical)));
}

#[test]
fn a_part_that_is_too_long_is_refused_unread() {
    assert_eq!(Issuers::decode(&std::vec![0; MAX_PART_BYTES + 1]), Err(TrustError::TooLong));
    assert_eq!(Rules::decode(&std::vec![0; MAX_PART_BYTES + 1]), Err(TrustError::TooLong));
}

#[test]
fn a_format_from_the_future_names_itself() {
    let (mut issuers, mut rules) = (encoded(&part()), encoded_rules(&rules()));
    (issuers[1], rules[1]) = (2, 3);
    assert_eq!(Issuers::decode(&issuers), Err(TrustError::Format(2)));
    assert_eq!(Rules::decode(&rules), Err(TrustError::Format(3)));
}

type Vector = (&'static str, fn(&mut Issuers));

#[test]
fn a_part_that_contradicts_itself_is_refused() {
    let vectors: [Vector; 10] = [
        ("an issuer twice", |c| c.issuers.insert(1, c.issuers[0].clone()).expect("room")),
        ("issuers out of order", |c| c.issuers.swap(0, 1)),
        ("a key twice", |c| c.keys.insert(1, c.keys[0]).expect("room")),
        ("one key for two issuers", |c| c.keys[1].public_key = c.keys[0].public_key),
        ("keys out of order", |c| c.keys.swap(0, 1)),
        ("a key of an issuer that is missing", |c| c.keys[0].issuer = id(510_000)),
        ("no issuers at all", |c| c.issuers.clear()),
        ("red made green", |c| add_levels(c, [3, 4])),
        ("a level twice", |c| add_levels(c, [4, 4])),
        ("levels out of order", |c| add_levels(c, [5, 4])),
    ];
    for (defect, change) in vectors {
        let mut part = part();
        change(&mut part);
        assert_eq!(Issuers::decode(&encoded(&part)), Err(TrustError::Dangling), "{defect}");
        let content = TrustContent { issuers: part.issuers, keys: part.keys, ..content() };
        assert_eq!(TrustList::new(content), Err(TrustError::Dangling), "{defect}");
    }
}

fn add_levels(part: &mut Issuers, numbers: [u8; 2]) {
    part.issuers[0].levels = numbers.map(|number| (level(number), Colour::Green)).into_iter().collect();
}

fn level(number: u8) -> Level {
    Level::new(number).expect("1 to 15")
}

#[test]
fn a_part_out_of_bounds_is_refused() {
    let answer = |lists: [&[u8]; 2]| {
        let mut out = std::vec![0x84, 1, 0xf6];
        lists.iter().for_each(|list| out.extend_from_slice(list));
        Issuers::decode(&out).err()
    };
    let content_error = |error| Some(TrustError::Content(error));
    assert_eq!(answer([&[0x80]; 2]), None, "a part may be empty");
    assert_eq!(answer([&[0x9a, 0xff, 0xff, 0xff, 0xff], &[]]), content_error(CborError::Truncated));
    assert_eq!(answer([&[0x9f, 0xff], &[0x80]]), content_error(CborError::Shape));
    assert_eq!(answer([&[0x81, 0x86, 1, 0x60, 0x60, 0x60, 0x80, 0xf4], &[0x80]]), content_error(CborError::Bounds));
    let mut short_key = Buf::<64>::new();
    Encoder::new(&mut short_key).bytes(&[1; 31]).expect("fits");
    let short_key = [&[0x84, 1][..], short_key.as_bytes(), &[0x80, 0x80]].concat();
    assert_eq!(Issuers::decode(&short_key).err(), content_error(CborError::Bounds));
}

/// A part with as many issuers and keys as there may be, each as long as it may be.
fn largest() -> Issuers {
    let issuers = (0..MAX_ISSUERS as u32).map(|i| Issuer {
        id: id(100_000 + i),
        name_zh: "健".repeat(16).as_str().parse().expect("48 bytes"),
        name_en: "n".repeat(64).as_str().parse().expect("64 bytes"),
        hotline: "1".repeat(24).as_str().parse().expect("24 bytes"),
        levels: (4..=15).map(|l| (level(l), Colour::Red)).collect(),
        lists_status: true,
    });
    let keys = (0..MAX_KEYS as u32).map(|i| IssuerKey {
        issuer: id(100_000 + i % MAX_ISSUERS as u32),
        public_key: crate::ids::sha256(&i.to_be_bytes()),
        valid_from: u64::MAX - 1,
        valid_until: u64::MAX,
    });
    let mut part = Issuers { authority_key: Some([1; 32]), issuers: issuers.collect(), keys: keys.collect() };
    part.sort();
    part
}

#[test]
fn the_largest_parts_read_back_and_are_within_their_bytes() {
    let issuers = largest();
    assert_eq!(Issuers::decode(&encoded(&issuers)), Ok(issuers));
    let rule = Rule { valid_from: u64::MAX - 1, valid_until: u64::MAX, ..content().rules[2] };
    let rules = Rules { rules: (0..MAX_RULES).map(|_| rule).collect() };
    assert_eq!(Rules::decode(&encoded_rules(&rules)), Ok(rules));
}

#[test]
fn one_more_of_anything_than_there_may_be_is_refused() {
    // The counts are at the only places where the encoding of the largest part has them.
    let payload = encoded(&largest());
    for (head, more) in [(&[0x99, 1, 0xa0][..], &[0x99, 1, 0xa1][..]), (&[0x99, 3, 0xc0], &[0x99, 3, 0xc1])] {
        let at = payload.windows(head.len()).position(|window| window == head).expect("the head of a list");
        let mut longer = payload.clone();
        longer.splice(at..at + head.len(), more.iter().copied());
        let error = Issuers::decode(&longer).err();
        assert!(
            matches!(error, Some(TrustError::Content(CborError::Shape | CborError::Bounds | CborError::Truncated))),
            "{error:?}"
        );
    }
}

#[test]
fn a_province_speaks_for_itself_and_its_cities_and_for_nobody_else() {
    let mut content = TrustContent::default();
    assert_eq!(content.join_issuers(id(ZHEJIANG), &part_of(&[ZHEJIANG, HANGZHOU])), Ok(()));
    assert_eq!(content.issuers.len(), 2);
    let before = content.clone();
    assert_eq!(
        content.join_issuers(id(ZHEJIANG), &part_of(&[HENAN])),
        Err(TrustError::Foreign(id(HENAN))),
        "Zhejiang speaks for Henan"
    );
    assert_eq!(
        content.join_issuers(id(HANGZHOU), &part_of(&[ZHEJIANG])),
        Err(TrustError::Foreign(id(ZHEJIANG))),
        "a city speaks for its province"
    );
    assert_eq!(content, before, "nothing of a part that is refused is believed");
}

#[test]
fn who_was_spoken_for_is_not_spoken_for_again() {
    let mut content = TrustContent::default();
    content.join_issuers(id(NATIONAL), &part_of(&[ZHEJIANG, HENAN])).expect("the nation speaks for both");
    let twice = content.join_issuers(id(ZHEJIANG), &part_of(&[ZHEJIANG]));
    assert_eq!(twice, Err(TrustError::Taken(id(ZHEJIANG))));
}

#[test]
fn who_lists_a_key_that_is_anothers_takes_nothing_from_it_and_gains_nothing() {
    let mut stolen = part_of(&[HANGZHOU]);
    stolen.keys[0].public_key = key_of(HENAN).verifying_key().to_bytes();
    for [first, second] in
        [[(ZHEJIANG, &stolen), (HENAN, &part_of(&[HENAN]))], [(HENAN, &part_of(&[HENAN])), (ZHEJIANG, &stolen)]]
    {
        let mut content = TrustContent::default();
        content.join_issuers(id(first.0), first.1).expect("it is its own");
        content.join_issuers(id(second.0), second.1).expect("it is its own");
        let trust = trust_list(&content);
        let shown = |claims: &Claims, signer| {
            let pass = pass::issue(claims, &key_of(signer)).expect("within bounds");
            pass::parse(pass.as_bytes()).expect("a pass").verify(&trust).map(|pass| pass.claims().issuer)
        };
        let (henan, hangzhou) = (claims(HENAN, Kind::Phone), claims(HANGZHOU, Kind::Phone));
        assert_eq!(shown(&henan, HENAN), Ok(id(HENAN)));
        assert!(shown(&hangzhou, HANGZHOU).is_err(), "its own key it does not list");
        assert!(shown(&claims(ZHEJIANG, Kind::Phone), HENAN).is_err(), "nobody lists it for Zhejiang");
    }
}

#[test]
fn a_province_takes_the_room_of_no_other() {
    let numbered = |scope: u32, count: usize| {
        let mut part = largest();
        part.issuers.truncate(count);
        part.keys.retain(|key| key.issuer < id(100_000 + count as u32));
        part.issuers.iter_mut().for_each(|issuer| issuer.id = id(scope + issuer.id.code() - 100_000));
        part.keys.iter_mut().for_each(|key| key.issuer = id(scope + key.issuer.code() - 100_000));
        part
    };
    let mut content = TrustContent::default();
    let most = numbered(ZHEJIANG, MAX_ISSUERS_OF_PROVINCE);
    let mut keys = most.clone();
    keys.issuers.truncate(MAX_ISSUERS_OF_PROVINCE);
    keys.keys.truncate(MAX_KEYS_OF_PROVINCE);
    assert_eq!(
        content.join_issuers(id(ZHEJIANG), &numbered(ZHEJIANG, MAX_ISSUERS_OF_PROVINCE + 1)),
        Err(TrustError::Full)
    );
    assert_eq!(content.join_issuers(id(ZHEJIANG), &keys), Ok(()));
    let one_more = Issuers { keys: Default::default(), ..numbered(ZHEJIANG + 9900, 1) };
    assert_eq!(content.join_issuers(id(ZHEJIANG + 9900), &one_more), Err(TrustError::Full), "a city of it");
    assert_eq!(content.join_issuers(id(HENAN), &part_of(&[HENAN])), Ok(()));
    let rules = |count| Rules { rules: (0..count).map(|_| rules().rules[0]).collect() };
    assert_eq!(content.join_rules(id(ZHEJIANG), &rules(2 * MAX_ISSUERS_OF_PROVINCE + 1)), Err(TrustError::Full));
    assert_eq!(content.join_rules(id(ZHEJIANG), &rules(2 * MAX_ISSUERS_OF_PROVINCE)), Ok(()));
}

#[test]
fn rules_are_for_gates_of_whoever_makes_them() {
    let mut content = TrustContent::default();
    assert_eq!(content.join_rules(id(HENAN), &rules()), Err(TrustError::Foreign(id(ZHEJIANG))));
    assert_eq!(content.join_rules(id(ZHEJIANG), &rules()), Ok(()));
    assert_eq!(content.join_rules(id(NATIONAL), &rules()), Ok(()));
    assert_eq!(content.rules.len(), 6);
}

#[test]
fn parts_that_do_not_fit_together_are_refused() {
    let mut content = TrustContent::default();
    content.join_issuers(id(NATIONAL), &largest()).expect("as many as there may be");
    assert_eq!(content.join_issuers(id(ZHEJIANG), &part_of(&[HANGZHOU])), Err(TrustError::Full));
    let rules = Rules { rules: (0..MAX_RULES).map(|_| rules().rules[0]).collect() };
    content.join_rules(id(NATIONAL), &rules).expect("as many as there may be");
    assert_eq!(content.join_rules(id(NATIONAL), &rules), Err(TrustError::Full));
}

#[test]
fn a_province_has_room_for_its_own_policies_and_takes_the_room_of_no_other() {
    use crate::policy::{PolicyPart, SiteClass};
    let mut content = TrustContent::default();
    let mut join = |scope, class| content.join_policy(id(scope), class, PolicyPart::default());
    for city in 0..MAX_POLICIES_OF_PROVINCE as u32 / 5 {
        SiteClass::ALL.into_iter().for_each(|class| assert_eq!(join(ZHEJIANG + city * 100, class), Ok(())));
    }
    assert_eq!(join(ZHEJIANG + 9900, SiteClass::Metro), Err(TrustError::Full));
    assert_eq!(join(HENAN, SiteClass::Metro), Ok(()));
}

#[test]
fn what_is_believed_of_a_division_that_lags_is_as_old_as_its_last_good_word() {
    let lagging = [(ZHEJIANG, 700), (HANGZHOU, 900), (HENAN, 2000)];
    let lagging = lagging.map(|(code, as_of)| Lagging { scope: id(code), as_of }).into_iter().collect();
    let list = trust_list(&TrustContent { as_of: 1000, lagging, ..content() });
    for (code, as_of) in [(ZHEJIANG, 700), (HANGZHOU, 700), (HENAN, 1000), (SHANGHAI, 1000), (NATIONAL, 1000)] {
        assert_eq!(list.as_of(id(code)), as_of, "{code}");
    }
}

proptest::proptest! {
    #[test]
    fn no_part_whatever_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let issuers = [&[0x84, 1][..], &bytes].concat();
        proptest::prop_assert!(Issuers::decode(&issuers).is_err());
        let rules = [&[0x82, 1][..], &bytes].concat();
        proptest::prop_assert!(Rules::decode(&rules).is_err() || rules == [0x82, 1, 0x80]);
    }
}
