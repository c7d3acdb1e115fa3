//! Who comes to a measured lane: everybody healthy, everybody with a pass of their own.
//!
//! Apart from the film, because who they are is known before a frame is drawn. The seed draws on what a code is shown and
//! when it comes; whose it is, is random, as every pass is.

use super::super::super::pass;
use crate::authority::Authority;
use crate::moment;
use crate::outcome::Result;
use crate::request::Request;
use crate::scene::Carrier;
use crate::scene::random::Random;

/// Who issues their passes.
const ISSUER: u32 = 330_000;
/// Longer than any measurement takes, so that nobody's pass ends while they queue.
const VALID: &str = "12h";
/// A code comes at the earliest so long before the face, in milliseconds.
const BEFORE_MS: i64 = 300;
/// A code comes at the latest so long behind the face, in milliseconds.
const BEHIND_MS: i64 = 800;

/// One person.
pub(super) struct Person {
    /// What their code says.
    pub(super) payload: String,
    /// What it is shown on.
    pub(super) carrier: Carrier,
    /// How long behind the face the code comes into view, in milliseconds; negative where it comes before.
    pub(super) code_after_ms: i64,
}

/// So many people, with passes of this moment.
pub(super) fn gather(profile: &Authority, people: usize, seed: u64) -> Result<Vec<Person>> {
    let mut random = Random::new(seed);
    let now = moment::now();
    let mut person = |_| {
        let (kind, carrier) = *[("phone", Carrier::Phone), ("paper", Carrier::Paper)]
            .get(random.below(2))
            .unwrap_or(&("phone", Carrier::Phone));
        let request = Request {
            issuer: ISSUER,
            kind: kind.into(),
            name: Some("张*三".into()),
            id_tail: Some("1234".into()),
            valid: Some(VALID.into()),
            ..Request::default()
        };
        let payload = pass::issue(profile, &request.claims(now)?)?;
        let span = usize::try_from(BEFORE_MS + BEHIND_MS + 1).unwrap_or(1);
        let code_after_ms = i64::try_from(random.below(span)).unwrap_or(0) - BEFORE_MS;
        Ok(Person { payload, carrier, code_after_ms })
    };
    (0..people).map(&mut person).collect()
}
