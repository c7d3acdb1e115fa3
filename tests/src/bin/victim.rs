//! A gate that ends itself between two of its steps, for the fault tests.
//!
//! It is the very gate of `menshen-gate`, with a probe that the product never has: at the n-th time that a step
//! comes the process sends itself SIGKILL. A limit of file sizes stands in for a full disk.
//!
//! ```text
//! victim BOARD SITE STATE [die STEP NTH | limit BYTES]
//! ```

#![forbid(unsafe_code)]

use menshen_gate::program::Gate;
use menshen_lane::probe::{Probe, Step};
use menshen_lane::threads::Stop;
use rustix::process::{Resource, Rlimit, Signal, getpid, kill_process, setrlimit};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let ([board, site, state], rest) = words.split_first_chunk().expect("BOARD SITE STATE");
    let mut gate = match Gate::open(Path::new(board), Path::new(site), Path::new(state)) {
        Ok(gate) => gate,
        Err(error) => {
            eprintln!("victim: {error}");
            return ExitCode::from(2);
        }
    };
    match rest {
        ["die", step, nth] => gate.probe(killer(step, nth.parse().expect("NTH is a number"))),
        ["limit", bytes] => limit_files(bytes.parse().expect("BYTES is a number")),
        _ => {}
    }
    println!("victim ready http://{}", gate.panel().expect("its board has a panel"));
    gate.run(&stop_on_sigterm());
    ExitCode::SUCCESS
}

/// A probe that ends the process at the `nth` time that a step of this name comes.
fn killer(step: &str, nth: u64) -> Probe {
    let (step, seen) = (step.to_owned(), AtomicU64::new(0));
    Probe::new(move |at: Step| {
        if format!("{at:?}") == step && seen.fetch_add(1, Ordering::SeqCst) + 1 == nth {
            kill_process(getpid(), Signal::KILL).expect("a process may end itself");
        }
    })
}

/// No file grows beyond this; a write that would is told so and not answered with a signal (setrlimit(2)).
fn limit_files(bytes: u64) {
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)))
        .expect("it may be caught");
    setrlimit(Resource::Fsize, Rlimit { current: Some(bytes), maximum: None }).expect("a limit may be lowered");
}

fn stop_on_sigterm() -> Stop {
    let stop = Stop::new();
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGTERM]).expect("it may be caught");
    let ends = stop.clone();
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            ends.set();
        }
    });
    stop
}
