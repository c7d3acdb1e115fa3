//! `menshen-gate`: starts a [`Gate`] and stops it on SIGTERM or SIGINT, relay open. `menshen-gate rtc` reads or sets the
//! clock chip of a board and ends, `menshen-gate thermometer` its thermometer, `menshen-gate pin` sets the panel's PIN.
//! `menshen-gate relay-rest` takes the relay's power away and darkens the lamps and the screen. `menshen-gate relay-guard` is
//! the process that owns the relay's pin; the gate starts it.
//!
//! Exit codes: 0 after an orderly stop, 2 when it could not start, or the chip could not be used.

use clap::{Parser, Subcommand};
use menshen_gate::board::{Board, BoardError};
use menshen_gate::display;
use menshen_gate::gate::lane_dir;
use menshen_gate::outputs;
use menshen_gate::outputs::guard::{self, GuardAs};
use menshen_gate::pin::{self, PinCommandError};
use menshen_gate::program::{Gate, StartError};
use menshen_gate::rtc::{self, CommandError, SetTo};
use menshen_gate::thermometer::{self, Order};
use menshen_gate::watchdog::Watchdog;
use menshen_lane::proof::apart;
use menshen_lane::threads::Stop;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use tracing_subscriber::EnvFilter;

/// The very program that runs, also when an update has put another in its place meanwhile.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// The program of a gate: reads codes and temperatures, decides, records, opens.
#[derive(Parser)]
#[command(name = "menshen-gate", version, subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
struct Args {
    /// What the gate is wired to: a file of boards/, or one that inherits from it.
    #[arg(long, value_name = "FILE", required = true)]
    board: Option<PathBuf>,
    /// Where it stands: its names, its lane, its trust folder, its hub, its rules.
    #[arg(long, value_name = "FILE", required = true)]
    site: Option<PathBuf>,
    /// Where it keeps its journal, its key and what it knows of the time.
    #[arg(long, value_name = "DIR", default_value = "state")]
    state: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Reads the clock chip of a board, or sets it: the one who does vouches for the time.
    Rtc {
        /// What the gate is wired to.
        #[arg(long, value_name = "FILE")]
        board: PathBuf,
        /// Where this very gate keeps what it knows of the time: it must be there, so that the gate learns that its clock
        /// was set, and nothing is set that the gate knows to have passed.
        #[arg(long, value_name = "DIR", default_value = "state")]
        state: PathBuf,
        /// A time such as 2026-11-27T09:00:30 (China time) or 2026-11-27T01:00:30Z; or now: what this system's clock says,
        /// if a time service has set it since this device was started.
        #[arg(long, value_name = "TIME")]
        set: Option<SetTo>,
    },
    /// Says what the thermometer of a board says, or calibrates it by references; while the gate is not running.
    Thermometer {
        /// What the gate is wired to.
        #[arg(long, value_name = "FILE")]
        board: PathBuf,
        /// Where this very gate keeps its calibration.
        #[arg(long, value_name = "DIR", default_value = "state")]
        state: PathBuf,
        /// The temperature, in degrees Celsius, of the reference that is in front of the unit now: keeps what the unit says
        /// of it. One reference shifts every reading, two that differ by 2 degrees or more make a line.
        #[arg(long, value_name = "DEGREES", value_parser = centi_c, conflicts_with = "forget")]
        is: Option<i16>,
        /// Forget the calibration.
        #[arg(long)]
        forget: bool,
    },
    /// Sets the PIN of the panel, which comes by standard input, or takes it away; beside a gate that runs, too.
    Pin {
        /// Where this very gate keeps its state.
        #[arg(long, value_name = "DIR", default_value = "state")]
        state: PathBuf,
        /// Take it away: then only the gate's own screen shows it and may open it by hand.
        #[arg(long)]
        clear: bool,
    },
    /// Takes the relay's power away, darkens lamps and screen and silences the buzzer: for the service manager, after a gate was killed together with its relay's guard.
    RelayRest {
        /// What the gate is wired to.
        #[arg(long, value_name = "FILE")]
        board: PathBuf,
        /// Where this very gate keeps its state.
        #[arg(long, value_name = "DIR", default_value = "state")]
        state: PathBuf,
    },
    /// Owns the relay's pin for a gate that has started it.
    #[command(hide = true)]
    RelayGuard {
        /// What to guard, in JSON.
        order: String,
    },
    /// Walks the codes of a proof for a gate that has started it.
    #[command(hide = true)]
    ProofWalk {
        /// Where and when, in JSON.
        order: String,
    },
}

/// Degrees as hundredths, between 0 and 60.
fn centi_c(text: &str) -> Result<i16, String> {
    let degrees: f64 = text.parse().map_err(|_| format!("{text:?} is no temperature: write it like 36.0"))?;
    if !(0.0..=60.0).contains(&degrees) {
        return Err(format!("{text} degrees are no reference: it must be between 0 and 60"));
    }
    // Between 0 and 6000.
    Ok((degrees * 100.0).round() as i16)
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
    match start(args) {
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
    #[error(transparent)]
    Board(#[from] BoardError),
    #[error(transparent)]
    Rtc(#[from] CommandError),
    #[error(transparent)]
    Thermometer(#[from] thermometer::CommandError),
    #[error(transparent)]
    Pin(#[from] PinCommandError),
    #[error("{0}")]
    Guard(String),
    #[error("{0}")]
    Proof(String),
    #[error("the gate can not wait for signals or write to its output ({0}); start it again")]
    Io(#[from] io::Error),
}

fn start(args: Args) -> Result<(), ProgramError> {
    match args {
        Args { command: Some(Command::Rtc { board, state, set }), .. } => {
            writeln!(io::stdout(), "{}", rtc::run(&Board::load(board)?, &state, set)?)?;
            Ok(())
        }
        Args { command: Some(Command::Thermometer { board, state, is, forget }), .. } => {
            let order = match is {
                Some(centi_c) => Order::Is(centi_c),
                None if forget => Order::Forget,
                None => Order::Read,
            };
            writeln!(io::stdout(), "{}", thermometer::run(&Board::load(board)?, &state, order)?)?;
            Ok(())
        }
        Args { command: Some(Command::Pin { state, clear }), .. } => {
            writeln!(io::stdout(), "{}", pin::run(&state, clear)?)?;
            Ok(())
        }
        Args { command: Some(Command::RelayRest { board, state }), .. } => {
            let board = Board::load(board)?;
            // Each lane, whatever becomes of the others; the first error is told.
            let rest = |(lane, number)| outputs::rest(lane, &lane_dir(&state, number));
            let rested: Vec<_> = board.all_lanes().zip(1..).map(rest).collect();
            for (lane, number) in board.all_lanes().zip(1..) {
                let dark = lane.display.as_ref().map(|screen| display::darken(screen, &lane_dir(&state, number)));
                if let Some(Err(error)) = dark {
                    tracing::error!("{error}");
                }
            }
            Ok(rested.into_iter().collect::<Result<(), _>>()?)
        }
        Args { command: Some(Command::RelayGuard { order }), .. } => guard::run(&order).map_err(ProgramError::Guard),
        Args { command: Some(Command::ProofWalk { order }), .. } => {
            writeln!(io::stdout(), "{}", apart::run(&order).map_err(ProgramError::Proof)?)?;
            Ok(())
        }
        Args { board: Some(board), site: Some(site), state, command: None } => run(&board, &site, &state),
        Args { .. } => unreachable!("without a command, the parser asks for a board and a site"),
    }
}

fn run(board: &Path, site: &Path, state: &Path) -> Result<(), ProgramError> {
    let stop = Stop::new();
    stop_on_signals(&stop)?;
    let guards = watched(&stop);
    let gate = Gate::open_guarded(board, site, state, &GuardAs::Process(THIS_PROGRAM.into()))?;
    // Set once, here.
    let _ = guards.set(gate.relays_guarded());
    let panels: Vec<String> = gate.panels().iter().flatten().map(|addr| format!(", panel http://{addr}")).collect();
    writeln!(io::stdout(), "menshen-gate ready{}", panels.concat())?;
    gate.run(&stop);
    Ok(())
}

/// Whether each relay has a guard, once that is known.
type Guards = Arc<OnceLock<Vec<Arc<AtomicBool>>>>;

/// Lets the service manager hear of this process from now on, because a large journal may take its time to open, and no
/// more once a relay has no guard.
fn watched(stop: &Stop) -> Guards {
    let guards = Guards::default();
    let known = Arc::clone(&guards);
    let all_guarded = move || known.get().is_none_or(|all| all.iter().all(|guarded| guarded.load(Ordering::SeqCst)));
    match Watchdog::asked_for(|name| std::env::var_os(name))
        .and_then(|asked| asked.map_or(Ok(()), |it| it.start(stop, all_guarded)))
    {
        Ok(()) => {}
        Err(error) => tracing::warn!("the service manager will hear no sign of life ({error}) and end this gate"),
    }
    guards
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
