//! What carries a message to the hub and its answer back.
//!
//! A trait, because the same exchange runs over HTTP, over a simulated bad link and in tests.

use crate::hub_link::HubLink;
use menshen_trust::tuf;
use std::time::Duration;

/// No answer of a hub is longer than this.
const MAX_REPLY_BYTES: u64 = 16 * 1024;
/// How long one exchange may take; a batch on a 2 kB/s link needs most of it.
const TIMEOUT: Duration = Duration::from_secs(90);
/// What a hub that speaks TLS answers to plain HTTP.
const UPGRADE_REQUIRED: u16 = 426;

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

/// The way by HTTP, plain or by TLS.
pub struct HttpUplink {
    link: HubLink,
}

impl HttpUplink {
    /// The way by this link.
    pub fn new(link: HubLink) -> HttpUplink {
        HttpUplink { link }
    }
}

impl Uplink for HttpUplink {
    fn post(&mut self, path: &str, body: &[u8]) -> Result<Reply, UplinkError> {
        let url = format!("{}{path}", self.link.url());
        let failed = |why: String| UplinkError { url: url.clone(), why };
        let request = self.link.agent().post(&url).header("content-type", "application/cose");
        let request = request.config().timeout_global(Some(TIMEOUT)).build();
        let mut response = request.send(body).map_err(|error| failed(tuf::why(&error)))?;
        let status = response.status().as_u16();
        if status == UPGRADE_REQUIRED {
            return Err(failed("it speaks TLS: write https:// in `hub.url` and set `hub.certificate`".into()));
        }
        let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let body = response.body_mut().with_config().limit(MAX_REPLY_BYTES).read_to_vec();
        let body = body.map_err(|error| failed(tuf::why(&error)))?;
        Ok(Reply { status, retry_after, body })
    }
}
