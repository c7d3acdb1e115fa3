//! The world of one gate: an authority, a board, a site, people with passes, and a hub.
//!
//! Everything is in one folder that goes away with the world. The board is `boards/sim.toml` with changes; the
//! authority is the development profile that `menshen trust init` makes.

use super::as_main;
use menshen::authority::Authority;
use menshen::request::Request;
use menshen::scene::{self, Camera};
use menshen::{moment, qr};
use menshen_core::decide::{Reasons, Verdict};
use menshen_core::ids::GateId;
use menshen_core::pass;
use menshen_core::record::{Body, Scan};
use menshen_core::time::Time;
use menshen_hub::{Config, Hub, StoreUrl, Tls};
use menshen_lane::device_key;
use menshen_lane::journal::{Journal, SledJournal};
use menshen_lane::optics::Frame;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tempfile::TempDir;

/// What a gate must know to be enrolled.
pub const TOKEN: &str = "lantern-7";

const BASE_BOARD: &str = include_str!("../../../boards/base.toml");
const SIM_BOARD: &str = include_str!("../../../boards/sim.toml");

/// How long each picture is in view: longer than a verdict stays on the screen at least, so that none is missed.
pub const SHOW_MS: u32 = 750;

/// The world of one gate.
pub struct World {
    folder: TempDir,
    profile: Authority,
    hub_addr: SocketAddr,
    shown: u32,
}

/// What a pass says that matters here.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// `green`, `yellow` or `red`.
    pub colour: &'static str,
    /// For how long it is valid, such as `1h`.
    pub valid: &'static str,
    /// How long ago it was issued, in seconds.
    pub ago_s: u64,
}

/// Admitted, where nothing else is wrong.
pub const GREEN: Pass = Pass { colour: "green", valid: "1h", ago_s: 0 };
/// Referred.
pub const YELLOW: Pass = Pass { colour: "yellow", valid: "1h", ago_s: 0 };
/// Refused.
pub const RED: Pass = Pass { colour: "red", valid: "1h", ago_s: 0 };

/// Somebody with a pass.
pub struct Visitor {
    /// What the camera sees while they show it.
    pub frame: Frame,
    /// The pseudonym in it.
    pub holder: [u8; 16],
}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}

impl World {
    /// A world whose lane has no thermometer and whose hub does not run yet.
    pub fn new() -> World {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let trust = folder.path().join("trust");
        let profile = as_main(move || Authority::init(&trust, moment::now()).expect("the folder is new"));
        let world = World { folder, profile, hub_addr: free_address(), shown: 0 };
        fs::create_dir_all(world.camera()).expect("the folder is ours");
        fs::create_dir_all(world.path("boards")).expect("the folder is ours");
        world.write("boards/base.toml", BASE_BOARD);
        world.write("boards/sim.toml", SIM_BOARD);
        world.board("");
        world.site("thermometry = \"off\"\n");
        world
    }

    /// The authority that the world believes, with every key.
    pub fn authority(&self) -> &Authority {
        &self.profile
    }

    /// A path within the world.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the world.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("the folder is ours");
    }

    /// Writes the board file: the simulated board with a panel on any port, and `more`.
    pub fn board(&self, more: &str) {
        let camera = if more.contains("[camera]") { String::new() } else { format!("[camera]\nshow_ms = {SHOW_MS}\n") };
        let panel = if more.contains("[panel]") { "" } else { "[panel]\nlisten = \"127.0.0.1:0\"\n" };
        self.write("boards/fault.toml", format!("inherits = [\"sim.toml\"]\n{camera}{panel}{more}"));
    }

    /// Writes the site file with these rules, and the hub at its address.
    pub fn site(&self, policy: &str) {
        self.site_with_hub(self.hub_addr, policy);
    }

    /// Writes the site file with a hub that is said to be elsewhere.
    pub fn site_with_hub(&self, hub: SocketAddr, policy: &str) {
        self.site_with_hub_at(&format!("url = \"http://{hub}\""), policy);
    }

    /// Writes the site file with these lines on where the hub is. People come again and again in these tests, so unless
    /// the rules say otherwise, nobody asks about a pass that does.
    pub fn site_with_hub_at(&self, lines: &str, policy: &str) {
        let again = if policy.contains("again_after_s") { "" } else { "again_after_s = 0\n" };
        let key = self.profile.hub_key().expect("the profile has one").verifying_key();
        let key: String = key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        self.write(
            "site.toml",
            format!(
                "name_zh = \"试验门\"\nname_en = \"Trial gate\"\nlane = 1\nhome = 330100\ntrust = \"trust\"\n\n\
                 [hub]\n{lines}\nkey = \"{key}\"\nenrol_token = \"{TOKEN}\"\nlongest_wait_s = 1\n\n\
                 [policy]\n{again}{policy}"
            ),
        );
    }

    /// The board file.
    pub fn board_file(&self) -> PathBuf {
        self.path("boards/fault.toml")
    }

    /// The site file.
    pub fn site_file(&self) -> PathBuf {
        self.path("site.toml")
    }

    /// The state folder of the gate.
    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// The folder that the gate's camera looks at.
    pub fn camera(&self) -> PathBuf {
        self.state().join("camera")
    }

    /// The gate's name; makes its key if it has none.
    pub fn gate(&self) -> GateId {
        device_key::gate_id(&device_key::load_or_make(&self.state()).expect("the state folder is ours"))
    }

    /// Somebody comes to the camera and shows a new pass; pictures come into view in this order. Gives the moment
    /// at which the picture was there.
    pub fn show(&mut self, pass: Pass) -> Instant {
        let (payload, _) = self.issue(pass);
        self.show_at("camera", &payload)
    }

    /// A pass of somebody's own, made now.
    pub fn pass_of(&self, request: Request) -> String {
        let claims = request.claims(moment::now()).expect("a request as the desk makes it");
        let key = self.profile.issuer_key(claims.issuer).expect("the profile has every issuer's");
        pass::issue(&claims, &key).expect("claims of a request fit").as_str().into()
    }

    /// Somebody shows a code at a camera, which is named by its folder within the state folder.
    pub fn show_at(&mut self, camera: &str, payload: &str) -> Instant {
        let frame = self.frame_of(payload);
        let folder = self.state().join(camera);
        fs::create_dir_all(&folder).expect("the folder is ours");
        let name = format!("{:04}.png", self.shown);
        let beside = self.path(&name);
        scene::save_png(&frame, &beside).expect("the folder is ours");
        fs::rename(beside, folder.join(name)).expect("both folders are ours");
        Instant::now()
    }

    /// Somebody with a new pass, who has not come yet.
    pub fn visitor(&mut self, pass: Pass) -> Visitor {
        let (payload, holder) = self.issue(pass);
        Visitor { frame: self.frame_of(&payload), holder }
    }

    /// What a camera sees while a code is shown to it.
    fn frame_of(&mut self, payload: &str) -> Frame {
        self.shown += 1;
        let code = qr::qr(payload).expect("a pass fits into a code");
        scene::render(&code, &view(), u64::from(self.shown))
    }

    /// What a camera sees while nobody is there.
    pub fn nobody(&self) -> Frame {
        scene::empty(&view(), 0)
    }

    /// Nobody is before the camera any more.
    pub fn clear_camera(&self) {
        fs::remove_dir_all(self.camera()).expect("the folder is ours");
        fs::create_dir_all(self.camera()).expect("the folder is ours");
    }

    /// Writes records into the journal, as if so many people had come.
    pub fn fill_journal(&self, count: u64) {
        let journal = SledJournal::open(&self.state()).expect("the folder is ours");
        for n in 0..count {
            let scan = Scan {
                verdict: Verdict::Refer,
                reasons: Reasons::new(),
                issuer: None,
                colour: None,
                reading: None,
                trust_version: Some(n),
                sealed_holder: None,
                cause: None,
            };
            let now = Time::trusted(moment::now());
            journal.append(now, 1, Body::Scan(scan)).expect("the disk has room");
        }
    }

    /// Starts the hub in this process.
    pub fn start_hub(&self) -> Hub {
        self.start_hub_by(None)
    }

    /// Starts the hub, with TLS where it has a certificate.
    pub fn start_hub_by(&self, tls: Option<Tls>) -> Hub {
        let key = self.profile.hub_key().expect("the profile has one");
        let store = StoreUrl::Sqlite(self.path("hub.sqlite"));
        let repository = self.folder.path().join("trust/repository");
        let config = Config { listen: self.hub_addr, store, repository, key, enrol_token: Some(TOKEN.into()), tls };
        Hub::start(config).expect("its address is free and its folder ours")
    }

    /// Where the hub is, or will be.
    pub fn hub_addr(&self) -> SocketAddr {
        self.hub_addr
    }

    /// The payload of a new pass, and its holder's pseudonym.
    fn issue(&self, pass: Pass) -> (String, [u8; 16]) {
        let request = Request {
            issuer: 330_000,
            colour: pass.colour.into(),
            kind: "phone".into(),
            valid: Some(pass.valid.into()),
            ..Request::default()
        };
        let claims = request.claims(moment::now() - pass.ago_s).expect("a request as the desk makes it");
        let key = self.profile.issuer_key(claims.issuer).expect("the profile has every issuer's");
        (pass::issue(&claims, &key).expect("claims of a request fit").as_str().into(), claims.holder)
    }
}

/// A camera that is near enough to those who come.
pub fn view() -> Camera {
    Camera { width: 640, height: 480, module_px: 4.5..=5.5, offset_px: -20.0..=20.0, ..Camera::easy() }
}

/// An address that nobody listens at just now.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the machine has a free port");
    listener.local_addr().expect("a bound socket has an address")
}
