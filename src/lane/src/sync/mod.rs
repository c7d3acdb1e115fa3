//! Sync: batches out, acks and the time in.
//!
//! One thread drains the journal to the hub whenever it can be reached. The parts are apart so that each
//! can be tested without the others: [`batch`] makes and signs bytes (the same by HTTPS or by stick),
//! [`uplink`] carries them, [`backoff`] says how long to wait, [`agent`] is one exchange with the hub.
//!
//! Invariants:
//! - A record counts as delivered only on an ack that the pinned hub signed, for this gate and epoch.
//! - Whatever the hub answers, nothing is dropped: a refused batch is kept aside, told, and tried again.
//! - Sending again is harmless; the hub knows (gate, epoch, seq).
//! - The gate never waits for this thread.

pub mod agent;
pub mod backoff;
pub mod batch;
pub mod uplink;

pub use agent::{Agent, HubConfig, Outcome, TimeError};
pub use uplink::{HttpUplink, Reply, Uplink, UplinkError};

use crate::health::{Health, HubHealth};
use crate::threads::{self, Stop};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a drained agent sleeps before it looks for new records.
const IDLE: Duration = Duration::from_millis(200);

/// Drains the journal in a thread of its own until told to stop.
pub fn spawn(mut agent: Agent, health: Arc<Health>, stop: Stop) -> JoinHandle<()> {
    threads::spawn("sync", move || {
        while !stop.is_set() {
            let wait = round(&mut agent, &health);
            ask_time(&mut agent);
            stop.sleep(wait);
        }
    })
}

/// What keeps the time from coming keeps records from going too, and that is on the board; this is for the log.
fn ask_time(agent: &mut Agent) {
    match agent.ask_time_when_due() {
        Some(Ok(())) => tracing::debug!("the hub has told the time"),
        Some(Err(error)) => tracing::warn!("{error}"),
        None => {}
    }
}

/// One exchange, told on the board; gives how long to wait before the next.
fn round(agent: &mut Agent, health: &Health) -> Duration {
    match agent.round() {
        Outcome::Idle => IDLE,
        Outcome::Enrolled => {
            tracing::info!("the hub has accepted this gate");
            Duration::ZERO
        }
        Outcome::Acked { hub_unix_s } => {
            health.set_hub(HubHealth { fault: None, last_ack_unix_s: Some(hub_unix_s) });
            Duration::ZERO
        }
        Outcome::Retry { after, why } => {
            tracing::warn!(after_ms = after.as_millis() as u64, "{why}");
            health.update_hub(|hub| hub.fault = Some(why));
            after
        }
    }
}
