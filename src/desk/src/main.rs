//! `menshen`: see [`menshen::cmd`].

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    menshen::cmd::Cli::parse().run().into()
}
