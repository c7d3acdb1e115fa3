//! One pass, changed in every place it can be: never believed, always for a stated reason.

use crate::base45;
use crate::decide::{Measured, Shown, Verdict, decide};
use crate::pass::Kind;
use crate::reason::Reason;
use crate::testworld::*;
use std::vec::Vec;

/// What a gate may say of a pass that was changed.
const TAMPERED: [Reason; 4] = [Reason::NotAPass, Reason::Damaged, Reason::UnknownIssuer, Reason::BadSignature];

fn good_text() -> Vec<u8> {
    issued(&full_claims(ZHEJIANG, Kind::Paper)).as_bytes().to_vec()
}

fn message_of(text: &[u8]) -> Vec<u8> {
    let mut out = [0; 512];
    let size = base45::decode(&text[4..], &mut out).expect("a good pass");
    out[..size].to_vec()
}

fn assert_refused(world: &World, payload: &[u8], what: impl Fn() -> std::string::String) {
    let shown = Shown::of(payload, world.context().trust);
    assert!(!matches!(shown, Shown::Verified(_)), "{}", what());
    let decision = decide(&shown, Measured::Reading(GOOD_READING), NOW, world.context());
    assert_eq!(decision.verdict, Verdict::Refuse, "{}", what());
    assert!(decision.reasons.len() == 1 && TAMPERED.contains(&decision.reasons[0]), "{}: {decision:?}", what());
}

#[test]
fn the_pass_that_is_tampered_with_is_good() {
    let world = World::new();
    assert!(matches!(Shown::of(&good_text(), world.context().trust), Shown::Verified(_)));
}

#[test]
fn every_other_byte_in_every_place_of_the_text_is_refused() {
    let world = World::new();
    let good = good_text();
    for at in 0..good.len() {
        let mut text = good.clone();
        for byte in (0..=255).filter(|byte| *byte != good[at]) {
            text[at] = byte;
            assert_refused(&world, &text, || std::format!("byte {byte:#04x} at {at}"));
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    let world = World::new();
    let good = good_text();
    for size in 0..good.len() {
        assert_refused(&world, &good[..size], || std::format!("the first {size} characters"));
        assert_refused(&world, &good[good.len() - size..], || std::format!("the last {size} characters"));
    }
}

#[test]
fn every_byte_put_in_front_or_behind_is_refused() {
    let world = World::new();
    let good = good_text();
    for byte in 0..=255u8 {
        let behind: Vec<u8> = good.iter().copied().chain([byte]).collect();
        assert_refused(&world, &behind, || std::format!("{byte:#04x} behind"));
        let in_front: Vec<u8> = [byte].into_iter().chain(good.iter().copied()).collect();
        assert_refused(&world, &in_front, || std::format!("{byte:#04x} in front"));
    }
}

#[test]
fn every_flipped_bit_of_the_message_is_refused() {
    let world = World::new();
    let good = message_of(&good_text());
    for bit in 0..good.len() * 8 {
        let mut message = good.clone();
        message[bit / 8] ^= 1 << (bit % 8);
        assert_refused(&world, text_of(&message).as_bytes(), || std::format!("bit {bit}"));
    }
}

#[test]
fn every_byte_left_out_of_or_doubled_in_the_message_is_refused() {
    let world = World::new();
    let good = message_of(&good_text());
    for at in 0..good.len() {
        let mut shorter = good.clone();
        shorter.remove(at);
        assert_refused(&world, text_of(&shorter).as_bytes(), || std::format!("byte {at} left out"));
        let mut longer = good.clone();
        longer.insert(at, good[at]);
        assert_refused(&world, text_of(&longer).as_bytes(), || std::format!("byte {at} doubled"));
    }
}

#[test]
fn a_text_longer_than_any_pass_is_refused_unread() {
    let world = World::new();
    let long = [b"MS1:".to_vec(), std::vec![b'0'; 100_000]].concat();
    assert_refused(&world, &long, || "100000 characters".into());
}

proptest::proptest! {
    #[test]
    fn no_bytes_whatever_are_believed_or_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..600)) {
        let world = World::new();
        assert_refused(&world, text_of(&bytes).as_bytes(), || std::format!("{bytes:?}"));
    }

    /// Random bytes rarely reach the claims; a valid envelope around them always does.
    #[test]
    fn no_claims_whatever_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let world = World::new();
        let message = signed_bytes(&bytes, &key_of(ZHEJIANG), crate::cose::Purpose::Pass);
        assert_refused(&world, text_of(&message).as_bytes(), || std::format!("{bytes:?}"));
    }
}
