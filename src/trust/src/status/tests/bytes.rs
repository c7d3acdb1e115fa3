//! Any bytes: refused with a reason, or read without a panic.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn good_list() -> Vec<u8> {
    let entries: Vec<_> = (0..300).map(|number| (tag(number), Status::ALL[number as usize % 4])).collect();
    list_bytes(about(7), &entries)
}

fn good_delta() -> Vec<u8> {
    delta(8, &[(1, None), (2, Some(RED)), (3, Some(GREEN)), (4, Some(Status::Revoked))]).to_bytes()
}

/// Opens a list and asks it everything.
fn exercise(bytes: &[u8]) {
    if let Ok(list) = open(bytes) {
        for number in 0..400 {
            let _ = list.look_up(tag(number));
        }
        for number in [0, 1, u64::MAX, u64::MAX - 1] {
            let _ = list.look_up(Tag::from_number(number));
        }
        let _ = list.entries().count();
    }
}

#[test]
fn every_truncation_is_refused() {
    let (list, delta) = (good_list(), good_delta());
    for size in 0..list.len() {
        assert!(matches!(open(&list[..size]), Err(StatusError::Damaged { .. })), "the first {size} bytes of a list");
    }
    for size in 0..delta.len() {
        let parsed = Delta::parse(&delta[..size]);
        assert!(matches!(parsed, Err(StatusError::Damaged { .. })), "the first {size} bytes of a delta");
    }
}

#[test]
fn trailing_bytes_are_refused() {
    let (mut list, mut delta) = (good_list(), good_delta());
    list.push(0);
    delta.push(0);
    assert!(matches!(open(&list), Err(StatusError::Damaged { .. })));
    assert!(matches!(Delta::parse(&delta), Err(StatusError::Damaged { .. })));
}

#[test]
fn every_flipped_bit_of_a_list_is_survived() {
    let mut list = good_list();
    for bit in 0..list.len() * 8 {
        list[bit / 8] ^= 1 << (bit % 8);
        exercise(&list);
        list[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn every_delta_that_is_read_has_one_encoding() {
    let mut delta = good_delta();
    for bit in 0..delta.len() * 8 {
        delta[bit / 8] ^= 1 << (bit % 8);
        if let Ok(parsed) = Delta::parse(&delta) {
            assert_eq!(parsed.to_bytes(), delta, "bit {bit}");
        }
        delta[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn a_header_that_promises_more_than_there_is_is_refused_before_memory_is_asked_for() {
    let mut list = good_list();
    list[28..32].fill(0xff);
    list[32] = super::super::buckets::bits_for(u32::MAX);
    assert!(matches!(open(&list), Err(StatusError::Damaged { .. })));
    let mut delta = good_delta();
    delta[28..32].fill(0xff);
    assert!(matches!(Delta::parse(&delta), Err(StatusError::Damaged { .. })));
}

#[test]
fn what_is_no_such_file_is_told_apart_from_what_is_damaged() {
    let (list, delta) = (good_list(), good_delta());
    assert!(matches!(open(&delta), Err(StatusError::Magic { expected: "status list" })));
    assert!(matches!(Delta::parse(&list), Err(StatusError::Magic { expected: "status delta" })));
    let mut newer = delta;
    newer[7] = 2;
    assert!(matches!(Delta::parse(&newer), Err(StatusError::Format { found: 2, .. })));
}

#[test]
fn the_bytes_are_those_that_the_format_describes() {
    let list = list_bytes(about(7), &[(Tag::from_number(0x8123_4567_89ab_cdef), RED)]);
    let mut expected = b"MS-LIST\x01".to_vec();
    expected.extend(330_000_u32.to_be_bytes());
    expected.extend(7_u64.to_be_bytes());
    expected.extend(as_of(7).to_be_bytes());
    expected.extend([0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend([0_u32, 0, 0, 1, 1].map(u32::to_be_bytes).concat());
    // Without its two bits of bucket the tag goes on with 0x048d, and ends with 46 bits beside state 2.
    expected.extend([0x04, 0x8d]);
    let far = (0x8123_4567_89ab_cdef_u64 & ((1 << 46) - 1)) << 2 | 2;
    expected.extend(&far.to_be_bytes()[2..]);
    assert_eq!(list, expected);
    let delta = Delta::new(about(8), [(Tag::from_number(5), None), (Tag::from_number(4), Some(RED))]);
    let bytes = delta.expect("one change a tag").to_bytes();
    assert_eq!(&bytes[..8], b"MS-DELT\x01");
    assert_eq!(bytes[40..], [0, 0, 0, 0, 0, 0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0, 5, 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_columns_hold_the_whole_tag_in_lists_of_every_size(
        number in any::<u64>(),
        status in proptest::sample::select(Status::ALL.to_vec()),
        bits in 2..=27_u8,
    ) {
        use super::super::list::{far_bytes, far_of, near_of};
        let far = far_of(number, status, bits);
        prop_assert!(far < 1 << (8 * far_bytes(bits) as u32));
        let near = u64::from(near_of(number, bits)) << (48 - bits);
        prop_assert_eq!(number >> (64 - bits) << (64 - bits) | near | far >> 2, number);
        prop_assert_eq!(status_of((far & 3) as u8 + 1), Some(status));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(
        kind in any::<bool>(),
        begin in 0..60_usize,
        noise in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let good = if kind { good_list() } else { good_delta() };
        let bytes = [&good[..begin.min(good.len())], &noise].concat();
        exercise(&bytes);
        let _ = Delta::parse(&bytes);
    }

    #[test]
    fn several_damaged_bytes_of_a_list_are_survived(
        damage in proptest::collection::btree_map(0..2000_usize, any::<u8>(), 1..20),
    ) {
        let mut list = good_list();
        let damage: BTreeMap<usize, u8> = damage;
        for (at, byte) in damage {
            if let Some(place) = list.get_mut(at) {
                *place = byte;
            }
        }
        exercise(&list);
    }
}
