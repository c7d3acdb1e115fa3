//! `menshen pass issue`: claims in, signed text out.
//!
//! A CSV of thousands is one pass a row, in order; every column but `payload` is the request's, and the same
//! file with the `payload` column filled comes out, ready for `menshen pass sheet`. A row that can not be issued
//! ends the command and names its line: half a list of passes is worse than none, so nothing is written then.

use super::super::{TrustArg, progress, say};
use super::sheet::card_of;
use crate::authority::Authority;
use crate::moment;
use crate::outcome::{Failure, Outcome, Result, at, write_output};
use crate::request::Request;
use crate::scene::{self, Camera, Carrier};
use crate::{qr, sheet};
use clap::Args;
use menshen_core::ids::IssuerId;
use menshen_core::pass::{self, Claims, Kind};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The pixels of a phone's screen, across.
const PHONE_WIDTH_PX: u32 = 720;

/// What a CSV file says by its columns is not said again on the command line.
const REQUEST: [&str; 13] = [
    "issuer",
    "colour",
    "kind",
    "name",
    "id_tail",
    "valid",
    "not_before",
    "colour_reason",
    "until",
    "test_at",
    "test_result",
    "household",
    "holder",
];

/// The words of the command.
#[derive(Args, Debug)]
pub(in super::super) struct Issue {
    #[command(flatten)]
    trust: TrustArg,
    #[command(flatten)]
    request: Request,
    /// Issue it as of this time instead of now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Also draw the pass as it stands on a phone's screen or on paper.
    #[arg(long, value_name = "FILE.png", conflicts_with = "csv")]
    out: Option<PathBuf>,
    /// Also draw a photo of it, as a gate's camera sees it.
    #[arg(long, value_name = "FILE.png", conflicts_with = "csv")]
    photo: Option<PathBuf>,
    /// Issue one pass a row: columns issuer, colour, kind and, as wanted, name, id_tail, valid, not_before,
    /// colour_reason, until, test_at, test_result, household, holder.
    #[arg(long, value_name = "FILE", requires = "out_csv", conflicts_with_all = REQUEST)]
    csv: Option<PathBuf>,
    /// Where the rows of --csv go, each with its payload.
    #[arg(long, value_name = "FILE", requires = "csv")]
    out_csv: Option<PathBuf>,
}

impl Issue {
    pub(super) fn run(self) -> Result {
        let profile = Authority::open(&self.trust.dir)?;
        let now = self.at.as_deref().map(moment::parse).transpose()?.unwrap_or_else(moment::now);
        match (&self.csv, &self.out_csv) {
            (Some(csv), Some(out)) => issue_many(&profile, csv, out, now),
            _ => self.issue_one(&profile, now),
        }
    }

    fn issue_one(&self, profile: &Authority, now: u64) -> Result {
        let claims = self.request.claims(now)?;
        let payload = issue(profile, &claims)?;
        if let Some(out) = &self.out {
            let trust = menshen_lane::trust::load(profile.dir(), None)?.list;
            let png = sheet::png(&card_of(&payload, &claims, &trust)?, PHONE_WIDTH_PX)?;
            write_output(out, &png)?;
        }
        if let Some(photo) = &self.photo {
            let carrier = if claims.kind == Kind::Phone { Carrier::Phone } else { Carrier::Paper };
            let seed = u64::from_be_bytes(claims.pass_id);
            scene::save_png(&scene::render(&qr::qr(&payload)?, &Camera::easy().showing(carrier), seed), photo)?;
        }
        say(payload)?;
        Ok(Outcome::Done)
    }
}

/// Signs, and refuses what would not fit a QR code that is printed and read with ease.
pub(crate) fn issue(profile: &Authority, claims: &Claims) -> Result<String> {
    let key = profile.issuer_key(claims.issuer)?;
    let payload = pass::issue(claims, &key)?;
    qr::qr(payload.as_str())?;
    Ok(payload.as_str().into())
}

fn issue_many(profile: &Authority, csv: &Path, out: &Path, now: u64) -> Result {
    if csv.canonicalize().ok() == out.canonicalize().ok() && out.exists() {
        return Err(Failure::new(format!("{} would overwrite its own input: name another file", out.display())));
    }
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(csv)
        .map_err(at(csv, "give a CSV file with a header line"))?;
    let headers = reader.headers().map_err(at(csv, "give a CSV file in UTF-8"))?.clone();
    let rows: Vec<csv::StringRecord> = reader
        .records()
        .collect::<std::result::Result<_, _>>()
        .map_err(at(csv, "mend that row, or save the file in UTF-8"))?;
    if rows.is_empty() {
        return Err(Failure::new(format!("{} has no row below its header: add one a pass", csv.display())));
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let kept: Vec<usize> = (0..headers.len()).filter(|&at| &headers[at] != "payload").collect();
    writer.write_record(kept.iter().map(|&at| &headers[at]).chain(["payload"]))?;
    let mut keys = Keys { profile, found: BTreeMap::new() };
    let bar = progress(rows.len() as u64, "issuing");
    for row in &rows {
        let line = row.position().map_or(0, csv::Position::line);
        let named = |failure: Failure| Failure::new(format!("{} line {line}: {}", csv.display(), failure));
        let payload = keys.issue(row, &headers, &kept, now).map_err(named)?;
        writer.write_record(kept.iter().map(|&at| &row[at]).chain([payload.as_str()]))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let bytes = writer.into_inner().map_err(|error| Failure::new(error.to_string()))?;
    write_output(out, &bytes)?;
    say(format!("{}: {} passes", out.display(), rows.len()))?;
    Ok(Outcome::Done)
}

/// Keys of the issuers met so far, so that thousands of rows read each once.
struct Keys<'a> {
    profile: &'a Authority,
    found: BTreeMap<IssuerId, ed25519_dalek::SigningKey>,
}

impl Keys<'_> {
    fn issue(
        &mut self,
        row: &csv::StringRecord,
        headers: &csv::StringRecord,
        kept: &[usize],
        now: u64,
    ) -> Result<String> {
        let only =
            |record: &csv::StringRecord| kept.iter().filter_map(|&at| record.get(at)).collect::<csv::StringRecord>();
        let request: Request = only(row).deserialize(Some(&only(headers)))?;
        let claims = request.claims(now)?;
        if !self.found.contains_key(&claims.issuer) {
            self.found.insert(claims.issuer, self.profile.issuer_key(claims.issuer)?);
        }
        let payload = pass::issue(&claims, &self.found[&claims.issuer])?;
        qr::qr(payload.as_str())?;
        Ok(payload.as_str().into())
    }
}
