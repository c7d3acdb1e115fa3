//! Authorities and keys as they are made.

use super::{say, time, warn_of};
use crate::authority::{Authority, DEFAULT_DIR, Roots, new_key, public_key, write_key};
use crate::outcome::{Outcome, Result};
use clap::Args;
use menshen_core::ids::Hex;
use menshen_trust::publish::read_key;
use std::path::PathBuf;

/// Makes an authority.
#[derive(Args, Debug)]
pub(crate) struct Init {
    /// Where to make it.
    #[arg(value_name = "DIR", default_value = DEFAULT_DIR)]
    dir: PathBuf,
    /// Make a real authority: give this folder a root key, once for each person who holds one. Each is a mounted stick
    /// of its own.
    #[arg(long, value_name = "DIR")]
    root: Vec<PathBuf>,
    /// How many of the root keys must sign; by default more than half.
    #[arg(long, value_name = "M", requires = "root")]
    threshold: Option<usize>,
    /// The public key for the passes of the national platform, where it keeps the private one itself: 64 digits, or a
    /// file that holds them. Otherwise one is made here.
    #[arg(long, value_name = "KEY", requires = "root")]
    pass_key: Option<String>,
    /// Let root keys lie on one disk, with each other or with the authority: for a trial, and worth nothing against a
    /// thief.
    #[arg(long, requires = "root")]
    same_disk: bool,
    /// Make it as of this time instead of now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

/// Makes a key.
#[derive(Args, Debug)]
pub(crate) struct Key {
    /// The file of the private key; it ends in .key and is nobody else's to read.
    file: PathBuf,
    /// Make none: print the public half of the key that is there.
    #[arg(long)]
    show: bool,
}

impl Init {
    pub(super) fn run(self) -> Result {
        let at = time(self.at.as_deref())?;
        if self.root.is_empty() {
            let authority = Authority::init(&self.dir, at)?;
            warn_of(&authority);
        } else {
            let threshold = self.threshold.unwrap_or(self.root.len() / 2 + 1);
            let roots = Roots { folders: self.root, threshold, same_disk: self.same_disk };
            let pass_key = self.pass_key.as_deref().map(public_key).transpose()?;
            for (path, key) in Authority::init_real(&self.dir, &roots, pass_key, at)? {
                say(format!("{} {}", Hex(&key), path.display()))?;
            }
        }
        let believed = menshen_lane::trust::load(&self.dir, None)?;
        let content = believed.list.content();
        say(format!(
            "{}: {} issuers, {} keys, {} recognition rules, {} delegated roles",
            self.dir.display(),
            content.issuers.len(),
            content.keys.len(),
            content.rules.len(),
            believed.roles.len()
        ))?;
        Ok(Outcome::Done)
    }
}

impl Key {
    pub(super) fn run(self) -> Result {
        let key = if self.show { read_key(&self.file)? } else { new_key()? };
        if !self.show {
            write_key(&self.file, &key)?;
        }
        say(Hex(key.verifying_key().as_bytes()))?;
        Ok(Outcome::Done)
    }
}
