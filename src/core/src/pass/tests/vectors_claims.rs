//! Claims with exactly one defect each, correctly signed by the issuer: a gate refuses them all the same.

use crate::cbor::CborError::{self, Bounds, NotCanonical, Shape, Truncated};
use crate::cose::Purpose;
use crate::decide::{Measured, Shown, decide};
use crate::pass::{Kind, PassError, parse};
use crate::reason::Reason;
use crate::testworld::*;
use std::vec;
use std::vec::Vec;

/// The two maps of the claims, entry by entry in their encoded form.
struct Parts {
    head: Vec<u8>,
    top: Vec<Vec<u8>>,
    private_head: Vec<u8>,
    private: Vec<Vec<u8>>,
    tail: Vec<u8>,
}

const ISS: usize = 0;
const EXP: usize = 1;
const NBF: usize = 2;
const IAT: usize = 3;
const CTI: usize = 4;
const LEVEL: usize = 0;
const SUB: usize = 1;
const KIND: usize = 2;
const DISPLAY: usize = 3;
const REASON: usize = 4;
const UNTIL: usize = 5;
const TEST: usize = 6;
const HOUSEHOLD: usize = 7;

fn time(key: u8, unix_s: u64) -> Vec<u8> {
    let short = u32::try_from(unix_s).expect("before 2106");
    [vec![key, 0x1a], short.to_be_bytes().to_vec()].concat()
}

fn long_time(key: u8, unix_s: u64) -> Vec<u8> {
    [vec![key, 0x1b], unix_s.to_be_bytes().to_vec()].concat()
}

fn bytes(key: u8, size: u8, fill: u8) -> Vec<u8> {
    [vec![key, 0x40 + size], vec![fill; size.into()]].concat()
}

fn display(name: &[u8], tail: &[u8]) -> Vec<u8> {
    let head = match name.len() as u8 {
        short @ 0..24 => vec![0x60 + short],
        long => vec![0x78, long],
    };
    [&[4, 0x82][..], &head, name, &[0x60 + tail.len() as u8], tail].concat()
}

/// A test of a sampling time (with its key) and a result.
fn test(mut sampled_at: Vec<u8>, result: u8) -> Vec<u8> {
    sampled_at.insert(1, 0x82);
    sampled_at.push(result);
    sampled_at
}

/// `full_claims(ZHEJIANG, Kind::Paper)`, written by hand from `docs/pass.cddl`.
fn good() -> Parts {
    let iat = NOW_S - 300;
    Parts {
        head: vec![0xa6],
        top: vec![
            vec![1, 0x1a, 0, 5, 9, 0x10],
            time(4, iat + 30 * 86_400),
            time(5, NOW_S - 240),
            time(6, iat),
            bytes(7, 8, 0xc1),
        ],
        private_head: vec![0x3a, 0, 1, 0, 0, 0xa8],
        private: vec![
            vec![1, 1],
            bytes(2, 16, 0x5b),
            vec![3, 2],
            display("张*三".as_bytes(), b"041X"),
            vec![5, 0x19, 1, 45],
            time(6, NOW_S + 7 * 86_400),
            test(time(7, NOW_S - 86_400), 1),
            bytes(8, 8, 0x40),
        ],
        tail: vec![],
    }
}

impl Parts {
    fn encoded(&self) -> Vec<u8> {
        [&self.head[..], &self.top.concat(), &self.private_head, &self.private.concat(), &self.tail].concat()
    }

    /// Leaves out a private entry and counts it out.
    fn without_private(&mut self, at: usize) {
        self.private.remove(at);
        self.private_head[5] -= 1;
    }

    fn without_top(&mut self, at: usize) {
        self.top.remove(at);
        self.head[0] -= 1;
    }
}

type Vector = (&'static str, fn(&mut Parts), CborError);

const SPELLING: &[Vector] = &[
    ("iss in 9 bytes", |p| p.top[ISS] = long_time(1, 330_000), NotCanonical),
    ("exp in 9 bytes", |p| p.top[EXP].splice(1..2, [0x1b, 0, 0, 0, 0]).for_each(drop), NotCanonical),
    ("a key in 2 bytes", |p| p.top[ISS].splice(0..1, [0x18, 1]).for_each(drop), NotCanonical),
    ("the private key in 9 bytes", |p| p.private_head.splice(0..1, [0x3b, 0, 0, 0, 0]).for_each(drop), NotCanonical),
    ("level in 2 bytes", |p| p.private[LEVEL] = vec![1, 0x18, 1], NotCanonical),
    ("the length of cti in 2 bytes", |p| p.top[CTI].splice(1..2, [0x58, 8]).for_each(drop), NotCanonical),
    ("the length of the name in 2 bytes", |p| p.private[DISPLAY].splice(2..3, [0x78, 7]).for_each(drop), NotCanonical),
    ("the length of the map in 2 bytes", |p| p.head = vec![0xb8, 6], NotCanonical),
    (
        "the length of the display in 2 bytes",
        |p| p.private[DISPLAY].splice(1..2, [0x98, 2]).for_each(drop),
        NotCanonical,
    ),
    ("iss after exp", |p| p.top.swap(ISS, EXP), NotCanonical),
    ("level after sub", |p| p.private.swap(LEVEL, SUB), NotCanonical),
    (
        "exp twice",
        |p| {
            p.top.push(p.top[EXP].clone());
            p.head[0] += 1
        },
        NotCanonical,
    ),
    (
        "another exp first",
        |p| {
            p.top.insert(EXP, time(4, 9));
            p.head[0] += 1
        },
        NotCanonical,
    ),
    (
        "kind twice",
        |p| {
            p.private.push(vec![3, 2]);
            p.private_head[5] += 1
        },
        NotCanonical,
    ),
    ("a byte after the claims", |p| p.tail.push(0), NotCanonical),
    ("a second map after the claims", |p| p.tail.push(0xa0), NotCanonical),
    (
        "a map without a length",
        |p| {
            p.head = vec![0xbf];
            p.tail = vec![0xff]
        },
        Shape,
    ),
    (
        "a private map without a length",
        |p| {
            p.private_head[5] = 0xbf;
            p.tail = vec![0xff]
        },
        Shape,
    ),
    (
        "cti in pieces",
        |p| {
            p.top[CTI].insert(1, 0x5f);
            p.top[CTI].push(0xff)
        },
        Shape,
    ),
    (
        "a name in pieces",
        |p| {
            p.private[DISPLAY].insert(2, 0x7f);
            p.private[DISPLAY].insert(11, 0xff)
        },
        Shape,
    ),
];

const FORM: &[Vector] = &[
    (
        "an unknown claim",
        |p| {
            p.top.push(vec![8, 0xa0]);
            p.head[0] += 1
        },
        Shape,
    ),
    (
        "an unknown private entry",
        |p| {
            p.private.push(vec![9, 1]);
            p.private_head[5] += 1
        },
        Shape,
    ),
    (
        "a claim named in text",
        |p| {
            p.top.push(vec![0x61, b'x', 1]);
            p.head[0] += 1
        },
        Shape,
    ),
    ("a map longer than any", |p| p.head = vec![0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Shape),
    ("one claim more than there is", |p| p.head[0] += 1, Truncated),
    ("one claim fewer than there are", |p| p.head[0] -= 1, Shape),
    ("no exp", |p| p.without_top(EXP), Shape),
    ("no iat", |p| p.without_top(IAT), Shape),
    ("no cti", |p| p.without_top(CTI), Shape),
    (
        "no private map",
        |p| {
            p.private_head.clear();
            p.private.clear();
            p.head[0] -= 1
        },
        Shape,
    ),
    ("no sub", |p| p.without_private(SUB), Shape),
    ("no iss", |p| p.without_top(ISS), Bounds),
    ("no level", |p| p.without_private(LEVEL), Bounds),
    ("no kind", |p| p.without_private(KIND), Bounds),
    ("iss as text", |p| p.top[ISS] = b"\x01\x66330000".to_vec(), Shape),
    ("a negative iat", |p| p.top[IAT][1] = 0x3a, Shape),
    ("exp as a float", |p| p.top[EXP][1] = 0xfa, Shape),
    ("a tagged exp", |p| p.top[EXP].insert(1, 0xc1), Shape),
    ("a null until", |p| p.private[UNTIL] = vec![6, 0xf6], Shape),
    ("sub as text", |p| p.private[SUB][1] = 0x70, Shape),
    (
        "a display of three",
        |p| {
            p.private[DISPLAY][1] = 0x83;
            p.private[DISPLAY].push(0)
        },
        Shape,
    ),
    ("a test of one", |p| p.private[TEST] = vec![7, 0x81, 1], Shape),
    ("a name that is not UTF-8", |p| p.private[DISPLAY] = display(b"\xff\xfe", b"041X"), Shape),
];

const BOUNDS: &[Vector] = &[
    ("iss of five digits", |p| p.top[ISS] = time(1, 99_999), Bounds),
    ("iss of seven digits", |p| p.top[ISS] = time(1, 1_000_000), Bounds),
    ("iss above 32 bits", |p| p.top[ISS] = long_time(1, 1 << 32), Shape),
    ("exp at iat", |p| p.top[EXP] = time(4, NOW_S - 300), Bounds),
    ("exp before iat", |p| p.top[EXP] = time(4, NOW_S - 301), Bounds),
    ("401 days of life", |p| p.top[EXP] = time(4, NOW_S + 401 * 86_400), Bounds),
    ("nbf at exp", |p| p.top[NBF] = time(5, NOW_S - 300 + 30 * 86_400), Bounds),
    ("an until beyond 2^48", |p| p.private[UNTIL] = long_time(6, 1 << 48), Bounds),
    ("the last time there is", |p| p.top[EXP] = long_time(4, u64::MAX), Bounds),
    ("a sampling time beyond 2^48", |p| p.private[TEST] = test(long_time(7, 1 << 48), 1), Bounds),
    ("cti of 7 bytes", |p| p.top[CTI] = bytes(7, 7, 1), Bounds),
    ("cti of 9 bytes", |p| p.top[CTI] = bytes(7, 9, 1), Bounds),
    ("sub of 15 bytes", |p| p.private[SUB] = bytes(2, 15, 1), Bounds),
    ("sub of 17 bytes", |p| p.private[SUB] = bytes(2, 17, 1), Bounds),
    ("a household of 9 bytes", |p| p.private[HOUSEHOLD] = bytes(8, 9, 1), Bounds),
    ("level 0", |p| p.private[LEVEL] = vec![1, 0], Bounds),
    ("level 16", |p| p.private[LEVEL] = vec![1, 16], Bounds),
    ("kind 0", |p| p.private[KIND] = vec![3, 0], Bounds),
    ("kind 6", |p| p.private[KIND] = vec![3, 6], Bounds),
    ("kind above 8 bits", |p| p.private[KIND] = vec![3, 0x19, 1, 2], Shape),
    ("a colour reason above 16 bits", |p| p.private[REASON] = time(5, 65_536), Shape),
    ("a test result of 0", |p| *p.private[TEST].last_mut().expect("the result") = 0, Bounds),
    ("a test result of 4", |p| *p.private[TEST].last_mut().expect("the result") = 4, Bounds),
    ("an empty name", |p| p.private[DISPLAY] = display(b"", b"041X"), Bounds),
    ("a name of 25 bytes", |p| p.private[DISPLAY] = display(&[b'a'; 25], b"041X"), Bounds),
    ("a new line in the name", |p| p.private[DISPLAY] = display(b"a\nb", b"041X"), Bounds),
    ("a tail of 5", |p| p.private[DISPLAY] = display(b"a", b"12345"), Bounds),
    ("a tail with a small x", |p| p.private[DISPLAY] = display(b"a", b"041x"), Bounds),
];

fn text_with(change: fn(&mut Parts)) -> std::string::String {
    let mut parts = good();
    change(&mut parts);
    text_of(&signed_bytes(&parts.encoded(), &key_of(ZHEJIANG), Purpose::Pass))
}

#[test]
fn the_pass_that_the_vectors_change_is_the_one_an_issuer_makes() {
    assert_eq!(text_with(|_| {}), issued(&full_claims(ZHEJIANG, Kind::Paper)).as_str());
}

#[test]
fn claims_with_one_defect_are_refused_though_signed() {
    let world = World::new();
    for (defect, change, expected) in [SPELLING, FORM, BOUNDS].concat() {
        let text = text_with(change);
        assert_eq!(parse(text.as_bytes()), Err(PassError::Claims(expected)), "{defect}");
        let shown = Shown::of(text.as_bytes(), world.context().trust);
        let decision = decide(&shown, Measured::Reading(GOOD_READING), NOW, world.context());
        assert_eq!(decision.reasons.as_slice(), [Reason::Damaged], "{defect}");
    }
}
