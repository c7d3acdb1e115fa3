//! Who may look through the panel, and who may act.
//!
//! | who asks | without a PIN | with a PIN |
//! |---|---|---|
//! | the gate's own screen (loopback) | looks and acts | looks; acts, and looks back, when unlocked |
//! | a screen on the network | nothing | looks and acts when unlocked |
//!
//! To act is to decide by hand, to change a setting, to move an output. A screen is unlocked by the PIN and then has a
//! session: a random cookie that scripts can not read and other sites' pages can not send, and a second random value
//! that every act must name, which only the panel's own page can read. Sessions are kept in memory only: a gate that
//! starts again asks for the PIN again. A session is of the PIN that opened it: where another one is set, here, at another
//! lane or by a technician, it has ended.
//!
//! Invariants: whoever asks must call the gate by an address or a name that nobody on the internet can point here; an act
//! comes from the panel's own page; an own screen that nobody touches locks itself.

use super::pin::{Attempts, Mark, PinError, PinFile};
use super::serve::Shared;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use menshen_core::ids::{Hex, sha256};
use serde::{Deserialize, Serialize};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The header that every act carries.
pub(super) const ACT_HEADER: &str = "x-menshen-act";
/// A shift is shorter.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
const MAX_SESSIONS: usize = 32;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct From(pub(super) SocketAddr);

/// The open sessions, and who has tried in vain.
#[derive(Debug)]
pub(super) struct Sessions {
    inner: Mutex<Inner>,
    /// What an act of the own screen names where there is no PIN.
    own_act: String,
    /// One PIN is looked at at a time: it takes long, and so whoever guesses waits for the one before. The gate's own
    /// screen does not wait for the network.
    own_turn: tokio::sync::Mutex<()>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Inner {
    open: Vec<Session>,
    attempts: Attempts,
}

#[derive(Debug)]
struct Session {
    /// The SHA-256 of the cookie.
    id: [u8; 32],
    act: String,
    began: Instant,
    touched: Instant,
    is_own: bool,
    /// The PIN that opened it.
    pin: Mark,
}

impl Sessions {
    /// # Errors
    /// Where the system has no random numbers.
    pub(super) fn new() -> io::Result<Sessions> {
        let own_act = random().ok_or_else(|| io::Error::other("there are no random numbers; check /dev/urandom"))?;
        let turn = || tokio::sync::Mutex::new(());
        Ok(Sessions { inner: Mutex::default(), own_act, own_turn: turn(), turn: turn() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change is whole after any panic: sessions are added and removed one by one.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an act in the session of this cookie must name; `None` where there is no such session any more. `pin` is the PIN
    /// that there is now.
    fn act_of(&self, cookie: &str, pin: Option<Mark>, own_lock: Duration, touch: bool) -> Option<String> {
        // One that can not be read just now opens nothing, and ends nothing.
        let pin = pin?;
        let (id, now) = (sha256(cookie.as_bytes()), Instant::now());
        let mut inner = self.lock();
        inner.open.retain(|session| {
            let idle = now - session.touched;
            let is_over = now - session.began >= LONGEST || (session.is_own && idle >= own_lock);
            !is_over && session.pin == pin
        });
        let session = inner.open.iter_mut().find(|session| session.id == id)?;
        if touch {
            session.touched = now;
        }
        Some(session.act.clone())
    }

    /// Opens one; gives the cookie, or nothing where the system has no random numbers.
    fn open(&self, is_own: bool, pin: Mark) -> Option<String> {
        let (cookie, act, now) = (random()?, random()?, Instant::now());
        let mut inner = self.lock();
        if inner.open.len() >= MAX_SESSIONS {
            // The one that nobody has used for longest.
            let oldest = inner.open.iter().enumerate().min_by_key(|(_, session)| session.touched).map(|(at, _)| at);
            oldest.map(|at| inner.open.swap_remove(at));
        }
        inner.open.push(Session { id: sha256(cookie.as_bytes()), act, began: now, touched: now, is_own, pin });
        Some(cookie)
    }

    fn close(&self, cookie: &str) {
        let id = sha256(cookie.as_bytes());
        self.lock().open.retain(|session| session.id != id);
    }
}

/// 128 random bits.
fn random() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(Hex(&bytes).to_string())
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) from: IpAddr,
    pub(super) is_own: bool,
    cookie: Option<String>,
    /// What an act must name; `None` for one who may not act.
    act: Option<String>,
    has_pin: bool,
}

impl Who {
    fn of(parts: &Parts, shared: &Shared, touch: bool) -> Option<Who> {
        let ConnectInfo(From(from)) = parts.extensions.get::<ConnectInfo<From>>()?;
        let from = from.ip().to_canonical();
        let is_own = from.is_loopback() && is_called(&parts.headers, is_loopback_name);
        let cookie = cookie(&parts.headers, &cookie_name(shared));
        let mut who = Who { from, is_own, cookie, act: None, has_pin: true };
        who.renew(shared, touch);
        Some(who)
    }

    /// Looks again at what this screen may do.
    fn renew(&mut self, shared: &Shared, touch: bool) {
        self.has_pin = shared.pin.as_ref().is_some_and(PinFile::is_set);
        self.act = match (self.has_pin, self.is_own) {
            (false, true) => Some(shared.sessions.own_act.clone()),
            (false, false) => None,
            (true, _) => self.cookie.as_ref().and_then(|cookie| {
                let (pin, own_lock) = (shared.pin.as_ref().and_then(PinFile::mark), shared.settings.get().own_lock());
                shared.sessions.act_of(cookie, pin, own_lock, touch)
            }),
        };
    }

    /// Whether a page that was let look may go on.
    pub(super) fn may_still_look(&mut self, shared: &Shared) -> bool {
        self.renew(shared, false);
        self.may_look()
    }

    pub(super) fn may_act(&self) -> bool {
        self.act.is_some()
    }

    fn may_look(&self) -> bool {
        self.is_own || self.may_act()
    }
}

impl FromRequestParts<Arc<Shared>> for Who {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Who, Response> {
        Who::of(parts, shared, false).ok_or_else(|| StatusCode::FORBIDDEN.into_response())
    }
}

/// Lets through whoever may look.
pub(super) async fn may_look(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match Who::of(&parts, &shared, false) {
        Some(who) if who.may_look() => next.run(Request::from_parts(parts, body)).await,
        Some(who) => locked(&who),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

/// Lets through an act of whoever may act, from the panel's own page.
pub(super) async fn may_act(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Some(who) = Who::of(&parts, &shared, true) else { return StatusCode::FORBIDDEN.into_response() };
    let Some(act) = &who.act else { return locked(&who) };
    let named = parts.headers.get(ACT_HEADER).and_then(|value| value.to_str().ok());
    if !is_own_page(&parts.headers) || named != Some(act) {
        let why = "the panel takes this only from a page of its own: open it anew and try again\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    next.run(Request::from_parts(parts, body)).await
}

/// The same for what harms nobody, so that a screen of the gate itself needs no PIN for it.
pub(super) async fn may_touch(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Some(who) = Who::of(&parts, &shared, true) else { return StatusCode::FORBIDDEN.into_response() };
    if !who.may_look() {
        return locked(&who);
    }
    if !is_own_page(&parts.headers) || !parts.headers.contains_key(ACT_HEADER) {
        let why = "the panel takes this only from a page of its own: open it anew and try again\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    next.run(Request::from_parts(parts, body)).await
}

pub(super) fn locked(who: &Who) -> Response {
    if who.has_pin {
        (StatusCode::UNAUTHORIZED, "the panel is locked: type the PIN\n").into_response()
    } else {
        let why = "this gate has no PIN yet, so it shows itself and is opened by hand only at a screen of its own: \
                   set one there, or with `menshen-gate pin`\n";
        (StatusCode::FORBIDDEN, why).into_response()
    }
}

/// What a page is told about itself.
#[derive(Serialize)]
struct Standing {
    /// Whether this is the gate's own screen.
    own: bool,
    has_pin: bool,
    may_look: bool,
    /// What an act must name in the header `x-menshen-act`; `None` while locked.
    act: Option<String>,
    /// How long it must wait before another PIN is looked at.
    wait_s: u64,
}

fn standing(who: &Who, shared: &Shared) -> Standing {
    let wait = shared.sessions.lock().attempts.wait(who.from, Instant::now()).unwrap_or_default();
    Standing {
        own: who.is_own,
        has_pin: who.has_pin,
        may_look: who.may_look(),
        act: who.act.clone(),
        wait_s: wait.as_secs() + u64::from(wait.subsec_nanos() > 0),
    }
}

/// `GET /session`.
pub(super) async fn show(State(shared): State<Arc<Shared>>, who: Who) -> Response {
    Json(standing(&who, &shared)).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Typed {
    pin: String,
}

/// `POST /session`: the PIN was typed.
pub(super) async fn unlock(
    State(shared): State<Arc<Shared>>,
    who: Who,
    headers: HeaderMap,
    body: Result<Json<Typed>, JsonRejection>,
) -> Response {
    let Ok(Json(Typed { pin })) = body else {
        return (StatusCode::BAD_REQUEST, "a PIN comes as JSON: reload the page\n").into_response();
    };
    let Some(file) = shared.pin.clone().filter(PinFile::is_set) else { return locked(&who) };
    if !is_own_page(&headers) {
        return (StatusCode::FORBIDDEN, "the PIN is typed at the panel's own page\n").into_response();
    }
    match try_pin(&shared, &who, file, pin).await {
        Tried::Right(mark) => {
            let Some(cookie) = shared.sessions.open(who.is_own, mark) else {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            };
            // The old one of this screen is not waited for.
            who.cookie.iter().for_each(|old| shared.sessions.close(old));
            let (name, seconds) = (cookie_name(&shared), LONGEST.as_secs());
            let set = format!("{name}={cookie}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}");
            tracing::info!(own_screen = who.is_own, "the panel was unlocked");
            (StatusCode::NO_CONTENT, [(header::SET_COOKIE, set)]).into_response()
        }
        Tried::Wrong => (StatusCode::UNAUTHORIZED, Json(standing(&who, &shared))).into_response(),
        Tried::TooSoon => (StatusCode::TOO_MANY_REQUESTS, Json(standing(&who, &shared))).into_response(),
        Tried::Failed(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// What came of a PIN that was typed.
pub(super) enum Tried {
    Right(Mark),
    Wrong,
    /// It was not looked at: too many wrong ones came from there.
    TooSoon,
    Failed(PinError),
}

/// Looks at a PIN that was typed, and counts it, also where whoever typed it does not wait for the answer.
pub(super) async fn try_pin(shared: &Arc<Shared>, who: &Who, file: PinFile, pin: String) -> Tried {
    let (shared, who) = (Arc::clone(shared), who.clone());
    let tried = tokio::spawn(async move { look_at_pin(&shared, &who, file, pin).await }).await;
    tried.unwrap_or(Tried::Failed(PinError::Random))
}

async fn look_at_pin(shared: &Shared, who: &Who, file: PinFile, pin: String) -> Tried {
    let sessions = &shared.sessions;
    let _turn = if who.from.is_loopback() { sessions.own_turn.lock().await } else { sessions.turn.lock().await };
    if sessions.lock().attempts.wait(who.from, Instant::now()).is_some() {
        return Tried::TooSoon;
    }
    let tried = tokio::task::spawn_blocking(move || file.opened_by(&pin)).await;
    match tried.unwrap_or(Err(PinError::Random)) {
        Ok(Some(mark)) => {
            sessions.lock().attempts.right(who.from);
            Tried::Right(mark)
        }
        Ok(None) => {
            sessions.lock().attempts.wrong(who.from, Instant::now());
            tracing::warn!(own_screen = who.is_own, "a wrong PIN was typed at the panel");
            Tried::Wrong
        }
        Err(error) => {
            tracing::error!("{error}");
            Tried::Failed(error)
        }
    }
}

/// `POST /session/lock`: nobody acts from this screen any more.
pub(super) async fn lock(State(shared): State<Arc<Shared>>, who: Who) -> Response {
    who.cookie.iter().for_each(|cookie| shared.sessions.close(cookie));
    StatusCode::NO_CONTENT.into_response()
}

/// A cookie is one for all ports of a device, so each lane's has a name of its own.
fn cookie_name(shared: &Shared) -> String {
    format!("menshen-{}", shared.lane())
}

fn cookie(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned())
}

/// Whether a request comes from the panel's own page, by what every browser says of it, at a name that is the gate's.
fn is_own_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST.as_str()).unwrap_or_default();
    let by_origin = text(header::ORIGIN.as_str()).is_none_or(|origin| origin.strip_prefix("http://") == Some(host));
    let by_fetch = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
    is_called(headers, is_own_name) && by_origin && by_fetch
}

/// Whether the `Host` of a request is such a name.
fn is_called(headers: &HeaderMap, is_such: fn(&str) -> bool) -> bool {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        // The colons of a bare IPv6 address are not a port's.
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    is_such(name.trim_start_matches('[').trim_end_matches(']'))
}

/// An address, or a name of the local network: whoever owns a name on the internet can point that here, and these not.
fn is_own_name(name: &str) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok() || name.strip_suffix(".local").is_some_and(is_label)
}

fn is_label(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_loopback_name(name: &str) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const PIN: Mark = [7; 32];

    fn host(text: &str) -> HeaderMap {
        let value = HeaderValue::from_str(text).expect("a header");
        HeaderMap::from_iter([(header::HOST, value)])
    }

    #[test]
    fn only_the_loopback_is_this_device() {
        for name in ["127.0.0.1", "127.0.0.1:8460", "localhost", "localhost:8460", "[::1]:8460", "[::1]"] {
            assert!(is_called(&host(name), is_loopback_name), "{name}");
        }
        for name in
            ["", "gate.example", "gate.example:8460", "192.168.8.1:8460", "127.0.0.1.example", "localhost.example"]
        {
            assert!(!is_called(&host(name), is_loopback_name), "{name}");
        }
    }

    #[test]
    fn a_name_that_somebody_else_may_own_is_not_the_gates() {
        for name in ["192.168.8.1:8460", "[fe80::1]:8460", "gate-12.local:8460", "localhost"] {
            assert!(is_called(&host(name), is_own_name), "{name}");
        }
        for name in ["", "gate.example", "local", ".local", "a.b.local", "gate.local.example:8460"] {
            assert!(!is_called(&host(name), is_own_name), "{name}");
        }
    }

    #[test]
    fn an_own_screen_that_nobody_touches_locks_itself_and_one_on_the_network_does_not() {
        let sessions = Sessions::new().expect("random numbers");
        let (own, other) =
            (sessions.open(true, PIN).expect("a session"), sessions.open(false, PIN).expect("a session"));
        assert!(sessions.act_of(&own, Some(PIN), Duration::from_secs(60), true).is_some());
        assert_eq!(sessions.act_of(&own, Some(PIN), Duration::ZERO, true), None);
        assert_eq!(sessions.act_of(&own, Some(PIN), Duration::from_secs(60), true), None);
        assert!(sessions.act_of(&other, Some(PIN), Duration::ZERO, true).is_some());
    }

    #[test]
    fn a_session_is_of_the_pin_that_opened_it() {
        let sessions = Sessions::new().expect("random numbers");
        let cookie = sessions.open(false, PIN).expect("a session");
        let act_of = |pin| sessions.act_of(&cookie, pin, Duration::from_secs(60), true);
        // What can not be read for a moment (too many open files) ends nobody's shift.
        assert!(act_of(None).is_none() && act_of(Some(PIN)).is_some());
        assert!(act_of(Some([8; 32])).is_none() && act_of(Some(PIN)).is_none());
    }

    #[test]
    fn there_are_never_more_sessions_than_a_gate_can_hold() {
        let sessions = Sessions::new().expect("random numbers");
        let first = sessions.open(false, PIN).expect("a session");
        assert!((0..MAX_SESSIONS).all(|_| sessions.open(false, PIN).is_some()));
        assert_eq!(sessions.lock().open.len(), MAX_SESSIONS);
        assert_eq!(sessions.act_of(&first, Some(PIN), Duration::from_secs(60), true), None);
    }
}
