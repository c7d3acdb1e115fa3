//! The messages between gate and hub, byte by byte.

use super::*;
use crate::cbor::Buf;
use core::fmt::Debug;
use std::string::String;
use std::vec::Vec;

const GATE: GateId = GateId([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
const BATCH: Batch<'static> =
    Batch { gate: GATE, epoch: Epoch(2), first: Seq(300), count: 512, records: &[0xde, 0xad, 0xbe, 0xef] };
const ACK: Ack = Ack { gate: GATE, epoch: Epoch(2), through: Seq(811), hub_unix_s: 1_600_000_000 };
const ENROL: Enrol<'static> = Enrol { public_key: [0x42; 32], label: "东门 1", token: "t0ken" };
const TIME: HubTime = HubTime { nonce: [0x77; 16], unix_s: 1_600_000_000 };

fn encoded<'a>(message: &impl Message<'a>) -> Vec<u8> {
    let mut out = Buf::<1024>::new();
    message.encode(&mut out).expect("fits");
    out.as_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| std::format!("{byte:02x}")).collect()
}

/// Version 1, for ever: a gate in the field and a hub of another year must agree on these.
#[test]
fn the_bytes_of_version_1_are_those_in_the_field() {
    assert_eq!(CURRENT, 1, "a new version brings its own bytes below and keeps these");
    assert_eq!(hex(&encoded(&BATCH)), "8601481122334455667788021901 2c19020044deadbeef".replace(' ', ""));
    assert_eq!(hex(&encoded(&ACK)), "85014811223344556677880219032b1a5f5e1000");
    let expected = std::format!("84015820{}68e4b89ce997a820316574306b656e", "42".repeat(32));
    assert_eq!(hex(&encoded(&ENROL)), expected);
    assert_eq!(hex(&encoded(&TIME)), std::format!("830150{}1a5f5e1000", "77".repeat(16)));
}

#[test]
fn a_message_reads_back() {
    assert_eq!(Batch::decode(&encoded(&BATCH)), Ok(BATCH));
    assert_eq!(Ack::decode(&encoded(&ACK)), Ok(ACK));
    assert_eq!(Enrol::decode(&encoded(&ENROL)), Ok(ENROL));
    assert_eq!(HubTime::decode(&encoded(&TIME)), Ok(TIME));
}

/// What every message refuses, whatever it says: the defects are in its first two bytes or its length.
fn assert_strict<'a, M: Message<'a> + Debug + PartialEq>(bytes: &'a [u8], defects: &'a [(Vec<u8>, CborError)]) {
    for size in 0..bytes.len() {
        assert!(M::decode(&bytes[..size]).is_err(), "the first {size} bytes");
    }
    for (changed, error) in defects {
        assert_eq!(M::decode(changed), Err(*error), "{}", hex(changed));
    }
}

fn defects_of(bytes: &[u8]) -> Vec<(Vec<u8>, CborError)> {
    let with = |head: &[u8]| [head, &bytes[2..]].concat();
    let count = bytes[0];
    std::vec![
        ([bytes, &[0]].concat(), CborError::NotCanonical),
        (with(&[count + 1, 1]), CborError::Shape),
        (with(&[0x9f, 1]), CborError::Shape),
        (with(&[count, 0]), CborError::Bounds),
        (with(&[count, CURRENT + 1]), CborError::Bounds),
        (with(&[count, 0x18, 1]), CborError::NotCanonical),
        (with(&[0x98, count - 0x80, 1]), CborError::NotCanonical),
    ]
}

#[test]
fn each_message_has_one_encoding() {
    let [batch, ack, enrol, time] = [encoded(&BATCH), encoded(&ACK), encoded(&ENROL), encoded(&TIME)];
    let defects = [&batch, &ack, &enrol, &time].map(|bytes| defects_of(bytes));
    assert_strict::<Batch<'_>>(&batch, &defects[0]);
    assert_strict::<Ack>(&ack, &defects[1]);
    assert_strict::<Enrol<'_>>(&enrol, &defects[2]);
    assert_strict::<HubTime>(&time, &defects[3]);
}

#[test]
fn a_batch_has_bounds() {
    for (defect, batch) in [
        ("no records", Batch { count: 0, ..BATCH }),
        ("more records than a batch may have", Batch { count: MAX_BATCH_RECORDS + 1, ..BATCH }),
        ("a first number of zero", Batch { first: Seq(0), ..BATCH }),
        ("a last number beyond the last there is", Batch { first: Seq(u64::MAX - 510), ..BATCH }),
    ] {
        assert_eq!(Batch::decode(&encoded(&batch)), Err(CborError::Bounds), "{defect}");
    }
}

#[test]
fn an_enrolment_has_bounds() {
    let long = "x".repeat(MAX_TEXT_BYTES + 1);
    for (defect, enrol) in [
        ("a label that is too long", Enrol { label: &long, ..ENROL }),
        ("a token that is too long", Enrol { token: &long, ..ENROL }),
    ] {
        assert_eq!(Enrol::decode(&encoded(&enrol)), Err(CborError::Bounds), "{defect}");
    }
    let just = Enrol { label: &long[1..], token: &long[1..], ..ENROL };
    assert_eq!(Enrol::decode(&encoded(&just)), Ok(just));
}

#[test]
fn an_id_of_another_length_is_refused() {
    let mut bytes = encoded(&ACK);
    bytes[2] = 0x47;
    bytes.remove(3);
    assert_eq!(Ack::decode(&bytes), Err(CborError::Bounds));
    let mut bytes = encoded(&TIME);
    bytes[2] = 0x4f;
    bytes.remove(3);
    assert_eq!(HubTime::decode(&bytes), Err(CborError::Bounds));
}

proptest::proptest! {
    #[test]
    fn whatever_is_read_is_the_one_encoding_and_nothing_panics(
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..60),
        head in 0x83..0x87u8,
    ) {
        let bytes = [&[head, 1][..], &bytes].concat();
        if let Ok(batch) = Batch::decode(&bytes) {
            proptest::prop_assert_eq!(encoded(&batch), &bytes[..]);
        }
        if let Ok(ack) = Ack::decode(&bytes) {
            proptest::prop_assert_eq!(encoded(&ack), &bytes[..]);
        }
        if let Ok(enrol) = Enrol::decode(&bytes) {
            proptest::prop_assert_eq!(encoded(&enrol), &bytes[..]);
        }
        if let Ok(time) = HubTime::decode(&bytes) {
            proptest::prop_assert_eq!(encoded(&time), &bytes[..]);
        }
    }
}
