//! What a pass says, and its one encoding.
//!
//! The encoder here defines the format; the decoder accepts exactly what the encoder writes (see
//! [`crate::cbor`]). Keys below are those of `docs/pass.cddl` and are never reused.

use crate::cbor::{Buf, CborError, definite, same_bytes};
use crate::ids::IssuerId;
use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};

/// The most bytes of UTF-8 in a masked name.
pub const MAX_NAME_BYTES: usize = 24;
/// The most characters in the tail of a document number.
pub const MAX_ID_TAIL_CHARS: usize = 4;
/// The longest a pass may live, in seconds: 400 days.
pub const MAX_LIFETIME_S: u64 = 400 * 86_400;

/// Seconds since 1970 stay below this (the year 10889), so that no sum of two overflows.
const MAX_UNIX_S: u64 = 1 << 48;
/// RFC 8392 keeps keys below -65536 for private use.
const PRIVATE: i64 = -65_537;

mod key {
    pub(super) const ISS: i64 = 1;
    pub(super) const EXP: i64 = 4;
    pub(super) const NBF: i64 = 5;
    pub(super) const IAT: i64 = 6;
    pub(super) const CTI: i64 = 7;

    pub(super) const LEVEL: u8 = 1;
    pub(super) const SUB: u8 = 2;
    pub(super) const KIND: u8 = 3;
    pub(super) const DISPLAY: u8 = 4;
    pub(super) const COLOUR_REASON: u8 = 5;
    pub(super) const UNTIL: u8 = 6;
    pub(super) const TEST: u8 = 7;
    pub(super) const HOUSEHOLD: u8 = 8;
}

/// The colour as the issuer numbers it: 1 green, 2 yellow, 3 red, or the issuer's own up to 15.
///
/// What a level means is the issuer's to say; the trust list maps it to a [`Colour`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(u8);

impl Level {
    /// A level from 1 to 15.
    pub const fn new(number: u8) -> Option<Level> {
        if number >= 1 && number <= 15 { Some(Level(number)) } else { None }
    }

    /// The issuer's number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// The three colours of 2020.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colour {
    /// May pass.
    Green = 1,
    /// Observed at home for 7 days.
    Yellow = 2,
    /// In quarantine for 14 days.
    Red = 3,
}

impl Colour {
    /// The colour of a stored number.
    pub const fn from_number(number: u8) -> Option<Colour> {
        match number {
            1 => Some(Colour::Green),
            2 => Some(Colour::Yellow),
            3 => Some(Colour::Red),
            _ => None,
        }
    }

    /// A stable name for logs and `--json`.
    pub const fn name(self) -> &'static str {
        match self {
            Colour::Green => "green",
            Colour::Yellow => "yellow",
            Colour::Red => "red",
        }
    }
}

/// How the pass is carried and for whom. The numbers are in passes: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// On the holder's phone; lives for minutes.
    Phone = 1,
    /// Printed; lives for weeks.
    Paper = 2,
    /// For a child or an old person, shown by a member of the family.
    Dependent = 3,
    /// For a visitor of a site.
    Visitor = 4,
    /// A residents' committee's own pass.
    Community = 5,
}

impl Kind {
    /// Every kind, in the order of its number.
    pub const ALL: [Kind; 5] = [Kind::Phone, Kind::Paper, Kind::Dependent, Kind::Visitor, Kind::Community];

    /// The kind of a stored number.
    pub fn from_number(number: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// A stable name for CSV files and `--json`.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Phone => "phone",
            Kind::Paper => "paper",
            Kind::Dependent => "dependent",
            Kind::Visitor => "visitor",
            Kind::Community => "community",
        }
    }
}

/// What the volunteer compares with a document: never a full name or number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Display {
    /// A masked name such as 张*三, at most [`MAX_NAME_BYTES`] bytes.
    pub name: heapless::String<MAX_NAME_BYTES>,
    /// The last characters of the document number, at most [`MAX_ID_TAIL_CHARS`], of 0-9 and X.
    pub id_tail: heapless::String<MAX_ID_TAIL_CHARS>,
}

/// The newest nucleic acid test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Test {
    /// When the sample was taken, seconds since 1970.
    pub sampled_at: u64,
    /// What it showed.
    pub result: TestResult,
}

/// The result of a test. The numbers are in passes: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestResult {
    /// Nothing found.
    Negative = 1,
    /// Found.
    Positive = 2,
    /// Sampled, no result yet.
    Pending = 3,
}

impl TestResult {
    /// The result of a stored number.
    pub const fn from_number(number: u8) -> Option<TestResult> {
        match number {
            1 => Some(TestResult::Negative),
            2 => Some(TestResult::Positive),
            3 => Some(TestResult::Pending),
            _ => None,
        }
    }

    /// A stable name for CSV files and `--json`.
    pub const fn name(self) -> &'static str {
        match self {
            TestResult::Negative => "negative",
            TestResult::Positive => "positive",
            TestResult::Pending => "pending",
        }
    }
}

/// Everything a pass says. Times are seconds since 1970-01-01 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// `iss`: who answers for the colour.
    pub issuer: IssuerId,
    /// `iat`.
    pub issued_at: u64,
    /// `nbf`, where it is not `iat`.
    pub not_before: Option<u64>,
    /// `exp`: at most [`MAX_LIFETIME_S`] after `iat`.
    pub expires_at: u64,
    /// `cti`: which pass this is.
    pub pass_id: [u8; 8],
    /// The colour in the issuer's numbering.
    pub level: Level,
    /// `sub`: the holder's opaque pseudonym, meaningful to this issuer only.
    pub holder: [u8; 16],
    /// How the pass is carried.
    pub kind: Kind,
    /// What a volunteer may compare.
    pub display: Option<Display>,
    /// Why the colour is what it is, in the issuer's numbering.
    pub colour_reason: Option<u16>,
    /// When quarantine or observation ends.
    pub until: Option<u64>,
    /// The newest test.
    pub test: Option<Test>,
    /// The household's opaque pseudonym, for outing quotas.
    pub household: Option<[u8; 8]>,
}

impl Claims {
    /// The first second in which the pass is valid.
    pub fn valid_from(&self) -> u64 {
        self.not_before.unwrap_or(self.issued_at)
    }

    /// Whether every field is within its bounds.
    pub fn check(&self) -> Result<(), CborError> {
        let times = [Some(self.issued_at), Some(self.expires_at), self.not_before, self.until];
        let sampled = self.test.map(|test| test.sampled_at);
        let in_range = times.into_iter().chain([sampled]).flatten().all(|t| t < MAX_UNIX_S);
        let lives = self.issued_at < self.expires_at
            && self.valid_from() < self.expires_at
            && self.expires_at - self.issued_at <= MAX_LIFETIME_S;
        let tail = |d: &Display| d.id_tail.bytes().all(|b| b.is_ascii_digit() || b == b'X');
        let name = |d: &Display| !d.name.is_empty() && !d.name.chars().any(char::is_control);
        let shown = self.display.as_ref().is_none_or(|d| tail(d) && name(d));
        if in_range && lives && shown { Ok(()) } else { Err(CborError::Bounds) }
    }

    /// Writes the one encoding of these claims.
    pub fn encode<W: Write>(&self, out: W) -> Result<(), encode::Error<W::Error>> {
        let mut e = Encoder::new(out);
        e.map(5 + u64::from(self.not_before.is_some()))?;
        e.i64(key::ISS)?.u32(self.issuer.code())?;
        e.i64(key::EXP)?.u64(self.expires_at)?;
        if let Some(not_before) = self.not_before {
            e.i64(key::NBF)?.u64(not_before)?;
        }
        e.i64(key::IAT)?.u64(self.issued_at)?;
        e.i64(key::CTI)?.bytes(&self.pass_id)?;
        e.i64(PRIVATE)?;
        self.encode_private(&mut e)
    }

    fn encode_private<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        let optional = [
            self.display.is_some(),
            self.colour_reason.is_some(),
            self.until.is_some(),
            self.test.is_some(),
            self.household.is_some(),
        ];
        e.map(3 + optional.into_iter().filter(|&given| given).count() as u64)?;
        e.u8(key::LEVEL)?.u8(self.level.number())?;
        e.u8(key::SUB)?.bytes(&self.holder)?;
        e.u8(key::KIND)?.u8(self.kind as u8)?;
        if let Some(display) = &self.display {
            e.u8(key::DISPLAY)?.array(2)?.str(&display.name)?.str(&display.id_tail)?;
        }
        if let Some(reason) = self.colour_reason {
            e.u8(key::COLOUR_REASON)?.u16(reason)?;
        }
        if let Some(until) = self.until {
            e.u8(key::UNTIL)?.u64(until)?;
        }
        if let Some(test) = self.test {
            e.u8(key::TEST)?.array(2)?.u64(test.sampled_at)?.u8(test.result as u8)?;
        }
        if let Some(household) = self.household {
            e.u8(key::HOUSEHOLD)?.bytes(&household)?;
        }
        Ok(())
    }

    /// Reads claims; anything but their one encoding within bounds is refused.
    pub fn decode(bytes: &[u8]) -> Result<Claims, CborError> {
        let mut d = Decoder::new(bytes);
        let claims = decode_claims(&mut d)?;
        claims.check()?;
        let mut canonical = Buf::<{ super::MAX_BYTES }>::new();
        claims.encode(&mut canonical).map_err(|_| CborError::Bounds)?;
        same_bytes(canonical.as_bytes(), bytes)?;
        Ok(claims)
    }
}

fn decode_claims(d: &mut Decoder<'_>) -> Result<Claims, CborError> {
    let (mut iss, mut exp, mut nbf, mut iat, mut cti, mut private) = (None, None, None, None, None, None);
    for _ in 0..bounded(definite(d.map()?)?)? {
        match d.i64()? {
            key::ISS => iss = Some(d.u32()?),
            key::EXP => exp = Some(d.u64()?),
            key::NBF => nbf = Some(d.u64()?),
            key::IAT => iat = Some(d.u64()?),
            key::CTI => cti = Some(array(d.bytes()?)?),
            PRIVATE => private = Some(decode_private(d)?),
            _ => return Err(CborError::Shape),
        }
    }
    let private = private.ok_or(CborError::Shape)?;
    Ok(Claims {
        issuer: iss.and_then(IssuerId::new).ok_or(CborError::Bounds)?,
        issued_at: iat.ok_or(CborError::Shape)?,
        not_before: nbf,
        expires_at: exp.ok_or(CborError::Shape)?,
        pass_id: cti.ok_or(CborError::Shape)?,
        level: private.level.and_then(Level::new).ok_or(CborError::Bounds)?,
        holder: private.sub.ok_or(CborError::Shape)?,
        kind: private.kind.and_then(Kind::from_number).ok_or(CborError::Bounds)?,
        display: private.display,
        colour_reason: private.colour_reason,
        until: private.until,
        test: private.test,
        household: private.household,
    })
}

#[derive(Default)]
struct Private {
    level: Option<u8>,
    sub: Option<[u8; 16]>,
    kind: Option<u8>,
    display: Option<Display>,
    colour_reason: Option<u16>,
    until: Option<u64>,
    test: Option<Test>,
    household: Option<[u8; 8]>,
}

fn decode_private(d: &mut Decoder<'_>) -> Result<Private, CborError> {
    let mut private = Private::default();
    for _ in 0..bounded(definite(d.map()?)?)? {
        match d.u8()? {
            key::LEVEL => private.level = Some(d.u8()?),
            key::SUB => private.sub = Some(array(d.bytes()?)?),
            key::KIND => private.kind = Some(d.u8()?),
            key::DISPLAY => private.display = Some(decode_display(d)?),
            key::COLOUR_REASON => private.colour_reason = Some(d.u16()?),
            key::UNTIL => private.until = Some(d.u64()?),
            key::TEST => private.test = Some(decode_test(d)?),
            key::HOUSEHOLD => private.household = Some(array(d.bytes()?)?),
            _ => return Err(CborError::Shape),
        }
    }
    Ok(private)
}

fn decode_display(d: &mut Decoder<'_>) -> Result<Display, CborError> {
    pair(d)?;
    Ok(Display {
        name: d.str()?.parse().map_err(|_| CborError::Bounds)?,
        id_tail: d.str()?.parse().map_err(|_| CborError::Bounds)?,
    })
}

fn decode_test(d: &mut Decoder<'_>) -> Result<Test, CborError> {
    pair(d)?;
    Ok(Test { sampled_at: d.u64()?, result: TestResult::from_number(d.u8()?).ok_or(CborError::Bounds)? })
}

fn pair(d: &mut Decoder<'_>) -> Result<(), CborError> {
    if definite(d.array()?)? == 2 { Ok(()) } else { Err(CborError::Shape) }
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], CborError> {
    bytes.try_into().map_err(|_| CborError::Bounds)
}

/// A map longer than any this format has is refused before it is walked.
fn bounded(entries: u64) -> Result<u64, CborError> {
    if entries <= 16 { Ok(entries) } else { Err(CborError::Shape) }
}
