//! What carries a message to the hub and its answer back.
//!
//! A trait, because the same exchange runs over HTTP, over a simulated bad link and in tests.

use std::time::Duration;

/// No answer of a hub is longer than this.
const MAX_REPLY_BYTES: u64 = 16 * 1024;
/// How long one exchange may take; a batch on a 2 kB/s link needs most of it.
const TIMEOUT: Duration = Duration::from_secs(90);
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What the hub answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// How long the hub asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hub {url} can not be reached ({why}); records are kept and sent when it can")]
pub struct UplinkError {
    /// Which address.
    pub url: String,
    /// What went wrong.
    pub why: String,
}

/// A way to the hub.
pub trait Uplink: Send {
    /// Posts a body to a path such as `/v1/gates/…/batches`.
    fn post(&mut self, path: &str, body: &[u8]) -> Result<Reply, UplinkError>;
}

/// The way by HTTP.
pub struct HttpUplink {
    agent: ureq::Agent,
    base: String,
}

impl HttpUplink {
    /// A way to the hub at `base`, for example `http://hub.example:8470`.
    pub fn new(base: &str) -> HttpUplink {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .proxy(None)
            .build();
        HttpUplink { agent: config.into(), base: base.trim_end_matches('/').into() }
    }
}

impl Uplink for HttpUplink {
    fn post(&mut self, path: &str, body: &[u8]) -> Result<Reply, UplinkError> {
        let url = format!("{}{path}", self.base);
        let failed = |why: ureq::Error| UplinkError { url: url.clone(), why: why.to_string() };
        let mut response =
            self.agent.post(&url).header("content-type", "application/cose").send(body).map_err(failed)?;
        let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(MAX_REPLY_BYTES).read_to_vec().map_err(failed)?;
        Ok(Reply { status, retry_after, body })
    }
}
