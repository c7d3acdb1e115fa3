//! Trust lists that are good, and every way in which one may not be.

use super::*;
use crate::cbor::Buf;
use crate::testworld::*;
use ed25519_dalek::Signer;
use minicbor::Encoder;
use std::vec::Vec;

fn no_signature() -> Option<TrustError> {
    Some(TrustError::Signature(CoseError::Signature))
}

/// The answer to a list that the anchor signed over this content.
fn answer_to(content: &TrustContent) -> Option<TrustError> {
    open(&signed(content, &anchor())).err()
}

/// The answer to any payload that the anchor signed.
fn answer_to_bytes(payload: &[u8]) -> Option<TrustError> {
    open(&signed_bytes(payload, &anchor(), Purpose::TrustList)).err()
}

#[test]
fn a_list_says_what_the_anchor_signed() {
    let content = content();
    let list = open(&signed(&content, &anchor())).expect("a good list");
    assert_eq!(list.content(), &content);
    for code in [NATIONAL, SHANGHAI, ZHEJIANG, HANGZHOU, HENAN, HUBEI] {
        let kid = KeyId::of(&key_of(code).verifying_key().to_bytes());
        assert_eq!(list.key(kid).map(|key| key.issuer), Some(id(code)));
        assert_eq!(list.issuer(id(code)).map(|issuer| issuer.id), Some(id(code)));
    }
    assert_eq!(list.issuer(id(510_000)), None);
    assert_eq!(list.key(KeyId([0; 8])), None);
}

#[test]
fn a_list_of_another_anchor_is_refused() {
    assert_eq!(open(&signed(&content(), &key_of(ZHEJIANG))).err(), no_signature());
}

#[test]
fn a_list_of_another_anchor_under_this_ones_key_id_is_refused() {
    let mut list = signed(&content(), &key_of(ZHEJIANG));
    let kid = KeyId::of(&anchor().verifying_key().to_bytes());
    let at = 2 + 1 + 5;
    list[at..at + 8].copy_from_slice(&kid.0);
    assert_eq!(open(&list).err(), no_signature());
}

#[test]
fn a_list_that_the_anchor_signed_under_another_key_id_is_refused() {
    let payload = encoded(&content());
    let protected = [&[0xa2, 1, 0x27, 4, 0x48][..], &[7; 8]].concat();
    let mut signed = Buf::<4096>::new();
    let mut e = Encoder::new(&mut signed);
    let written = e
        .array(4)
        .and_then(|e| e.str("Signature1")?.bytes(&protected)?.bytes(b"menshen/trust-list/1")?.bytes(&payload));
    written.expect("fits");
    let signature = anchor().sign(signed.as_bytes()).to_bytes();
    let mut list = Buf::<4096>::new();
    let mut e = Encoder::new(&mut list);
    let tagged = e.tag(minicbor::data::Tag::new(18));
    let written = tagged.and_then(|e| e.array(4)?.bytes(&protected)?.map(0)?.bytes(&payload)?.bytes(&signature));
    written.expect("fits");
    assert_eq!(open(list.as_bytes()).err(), no_signature());
}

#[test]
fn a_signature_of_the_anchor_for_another_purpose_is_refused() {
    let list = signed_bytes(&encoded(&content()), &anchor(), Purpose::Ack);
    assert_eq!(open(&list).err(), no_signature());
}

#[test]
fn every_truncation_is_refused() {
    let list = signed(&content(), &anchor());
    for size in 0..list.len() {
        let error = open(&list[..size]).err();
        assert!(matches!(error, Some(TrustError::Signature(CoseError::Cbor(_)))), "the first {size} bytes: {error:?}");
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let mut list = signed(&content(), &anchor());
    for bit in 0..list.len() * 8 {
        list[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(open(&list).err(), Some(TrustError::Signature(_))), "bit {bit}");
        list[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(open(&list).is_ok(), "all bits are back in place");
}

#[test]
fn trailing_bytes_are_refused_behind_the_message_and_inside_it() {
    let mut list = signed(&content(), &anchor());
    list.push(0);
    assert_eq!(open(&list).err(), Some(TrustError::Signature(CoseError::Cbor(CborError::NotCanonical))));
    let mut payload = encoded(&content());
    payload.push(0);
    assert_eq!(answer_to_bytes(&payload), Some(TrustError::Content(CborError::NotCanonical)));
}

#[test]
fn a_list_that_is_too_long_is_refused_unread() {
    assert_eq!(open(&std::vec![0; MAX_TRUST_BYTES + 1]).err(), Some(TrustError::TooLong));
}

#[test]
fn a_format_from_the_future_names_itself() {
    let mut payload = encoded(&content());
    payload[1] = 2;
    assert_eq!(answer_to_bytes(&payload), Some(TrustError::Format(2)));
}

#[test]
fn a_number_in_a_longer_spelling_is_refused() {
    let mut payload = encoded(&content());
    payload.splice(2..3, [0x18, 1]);
    assert_eq!(answer_to_bytes(&payload), Some(TrustError::Content(CborError::NotCanonical)));
}

type Vector = (&'static str, fn(&mut TrustContent));

#[test]
fn content_that_contradicts_itself_is_refused() {
    let vectors: [Vector; 11] = [
        ("an issuer twice", |c| c.issuers.insert(1, c.issuers[0].clone()).expect("room")),
        ("issuers out of order", |c| c.issuers.swap(0, 1)),
        ("a key twice", |c| c.keys.insert(1, c.keys[0]).expect("room")),
        ("one key for two issuers", |c| c.keys[1].public_key = c.keys[0].public_key),
        ("keys out of order", |c| c.keys.swap(0, 1)),
        ("a key of an issuer that is missing", |c| c.keys[0].issuer = id(510_000)),
        ("a rule of an issuer that is missing", |c| c.rules[0].issuer = id(510_000)),
        ("no issuers at all", |c| c.issuers.clear()),
        ("red made green", |c| add_levels(c, [3, 4])),
        ("a level twice", |c| add_levels(c, [4, 4])),
        ("levels out of order", |c| add_levels(c, [5, 4])),
    ];
    for (defect, change) in vectors {
        let mut content = content();
        change(&mut content);
        assert_eq!(answer_to(&content), Some(TrustError::Dangling), "{defect}");
    }
}

fn add_levels(content: &mut TrustContent, numbers: [u8; 2]) {
    content.issuers[0].levels = numbers.map(|number| (level(number), Colour::Green)).into_iter().collect();
}

fn level(number: u8) -> Level {
    Level::new(number).expect("1 to 15")
}

#[test]
fn content_out_of_bounds_is_refused() {
    let empty = |lists: [&[u8]; 3]| {
        let mut out = std::vec![0x87, 1, 1, 1, 0xf6];
        lists.iter().for_each(|list| out.extend_from_slice(list));
        answer_to_bytes(&out)
    };
    let content_error = |error| Some(TrustError::Content(error));
    assert_eq!(empty([&[0x80]; 3]), None, "a list may be empty");
    assert_eq!(empty([&[0x9a, 0xff, 0xff, 0xff, 0xff], &[], &[]]), content_error(CborError::Truncated));
    assert_eq!(empty([&[0x9f, 0xff], &[0x80], &[0x80]]), content_error(CborError::Shape));
    assert_eq!(empty([&[0x81, 0x85, 1, 0x60, 0x60, 0x60, 0x80], &[0x80], &[0x80]]), content_error(CborError::Bounds));
}

/// A list with as many issuers, keys and rules as there may be, each as long as it may be.
fn largest() -> TrustContent {
    let rule = Rule { valid_from: u64::MAX - 1, valid_until: u64::MAX, ..content().rules[2] };
    let issuers = (0..MAX_ISSUERS as u32).map(|i| Issuer {
        id: id(100_000 + i),
        name_zh: "健".repeat(16).as_str().parse().expect("48 bytes"),
        name_en: "n".repeat(64).as_str().parse().expect("64 bytes"),
        hotline: "1".repeat(24).as_str().parse().expect("24 bytes"),
        levels: (4..=15).map(|l| (level(l), Colour::Red)).collect(),
    });
    let keys = (0..MAX_KEYS as u32).map(|i| IssuerKey {
        issuer: id(100_000 + i % MAX_ISSUERS as u32),
        public_key: crate::ids::sha256(&i.to_be_bytes()),
        valid_from: u64::MAX - 1,
        valid_until: u64::MAX,
    });
    let issuer = id(100_000);
    let mut content = TrustContent {
        version: u64::MAX,
        as_of: u64::MAX,
        authority_key: Some([1; 32]),
        issuers: issuers.collect(),
        keys: keys.collect(),
        rules: (0..MAX_RULES).map(|_| Rule { issuer, ..rule }).collect(),
    };
    content.sort();
    content
}

#[test]
fn the_largest_list_reads_back_and_is_within_its_bytes() {
    let content = largest();
    let list = signed(&content, &anchor());
    assert!(list.len() <= MAX_TRUST_BYTES, "{} bytes", list.len());
    assert_eq!(open(&list).expect("a good list").content(), &content);
}

#[test]
fn one_more_of_anything_than_there_may_be_is_refused() {
    // The counts are at the only places where the encoding of the largest list has them.
    let payload = encoded(&largest());
    for (head, more) in [(&[0x98, 0x80][..], &[0x98, 0x81][..]), (&[0x99, 1, 0x80], &[0x99, 1, 0x81])] {
        let at = payload.windows(head.len()).position(|window| window == head).expect("the head of a list");
        let mut longer = payload.clone();
        longer.splice(at..at + head.len(), more.iter().copied());
        let error = answer_to_bytes(&longer);
        assert!(matches!(error, Some(TrustError::Content(CborError::Shape | CborError::Bounds))), "{error:?}");
    }
}

#[test]
fn freshness_is_staged_and_an_unsure_clock_never_calls_a_list_fresh() {
    let list = trust_list(&TrustContent { as_of: 1_000_000, ..content() });
    for (now, expected) in [
        (Time::trusted(1_000_000), Freshness::Fresh),
        (Time::trusted(1_000_099), Freshness::Fresh),
        (Time::trusted(1_000_100), Freshness::Ageing),
        (Time::trusted(1_000_200), Freshness::Stale),
        (Time::floor(0), Freshness::Unknown),
        (Time::floor(1_000_199), Freshness::Unknown),
        (Time::floor(1_000_200), Freshness::Stale),
    ] {
        assert_eq!(list.freshness(now, 100, 200), expected, "{now:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_content_whatever_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let mut payload = Vec::from([0x87, 1, 1]);
        payload.extend(bytes);
        proptest::prop_assert!(answer_to_bytes(&payload).is_some());
    }
}

#[test]
fn a_list_without_an_authority_key_reads_back() {
    let content = TrustContent { authority_key: None, ..content() };
    assert_eq!(trust_list(&content).content(), &content);
    let mut short_key = crate::cbor::Buf::<64>::new();
    Encoder::new(&mut short_key).bytes(&[1; 31]).expect("fits");
    let payload = [&[0x87, 1, 1, 1][..], short_key.as_bytes(), &[0x80, 0x80, 0x80]].concat();
    assert_eq!(answer_to_bytes(&payload), Some(TrustError::Content(CborError::Bounds)));
}
