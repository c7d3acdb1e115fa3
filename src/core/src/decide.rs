//! From everything that is known of a person to one decision with all its reasons.
//!
//! Every check runs whatever the others said, so that a person who is refused hears everything at
//! once and is not sent back twice. The verdict follows from the reasons and nothing else: the
//! gravest one decides, no reason means admit, and only a [`VerifiedPass`] can have no reason.

use crate::history::{self, History, HouseholdRef, PassRef};
use crate::ids::IssuerId;
use crate::manual::Cause;
use crate::pass::{Colour, Display, Kind, PassError, TestResult, VerifiedPass, VerifyError};
use crate::policy::{Policy, SiteClass, Thermometry};
use crate::reason::Reason;
use crate::recognition::{self, Recognition};
use crate::status::{self, Finding, Status, StatusSource};
use crate::thermo::{self, Judgement, Reading};
use crate::time::{Time, Validity};
use crate::trust::{Freshness, TrustList};

pub use crate::verdict::Verdict;

/// What came of the code that was shown.
#[derive(Clone, Debug)]
pub enum Shown {
    /// No code was seen.
    Nothing,
    /// A code was seen and could not be read.
    Unreadable,
    /// A code was read that is no well-formed pass.
    Malformed(PassError),
    /// A well-formed pass that is not believed.
    Unverified(VerifyError),
    /// A well-formed pass, and no trust list to verify it with.
    NoTrust,
    /// A pass that its issuer signed.
    Verified(VerifiedPass),
}

impl Shown {
    /// Parses and verifies the payload of a code.
    pub fn of(payload: &[u8], trust: Option<&TrustList>) -> Shown {
        let pass = match crate::pass::parse(payload) {
            Ok(pass) => pass,
            Err(error) => return Shown::Malformed(error),
        };
        let Some(trust) = trust else { return Shown::NoTrust };
        match pass.verify(trust) {
            Ok(pass) => Shown::Verified(pass),
            Err(error) => Shown::Unverified(error),
        }
    }

    /// The code that counts, where several are in view: a believed pass before any other pass, any pass
    /// before any other code, and the first of equals. Gives its place among the payloads.
    pub fn best<'a>(payloads: impl IntoIterator<Item = &'a [u8]>, trust: Option<&TrustList>) -> Option<(usize, Shown)> {
        let mut best: Option<(usize, Shown)> = None;
        for (at, payload) in payloads.into_iter().enumerate() {
            let shown = Shown::of(payload, trust);
            if best.as_ref().is_none_or(|(_, other)| shown.weight() > other.weight()) {
                best = Some((at, shown));
            }
        }
        best
    }

    /// How much a code counts beside others in view.
    const fn weight(&self) -> u8 {
        match self {
            Shown::Verified(_) => 3,
            Shown::Unverified(_) | Shown::NoTrust => 2,
            Shown::Malformed(PassError::NotAPass) => 0,
            Shown::Malformed(_) => 1,
            Shown::Nothing | Shown::Unreadable => 0,
        }
    }
}

/// What the thermometer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// Nothing within the window.
    Nothing,
    /// A reading; the last one, if several were taken.
    Reading(Reading),
}

/// What a gate stands on: the place and what it believes.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The trust list, if the gate has one.
    pub trust: Option<&'a TrustList>,
    /// The status lists, if the gate has any.
    pub status: Option<&'a dyn StatusSource>,
    /// Who was let in lately, where somebody remembers.
    pub history: Option<&'a dyn History>,
    /// The rules of the site.
    pub policy: &'a Policy,
    /// The province or city of the gate.
    pub home: IssuerId,
}

impl core::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Context").field("policy", self.policy).field("home", &self.home).finish_non_exhaustive()
    }
}

/// All reasons of a decision, the gravest first.
pub type Reasons = heapless::Vec<Reason, 16>;

/// What a decision rests on, for the screen and the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// By the rules of which class of site.
    pub site: SiteClass,
    /// What a yellow code leads to by them.
    pub yellow: Verdict,
    /// The issuer, where its signature was right.
    pub issuer: Option<IssuerId>,
    /// The colour as treated here.
    pub colour: Option<Colour>,
    /// How the pass is carried.
    pub kind: Option<Kind>,
    /// How the issuer's passes count here.
    pub recognition: Option<Recognition>,
    /// When the pass expires, seconds since 1970.
    pub expires_at: Option<u64>,
    /// When quarantine or observation ends.
    pub until: Option<u64>,
    /// What the volunteer may compare; for the screen, never for the record.
    pub display: Option<Display>,
    /// The holder's pseudonym; sealed before it is recorded, never shown.
    pub holder: Option<[u8; 16]>,
    /// The pass by its number, to know it again; never recorded, never shown.
    pub pass: Option<PassRef>,
    /// The household by its pseudonym, to count its outings; never recorded, never shown.
    pub household: Option<HouseholdRef>,
    /// Which trust list was used.
    pub trust_version: Option<u64>,
    /// When it was published.
    pub trust_as_of: Option<u64>,
    /// How old it is by the site's policy.
    pub freshness: Freshness,
    /// What became of the pass since it was issued, by the lists that the gate has.
    pub status: Option<Status>,
    /// Until when the list that answers for the pass is complete; `None` without one.
    pub status_as_of: Option<u64>,
    /// What the gate may have missed of the pass; `None` where nobody publishes a list of its issuer's passes.
    pub status_freshness: Option<Freshness>,
    /// What was known of the time, given that it is not before the trust list's `as_of`.
    pub time: Time,
    /// What the thermometer said.
    pub reading: Option<Reading>,
}

/// What the gate does and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What happens.
    pub verdict: Verdict,
    /// Why, the gravest first; empty for a plain admission.
    pub reasons: Reasons,
    /// What it rests on.
    pub evidence: Evidence,
    /// Why a volunteer decided otherwise, where one did.
    pub cause: Option<Cause>,
}

impl Decision {
    /// What a volunteer makes of this decision: the cause's verdict, by one more reason that says so and comes first, for
    /// it decides. What the gate found stays behind it.
    pub fn by_hand(self, cause: Cause) -> Decision {
        let found = self.reasons.iter().copied().filter(|reason| *reason != Reason::ManualOverride);
        let reasons = core::iter::once(Reason::ManualOverride).chain(found).take(Reasons::new().capacity()).collect();
        Decision { verdict: cause.verdict(), cause: Some(cause), reasons, ..self }
    }

    /// The same decision with one more reason.
    pub fn with(mut self, reason: Reason) -> Decision {
        add(&mut self.reasons, reason);
        self.verdict = self.verdict.max(reason.calls_for());
        self.reasons.sort_unstable_by_key(|reason| reason.rank());
        self
    }
}

/// Decides. Pure: the same inputs give the same decision.
pub fn decide(shown: &Shown, measured: Measured, now: Time, context: Context<'_>) -> Decision {
    let mut reasons = Reasons::new();
    // The trust anchor signed the list at `as_of`, so now is not before it, whatever a clock says.
    let now = context.trust.map_or(now, |trust| now.not_before(trust.content().as_of));
    let mut evidence = evidence_of_context(measured, now, context);
    match shown {
        Shown::Nothing => add(&mut reasons, Reason::NoCode),
        Shown::Unreadable => add(&mut reasons, Reason::Unreadable),
        Shown::Malformed(PassError::NotAPass) => add(&mut reasons, Reason::NotAPass),
        Shown::Malformed(_) => add(&mut reasons, Reason::Damaged),
        Shown::Unverified(error) => add(&mut reasons, reason_of_verify(*error)),
        Shown::NoTrust => add(&mut reasons, Reason::TrustMissing),
        Shown::Verified(pass) => judge_pass(pass, now, context, &mut reasons, &mut evidence),
    }
    if let Shown::Verified(_) = shown {
        judge_trust(context.trust.map(|_| evidence.freshness), &mut reasons);
        judge_reading(measured, context.policy, &mut reasons);
    } else if let (Thermometry::Required, Measured::Reading(reading)) = (context.policy.thermometry, measured)
        && thermo::judge(reading, context.policy) == Judgement::High
    {
        add(&mut reasons, Reason::TempHigh);
    }
    reasons.sort_unstable_by_key(|reason| reason.rank());
    let verdict = reasons.iter().map(|reason| verdict_of(*reason, context.policy)).max();
    Decision { verdict: verdict.unwrap_or(Verdict::Admit), reasons, evidence, cause: None }
}

fn evidence_of_context(measured: Measured, now: Time, context: Context<'_>) -> Evidence {
    let content = context.trust.map(TrustList::content);
    let as_of = content.map(|content| content.as_of);
    Evidence {
        site: context.policy.class,
        yellow: context.policy.yellow,
        issuer: None,
        colour: None,
        kind: None,
        recognition: None,
        expires_at: None,
        until: None,
        display: None,
        holder: None,
        pass: None,
        household: None,
        trust_version: content.map(|content| content.version),
        trust_as_of: as_of,
        freshness: trust_freshness(as_of, now, context.policy),
        status: None,
        status_as_of: None,
        status_freshness: None,
        time: now,
        reading: match measured {
            Measured::Nothing => None,
            Measured::Reading(reading) => Some(reading),
        },
    }
}

/// How old what is believed is by the site's policy, where anything is.
fn trust_freshness(as_of: Option<u64>, now: Time, policy: &Policy) -> Freshness {
    let Policy { trust_ageing_after_s, trust_stale_after_s, .. } = *policy;
    as_of.map_or(Freshness::Unknown, |as_of| status::freshness(now, as_of, trust_ageing_after_s, trust_stale_after_s))
}

fn judge_pass(pass: &VerifiedPass, now: Time, context: Context<'_>, reasons: &mut Reasons, evidence: &mut Evidence) {
    let claims = pass.claims();
    evidence.issuer = Some(claims.issuer);
    evidence.kind = Some(claims.kind);
    evidence.expires_at = Some(claims.expires_at);
    evidence.until = claims.until;
    evidence.display = claims.display.clone();
    evidence.holder = Some(claims.holder);
    let pass_ref = PassRef { issuer: claims.issuer, pass_id: claims.pass_id, outwards: context.policy.leads_out };
    evidence.pass = Some(pass_ref);
    evidence.household = claims.household.map(|household| HouseholdRef { issuer: claims.issuer, household });
    // What is believed of this issuer may be older than the list.
    evidence.trust_as_of = context.trust.map(|trust| trust.as_of(claims.issuer));
    evidence.freshness = trust_freshness(evidence.trust_as_of, now, context.policy);
    // The issuer signed it at `iat`: of a clock that is unsure by minutes, what is before that is ruled out.
    let dated = now.narrowed(claims.issued_at).within(claims.valid_from(), claims.expires_at);
    match dated {
        Validity::Valid => {}
        Validity::NotYet => add(reasons, Reason::NotYetValid),
        Validity::Expired => add(reasons, Reason::Expired),
        Validity::Unknown => add(reasons, Reason::ClockUntrusted),
    }
    match now.within(0, pass.key_valid_until()) {
        Validity::Expired => add(reasons, Reason::KeyExpired),
        // A pass that is certainly in date can outlive its key.
        Validity::Unknown if dated == Validity::Valid => add(reasons, Reason::ClockUntrusted),
        Validity::Unknown | Validity::Valid | Validity::NotYet => {}
    }
    if !context.policy.kinds.has(claims.kind) {
        add(reasons, Reason::KindNotAccepted);
    }
    let colour = judge_status(pass, context, reasons, evidence);
    judge_watch(pass, now, context, reasons, evidence);
    judge_colour(pass, colour, now, context, reasons, evidence);
    judge_test(pass, now, context.policy, reasons);
    if let Some(history) = context.history {
        let again = history::judge_again(pass_ref, history, context.policy);
        let outings = |household| history::judge_outings(household, history, now, context.policy);
        again.into_iter().chain(evidence.household.and_then(outings)).for_each(|reason| add(reasons, reason));
    }
}

/// What the issuer has said since; gives the colour that counts, before its treatment here.
fn judge_status(
    pass: &VerifiedPass,
    context: Context<'_>,
    reasons: &mut Reasons,
    evidence: &mut Evidence,
) -> Option<Colour> {
    let finding = context.status.map_or(Finding::default(), |source| Finding::of(source, pass.claims()));
    evidence.status = finding.status;
    if finding.unreadable {
        add(reasons, Reason::StatusUnreadable);
    }
    match finding.status {
        None => pass.colour(),
        Some(Status::Revoked) => {
            add(reasons, Reason::Revoked);
            pass.colour()
        }
        Some(Status::Overridden(colour)) => {
            if pass.colour() != Some(colour) {
                add(reasons, Reason::Overridden);
            }
            Some(colour)
        }
    }
}

/// What the gate may have missed: judged by the list of the issuer, or by that of its province where the issuer
/// publishes none, and not at all where neither does.
fn judge_watch(pass: &VerifiedPass, now: Time, context: Context<'_>, reasons: &mut Reasons, evidence: &mut Evidence) {
    let claims = pass.claims();
    let publishes = |id: &IssuerId| context.trust.and_then(|trust| trust.issuer(*id)).is_some_and(|i| i.lists_status);
    let list_as_of = |publisher| context.status.and_then(|source| source.as_of(publisher));
    let Some(publisher) = status::speakers(claims.issuer).find(publishes) else {
        evidence.status_as_of = status::speakers(claims.issuer).find_map(list_as_of);
        return;
    };
    let Policy { status_ageing_after_s, status_stale_after_s, .. } = *context.policy;
    let as_of = list_as_of(publisher);
    let since = status::watched_since(claims.issued_at, as_of);
    let freshness = status::freshness(now, since, status_ageing_after_s, status_stale_after_s);
    evidence.status_as_of = as_of;
    evidence.status_freshness = Some(freshness);
    match freshness {
        // The rules of the clock have already said what an unsure clock means for this pass.
        Freshness::Fresh | Freshness::Unknown => {}
        Freshness::Ageing => add(reasons, Reason::StatusAgeing),
        Freshness::Stale => add(reasons, Reason::StatusStale),
    }
}

fn judge_colour(
    pass: &VerifiedPass,
    colour: Option<Colour>,
    now: Time,
    context: Context<'_>,
    reasons: &mut Reasons,
    evidence: &mut Evidence,
) {
    let claims = pass.claims();
    let rules = context.trust.map_or(&[][..], |trust| &trust.content().rules);
    let (recognition, colour) = recognition::recognise(rules, context.home, claims.issuer, claims.kind, colour, now);
    evidence.recognition = Some(recognition);
    evidence.colour = colour;
    match recognition {
        Recognition::Own | Recognition::By(_) => {}
        Recognition::No => add(reasons, Reason::NotRecognised),
        Recognition::Unknown => add(reasons, Reason::ClockUntrusted),
    }
    match colour {
        Some(Colour::Green) => {}
        Some(Colour::Yellow) => add(reasons, Reason::Yellow),
        Some(Colour::Red) => add(reasons, Reason::Red),
        None => add(reasons, Reason::UnknownLevel),
    }
}

fn judge_test(pass: &VerifiedPass, now: Time, policy: &Policy, reasons: &mut Reasons) {
    let Some(max_age_s) = policy.test_max_age_s else { return };
    let negative = pass.claims().test.filter(|test| test.result == TestResult::Negative);
    let validity = negative.map(|test| now.within(test.sampled_at, test.sampled_at.saturating_add(max_age_s)));
    match validity {
        Some(Validity::Valid) => {}
        Some(Validity::Unknown) => add(reasons, Reason::ClockUntrusted),
        None | Some(Validity::NotYet | Validity::Expired) => add(reasons, Reason::TestTooOld),
    }
}

fn judge_trust(freshness: Option<Freshness>, reasons: &mut Reasons) {
    match freshness {
        None => add(reasons, Reason::TrustMissing),
        Some(Freshness::Fresh) => {}
        Some(Freshness::Ageing) => add(reasons, Reason::TrustAgeing),
        Some(Freshness::Stale) => add(reasons, Reason::TrustStale),
        Some(Freshness::Unknown) => add(reasons, Reason::ClockUntrusted),
    }
}

fn judge_reading(measured: Measured, policy: &Policy, reasons: &mut Reasons) {
    match (policy.thermometry, measured) {
        (Thermometry::Off, _) => {}
        (Thermometry::Required, Measured::Nothing) => add(reasons, Reason::NoReading),
        (Thermometry::Required, Measured::Reading(reading)) => match thermo::judge(reading, policy) {
            Judgement::InRange => {}
            Judgement::High => add(reasons, Reason::TempHigh),
            Judgement::Implausible => add(reasons, Reason::TempImplausible),
            Judgement::Ambient => add(reasons, Reason::ThermometerAmbient),
        },
    }
}

fn reason_of_verify(error: VerifyError) -> Reason {
    match error {
        VerifyError::UnknownIssuer(_) | VerifyError::UnknownKey(_) => Reason::UnknownIssuer,
        VerifyError::WrongIssuer { .. } | VerifyError::BadSignature => Reason::BadSignature,
        VerifyError::KeyNotValidAtIssue => Reason::KeyExpired,
    }
}

fn verdict_of(reason: Reason, policy: &Policy) -> Verdict {
    match reason {
        Reason::Yellow => policy.yellow,
        other => other.calls_for(),
    }
}

fn add(reasons: &mut Reasons, reason: Reason) {
    if !reasons.contains(&reason) {
        // At most 16 different reasons can meet in one decision: a pass has one fault of form or signature, or else
        // at most one of each later check.
        reasons.push(reason).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests;
