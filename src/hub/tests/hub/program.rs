//! The program `menshen-hub` as it is started, killed and stopped.

use crate::world::{Gate, TOKEN, shift};
use menshen_core::cose::{Purpose, Sign1};
use menshen_core::record::Seq;
use menshen_core::wire::{Ack, Message};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::Permissions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

#[test]
fn what_was_acknowledged_survives_sigkill() {
    let folder = tempfile::tempdir().expect("a folder");
    let gate = Gate::new(1);
    let records = shift(1, 40);
    let first = Program::start(folder.path());
    first.post(&gate.path("enrol"), &gate.enrol("East gate", TOKEN));
    for (at, part) in records.chunks(10).enumerate() {
        let ack = first.post(&gate.path("batches"), &gate.batch(part));
        assert_eq!(first.ack(&ack).through, Seq(at as u64 * 10 + 10));
    }
    let key = first.key.clone();
    first.kill();
    let second = Program::start(folder.path());
    assert_eq!(second.key, key, "the key outlives the program");
    let held = second.get(&gate.path("records"));
    assert_eq!(held["records"].as_array().map(Vec::len), Some(40));
    assert_eq!(held["records"][39]["hash"], hex(&menshen_core::record::hash(&records[39])));
}

#[test]
fn sigterm_is_an_orderly_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut program = Program::start(folder.path());
    let pid = Pid::from_child(&program.child);
    kill_process(pid, Signal::TERM).expect("its own child");
    assert_eq!(program.child.wait().expect("ends").code(), Some(0));
}

#[test]
fn what_keeps_it_from_starting_is_one_sentence_and_exit_code_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = Program::start(folder.path());
    let other = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(other.path().join("bad")).expect("makes one");
    std::fs::write(other.path().join("bad/hub.key"), "not a key").expect("writes");
    let store = other.path().join("hub.db");
    let store = store.to_str().expect("text");
    for (listen, store, trust, told) in [
        (running.addr.as_str(), store, ".", "another address"),
        ("127.0.0.1:0", "absent/hub.db", ".", "absent/hub.db"),
        ("127.0.0.1:0", store, "bad", "hub.key"),
        ("127.0.0.1:0", "postgres://x", ".", "sqlite:PATH"),
    ] {
        let output = run(&["--listen", listen, "--store", store, "--trust", trust], other.path());
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(told) && !text.contains("panicked"), "{text}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn with_tls_it_makes_its_certificate_once_and_tells_plain_http_what_it_speaks() {
    let folder = tempfile::tempdir().expect("a folder");
    let crt = folder.path().join("trust/hub.crt");
    let first = Program::start_with(folder.path(), &["--tls"]);
    assert_eq!(first.scheme, "https");
    let made = std::fs::read(&crt).expect("it was made");
    let mut plain = TcpStream::connect(&first.addr).expect("it listens");
    plain.write_all(b"GET / HTTP/1.1\r\nhost: hub\r\n\r\n").expect("it is open");
    // The hub goes on taking what the client may still send.
    plain.shutdown(Shutdown::Write).expect("it is open");
    let mut answer = String::new();
    plain.read_to_string(&mut answer).expect("text");
    assert!(answer.starts_with("HTTP/1.1 426 ") && answer.contains("write https://"), "{answer}");
    first.kill();
    let named = ["--tls-cert", "trust/hub.crt", "--tls-key", "trust/hub-tls.key"];
    for args in [&["--tls"][..], &named] {
        assert_eq!(Program::start_with(folder.path(), args).scheme, "https");
        assert_eq!(std::fs::read(&crt).expect("still there"), made);
    }
}

#[test]
fn what_keeps_tls_from_starting_is_one_sentence_and_exit_code_2() {
    let folder = tempfile::tempdir().expect("a folder");
    Program::start_with(folder.path(), &["--tls"]).kill();
    let key = folder.path().join("trust/hub-tls.key");
    std::fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("own file");
    for (more, told) in [
        (&["--tls"][..], "chmod 600"),
        (&["--tls-cert", "absent.crt", "--tls-key", "trust/hub-tls.key"], "absent.crt"),
        (&["--tls-cert", "trust/hub.crt"], "--tls-key"),
        (&["--tls-key", "trust/hub-tls.key"], "--tls-cert"),
    ] {
        let args = [&["--listen", "127.0.0.1:0", "--store", "hub.db", "--trust", "trust"], more].concat();
        let output = run(&args, folder.path());
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(told) && !text.contains("panicked"), "{text}");
    }
}

fn run(args: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_menshen-hub")).args(args).current_dir(folder).output().expect("runs")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A running `menshen-hub`; killed when dropped.
struct Program {
    child: Child,
    scheme: String,
    addr: String,
    key: String,
}

impl Program {
    fn start(folder: &Path) -> Program {
        Program::start_with(folder, &[])
    }

    fn start_with(folder: &Path, more: &[&str]) -> Program {
        let args = ["--listen", "127.0.0.1:0", "--store", "sqlite:hub.db", "--trust", "trust"];
        let mut child = Command::new(env!("CARGO_BIN_EXE_menshen-hub"))
            .args(args)
            .args(more)
            .env("MENSHEN_ENROL_TOKEN", TOKEN)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let rest = line.trim().strip_prefix("menshen-hub listening on ").expect("its line");
        let (url, key) = rest.split_once(" key ").expect("address and key");
        let (scheme, addr) = url.split_once("://").expect("an address");
        Program { child, scheme: scheme.into(), addr: addr.into(), key: key.into() }
    }

    fn post(&self, path: &str, body: &[u8]) -> Vec<u8> {
        let mut response = ureq::post(format!("http://{}{path}", self.addr)).send(body).expect("is taken");
        response.body_mut().read_to_vec().expect("a whole answer")
    }

    fn get(&self, path: &str) -> serde_json::Value {
        let mut response = ureq::get(format!("http://{}{path}", self.addr)).call().expect("answers");
        serde_json::from_slice(&response.body_mut().read_to_vec().expect("a whole answer")).expect("JSON")
    }

    fn ack(&self, message: &[u8]) -> Ack {
        let mut key = [0; 32];
        menshen_core::ids::unhex(&self.key, &mut key).expect("64 digits");
        let sign1 = Sign1::parse(message).expect("a signed message");
        sign1.verify(&key, Purpose::Ack, &mut Vec::new()).expect("the printed key's signature");
        Ack::decode(sign1.payload).expect("an ack")
    }

    /// SIGKILL: no destructor of the program runs.
    fn kill(mut self) {
        self.child.kill().expect("its own child");
        self.child.wait().expect("ends");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
