//! `menshen-hub`: starts a [`Hub`] and stops it on SIGTERM or SIGINT.
//!
//! Exit codes: 0 after an orderly stop, 2 when it could not start.

use clap::Parser;
use menshen_core::ids::Hex;
use menshen_hub::{Config, Hub, HubError, HubKey, KeyError, StoreUrl, Tls, TlsError, TlsFiles};
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Takes in the records of gates, keeps and acknowledges them, and shows the fleet.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:8470")]
    listen: SocketAddr,
    /// Where to keep the records: sqlite:PATH or PATH.
    #[arg(long)]
    store: StoreUrl,
    /// Folder of the hub's key, hub.key, which is made at the first start, and of the repository that gates fetch what
    /// they believe from, as made by `menshen trust`.
    #[arg(long)]
    trust: PathBuf,
    /// What a gate must know to be enrolled; without it no new gates are. Other users of this machine
    /// can see arguments: prefer the variable MENSHEN_ENROL_TOKEN.
    #[arg(long)]
    enrol_token: Option<String>,
    /// Speak TLS, with hub.crt and hub-tls.key of the --trust folder, which are made at the first start. Gates need a
    /// copy of hub.crt.
    #[arg(long)]
    tls: bool,
    /// Speak TLS with this certificate (PEM, with the chain of its authority behind it); gates need a copy of it.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert (PEM); nobody else may be able to read it.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Hub(#[from] HubError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the hub can not wait for signals or write to its output ({0}); start it again")]
    Io(#[from] io::Error),
}

fn main() -> ExitCode {
    let args = Args::parse();
    // What gates bring is nobody else's to read.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).init();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("menshen-hub: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(args: Args) -> Result<(), StartError> {
    let hub_key = HubKey::load_or_make(&args.trust)?;
    if hub_key.made {
        eprintln!("menshen-hub: made a new key in {}; back it up, gates believe no other", hub_key.path.display());
    }
    let tls = tls(&args)?;
    let enrol_token = args.enrol_token.or_else(|| std::env::var("MENSHEN_ENROL_TOKEN").ok());
    let repository = args.trust.join("repository");
    let config = Config { listen: args.listen, store: args.store, repository, key: hub_key.key, enrol_token, tls };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Listens for signals before the hub says that it is there: whoever reads that may end it at once.
    let (mut terminate, mut interrupt) = {
        let _inside = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    let hub = Hub::start(config)?;
    announce(&hub)?;
    runtime.block_on(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    hub.stop();
    Ok(())
}

/// What to speak TLS with, where that was asked for.
fn tls(args: &Args) -> Result<Option<Tls>, TlsError> {
    let files = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => TlsFiles::load(certificate, key)?,
        _ if args.tls => TlsFiles::load_or_make(&args.trust, args.listen.ip())?,
        _ => return Ok(None),
    };
    let (path, made) = (files.certificate.display(), if files.made { "made" } else { "shows" });
    let fingerprint = Hex(&files.tls.fingerprint()).to_string();
    eprintln!(
        "menshen-hub: {made} the certificate {path} (SHA-256 {fingerprint}); gates need a copy, as `hub.certificate`"
    );
    Ok(Some(files.tls))
}

fn announce(hub: &Hub) -> io::Result<()> {
    writeln!(io::stdout(), "menshen-hub listening on {} key {}", hub.url(), Hex(&hub.public_key()))
}
