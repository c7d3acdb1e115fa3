//! `menshen pass`: issue, explain and print passes.

mod inspect;
mod issue;
mod sheet;

pub(super) use issue::issue;

use crate::outcome::Result;
use clap::Subcommand;

/// Issue, explain and print passes.
#[derive(Debug, Subcommand)]
pub(super) enum Pass {
    /// Issue one pass, or one for every row of a CSV file.
    Issue(Box<issue::Issue>),
    /// Explain every field of a pass, in Chinese and English.
    Inspect(inspect::Inspect),
    /// Print passes: a PDF to cut, or a PNG a pass.
    Sheet(sheet::Sheet),
}

impl Pass {
    pub(super) fn run(self) -> Result {
        match self {
            Pass::Issue(issue) => issue.run(),
            Pass::Inspect(inspect) => inspect.run(),
            Pass::Sheet(sheet) => sheet.run(),
        }
    }
}
