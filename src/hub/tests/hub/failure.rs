//! A hub that is stopped, and a store that fails: nothing is lost and nothing is promised falsely.

use crate::world::{World, shift};
use ed25519_dalek::SigningKey;
use menshen_core::ids::GateId;
use menshen_core::record::Seq;
use menshen_hub::{
    AppendError, Config, Gate, Held, Hub, HubError, Page, Run, SqliteStore, Store, StoreError, StoreUrl,
};
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

#[test]
fn a_restart_keeps_gates_and_records_and_goes_on_where_it_was() {
    let mut world = World::new();
    let gate = world.enrolled(1);
    let records = shift(1, 8);
    world.send(&gate, &records[..5]).ack(&world);
    let held = world.held(&gate);
    world.restart();
    assert_eq!(world.held(&gate), held);
    assert_eq!(world.send(&gate, &records[5..]).ack(&world).through, Seq(8));
}

#[test]
fn a_client_that_never_finishes_does_not_hold_the_hub_up() {
    let mut world = World::new();
    let mut slow = TcpStream::connect(world.addr()).expect("connects");
    slow.write_all(b"POST /v1/gates/0000000000000000/batches HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1")
        .expect("sends");
    let begun = Instant::now();
    world.restart();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(world.get("/healthz").status, 200);
}

#[test]
fn a_store_that_fails_is_503_and_the_same_batch_is_taken_when_it_works_again() {
    let disk = Arc::new(AtomicBool::new(true));
    let full = disk.clone();
    let world = World::on(|folder| {
        let store = SqliteStore::open(&folder.path().join("hub.db")).expect("opens");
        Arc::new(Failing { store, works: full })
    });
    let gate = world.enrolled(1);
    disk.store(false, SeqCst);
    let answer = world.send(&gate, &shift(1, 3));
    assert_eq!(answer.refusal(), (503, "store".into()));
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(world.get("/healthz").status, 503);
    assert_eq!(world.get("/").status, 503);
    disk.store(true, SeqCst);
    assert_eq!(world.send(&gate, &shift(1, 3)).ack(&world).through, Seq(3));
}

#[test]
fn a_store_that_fails_in_the_middle_of_a_batch_keeps_none_of_it() {
    let world = World::new();
    let gate = world.enrolled(1);
    let other = world.open_store();
    // FAIL ends the statement and leaves what came before it: only the hub's transaction undoes that.
    let broken = "CREATE TRIGGER broken BEFORE INSERT ON records WHEN NEW.seq = 3
                  BEGIN SELECT RAISE(FAIL, 'no space'); END";
    other.execute_batch(broken).expect("breaks it");
    assert_eq!(world.send(&gate, &shift(1, 5)).refusal(), (503, "store".into()));
    assert_eq!(world.held(&gate), []);
    other.execute_batch("DROP TRIGGER broken").expect("mends it");
    assert_eq!(world.send(&gate, &shift(1, 5)).ack(&world).through, Seq(5));
}

#[test]
fn a_taken_address_is_told_with_a_remedy() {
    let world = World::new();
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { listen: world.addr(), ..config(&folder.path().join("hub.db")) };
    let error = Hub::start(config).expect_err("taken");
    assert!(matches!(error, HubError::Listen { .. }));
    assert!(error.to_string().contains("another address"), "{error}");
}

#[test]
fn a_store_that_can_not_be_made_is_told_with_its_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Hub::start(config(&folder.path().join("absent/hub.db"))).expect_err("no folder");
    assert!(error.to_string().contains("absent/hub.db") && error.to_string().contains("write"), "{error}");
}

#[test]
fn the_file_of_another_program_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "groceries ".repeat(200)).expect("writes");
    assert!(matches!(Hub::start(config(&text)), Err(HubError::Store(StoreError::Foreign { .. }))));
    assert_eq!(std::fs::read_to_string(&text).expect("there"), "groceries ".repeat(200));
    let database = folder.path().join("other.db");
    rusqlite::Connection::open(&database).and_then(|c| c.execute_batch("CREATE TABLE t (x)")).expect("makes one");
    assert!(matches!(Hub::start(config(&database)), Err(HubError::Store(StoreError::Foreign { .. }))));
}

fn config(path: &std::path::Path) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        store: StoreUrl::Sqlite(path.into()),
        repository: path.with_extension("repository"),
        key: SigningKey::from_bytes(&[5; 32]),
        enrol_token: None,
        tls: None,
    }
}

/// A real store whose disk can be taken away.
struct Failing {
    store: SqliteStore,
    works: Arc<AtomicBool>,
}

impl Failing {
    fn works(&self) -> Result<&SqliteStore, StoreError> {
        let failing = || StoreError::Failing { reason: "disk I/O error".into() };
        self.works.load(SeqCst).then_some(&self.store).ok_or_else(failing)
    }
}

impl Store for Failing {
    fn enrol(&self, public_key: &[u8; 32], label: &str, unix_s: u64) -> Result<(), StoreError> {
        self.works()?.enrol(public_key, label, unix_s)
    }

    fn append(&self, run: &Run, unix_s: u64) -> Result<Seq, AppendError> {
        self.works()?.append(run, unix_s)
    }

    fn gate(&self, id: GateId) -> Result<Option<Gate>, StoreError> {
        self.works()?.gate(id)
    }

    fn gates(&self) -> Result<Vec<Gate>, StoreError> {
        self.works()?.gates()
    }

    fn records(&self, gate: GateId, page: Page) -> Result<Vec<Held>, StoreError> {
        self.works()?.records(gate, page)
    }

    fn latest(&self, gate: GateId, limit: u32) -> Result<Vec<Held>, StoreError> {
        self.works()?.latest(gate, limit)
    }
}
