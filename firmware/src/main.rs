//! `menshen-gate`: starts a [`Gate`] and stops it on SIGTERM or SIGINT, relay open.
//!
//! Exit codes: 0 after an orderly stop, 2 when it could not start.

use clap::Parser;
use menshen_gate::program::{Gate, StartError};
use menshen_lane::threads::Stop;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// The program of a gate: reads codes and temperatures, decides, records, opens.
#[derive(Parser)]
#[command(name = "menshen-gate", version)]
struct Args {
    /// What the gate is wired to: a file of boards/, or one that inherits from it.
    #[arg(long, value_name = "FILE")]
    board: PathBuf,
    /// Where it stands: its names, its lane, its trust folder, its hub, its rules.
    #[arg(long, value_name = "FILE")]
    site: PathBuf,
    /// Where it keeps its journal, its key and its time floor.
    #[arg(long, value_name = "DIR", default_value = "state")]
    state: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    // What a gate keeps is nobody else's to read.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let filter = EnvFilter::try_from_env("MENSHEN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    match start(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where stderr is closed there is nobody to tell.
            let _ = writeln!(io::stderr(), "menshen-gate: {error}");
            ExitCode::from(2)
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum ProgramError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the gate can not wait for signals or write to its output ({0}); start it again")]
    Io(#[from] io::Error),
}

fn start(args: &Args) -> Result<(), ProgramError> {
    let stop = Stop::new();
    stop_on_signals(&stop)?;
    let gate = Gate::open(&args.board, &args.site, &args.state)?;
    match gate.panel() {
        Some(addr) => writeln!(io::stdout(), "menshen-gate ready, panel http://{addr}")?,
        None => writeln!(io::stdout(), "menshen-gate ready")?,
    }
    gate.run(&stop);
    Ok(())
}

/// SIGTERM and SIGINT stop the gate in good order; a panel that is open does not keep it.
fn stop_on_signals(stop: &Stop) -> io::Result<()> {
    let stop = stop.clone();
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT])?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            stop.set();
        }
    });
    Ok(())
}
