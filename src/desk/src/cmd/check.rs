//! `menshen check`: decode, verify and decide about photos, exactly as a gate would.
//!
//! A photo without a readable code is "no code", never an invalid pass. Without `--temp` the lane is taken to
//! have no thermometer; with it the reading is part of the verdict.

use super::{TrustArg, advise, complain, say, say_json};
use crate::moment;
use crate::outcome::{Failure, Outcome, Result};
use clap::Args;
use menshen_core::decide::{Context, Decision, Measured, Shown, Verdict, decide};
use menshen_core::hint::Hint;
use menshen_core::ids::IssuerId;
use menshen_core::policy::{Policy, Thermometry};
use menshen_core::status::StatusSource;
use menshen_core::thermo::Reading;
use menshen_core::time::Time;
use menshen_core::trust::TrustList;
use menshen_lane::hint;
use menshen_lane::optics::{Frame, Reader};
use menshen_lane::view::DecisionView;
use menshen_lane::words::{Field, Lang, Words};
use menshen_trust::status::StatusBook;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// The words of the command.
#[derive(Args, Debug)]
pub(super) struct Check {
    /// Photos: PNG, JPEG, BMP, WebP or PNM.
    #[arg(required = true, value_name = "PHOTO")]
    photos: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustArg,
    /// Judge as of this time instead of now: 2020-03-01T08:00 (China time) or 2020-03-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// A forehead temperature in degrees Celsius, as if a thermometer had measured it.
    #[arg(long, value_name = "C", allow_negative_numbers = true)]
    temp: Option<f64>,
    /// The ambient temperature in degrees Celsius that goes with --temp.
    #[arg(long, value_name = "C", default_value = "22.5", allow_negative_numbers = true)]
    ambient: f64,
    /// The division code of the place of the gate.
    #[arg(long, value_name = "CODE", default_value = "330000")]
    home: u32,
    /// One JSON object a photo.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    #[serde(flatten)]
    decision: DecisionView,
    diagnosis: &'static str,
    hint: Option<&'static str>,
    thermometry: &'static str,
    decode_ms: f64,
    verify_us: f64,
}

struct Place {
    trust: Arc<TrustList>,
    status: StatusBook,
    policy: Policy,
    home: IssuerId,
    time: Time,
    measured: Measured,
}

impl Check {
    pub(super) fn run(self) -> Result {
        let place = self.place()?;
        let mut reader = Reader::new();
        let mut outcome = Outcome::Done;
        for photo in &self.photos {
            let checked = match self.check(photo, &place, &mut reader) {
                Err(Failure::Told(sentence)) => {
                    complain(&sentence);
                    Outcome::Failed
                }
                other => other?,
            };
            outcome = graver(outcome, checked);
        }
        Ok(outcome)
    }

    fn place(&self) -> Result<Place> {
        let believed = menshen_lane::trust::load(&self.trust.dir, None)?;
        let home = IssuerId::new(self.home)
            .ok_or_else(|| Failure::new(format!("--home {} is not a six-digit division code", self.home)))?;
        let at = self.at.as_deref().map(moment::parse).transpose()?.unwrap_or_else(moment::now);
        let measured = match self.temp {
            None => Measured::Nothing,
            Some(temp_c) => Measured::Reading(Reading::of(centi("--temp", temp_c)?, centi("--ambient", self.ambient)?)),
        };
        let thermometry = if self.temp.is_some() { Thermometry::Required } else { Thermometry::Off };
        let policy = Policy { thermometry, ..Policy::default() };
        let (trust, status) = (believed.list, believed.status);
        Ok(Place { trust, status, policy, home, time: Time::trusted(at), measured })
    }

    fn check(&self, photo: &Path, place: &Place, reader: &mut Reader) -> Result {
        let frame = Frame::from_picture(photo)?;
        reader.forget();
        let begun = Instant::now();
        let sight = reader.read(&frame);
        let decode_ms = begun.elapsed().as_secs_f64() * 1e3;
        let begun = Instant::now();
        let status: Option<&dyn StatusSource> = Some(&place.status);
        let context =
            Context { trust: Some(&place.trust), status, history: None, policy: &place.policy, home: place.home };
        let best = Shown::best(sight.payloads.iter().map(|payload| payload.as_bytes()), context.trust);
        let shown = best.map_or(Shown::Nothing, |(_, shown)| shown);
        let decision = decide(&shown, place.measured, place.time, context);
        let verify_us = begun.elapsed().as_secs_f64() * 1e6;
        let file = photo.display().to_string();
        let thermometry = if self.temp.is_some() { "required" } else { "off" };
        if self.json {
            let decision = DecisionView::of(&decision, Some(&place.trust));
            say_json(&Line {
                file: &file,
                decision,
                diagnosis: sight.diagnosis.name(),
                hint: hint::of(sight.diagnosis).map(Hint::name),
                thermometry,
                decode_ms,
                verify_us,
            })?;
        } else {
            show(&file, &decision, &place.trust)?;
            advise(&file, sight.diagnosis);
            if self.temp.is_none() {
                say("    没有量体温（用 --temp 给出） / no temperature was judged (give it with --temp)")?;
            }
        }
        Ok(match decision.verdict {
            Verdict::Admit => Outcome::Done,
            Verdict::Refer => Outcome::Refer,
            Verdict::Refuse => Outcome::Refuse,
        })
    }
}

/// A failure outweighs every verdict, and a refusal the milder ones.
fn graver(a: Outcome, b: Outcome) -> Outcome {
    if a == Outcome::Failed || b == Outcome::Failed { Outcome::Failed } else { a.max(b) }
}

fn centi(what: &str, celsius: f64) -> Result<i16> {
    let centi = (celsius * 100.0).round();
    if (-10_000.0..=10_000.0).contains(&centi) {
        Ok(centi as i16)
    } else {
        Err(Failure::new(format!("{what} {celsius} is no temperature of a person or a place: give degrees Celsius")))
    }
}

fn show(file: &str, decision: &Decision, trust: &TrustList) -> Result<()> {
    say(file)?;
    for lang in Lang::USUAL {
        let words = Words::of(lang);
        say(format!("  {} {}", mark(decision.verdict), words.verdict(decision.verdict).word))?;
        let issuer = decision.evidence.issuer.and_then(|id| trust.issuer(id));
        let hotline = issuer.map(|issuer| issuer.hotline.as_str());
        for reason in words.told(decision) {
            say(format!("    {}: {} {}", reason.title, reason.holder, reason.remedy_with(hotline)))?;
        }
    }
    show_evidence(decision, trust)
}

fn show_evidence(decision: &Decision, trust: &TrustList) -> Result<()> {
    let evidence = &decision.evidence;
    if let Some(issuer) = evidence.issuer.and_then(|id| trust.issuer(id)) {
        say(format!("    {} {} / {}", issuer.id, issuer.name_zh, issuer.name_en))?;
    }
    if let Some(colour) = evidence.colour {
        say(format!("    {} / {}", Words::of(Lang::ZH).colour(colour), Words::of(Lang::EN).colour(colour)))?;
    }
    if let Some(display) = &evidence.display {
        say(format!("    {} {}", display.name, display.id_tail))?;
    }
    if let Some(expires_at) = evidence.expires_at {
        let field = |lang| &Words::of(lang).field(Field::ExpiresAt).name;
        say(format!("    {} / {}: {}", field(Lang::ZH), field(Lang::EN), moment::show(expires_at)))?;
    }
    Ok(())
}

fn mark(verdict: Verdict) -> char {
    match verdict {
        Verdict::Admit => '✓',
        Verdict::Refer => '!',
        Verdict::Refuse => '✗',
    }
}
