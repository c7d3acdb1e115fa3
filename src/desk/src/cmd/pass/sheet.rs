//! `menshen pass sheet`: passes on paper.
//!
//! Only passes that verify are printed: a sheet is handed to people who trust it. A pass that does not is named
//! by its line, and nothing is printed.

use super::super::{TrustArg, progress, say};
use crate::moment;
use crate::outcome::{Failure, Outcome, Result, at, write_output};
use crate::sheet::{self, Card, CardColour, Layout, PdfSheet};
use clap::{Args, ValueEnum};
use menshen_core::decide::Shown;
use menshen_core::pass::{Claims, Colour};
use menshen_core::trust::TrustList;
use menshen_lane::words::{Field, Lang, Words};
use std::fs;
use std::path::{Path, PathBuf};

/// The pixels of a printed card, across: 300 dots an inch on 97 mm.
const CARD_WIDTH_PX: u32 = 1146;

/// The words of the command.
#[derive(Args, Debug)]
pub(in super::super) struct Sheet {
    #[command(flatten)]
    trust: TrustArg,
    /// A CSV file with a `payload` column, as `menshen pass issue --csv` writes it, or a text file with one pass
    /// (MS1:…) a line.
    #[arg(value_name = "FILE")]
    passes: PathBuf,
    /// A .pdf file to print and cut, or a folder for one PNG a pass.
    #[arg(long, value_name = "FILE.pdf|DIR")]
    out: PathBuf,
    /// How many cards a page of the PDF has.
    #[arg(long, value_enum, default_value = "8")]
    per_page: PerPage,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PerPage {
    /// Eight, 97 by 71 mm.
    #[value(name = "8")]
    Eight,
    /// Two, in large type.
    #[value(name = "2")]
    Two,
}

impl Sheet {
    pub(super) fn run(self) -> Result {
        let trust = menshen_lane::trust::load(&self.trust.dir, None)?.list;
        let payloads = payloads(&self.passes)?;
        let mut cards = Vec::with_capacity(payloads.len());
        for (line, payload) in &payloads {
            let card = verified_card(payload, &trust);
            cards.push(card.map_err(|f| Failure::new(format!("{} line {line}: {}", self.passes.display(), f)))?);
        }
        if self.out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pdf")) {
            self.print_pdf(&cards)?;
        } else {
            self.print_pngs(&cards)?;
        }
        say(format!("{}: {} passes", self.out.display(), cards.len()))?;
        Ok(Outcome::Done)
    }

    fn print_pdf(&self, cards: &[Card]) -> Result<()> {
        let layout = match self.per_page {
            PerPage::Eight => Layout::EightPerPage,
            PerPage::Two => Layout::TwoPerPage,
        };
        let mut bytes = Vec::new();
        let mut pdf = PdfSheet::new(&mut bytes, layout)?;
        let bar = progress(cards.len() as u64, "printing");
        for card in cards {
            pdf.push(card)?;
            bar.inc(1);
        }
        pdf.finish()?;
        bar.finish_and_clear();
        write_output(&self.out, &bytes)
    }

    fn print_pngs(&self, cards: &[Card]) -> Result<()> {
        fs::create_dir_all(&self.out).map_err(at(&self.out, "choose a folder that you may write"))?;
        let bar = progress(cards.len() as u64, "drawing");
        for (number, card) in cards.iter().enumerate() {
            let path = self.out.join(format!("{:05}.png", number + 1));
            write_output(&path, &sheet::png(card, CARD_WIDTH_PX)?)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }
}

/// Every payload with the number of its line.
fn payloads(path: &Path) -> Result<Vec<(usize, String)>> {
    let text = fs::read_to_string(path).map_err(at(path, "give a CSV or text file in UTF-8"))?;
    let is_list = text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| line.trim().starts_with("MS1:"));
    let found = if is_list {
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim().to_owned()));
        lines.filter(|(_, line)| !line.is_empty()).collect()
    } else {
        column(&text, path)?
    };
    if found.is_empty() {
        return Err(Failure::new(format!(
            "{} holds no pass: issue some with `menshen pass issue --csv`",
            path.display()
        )));
    }
    Ok(found)
}

fn column(text: &str, path: &Path) -> Result<Vec<(usize, String)>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(at(path, "give a CSV file with a header line"))?;
    let column = headers.iter().position(|name| name == "payload").ok_or_else(|| {
        Failure::new(format!("{} has no `payload` column: write it with `menshen pass issue --csv`", path.display()))
    })?;
    let mut found = Vec::new();
    for row in reader.records() {
        let row = row.map_err(at(path, "mend that row"))?;
        found.push((row.position().map_or(0, |at| at.line() as usize), row.get(column).unwrap_or_default().to_owned()));
    }
    Ok(found)
}

fn verified_card(payload: &str, trust: &TrustList) -> Result<Card> {
    match Shown::of(payload.as_bytes(), Some(trust)) {
        Shown::Verified(pass) => card_of(payload, pass.claims(), trust),
        Shown::Malformed(error) => Err(error.into()),
        Shown::Unverified(error) => Err(error.into()),
        Shown::Nothing | Shown::Unreadable | Shown::NoTrust => Err(Failure::new("there is no pass")),
    }
}

/// What is printed of a pass.
pub(crate) fn card_of(payload: &str, claims: &Claims, trust: &TrustList) -> Result<Card> {
    let issuer = trust.issuer(claims.issuer);
    let colour = match issuer {
        Some(issuer) => issuer.colour(claims.level),
        None => Colour::from_number(claims.level.number()),
    };
    let colour = match colour {
        Some(Colour::Green) => CardColour::Green,
        Some(Colour::Yellow) => CardColour::Yellow,
        Some(Colour::Red) => CardColour::Red,
        None => {
            return Err(Failure::new(format!(
                "level {} of issuer {} has no colour in the trust list: use a level it names",
                claims.level.number(),
                claims.issuer
            )));
        }
    };
    let (zh, en) = (Words::of(Lang::ZH), Words::of(Lang::EN));
    let holder = claims.display.as_ref().map(|display| format!("{} ·· {}", display.name, display.id_tail));
    let until =
        |words: &Words| claims.until.map(|at| format!("{} {}", words.field(Field::Until).name, moment::show(at)));
    Ok(Card {
        payload: payload.into(),
        title_zh: issuer.map_or_else(String::new, |issuer| issuer.name_zh.as_str().into()),
        title_en: issuer.map_or_else(String::new, |issuer| issuer.name_en.as_str().into()),
        holder: holder.unwrap_or_default().trim_end_matches(" ·· ").into(),
        colour,
        kind_zh: zh.kind(claims.kind).into(),
        kind_en: en.kind(claims.kind).into(),
        expires: moment::show(claims.expires_at),
        note_zh: until(zh),
        note_en: until(en),
    })
}
