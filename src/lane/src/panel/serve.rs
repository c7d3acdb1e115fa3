//! The panel's little web server: pages, their words, the state, and a stream of events.
//!
//! `GET /` the page, `/words.json?lang=` its texts, `/about.json` which gate this is, `/state` the current screen and bar, `/events` the same
//! as Server-Sent Events: `hello` (which gate, which languages), `screen`, `bar`, `today`, `sound`, and a `beat` when there
//! was nothing else to say for [`BEAT`], by which a page knows that the gate is alive. `GET /install` is the page for
//! whoever mounts the camera, `/install/events` its stream: `hello`, `bar`, and `aim` with what a frame measures while
//! the stream is open; `/install/picture` is the newest picture. `GET /issuers.json` is how each issuer stands,
//! `/history.json` the last decisions without the person, `/settings.json` what is set. `GET /session` says whether this
//! screen may look and act; `POST /session` unlocks it, `/session/lock` locks it. `POST /by-hand`, `/next`, `/settings`
//! and `/pin` are what a volunteer orders. `GET /proof` is the page of the proof before the shift; what it asks is in
//! [`super::proof`]. Who may ask for what is in [`router`] and in `session`.

use super::aim::Aimed;
use super::door::Door;
use super::issuers::IssuerView;
use super::listen::{self, Listen};
use super::pin::PinFile;
use super::proof;
use super::screen::{Bar, Delivered, Shown};
use super::session::{Sessions, Who};
use super::sound::{self, SoundView};
use super::today::{EntryView, TodayView};
use super::{PanelConfig, PanelInfo, orders, session, set};
use crate::aim::AimView;
use crate::proof::Proofs;
use crate::run::Order;
use crate::settings::Settings;
use crate::sound::{SoundRules, SoundSettings};
use crate::words::{Lang, Words};
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use menshen_core::ids::{Hex, first_8, sha256};
use menshen_core::policy::Policy;
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_stream::wrappers::{IntervalStream, WatchStream};
use tokio_stream::{Stream, StreamExt};

/// How many pages may watch at once; each costs the gate a socket and some kilobytes.
pub const MAX_WATCHERS: usize = 64;

/// The longest silence of an event stream. The page calls the connection lost after three of them.
const BEAT: Duration = Duration::from_secs(2);

/// An order or a setting is a few words.
const MAX_BODY_BYTES: usize = 512;

/// So many of the watchers' places are left for the gate's own screens, however many phones watch.
const KEPT_FOR_OWN: usize = 8;

/// How long a page goes on looking at most after its session has ended.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

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
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

const ASSETS: [Asset; 29] = [
    Asset { path: "/", mime: HTML, text: include_str!("assets/index.html") },
    Asset { path: "/panel.css", mime: CSS, text: include_str!("assets/panel.css") },
    Asset { path: "/panel.js", mime: JS, text: include_str!("assets/panel.js") },
    Asset { path: "/draw.js", mime: JS, text: include_str!("assets/draw.js") },
    Asset { path: "/dom.js", mime: JS, text: include_str!("assets/dom.js") },
    Asset { path: "/stick.js", mime: JS, text: include_str!("assets/stick.js") },
    Asset { path: "/issuers.js", mime: JS, text: include_str!("assets/issuers.js") },
    Asset { path: "/by_hand.js", mime: JS, text: include_str!("assets/by_hand.js") },
    Asset { path: "/say.js", mime: JS, text: include_str!("assets/say.js") },
    Asset { path: "/tone.js", mime: JS, text: include_str!("assets/tone.js") },
    Asset { path: "/speech.js", mime: JS, text: include_str!("assets/speech.js") },
    Asset { path: "/lang.js", mime: JS, text: include_str!("assets/lang.js") },
    Asset { path: "/install", mime: HTML, text: include_str!("assets/install.html") },
    Asset { path: "/install.css", mime: CSS, text: include_str!("assets/install.css") },
    Asset { path: "/install.js", mime: JS, text: include_str!("assets/install.js") },
    Asset { path: "/session.js", mime: JS, text: include_str!("assets/session.js") },
    Asset { path: "/pad.js", mime: JS, text: include_str!("assets/pad.js") },
    Asset { path: "/pad.css", mime: CSS, text: include_str!("assets/pad.css") },
    Asset { path: "/today.js", mime: JS, text: include_str!("assets/today.js") },
    Asset { path: "/page.js", mime: JS, text: include_str!("assets/page.js") },
    Asset { path: "/pages.css", mime: CSS, text: include_str!("assets/pages.css") },
    Asset { path: "/settings", mime: HTML, text: include_str!("assets/settings.html") },
    Asset { path: "/settings.js", mime: JS, text: include_str!("assets/settings.js") },
    Asset { path: "/history", mime: HTML, text: include_str!("assets/history.html") },
    Asset { path: "/history.js", mime: JS, text: include_str!("assets/history.js") },
    Asset { path: "/proof", mime: HTML, text: include_str!("assets/proof.html") },
    Asset { path: "/proof.css", mime: CSS, text: include_str!("assets/proof.css") },
    Asset { path: "/proof.js", mime: JS, text: include_str!("assets/proof.js") },
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
    pub(super) today: watch::Sender<Option<TodayView>>,
    pub(super) history: watch::Sender<Arc<[EntryView]>>,
    /// How loud it is and what it says, for whoever may change it.
    pub(super) sound: SoundSettings,
    /// The same by the site's own word.
    pub(super) sound_of_site: SoundRules,
    /// How loud it is now.
    pub(super) sounds: watch::Sender<SoundView>,
    /// What a volunteer orders.
    pub(super) orders: SyncSender<Order>,
    /// The proofs of the lane, once they are offered.
    pub(super) proofs: OnceLock<Proofs>,
    pub(super) sessions: Sessions,
    /// Where the PIN is kept; `None` for a panel that can have none.
    pub(super) pin: Option<PinFile>,
    pub(super) settings: Arc<Settings>,
    /// How long verdicts stay by the site's own rules.
    pub(super) holds: Policy,
    langs: Vec<&'static str>,
    /// Its receivers are the pages that help to mount a camera.
    pub(super) aims: watch::Sender<Option<Arc<Aimed>>>,
}

impl Shared {
    /// # Errors
    /// Where the system has no random numbers.
    pub(super) fn new(config: PanelConfig, orders: SyncSender<Order>) -> io::Result<Shared> {
        // What another lane has set stays where this one has set nothing.
        config.sound.set(config.settings.get().over_sound(config.sound.get()));
        Ok(Shared {
            info: config.info,
            version: version(),
            watchers: Arc::new(Semaphore::new(MAX_WATCHERS)),
            screens: watch::Sender::new(Shown::first()),
            bars: watch::Sender::new(None),
            issuers: watch::Sender::new([].into()),
            today: watch::Sender::new(None),
            history: watch::Sender::new([].into()),
            sounds: watch::Sender::new(SoundView::first(&config.sound.get())),
            sound: config.sound,
            sound_of_site: config.sound_of_site,
            orders,
            proofs: OnceLock::new(),
            sessions: Sessions::new()?,
            pin: config.pin,
            settings: config.settings,
            holds: config.holds,
            langs: config.langs.into_iter().map(Lang::name).collect(),
            aims: watch::Sender::new(None),
        })
    }

    /// The number of the lane.
    pub(super) fn lane(&self) -> u8 {
        self.info.lane
    }

    fn hello(&self) -> Hello<'_> {
        Hello { info: &self.info, langs: &self.langs, version: &self.version }
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
    langs: &'a [&'static str],
    version: &'a str,
}

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    hello: Hello<'a>,
    screen: Delivered<'a>,
    bar: &'a Option<Bar>,
    today: &'a Option<TodayView>,
    sound: &'a SoundView,
}

/// Serves until the future is dropped: on what was bound already, and on interfaces as soon as they are there.
pub(super) async fn serve(bound: Vec<tokio::net::TcpListener>, places: Vec<Listen>, shared: Arc<Shared>) {
    let router = router(shared);
    let mut doors = JoinSet::new();
    for listener in bound {
        doors.spawn(open_door(listener, router.clone()));
    }
    for place in places {
        if let Listen::On { interface, port } = place {
            let router = router.clone();
            doors.spawn(async move {
                loop {
                    let (listener, index) = listen::when_there(&interface, port).await;
                    tokio::select! {
                        () = open_door(listener, router.clone()) => {}
                        () = listen::until_replaced(&interface, index) => {}
                    }
                }
            });
        }
    }
    while doors.join_next().await.is_some() {}
}

async fn open_door(listener: tokio::net::TcpListener, router: Router) {
    let service = router.into_make_service_with_connect_info::<session::From>();
    if let Err(error) = axum::serve(Door::new(listener), service).await {
        tracing::error!(%error, "the panel has stopped: restart the gate");
    }
}

fn router(shared: Arc<Shared>) -> Router {
    // What everybody gets: the page itself, which shows nothing yet, its words, and whether it is unlocked.
    let open = ASSETS.iter().fold(Router::new(), |router, asset| {
        router.route(asset.path, get(move || async { ([(header::CONTENT_TYPE, asset.mime)], asset.text) }))
    });
    let open = open
        .route("/words.json", get(words))
        .route("/about.json", get(about))
        .route("/session", get(session::show).post(session::unlock))
        .route("/session/lock", post(session::lock));
    let looks = Router::new()
        .route("/state", get(state))
        .route("/events", get(events))
        .route("/issuers.json", get(issuers))
        .route("/history.json", get(history))
        .route("/sound.json", get(sound::sound))
        .route("/speech/{lang}/{key}", get(sound::clip))
        .route("/install/events", get(install_events))
        .route("/install/picture", get(install_picture))
        .route("/settings.json", get(set::show))
        .merge(proof::looks())
        .route_layer(from_fn_with_state(Arc::clone(&shared), session::may_look));
    let touches = Router::new()
        .route("/next", post(orders::next))
        .route_layer(from_fn_with_state(Arc::clone(&shared), session::may_touch));
    let acts = Router::new()
        .route("/by-hand", post(orders::by_hand))
        .route("/settings", post(set::put))
        .route("/pin", post(set::pin))
        .merge(proof::acts())
        .route_layer(from_fn_with_state(Arc::clone(&shared), session::may_act));
    open.merge(looks)
        .merge(touches)
        .merge(acts)
        .fallback(|| async { (StatusCode::NOT_FOUND, "the panel has no such page: open /\n") })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::map_response(async |mut response: Response| {
            for (name, value) in HEADERS {
                // A clip says itself how long it is kept.
                response.headers_mut().entry(name).or_insert(axum::http::HeaderValue::from_static(value));
            }
            response
        }))
        .with_state(shared)
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

async fn about(State(shared): State<Arc<Shared>>) -> Response {
    Json(shared.hello()).into_response()
}

async fn state(State(shared): State<Arc<Shared>>) -> Response {
    let (screen, bar) = (shared.screens.borrow(), shared.bars.borrow());
    let (today, sound) = (shared.today.borrow(), shared.sounds.borrow());
    let (screen, hello) = (screen.deliver(), shared.hello());
    Json(Whole { hello, screen, bar: &bar, today: &today, sound: &sound }).into_response()
}

async fn issuers(State(shared): State<Arc<Shared>>) -> Response {
    let issuers = Arc::clone(&shared.issuers.borrow());
    Json(issuers.as_ref()).into_response()
}

async fn history(State(shared): State<Arc<Shared>>, who: Who) -> Response {
    // Whoever stands at the kiosk is not to read why the one before was refused.
    if !who.may_act() {
        return session::locked(&who);
    }
    let history = Arc::clone(&shared.history.borrow());
    Json(history.as_ref()).into_response()
}

async fn events(State(shared): State<Arc<Shared>>, who: Who) -> Response {
    let screens = WatchStream::new(shared.screens.subscribe()).map(|shown| event("screen", &shown.deliver()));
    let sounds = WatchStream::new(shared.sounds.subscribe()).map(|sound| event("sound", &sound));
    let today = WatchStream::new(shared.today.subscribe()).filter_map(|today| Some(event("today", &today?)));
    stream(&shared, who, sounds.merge(screens).merge(today))
}

async fn install_events(State(shared): State<Arc<Shared>>, who: Who) -> Response {
    let aims = WatchStream::new(shared.aims.subscribe()).filter_map(|aimed| {
        let aimed = aimed.filter(|aimed| aimed.is_fresh())?;
        Some(event("aim", &Aim { view: &aimed.view, picture: aimed.number }))
    });
    stream(&shared, who, aims)
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

/// What a page is told as long as it watches and may look: who this is, how the device is, and `news`.
fn stream<S>(shared: &Arc<Shared>, mut who: Who, news: S) -> Response
where
    S: Stream<Item = Result<Event, axum::Error>> + Send + 'static,
{
    let has_room = who.is_own || shared.watchers.available_permits() > KEPT_FOR_OWN;
    let place = Arc::clone(&shared.watchers).try_acquire_owned().ok().filter(|_| has_room);
    let Some(place) = place else {
        let full = format!("{MAX_WATCHERS} screens watch this gate already: close one\n");
        return (StatusCode::SERVICE_UNAVAILABLE, full).into_response();
    };
    let hello = tokio_stream::once(event("hello", &shared.hello()).map(|event| event.retry(RETRY)));
    let bars = WatchStream::new(shared.bars.subscribe()).filter_map(|bar| bar.map(|bar| event("bar", &bar)));
    let looks = IntervalStream::new(tokio::time::interval(LOOK_AGAIN)).map(|_| None);
    let guard = Arc::clone(shared);
    let may_look = move |event| {
        let _until_the_stream_ends = &place;
        who.may_still_look(&guard).then_some(event)
    };
    let all = hello.chain(news.merge(bars)).map(Some).merge(looks).map_while(may_look).filter_map(|event| event);
    let beat = KeepAlive::new().interval(BEAT).event(Event::default().event("beat").data("1"));
    Sse::new(all).keep_alive(beat).into_response()
}

fn event(name: &str, data: &impl Serialize) -> Result<Event, axum::Error> {
    Event::default().event(name).json_data(data)
}
