//! A repository behind HTTP: the hub's, or any mirror of it.
//!
//! Plain HTTP is as good as HTTPS for what is believed, because everything is signed; HTTPS hides from the network
//! which gate asks for what. Answers are bounded in size and in time, redirects are not followed, and "not there"
//! is told from "not answering", because TUF ends its chain of roots at the first that is not there.

use super::source::{Source, SourceError, read_bounded};
use std::fmt::Write as _;
use std::io::Read;
use std::time::Duration;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take to begin.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a whole file may take: 10 MB on a link of 2 kB/s.
const FILE_TIMEOUT: Duration = Duration::from_secs(5000);

/// A repository at two addresses.
#[derive(Clone, Debug)]
pub struct Http {
    agent: ureq::Agent,
    metadata_url: String,
    targets_url: String,
}

impl Http {
    /// The repository whose metadata and targets lie under these addresses, in plain HTTP.
    pub fn new(metadata_url: &str, targets_url: &str) -> Http {
        let config = ureq::Agent::config_builder().timeout_connect(Some(CONNECT_TIMEOUT)).proxy(None).build();
        Http::with_agent(config.into(), metadata_url, targets_url)
    }

    /// The same with an agent of the caller's, for example one that knows the hub's certificate.
    pub fn with_agent(agent: ureq::Agent, metadata_url: &str, targets_url: &str) -> Http {
        let base = |url: &str| url.trim_end_matches('/').to_owned();
        Http { agent, metadata_url: base(metadata_url), targets_url: base(targets_url) }
    }

    fn get(&self, base: &str, name: &str) -> Result<Option<ureq::BodyReader<'static>>, SourceError> {
        let url = format!("{base}/{}", escaped(name));
        let failed = |why: String| SourceError::Unreachable { name: url.clone(), why };
        let request = self.agent.get(&url).config().http_status_as_error(false).max_redirects(0);
        let request = request.timeout_recv_response(Some(ANSWER_TIMEOUT)).timeout_global(Some(FILE_TIMEOUT)).build();
        let response = request.call().map_err(|error| failed(why(&error)))?;
        match response.status().as_u16() {
            200 => Ok(Some(response.into_body().into_reader())),
            // Stores that do not list their files answer 403 for what is not there.
            403 | 404 => Ok(None),
            426 => Err(failed("it speaks TLS: its address begins with https://".into())),
            status => Err(failed(format!("it answered with status {status}"))),
        }
    }
}

impl Source for Http {
    fn metadata(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let reader = self.get(&self.metadata_url, name)?;
        reader.map(|reader| read_bounded(reader, name, max_bytes)).transpose()
    }

    fn target(&self, path: &str) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        Ok(self.get(&self.targets_url, path)?.map(|reader| Box::new(reader) as Box<dyn Read + Send>))
    }
}

/// What a request failed by, in the words of whoever told it.
pub fn why(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Other(told) => told.to_string(),
        error => error.to_string(),
    }
}

/// Keeps what RFC 3986 lets stand in a path, and the `%` of names that are escaped already.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b'%' => out.push(byte.into()),
            _ => write!(out, "%{byte:02X}").unwrap_or_default(),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_escaped_once() {
        assert_eq!(escaped("3.a%2Fb.json"), "3.a%2Fb.json");
        assert_eq!(escaped("dir/a b?#.txt"), "dir/a%20b%3F%23.txt");
    }
}
