//! What an issuer makes is read back whole, and fits the code it is printed as.

use crate::cbor::CborError;
use crate::decide::{Shown, Verdict, decide};
use crate::ids::KeyId;
use crate::pass::{self, Claims, Display, IssueError, Kind, MAX_QR_TEXT, Test, TestResult, VerifyError};
use crate::testworld::*;

/// A pass with every field, at times of this size and a name of this many bytes.
fn fullest(at_s: u64, name_bytes: usize) -> Claims {
    let name = "张".repeat(name_bytes / 3) + &"*".repeat(name_bytes % 3);
    Claims {
        issued_at: at_s,
        not_before: Some(at_s + 1),
        expires_at: at_s + 600,
        display: Some(Display { name: name.as_str().parse().expect("short"), id_tail: "041X".parse().expect("short") }),
        colour_reason: Some(u16::MAX),
        until: Some(at_s + 700),
        test: Some(Test { sampled_at: at_s, result: TestResult::Negative }),
        ..of_level(15, full_claims(HANGZHOU, Kind::Community))
    }
}

#[test]
fn a_pass_of_every_kind_is_admitted_and_fits_its_code() {
    let world = World::new();
    for kind in Kind::ALL {
        for claims in [claims(ZHEJIANG, kind), full_claims(ZHEJIANG, kind)] {
            let text = issued(&claims);
            assert!(text.len() <= MAX_QR_TEXT, "{kind:?}: {} characters", text.len());
            let shown = Shown::of(text.as_bytes(), world.context().trust);
            let decision = decide(&shown, crate::decide::Measured::Reading(GOOD_READING), NOW, world.context());
            assert_eq!((decision.verdict, decision.reasons.as_slice()), (Verdict::Admit, &[][..]), "{kind:?}");
        }
    }
}

#[test]
fn a_verified_pass_says_what_was_issued() {
    let world = World::new();
    let claims = full_claims(HANGZHOU, Kind::Paper);
    let pass = world.verified(&claims);
    assert_eq!(pass.claims(), &claims);
    assert_eq!(pass.kid(), KeyId::of(&key_of(HANGZHOU).verifying_key().to_bytes()));
}

#[test]
fn issuing_refuses_what_no_printed_code_holds() {
    let issue = |name_bytes| pass::issue(&fullest(NOW_S, name_bytes), &key_of(HANGZHOU)).map(|text| text.len());
    assert_eq!(issue(20), Ok(310), "the fullest pass with a name of 6 Chinese characters and 2 stars");
    assert_eq!(issue(21), Err(IssueError::TooLong));
}

#[test]
fn issuing_refuses_claims_that_no_gate_would_read() {
    let claims = Claims { expires_at: NOW_S - 300, ..claims(ZHEJIANG, Kind::Phone) };
    assert_eq!(pass::issue(&claims, &key_of(ZHEJIANG)), Err(IssueError::Claims(CborError::Bounds)));
}

#[test]
fn each_failure_to_verify_has_its_own_error() {
    let verify = |text: &str, trust| pass::parse(text.as_bytes()).expect("well formed").verify(trust).err();
    let World { trust, .. } = World::new();
    let kid = |code: u32| KeyId::of(&key_of(code).verifying_key().to_bytes());
    let zhejiang = claims(ZHEJIANG, Kind::Phone);

    let stranger = issued(&claims(510_000, Kind::Phone));
    assert_eq!(verify(&stranger, &trust), Some(VerifyError::UnknownIssuer(id(510_000))));

    let new_key = pass::issue(&zhejiang, &key_of(510_000)).expect("good claims");
    assert_eq!(verify(&new_key, &trust), Some(VerifyError::UnknownKey(kid(510_000))));

    let impostor = pass::issue(&zhejiang, &key_of(HUBEI)).expect("good claims");
    let wrong = VerifyError::WrongIssuer { key_of: id(HUBEI), claimed: id(ZHEJIANG) };
    assert_eq!(verify(&impostor, &trust), Some(wrong));

    let other_purpose = signed_bytes(&encoded_claims(&zhejiang), &key_of(ZHEJIANG), crate::cose::Purpose::Batch);
    assert_eq!(verify(&text_of(&other_purpose), &trust), Some(VerifyError::BadSignature));

    let mut content = content();
    content.keys.iter_mut().for_each(|key| key.valid_from = NOW_S);
    assert_eq!(verify(&issued(&zhejiang), &trust_list(&content)), Some(VerifyError::KeyNotValidAtIssue));
}

fn encoded_claims(claims: &Claims) -> std::vec::Vec<u8> {
    let mut out = crate::cbor::Buf::<512>::new();
    claims.encode(&mut out).expect("fits");
    out.as_bytes().to_vec()
}
