//! The panel's little web server: a page, its words, the state, and a stream of events.
//!
//! `GET /` the page, `/words.json?lang=` its texts, `/state` the current screen and bar, `/events` the same
//! as Server-Sent Events: `hello` (which gate, which languages), `screen`, `bar`, and a `beat` when there
//! was nothing else to say for [`BEAT`], by which a page knows that the gate is alive. `GET /install` is the page for
//! whoever mounts the camera, `/install/events` its stream: `hello`, `bar`, and `aim` with what a frame measures while
//! the stream is open; `/install/picture` is the newest picture. `GET /issuers.json` is how each issuer stands. `POST /by-hand` is what a volunteer decides.

use super::PanelInfo;
use super::aim::Aimed;
use super::by_hand;
use super::door::Door;
use super::issuers::IssuerView;
use super::screen::{Bar, Delivered, Shown};
use crate::aim::AimView;
use crate::words::{Lang, Words};
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use menshen_core::ids::{Hex, first_8, sha256};
use menshen_core::manual::Cause;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{Stream, StreamExt};

/// How many pages may watch at once; each costs the gate a socket and some kilobytes.
pub const MAX_WATCHERS: usize = 64;

/// The longest silence of an event stream. The page calls the connection lost after three of them.
const BEAT: Duration = Duration::from_secs(2);

/// A decision by hand is a few words.
const MAX_BODY_BYTES: usize = 256;

/// How long a page waits before it reconnects.
const RETRY: Duration = Duration::from_secs(1);

/// Nothing but what this server gives; no frames, no forms, no plugins, no inline script or style.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                   base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

struct Asset {
    path: &'static str,
    mime: &'static str,
    text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

const ASSETS: [Asset; 15] = [
    Asset { path: "/", mime: HTML, text: include_str!("assets/index.html") },
    Asset { path: "/panel.css", mime: "text/css; charset=utf-8", text: include_str!("assets/panel.css") },
    Asset { path: "/panel.js", mime: JS, text: include_str!("assets/panel.js") },
    Asset { path: "/draw.js", mime: JS, text: include_str!("assets/draw.js") },
    Asset { path: "/dom.js", mime: JS, text: include_str!("assets/dom.js") },
    Asset { path: "/stick.js", mime: JS, text: include_str!("assets/stick.js") },
    Asset { path: "/issuers.js", mime: JS, text: include_str!("assets/issuers.js") },
    Asset { path: "/by_hand.js", mime: JS, text: include_str!("assets/by_hand.js") },
    Asset { path: "/say.js", mime: JS, text: include_str!("assets/say.js") },
    Asset { path: "/tone.js", mime: JS, text: include_str!("assets/tone.js") },
    Asset { path: "/lang.js", mime: JS, text: include_str!("assets/lang.js") },
    Asset { path: "/install", mime: HTML, text: include_str!("assets/install.html") },
    Asset { path: "/install.css", mime: "text/css; charset=utf-8", text: include_str!("assets/install.css") },
    Asset { path: "/install.js", mime: JS, text: include_str!("assets/install.js") },
    Asset { path: "/icon.svg", mime: "image/svg+xml", text: include_str!("assets/icon.svg") },
];

/// What the gate's threads and the panel's share: slots that hold the newest value only.
#[derive(Debug)]
pub(super) struct Shared {
    info: PanelInfo,
    version: String,
    watchers: Arc<Semaphore>,
    pub(super) screens: watch::Sender<Shown>,
    pub(super) bars: watch::Sender<Option<Bar>>,
    pub(super) issuers: watch::Sender<Arc<[IssuerView]>>,
    /// What a volunteer decides.
    pub(super) by_hand: SyncSender<Cause>,
    /// Its receivers are the pages that help to mount a camera.
    pub(super) aims: watch::Sender<Option<Arc<Aimed>>>,
}

impl Shared {
    pub(super) fn new(info: PanelInfo, screens: watch::Sender<Shown>, by_hand: SyncSender<Cause>) -> Shared {
        Shared {
            info,
            version: version(),
            watchers: Arc::new(Semaphore::new(MAX_WATCHERS)),
            screens,
            bars: watch::Sender::new(None),
            issuers: watch::Sender::new([].into()),
            by_hand,
            aims: watch::Sender::new(None),
        }
    }

    fn hello(&self) -> Hello<'_> {
        Hello { info: &self.info, langs: Lang::ALL.map(Lang::name), version: &self.version }
    }
}

/// Which page this program serves: a kiosk that ran through an update reloads itself by it.
fn version() -> String {
    let mut all: Vec<u8> = ASSETS.iter().flat_map(|asset| asset.text.bytes()).collect();
    for lang in Lang::ALL {
        all.extend(serde_json::to_vec(Words::of(lang)).unwrap_or_default());
    }
    Hex(&first_8(&sha256(&all))).to_string()
}

#[derive(Serialize)]
struct Hello<'a> {
    info: &'a PanelInfo,
    langs: [&'static str; Lang::ALL.len()],
    version: &'a str,
}

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    hello: Hello<'a>,
    screen: Delivered<'a>,
    bar: &'a Option<Bar>,
}

/// Serves until the future is dropped.
pub(super) async fn serve(listener: tokio::net::TcpListener, shared: Arc<Shared>) {
    let router = ASSETS.iter().fold(Router::new(), |router, asset| {
        router.route(asset.path, get(move || async { ([(header::CONTENT_TYPE, asset.mime)], asset.text) }))
    });
    let router = router
        .route("/words.json", get(words))
        .route("/state", get(state))
        .route("/events", get(events))
        .route("/issuers.json", get(issuers))
        .route("/install/events", get(install_events))
        .route("/install/picture", get(install_picture))
        .route("/by-hand", post(by_hand::decide).layer(DefaultBodyLimit::max(MAX_BODY_BYTES)))
        .fallback(|| async { (StatusCode::NOT_FOUND, "the panel has no such page: open /\n") })
        .layer(middleware::map_response(async |mut response: Response| {
            let headers = HEADERS.map(|(name, value)| (name, axum::http::HeaderValue::from_static(value)));
            response.headers_mut().extend(headers);
            response
        }))
        .with_state(shared);
    let service = router.into_make_service_with_connect_info::<by_hand::From>();
    if let Err(error) = axum::serve(Door::new(listener), service).await {
        tracing::error!(%error, "the panel has stopped: restart the gate");
    }
}

#[derive(Deserialize)]
struct WordsQuery {
    lang: Option<String>,
}

async fn words(Query(query): Query<WordsQuery>) -> Response {
    match query.lang.as_deref().map_or(Some(Lang::default()), Lang::parse) {
        Some(lang) => Json(Words::of(lang)).into_response(),
        None => {
            let known = Lang::ALL.map(Lang::name).join(", ");
            (StatusCode::NOT_FOUND, format!("the panel does not speak that language: ask for one of {known}\n"))
                .into_response()
        }
    }
}

async fn state(State(shared): State<Arc<Shared>>) -> Response {
    let (screen, bar) = (shared.screens.borrow(), shared.bars.borrow());
    Json(Whole { hello: shared.hello(), screen: screen.deliver(), bar: &bar }).into_response()
}

async fn issuers(State(shared): State<Arc<Shared>>) -> Response {
    let issuers = Arc::clone(&shared.issuers.borrow());
    Json(issuers.as_ref()).into_response()
}

async fn events(State(shared): State<Arc<Shared>>) -> Response {
    let screens = WatchStream::new(shared.screens.subscribe()).map(|shown| event("screen", &shown.deliver()));
    stream(&shared, screens)
}

async fn install_events(State(shared): State<Arc<Shared>>) -> Response {
    let aims = WatchStream::new(shared.aims.subscribe()).filter_map(|aimed| {
        let aimed = aimed.filter(|aimed| aimed.is_fresh())?;
        Some(event("aim", &Aim { view: &aimed.view, picture: aimed.number }))
    });
    stream(&shared, aims)
}

#[derive(Serialize)]
struct Aim<'a> {
    #[serde(flatten)]
    view: &'a AimView,
    picture: u64,
}

async fn install_picture(State(shared): State<Arc<Shared>>) -> Response {
    let aimed = shared.aims.borrow().clone();
    match aimed.filter(|aimed| aimed.is_fresh()) {
        Some(aimed) => ([(header::CONTENT_TYPE, "image/jpeg")], aimed.picture.jpeg()).into_response(),
        None => {
            (StatusCode::NOT_FOUND, "there is no picture now: open /install and look at the camera\n").into_response()
        }
    }
}

/// What a page is told as long as it watches: who this is, how the device is, and `news`.
fn stream<S>(shared: &Shared, news: S) -> Response
where
    S: Stream<Item = Result<Event, axum::Error>> + Send + 'static,
{
    let Ok(place) = Arc::clone(&shared.watchers).try_acquire_owned() else {
        let full = format!("{MAX_WATCHERS} screens watch this gate already: close one\n");
        return (StatusCode::SERVICE_UNAVAILABLE, full).into_response();
    };
    let hello = tokio_stream::once(event("hello", &shared.hello()).map(|event| event.retry(RETRY)));
    let bars = WatchStream::new(shared.bars.subscribe()).filter_map(|bar| bar.map(|bar| event("bar", &bar)));
    let all = hello.chain(news.merge(bars)).map(move |event| {
        let _until_the_stream_ends = &place;
        event
    });
    let beat = KeepAlive::new().interval(BEAT).event(Event::default().event("beat").data("1"));
    Sse::new(all).keep_alive(beat).into_response()
}

fn event(name: &str, data: &impl Serialize) -> Result<Event, axum::Error> {
    Event::default().event(name).json_data(data)
}
