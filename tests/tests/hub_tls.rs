//! Gates and a hub by TLS: the real programs, with the certificates that go wrong in the field.

use menshen_hub::{Hub, Tls, TlsFiles};
use menshen_lane::hub_link::{HubLink, Pin};
use menshen_lane::sync::{HttpUplink, Uplink};
use menshen_tests::faults::ledger::{Ledger, hub_keys};
use menshen_tests::faults::watched::Watched;
use menshen_tests::faults::world::World;
use menshen_trust::tuf::{Http, Source};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection};
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const POLICY: &str = "thermometry = \"off\"\n";
const BACKLOG: u64 = 40;

/// The hub's own certificate, in a folder of this name.
fn certificate(world: &World, folder: &str) -> (Tls, PathBuf) {
    let files = TlsFiles::load_or_make(&world.path(folder), Ipv4Addr::LOCALHOST.into()).expect("the folder is ours");
    (files.tls, files.certificate)
}

/// A certificate for another name that is good between the first days of these years.
fn dated(world: &World, from: i32, to: i32) -> (Tls, PathBuf) {
    let mut params = CertificateParams::new(vec!["elsewhere.example".into()]).expect("a name");
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let (crt, pem) = (world.path(format!("{from}.crt")), world.path(format!("{from}.key")));
    fs::write(&crt, params.self_signed(&key).expect("a certificate").pem()).expect("the folder is ours");
    fs::write(&pem, key.serialize_pem()).expect("the folder is ours");
    fs::set_permissions(&pem, Permissions::from_mode(0o600)).expect("the file is ours");
    (TlsFiles::load(&crt, &pem).expect("both are sound").tls, crt)
}

fn link(url: &str, certificate: &Path) -> HubLink {
    HubLink::new(url, Some(&Pin::read(certificate).expect("a certificate")))
}

/// What asking for the time comes to.
fn ask(link: &HubLink) -> Result<u16, String> {
    let reply = HttpUplink::new(link.clone()).post("/v1/time", &[7; 16]);
    reply.map(|reply| reply.status).map_err(|error| error.to_string())
}

#[track_caller]
fn told(result: Result<u16, String>, said: &[&str]) {
    let error = result.expect_err("refused");
    println!("{error}");
    assert!(!error.contains('\n') && error.contains("records are kept"), "{error}");
    for part in said {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}

/// What a hub of this world holds is what its gate decided.
fn delivered(world: &World, hub: Hub) {
    hub.stop();
    let plain = world.start_hub();
    let ledger = Ledger::of(world);
    assert!(ledger.keys.len() as u64 >= BACKLOG);
    assert_eq!(hub_keys(plain.addr(), world), ledger.keys);
}

fn https(world: &World, certificate: &Path) {
    let certificate = certificate.strip_prefix(world.path("")).expect("it is in the world");
    let lines = format!("url = \"https://{}\"\ncertificate = {certificate:?}", world.hub_addr());
    world.site_with_hub_at(&lines, POLICY);
}

#[test]
fn a_gate_enrols_delivers_and_fetches_what_it_believes_by_tls() {
    let world = World::new();
    let (tls, certificate) = certificate(&world, "hub");
    https(&world, &certificate);
    // All that it knows when it starts is the anchor.
    let site = fs::read_to_string(world.site_file()).expect("it is there");
    world.write("site.toml", site.replace("trust = \"trust\"", "trust = \"anchor\""));
    fs::create_dir(world.path("anchor")).expect("the folder is ours");
    fs::copy(world.path("trust/root.json"), world.path("anchor/root.json")).expect("the anchor is there");
    world.fill_journal(BACKLOG);
    let hub = world.start_hub_by(Some(tls));
    assert!(hub.url().starts_with("https://"));
    let gate = Watched::start(&world).expect("it starts");
    gate.device("an empty backlog and no fault", |device| {
        (device.journal.backlog == 0 && device.faults.hub.fault.is_none()).then_some(())
    });
    gate.device("the trust of the hub", |device| device.trust.as_ref().map(|_| ()));
    gate.stop();
    delivered(&world, hub);
}

#[test]
fn the_repository_by_tls_is_the_one_in_the_folder() {
    let world = World::new();
    let (tls, certificate) = certificate(&world, "hub");
    let hub = world.start_hub_by(Some(tls));
    let link = link(&hub.url(), &certificate);
    let part = |name: &str| format!("{}/v1/trust/{name}", link.url());
    let source = Http::with_agent(link.agent().clone(), &part("metadata"), &part("targets"));
    let fetched = source.metadata("timestamp.json", 16_384).expect("it is reached");
    assert_eq!(fetched, fs::read(world.path("trust/repository/metadata/timestamp.json")).ok());
    assert_eq!(source.metadata("absent.json", 16_384).expect("it is reached"), None);
}

#[test]
fn another_certificate_is_refused_and_told_and_the_records_wait_for_the_hub() {
    let world = World::new();
    let (tls, certificate_of_hub) = certificate(&world, "hub");
    let (other, _) = certificate(&world, "other");
    https(&world, &certificate_of_hub);
    world.fill_journal(BACKLOG);
    let impostor = world.start_hub_by(Some(other));
    let gate = Watched::start(&world).expect("it starts");
    let told = gate.device("the fault in words", |device| device.faults.hub.fault.clone());
    println!("{told}");
    assert!(told.contains("another certificate") && told.contains("records are kept"), "{told}");
    assert_eq!(gate.device("its journal", |device| Some(device.journal.backlog)), BACKLOG);
    impostor.stop();
    let hub = world.start_hub_by(Some(tls));
    gate.device("an empty backlog and no fault", |device| {
        (device.journal.backlog == 0 && device.faults.hub.fault.is_none()).then_some(())
    });
    gate.stop();
    delivered(&world, hub);
}

#[test]
fn who_shows_the_hubs_certificate_without_its_key_is_refused() {
    let world = World::new();
    let (_, certificate) = certificate(&world, "hub");
    told(ask(&link(&format!("https://{}", copies(&certificate)), &certificate)), &["TLS with it failed"]);
}

/// Whatever a gate's clock says, 1970 or a year to come, one of these is out of date for it.
#[test]
fn no_date_and_no_name_in_a_pinned_certificate_keeps_a_gate_away() {
    let world = World::new();
    for (from, to) in [(1971, 1972), (2999, 3000)] {
        let (tls, certificate) = dated(&world, from, to);
        let hub = world.start_hub_by(Some(tls));
        assert_eq!(ask(&link(&hub.url(), &certificate)), Ok(200), "{from} to {to}");
    }
}

#[test]
fn while_a_certificate_changes_the_old_and_the_new_are_known() {
    let world = World::new();
    let ((old, old_file), (new, new_file)) = (certificate(&world, "old"), certificate(&world, "new"));
    let both = world.path("both.crt");
    let read = |path: &Path| fs::read_to_string(path).expect("it was just made");
    fs::write(&both, read(&old_file) + read(&new_file).as_str()).expect("the folder is ours");
    let mut hub = world.start_hub_by(Some(old));
    let link = link(&hub.url(), &both);
    assert_eq!(ask(&link), Ok(200));
    hub.stop();
    hub = world.start_hub_by(Some(new));
    assert_eq!(ask(&link), Ok(200));
    told(ask(&self::link(&hub.url(), &old_file)), &["another certificate"]);
}

#[test]
fn plain_http_to_tls_and_tls_to_plain_http_are_told_with_the_remedy() {
    let world = World::new();
    let (tls, certificate) = certificate(&world, "hub");
    let hub = world.start_hub_by(Some(tls));
    let addr = hub.addr();
    // A batch as long as any: what is answered before it was read must not be lost.
    let long = HttpUplink::new(HubLink::new(&format!("http://{addr}"), None)).post("/v1/time", &[0; 200_000]);
    told(long.map(|reply| reply.status).map_err(|error| error.to_string()), &["speaks TLS", "https://"]);
    told(ask(&HubLink::new(&hub.url(), None)), &["hub.certificate"]);
    hub.stop();
    let plain = world.start_hub();
    told(ask(&link(&format!("https://{}", plain.addr()), &certificate)), &["no TLS", "--tls", "http://"]);
    let silent = closes_at_once();
    told(ask(&link(&format!("https://{silent}"), &certificate)), &["closed"]);
}

#[test]
fn who_opens_and_says_nothing_holds_up_nobody() {
    let world = World::new();
    let (tls, certificate) = certificate(&world, "hub");
    let hub = world.start_hub_by(Some(tls));
    let mut silent: Vec<TcpStream> = (0..60).map(|_| TcpStream::connect(hub.addr()).expect("it listens")).collect();
    // Some begin, and stop in the middle.
    for stream in silent.iter_mut().step_by(2) {
        stream.write_all(&[22, 3, 1, 2, 0, 1]).expect("it is open");
    }
    let begun = Instant::now();
    assert_eq!(ask(&link(&hub.url(), &certificate)), Ok(200));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let begun = Instant::now();
    hub.stop();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

/// The address of somebody who takes connections and closes them.
fn closes_at_once() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the machine has a free port");
    let addr = listener.local_addr().expect("a bound socket has an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            drop(stream.read(&mut [0; 4096]));
        }
    });
    addr
}

/// The address of somebody who has a hub's certificate, which everybody may, and a key of its own.
fn copies(certificate: &Path) -> SocketAddr {
    let shown = CertificateDer::from_pem_file(certificate).expect("a certificate");
    let own = PrivateKeyDer::try_from(KeyPair::generate().expect("a key").serialize_der()).expect("a key");
    let provider = aws_lc_rs::default_provider();
    let key = provider.key_provider.load_private_key(own).expect("a key of a kind that is spoken");
    let config = ServerConfig::builder_with_provider(provider.into())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has its suites")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(vec![shown], key))));
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the machine has a free port");
    let addr = listener.local_addr().expect("a bound socket has an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut server = ServerConnection::new(config.clone()).expect("the configuration is sound");
            // The gate ends the handshake.
            drop(server.complete_io(&mut stream));
        }
    });
    addr
}
