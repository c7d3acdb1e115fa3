//! Records as they are on disk and on the wire, and the chain that holds them.

use super::*;
use crate::testworld::*;
use std::string::String;
use std::vec::Vec;

fn loss() -> Record {
    Record {
        epoch: Epoch(2),
        seq: Seq(77),
        time: Time::floor(NOW_S),
        lane: 1,
        body: Body::Loss { epoch: Epoch(1), from: Seq(10), through: Seq(20) },
        previous: [0xab; 32],
    }
}

fn scan() -> Scan {
    Scan {
        verdict: Verdict::Refuse,
        reasons: [Reason::Red, Reason::TempHigh].into_iter().collect(),
        issuer: Some(id(ZHEJIANG)),
        colour: Some(Colour::Red),
        reading: Some(Reading::of(3850, -5)),
        trust_version: Some(7),
        sealed_holder: Some([0x5e; 4].into_iter().collect()),
        cause: None,
    }
}

fn full() -> Record {
    Record { time: NOW, seq: Seq(1), previous: GENESIS, body: Body::Scan(scan()), ..loss() }
}

/// An admission without a word: the common case on a lane without a thermometer.
fn plain() -> Record {
    let empty = Scan {
        verdict: Verdict::Admit,
        reasons: Reasons::new(),
        issuer: None,
        colour: None,
        reading: None,
        trust_version: None,
        sealed_holder: None,
        cause: None,
    };
    Record { body: Body::Scan(empty), ..full() }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| std::format!("{byte:02x}")).collect()
}

/// Format 1, for ever: a gate in the field and a hub of another year must agree on these.
#[test]
fn the_bytes_of_format_1_are_those_in_the_field() {
    let zeros = "00".repeat(32);
    let abs = "ab".repeat(32);
    let start = "0001010202";
    assert_eq!(
        hex(loss().to_bytes().as_bytes()),
        std::format!("a7{start}184d03821a5f5e1000020401055820{abs}0d83010a14")
    );
    let start = "000101020201";
    assert_eq!(hex(plain().to_bytes().as_bytes()), std::format!("a8{start}03821a5f5e1000010401055820{zeros}06010780"));
    assert_eq!(
        hex(full().to_bytes().as_bytes()),
        std::format!(
            "ad{start}03821a5f5e1000010401055820{zeros}0603078218331\
             83c081a0005091009030a82190f0a240b070c445e5e5e5e"
        )
    );
}

#[test]
fn a_record_reads_back() {
    for record in [loss(), full(), plain()] {
        assert_eq!(Record::from_bytes(record.to_bytes().as_bytes()), Ok(record));
    }
}

#[test]
fn what_a_volunteer_decided_a_corrected_reading_and_an_alarm_read_back() {
    let reading = Some(Reading { raw_centi_c: 3550, ..Reading::of(3640, 2200) });
    for cause in crate::manual::Cause::ALL {
        let by_hand = Scan { verdict: cause.verdict(), cause: Some(*cause), reading, ..scan() };
        let record = Record { body: Body::Scan(by_hand), ..full() };
        assert_eq!(Record::from_bytes(record.to_bytes().as_bytes()), Ok(record));
    }
    for began in [true, false] {
        let record = Record { body: Body::Alarm(began), ..full() };
        assert_eq!(Record::from_bytes(record.to_bytes().as_bytes()), Ok(record));
    }
}

#[test]
fn what_was_tried_out_reads_back_and_an_unknown_thing_is_refused() {
    let record = Record { body: Body::Tried(Tried::Relay), ..full() };
    let bytes = record.to_bytes();
    assert_eq!(Record::from_bytes(bytes.as_bytes()), Ok(record));
    let mut other = bytes.as_bytes().to_vec();
    let last = other.last_mut().expect("a record has bytes");
    assert_eq!(*last, 1);
    *last = 2;
    assert_eq!(Record::from_bytes(&other), Err(CborError::Bounds));
}

#[test]
fn the_largest_record_fits() {
    let all: Vec<Reason> = Reason::ALL.iter().copied().filter(|reason| reason.code() >= 24).take(16).collect();
    let scan = Scan {
        reasons: all.into_iter().collect(),
        issuer: crate::ids::IssuerId::new(999_999),
        reading: Some(Reading { raw_centi_c: i16::MAX, ..Reading::of(i16::MIN, i16::MIN) }),
        cause: Some(crate::manual::Cause::OtherRefuse),
        trust_version: Some(u64::MAX),
        sealed_holder: Some([0xff; MAX_SEALED_BYTES].into_iter().collect()),
        ..scan()
    };
    assert!(scan.reasons.is_full());
    let record = Record {
        epoch: Epoch(u32::MAX),
        seq: Seq(u64::MAX),
        time: Time::floor(u64::MAX),
        lane: u8::MAX,
        body: Body::Scan(scan),
        previous: [0xff; 32],
    };
    let bytes = record.to_bytes();
    assert_eq!(bytes.as_bytes().len(), 268, "at most {MAX_RECORD_BYTES}");
    assert_eq!(Record::from_bytes(bytes.as_bytes()), Ok(record));
}

#[test]
fn a_record_with_one_defect_is_refused() {
    use CborError::{Bounds, NotCanonical, Shape, Truncated};
    // Each replaces one piece of the hexadecimal text of the full record.
    for (defect, from, to, expected) in [
        ("a format from the future", "ad0001", "ad0002", Bounds),
        ("epoch in 2 bytes", "0102", "011802", NotCanonical),
        ("number zero", "020103", "020003", Bounds),
        ("a confidence of 3", "1a5f5e100001", "1a5f5e100003", Bounds),
        ("a verdict of 0", "0603", "0600", Bounds),
        ("an unknown reason", "183c", "18ff", Bounds),
        ("a reason twice", "183c", "1833", Bounds),
        ("an issuer of 7 digits", "1a00050910", "1a000f4240", Bounds),
        ("colour 4", "0903", "0904", Bounds),
        ("a reading of one number", "0a82190f0a24", "0a81190f0a", Shape),
        ("a key that is unknown", "0b07", "1107", Shape),
        ("two fields in the other order", "09030a82190f0a24", "0a82190f0a240903", NotCanonical),
        ("a field twice", "09030a82190f0a24", "09030903", NotCanonical),
        ("a map without a length", "ad0001", "bf0001", Shape),
        ("a map that is too long", "ad0001", "b8ff0001", Shape),
        ("a field too few", "ad0001", "ae0001", Truncated),
        ("a byte too many", "445e5e5e5e", "445e5e5e5e00", NotCanonical),
        ("a hash of 31 bytes", "05582000", "05581f", Bounds),
    ] {
        let text = hex(full().to_bytes().as_bytes());
        let changed = text.replacen(from, to, 1);
        assert_ne!(text, changed, "{defect}: the piece is not there");
        assert_eq!(Record::from_bytes(&unhex(&changed)), Err(expected), "{defect}");
    }
}

#[test]
fn a_loss_that_is_no_range_is_refused() {
    for (from, through) in [(21, 20), (0, 20), (0, 0)] {
        let record = Record { body: Body::Loss { epoch: Epoch(1), from: Seq(from), through: Seq(through) }, ..loss() };
        assert_eq!(Record::from_bytes(record.to_bytes().as_bytes()), Err(CborError::Bounds), "{from} to {through}");
    }
}

#[test]
fn a_record_of_both_bodies_is_refused() {
    let text = hex(full().to_bytes().as_bytes());
    let both = text.replacen("ad", "ae", 1) + "0d83010a14";
    assert_eq!(Record::from_bytes(&unhex(&both)), Err(CborError::NotCanonical));
}

#[test]
fn every_truncation_is_refused() {
    let bytes = full().to_bytes();
    for size in 0..bytes.as_bytes().len() {
        assert!(Record::from_bytes(&bytes.as_bytes()[..size]).is_err(), "the first {size} bytes");
        assert!(Record::split_first(&bytes.as_bytes()[..size]).is_err(), "the first {size} bytes");
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let mut bytes = std::vec![0; text.len() / 2];
    crate::ids::unhex(text, &mut bytes).expect("whole bytes");
    bytes
}

/// A chain of three records with their bytes.
fn chain() -> [(Record, Vec<u8>); 3] {
    let mut previous = GENESIS;
    [1, 2, 3].map(|seq| {
        let record = Record { seq: Seq(seq), previous, ..full() };
        let bytes = record.to_bytes().as_bytes().to_vec();
        previous = hash(&bytes);
        (record, bytes)
    })
}

#[test]
fn a_sequence_is_split_into_its_records() {
    let records = chain();
    let all: Vec<u8> = records.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    let mut rest = &all[..];
    for (record, bytes) in &records {
        let (found, found_bytes, after) = Record::split_first(rest).expect("three records");
        assert_eq!((&found, found_bytes), (record, &bytes[..]));
        rest = after;
    }
    assert!(rest.is_empty());
}

#[test]
fn a_whole_chain_links_from_its_genesis() {
    let mut link = Link::genesis(Epoch(2));
    for (record, bytes) in chain() {
        link = link.check(&record, &bytes).expect("the chain is whole");
    }
    assert_eq!(link.next, Seq(4));
}

#[test]
fn a_record_that_is_missing_doubled_or_of_another_life_is_a_gap() {
    let [first, second, third] = chain();
    let after_first = Link::genesis(Epoch(2)).check(&first.0, &first.1).expect("the first");
    let gap = |found| Err(ChainError::Gap { expected: Seq(2), found: Seq(found) });
    assert_eq!(after_first.check(&third.0, &third.1), gap(3));
    assert_eq!(after_first.check(&first.0, &first.1), gap(1));
    let other_life = Link { epoch: Epoch(3), ..after_first };
    assert_eq!(other_life.check(&second.0, &second.1), gap(2));
}

#[test]
fn a_record_that_was_changed_breaks_the_chain_after_it() {
    let [first, second, _] = chain();
    let mut changed = first.0.clone();
    changed.lane = 9;
    let bytes = changed.to_bytes();
    let link = Link::genesis(Epoch(2)).check(&changed, bytes.as_bytes()).expect("nothing before it tells");
    assert_eq!(link.check(&second.0, &second.1), Err(ChainError::Broken { at: Seq(2) }));
}

#[test]
fn where_the_hash_before_is_not_at_hand_the_number_still_counts() {
    let [_, second, third] = chain();
    let link = Link { epoch: Epoch(2), next: Seq(2), previous: None };
    assert!(link.check(&second.0, &second.1).is_ok());
    assert!(link.check(&third.0, &third.1).is_err());
}

#[test]
fn the_last_number_there_is_does_not_overflow() {
    let record = Record { seq: Seq(u64::MAX), ..full() };
    let link = Link { epoch: Epoch(2), next: Seq(u64::MAX), previous: None };
    assert_eq!(link.check(&record, &[]).map(|link| link.next), Ok(Seq(u64::MAX)));
}

proptest::proptest! {
    #[test]
    fn whatever_is_read_is_the_one_encoding_and_nothing_panics(
        noise in proptest::collection::vec((0..90usize, proptest::num::u8::ANY), 0..4),
        tail in proptest::collection::vec(proptest::num::u8::ANY, 0..20),
    ) {
        let mut bytes = full().to_bytes().as_bytes().to_vec();
        let size = bytes.len();
        noise.into_iter().for_each(|(at, byte)| bytes[at % size] = byte);
        bytes.extend(tail);
        if let Ok((record, one, rest)) = Record::split_first(&bytes) {
            let encoded = record.to_bytes();
            proptest::prop_assert_eq!(encoded.as_bytes(), one);
            proptest::prop_assert_eq!([one, rest].concat(), bytes);
        }
    }

    #[test]
    fn no_bytes_whatever_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..100)) {
        let _ = Record::split_first(&bytes);
    }
}
