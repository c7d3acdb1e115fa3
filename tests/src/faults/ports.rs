//! The hardware of a whole gate, each part at the interface at which the real one is, and who stands before it.
//!
//! The camera is a program at a pipe, the thermometer a unit on a serial line that speaks its real bytes, switches and
//! clock chip are under their real drivers. Whoever holds this pulls any of it and puts it back, and has people come. It
//! keeps account of what the thermometer said and when, so that a record can be compared with what was true.

use super::lens::{Cable, Lens};
use super::world::World;
use menshen_core::thermo::Protocol;
use menshen_gate::sim::ThermometerUnit;
use menshen_lane::optics::Frame;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// What the thermometer sees while nobody is before it, in hundredths of a degree Celsius.
pub const WALL_CENTI_C: i16 = 2200;

/// How the thermometer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// It says what it sees.
    Well,
    /// It has power and says nothing.
    Silent,
    /// Its port is gone.
    Unplugged,
}

/// How the presence sensor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It says whether somebody is there.
    Well,
    /// Its wire is torn: nobody, whoever is there.
    Torn,
    /// It says that somebody is there, always.
    Stuck,
}

/// The hardware.
pub struct Ports {
    lens: Lens,
    unit: ThermometerUnit,
    state: PathBuf,
    nobody: Arc<Frame>,
    /// How the camera stands.
    pub camera: Cable,
    /// How the thermometer stands.
    pub thermometer: Unit,
    /// How the presence sensor stands.
    pub presence: Presence,
    /// Whether the clock chip is in its place.
    pub chip: bool,
    pressed: bool,
    is_there: bool,
    face_centi_c: i16,
    said: Vec<(Instant, Option<i16>)>,
}

impl Ports {
    /// All of it in its place, nobody there, and a board that says where it is.
    pub fn fit(world: &World) -> Ports {
        let state = world.state();
        let unit = ThermometerUnit::start(state.join("unit.tty"), Protocol::GyMcu90614).expect("the system has a line");
        world.board(&format!(
            "[camera]\nkind = \"y4m\"\npath = \"camera.y4m\"\n\n\
             [thermometer]\nkind = \"serial\"\nport = {:?}\nprotocol = \"gy-mcu90614\"\n\n\
             [inputs]\nkind = \"simulated\"\n\n\
             [clock]\nsource = \"simulated\"\n",
            unit.path()
        ));
        let nobody = Arc::new(world.nobody());
        let lens = Lens::start(state.join("camera.y4m"), Frame::clone(&nobody));
        let mut ports = Ports {
            lens,
            unit,
            state,
            nobody,
            camera: Cable::In,
            thermometer: Unit::Well,
            presence: Presence::Well,
            chip: true,
            pressed: false,
            is_there: false,
            face_centi_c: WALL_CENTI_C,
            said: Vec::new(),
        };
        ports.chip(true);
        ports.leaves();
        ports
    }

    /// Pulls the camera, or puts it back.
    pub fn camera(&mut self, cable: Cable) {
        self.camera = cable;
        self.lens.cable(cable);
    }

    /// Pulls the thermometer, or puts it back.
    pub fn thermometer(&mut self, unit: Unit) {
        match (self.thermometer, unit) {
            (_, Unit::Unplugged) => self.unit.unplug(),
            (Unit::Unplugged, _) => self.unit.replug().expect("the system has a line"),
            _ => {}
        }
        self.thermometer = unit;
        self.say();
    }

    /// Bytes on the thermometer's line that nobody sent.
    pub fn noise(&self, bytes: &[u8]) {
        self.unit.inject_noise(bytes);
    }

    /// Tears the presence sensor's wire, or mends it.
    pub fn presence(&mut self, presence: Presence) {
        self.presence = presence;
        self.switches();
    }

    /// The volunteer's button, down or up.
    pub fn button(&mut self, down: bool) {
        self.pressed = down;
        self.switches();
    }

    /// Pulls the clock chip, or puts it back.
    pub fn chip(&mut self, is_in: bool) {
        self.chip = is_in;
        fs::write(self.state.join("rtc.txt"), if is_in { "0" } else { "unplugged" }).expect("the folder is ours");
    }

    /// Everything is in its place.
    pub fn all_return(&mut self) {
        self.camera(Cable::In);
        self.thermometer(Unit::Well);
        self.presence(Presence::Well);
        self.chip(true);
    }

    /// Somebody steps up, with a face of so many hundredths of a degree, and shows what the camera sees; `None` where they
    /// keep the one or the other away.
    pub fn comes(&mut self, face_centi_c: Option<i16>, shows: Option<&Arc<Frame>>) {
        self.is_there = true;
        self.switches();
        self.face(face_centi_c.unwrap_or(WALL_CENTI_C));
        self.lens.show(Arc::clone(shows.unwrap_or(&self.nobody)));
    }

    /// What the thermometer has before it from now on.
    pub fn face(&mut self, centi_c: i16) {
        self.face_centi_c = centi_c;
        self.say();
    }

    /// Nobody is there any more.
    pub fn leaves(&mut self) {
        self.is_there = false;
        self.switches();
        self.face(WALL_CENTI_C);
        self.lens.show(Arc::clone(&self.nobody));
    }

    /// Every temperature that the thermometer said between two moments, without the wall's.
    pub fn said(&self, from: Instant, to: Instant) -> BTreeSet<i16> {
        let until = self.said.iter().skip(1).map(|(at, _)| *at).chain([to]);
        let spans = self.said.iter().zip(until).filter(|((begun, _), until)| *begun <= to && *until >= from);
        spans.filter_map(|((_, said), _)| *said).filter(|said| *said != WALL_CENTI_C).collect()
    }

    fn say(&mut self) {
        let says = (self.thermometer == Unit::Well).then_some(self.face_centi_c);
        self.said.push((Instant::now(), says));
        self.unit.set_object(says);
    }

    fn switches(&self) {
        let somebody = match self.presence {
            Presence::Well => self.is_there,
            Presence::Torn => false,
            Presence::Stuck => true,
        };
        let file = self.state.join("inputs.txt");
        if self.presence == Presence::Torn && !self.pressed {
            // It may be gone already.
            drop(fs::remove_file(file));
            return;
        }
        let words = [(somebody, "presence"), (self.pressed, "button")];
        let on: Vec<&str> = words.iter().filter_map(|(on, word)| on.then_some(*word)).collect();
        fs::write(file, on.join(" ")).expect("the folder is ours");
    }
}
