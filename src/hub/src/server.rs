//! A running hub: its address, its thread, and its orderly end.
//!
//! The hub runs in a thread of its own with its own runtime, so that any program can hold one, stop it
//! and start it again on the same store: that is how the demo and the tests prove that nothing is lost.

use crate::api;
use crate::ingest::Office;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError, StoreUrl};
use crate::tls::{Tls, TlsListener};
use axum::serve::Listener;
use ed25519_dalek::SigningKey;
use menshen_core::wire::MAX_TEXT_BYTES;
use std::fmt::Debug;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// How long requests that have begun may take to end when the hub stops.
const GRACE: Duration = Duration::from_secs(2);
/// How many requests may wait for the store at once; more wait for a thread.
const BLOCKING_THREADS: usize = 16;

/// What a hub needs to run.
#[derive(Clone)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the records are kept.
    pub store: StoreUrl,
    /// The folder of the repository that gates fetch what they believe from: metadata/ and targets/ within it. It may be
    /// empty, or come later.
    pub repository: PathBuf,
    /// Signs acks and the time. Gates believe no other.
    pub key: SigningKey,
    /// What a gate must know to be enrolled, 1 to 64 bytes; `None` enrols no new gates.
    pub enrol_token: Option<String>,
    /// What to speak TLS with; `None` speaks plain HTTP.
    pub tls: Option<Tls>,
}

/// Why a hub does not start.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The address is taken or not this machine's.
    #[error("can not listen on {listen} ({source}); stop the program that does, or name another address for the hub")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A token that no gate could send, or that every gate could guess.
    #[error("the enrolment token must have 1 to {MAX_TEXT_BYTES} bytes; choose another")]
    Token,
    /// The system gives no threads.
    #[error("the system gives no thread for the hub ({0}); end other programs and start again")]
    Thread(io::Error),
}

/// A running hub. Dropping it stops it.
#[derive(Debug)]
pub struct Hub {
    addr: SocketAddr,
    scheme: &'static str,
    public_key: [u8; 32],
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Hub {
    /// Opens the store and starts; when this returns the hub can be reached.
    pub fn start(config: Config) -> Result<Hub, HubError> {
        let StoreUrl::Sqlite(path) = &config.store;
        let store = Arc::new(SqliteStore::open(path)?);
        Hub::start_on(config, store)
    }

    /// Starts on a store of the caller's; `config.store` is not opened.
    pub fn start_on(config: Config, store: Arc<dyn Store>) -> Result<Hub, HubError> {
        let Config { listen, key, repository, enrol_token: token, tls, .. } = config;
        if token.as_ref().is_some_and(|token| token.is_empty() || token.len() > MAX_TEXT_BYTES) {
            return Err(HubError::Token);
        }
        let listener = bind(listen).map_err(|source| HubError::Listen { listen, source })?;
        let addr = listener.local_addr().map_err(|source| HubError::Listen { listen, source })?;
        let office = Arc::new(Office { store, key, token, repository });
        let public_key = office.public_key();
        let runtime = runtime().map_err(HubError::Thread)?;
        let (stop, stopped) = watch::channel(false);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let run = move || run(runtime, listener, office, tls, stopped);
        let thread = thread::Builder::new().name("menshen-hub".into()).spawn(run).map_err(HubError::Thread)?;
        Ok(Hub { addr, scheme, public_key, stop, thread: Some(thread) })
    }

    /// Where it listens, with the port that it has.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its address as gates are told it, without a `/` at the end.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.addr)
    }

    /// The key that its acks and its time are signed with.
    pub fn public_key(&self) -> [u8; 32] {
        self.public_key
    }

    /// Takes no more requests, ends those that have begun, and returns when the store is closed.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the hub's thread panicked; please report this with the log");
        }
    }
}

fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn runtime() -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).max_blocking_threads(BLOCKING_THREADS).thread_name("menshen-hub").enable_all().build()
}

fn run(runtime: Runtime, listener: TcpListener, office: Arc<Office>, tls: Option<Tls>, stopped: watch::Receiver<bool>) {
    let end = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        match tls {
            Some(tls) => serve(TlsListener::new(listener, &tls), office, stopped).await,
            None => serve(listener, office, stopped).await,
        }
    });
    if let Err(error) = end {
        tracing::error!("the hub can not take requests any more ({error}); start it again");
    }
    // A commit that has begun ends; a client that sends nothing does not hold the hub up.
    runtime.shutdown_timeout(GRACE);
}

async fn serve<L>(listener: L, office: Arc<Office>, stopped: watch::Receiver<bool>) -> io::Result<()>
where
    L: Listener<Addr: Debug>,
{
    let server = axum::serve(listener, api::router(office)).with_graceful_shutdown(told(stopped.clone()));
    let out_of_patience = async {
        told(stopped).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        end = server => end,
        () = out_of_patience => Ok(()),
    }
}

async fn told(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the same message.
    drop(stopped.wait_for(|&stopped| stopped).await);
}
