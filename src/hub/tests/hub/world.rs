//! A hub on a folder that goes away, and gates that sign with their own keys.

use ed25519_dalek::SigningKey;
use menshen_core::cose::{Purpose, Sign1, sign1};
use menshen_core::decide::{Reasons, Verdict};
use menshen_core::ids::{GateId, IssuerId};
use menshen_core::pass::Colour;
use menshen_core::reason::Reason;
use menshen_core::record::{Body, Epoch, GENESIS, Record, Scan, Seq, hash};
use menshen_core::thermo::Reading;
use menshen_core::time::Time;
use menshen_core::wire::{Ack, Batch, Enrol, Message};
use menshen_hub::{Config, Hub, Store, StoreUrl};
use std::net::SocketAddr;
use std::sync::Arc;
use tempfile::TempDir;

pub(crate) const TOKEN: &str = "lantern-7";
pub(crate) const NOON: u64 = 1_648_958_400;

/// A running hub and its store's folder.
pub(crate) struct World {
    folder: TempDir,
    hub: Option<Hub>,
}

impl World {
    pub(crate) fn new() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = Hub::start(config(&folder)).expect("starts");
        World { folder, hub: Some(hub) }
    }

    pub(crate) fn on(store: impl FnOnce(&TempDir) -> Arc<dyn Store>) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = Hub::start_on(config(&folder), store(&folder)).expect("starts");
        World { folder, hub: Some(hub) }
    }

    /// Stops the hub and starts another on the same store and the same address.
    pub(crate) fn restart(&mut self) {
        let addr = self.addr();
        self.hub.take().expect("runs").stop();
        let config = Config { listen: addr, ..config(&self.folder) };
        self.hub = Some(Hub::start(config).expect("starts again"));
    }

    pub(crate) fn hub(&self) -> &Hub {
        self.hub.as_ref().expect("runs")
    }

    /// The store's file, opened by somebody else.
    pub(crate) fn open_store(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("hub.db")).expect("opens")
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.hub().addr()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr())
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        Answer::of(agent().get(self.url(path)).call())
    }

    pub(crate) fn post(&self, path: &str, body: &[u8]) -> Answer {
        Answer::of(agent().post(self.url(path)).send(body))
    }

    /// A gate of this seed, enrolled.
    pub(crate) fn enrolled(&self, seed: u8) -> Gate {
        let gate = Gate::new(seed);
        let answer = self.post(&gate.path("enrol"), &gate.enrol(&format!("East gate {seed}"), TOKEN));
        assert_eq!(answer.status, 200, "{}", answer.text());
        gate
    }

    pub(crate) fn send(&self, gate: &Gate, records: &[Vec<u8>]) -> Answer {
        self.post(&gate.path("batches"), &gate.batch(records))
    }

    /// (epoch, seq, hash) of all that the hub holds of a gate.
    pub(crate) fn held(&self, gate: &Gate) -> Vec<(u64, u64, String)> {
        let list = self.get(&gate.path("records?limit=1000")).json();
        let records = list["records"].as_array().expect("a list");
        let number = |value: &serde_json::Value| value.as_u64().expect("a number");
        let line = |record: &serde_json::Value| {
            (number(&record["epoch"]), number(&record["seq"]), record["hash"].as_str().expect("text").to_owned())
        };
        records.iter().map(line).collect()
    }
}

fn config(folder: &TempDir) -> Config {
    Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        store: StoreUrl::Sqlite(folder.path().join("hub.db")),
        repository: folder.path().join("repository"),
        key: SigningKey::from_bytes(&[200; 32]),
        enrol_token: Some(TOKEN.to_owned()),
        tls: None,
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

/// What the hub answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn of(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
        let mut response = result.expect("the hub answers");
        let body = response.body_mut().read_to_vec().expect("a whole answer");
        Answer { status: response.status().as_u16(), headers: response.headers().clone(), body }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// Status and code of a refusal, which must come with a sentence.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let json = self.json();
        assert!(json["message"].as_str().is_some_and(|message| message.contains("; ")), "no remedy in {json}");
        (self.status, json["error"].as_str().expect("a code").to_owned())
    }

    /// The ack, if the hub of `world` signed it.
    pub(crate) fn ack(&self, world: &World) -> Ack {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.headers["content-type"], "application/cose");
        let sign1 = Sign1::parse(&self.body).expect("a signed message");
        sign1.verify(&world.hub().public_key(), Purpose::Ack, &mut Vec::new()).expect("the hub's signature");
        Ack::decode(sign1.payload).expect("an ack")
    }
}

/// A gate: a key, and what it would sign.
pub(crate) struct Gate {
    pub(crate) key: SigningKey,
}

impl Gate {
    pub(crate) fn new(seed: u8) -> Gate {
        Gate { key: SigningKey::from_bytes(&[seed; 32]) }
    }

    pub(crate) fn id(&self) -> GateId {
        GateId::of(self.key.verifying_key().as_bytes())
    }

    pub(crate) fn path(&self, end: &str) -> String {
        format!("/v1/gates/{}/{end}", self.id())
    }

    pub(crate) fn enrol(&self, label: &str, token: &str) -> Vec<u8> {
        self.sign(&Enrol { public_key: self.key.verifying_key().to_bytes(), label, token })
    }

    pub(crate) fn batch(&self, records: &[Vec<u8>]) -> Vec<u8> {
        let first = Record::from_bytes(&records[0]).expect("a record");
        self.batch_as(first.epoch, first.seq, records.len() as u32, &records.concat())
    }

    pub(crate) fn batch_as(&self, epoch: Epoch, first: Seq, count: u32, records: &[u8]) -> Vec<u8> {
        let records = zstd::bulk::compress(records, 3).expect("compresses");
        self.sign(&Batch { gate: self.id(), epoch, first, count, records: &records })
    }

    pub(crate) fn sign<'a>(&self, message: &impl Message<'a>) -> Vec<u8> {
        sign_by(&self.key, message)
    }
}

pub(crate) fn sign_by<'a, M: Message<'a>>(key: &SigningKey, message: &M) -> Vec<u8> {
    let (mut payload, mut out) = (Vec::new(), Vec::new());
    message.encode(&mut payload).expect("a Vec takes all");
    sign1(&mut out, key, M::PURPOSE, &payload, &mut Vec::new()).expect("a Vec takes all");
    out
}

/// `count` chained records of an epoch, from its beginning.
pub(crate) fn shift(epoch: u32, count: u64) -> Vec<Vec<u8>> {
    shift_with(epoch, count, |_| {})
}

/// The same, each changed before it is encoded.
pub(crate) fn shift_with(epoch: u32, count: u64, change: impl Fn(&mut Record)) -> Vec<Vec<u8>> {
    let mut previous = GENESIS;
    let mut records = Vec::new();
    for seq in 1..=count {
        let mut record = Record { epoch: Epoch(epoch), seq: Seq(seq), previous, ..record(seq) };
        change(&mut record);
        let bytes = record.to_bytes().as_bytes().to_vec();
        previous = hash(&bytes);
        records.push(bytes);
    }
    records
}

fn record(seq: u64) -> Record {
    let (verdict, colour, reason) = match seq % 3 {
        1 => (Verdict::Admit, Colour::Green, None),
        2 => (Verdict::Refer, Colour::Yellow, Some(Reason::Yellow)),
        _ => (Verdict::Refuse, Colour::Green, Some(Reason::TempHigh)),
    };
    let scan = Scan {
        verdict,
        reasons: Reasons::from_iter(reason),
        issuer: IssuerId::new(330_100),
        colour: Some(colour),
        reading: Some(Reading::of(3652 + (seq % 3) as i16, 2210)),
        trust_version: Some(7),
        sealed_holder: None,
        cause: None,
    };
    Record {
        epoch: Epoch(1),
        seq: Seq(seq),
        time: Time::trusted(NOON + seq),
        lane: 1,
        body: Body::Scan(scan),
        previous: GENESIS,
    }
}
