//! The line to a hub on which everything that a network does may happen.
//!
//! A server at an address of its own that answers as [`Answer`] says; with [`Answer::Pass`] it hands every
//! connection on to the true hub. Each change holds for the next connection, and ends those that were handed on.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How the line answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A captive portal's page with status 200.
    Html,
    /// A server error.
    ServerError,
    /// No such page.
    NotFound,
    /// An ack that somebody else signed: 200 and bytes that are no ack of this hub.
    Garbage,
    /// Not even HTTP.
    NotHttp,
    /// The connection is closed as soon as the request was read.
    Reset,
    /// A body that does not end.
    Endless,
    /// The request is read and never answered.
    Silent,
    /// What the true hub says.
    Pass,
}

/// The line.
pub struct Nonsense {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// How to answer, and how many requests were answered so.
    answer: Mutex<(Answer, usize)>,
    ended: AtomicBool,
    hub: SocketAddr,
    /// The connections that were handed on and may be open still.
    passing: Mutex<Vec<TcpStream>>,
}

impl Nonsense {
    /// A line before the hub at `hub`.
    pub fn before(hub: SocketAddr, answer: Answer) -> Nonsense {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the machine has a free port");
        let addr = listener.local_addr().expect("a bound socket has an address");
        let shared = Shared { answer: Mutex::new((answer, 0)), ended: false.into(), hub, passing: Mutex::default() };
        let shared = Arc::new(shared);
        let serving = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.ended.load(Ordering::SeqCst) {
                    return;
                }
                let shared = serving.clone();
                // A connection that fails is one of the faults.
                thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Nonsense { addr, shared }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers otherwise from now on.
    pub fn answer(&self, answer: Answer) {
        *lock(&self.shared.answer) = (answer, 0);
        // One that is closed already is as good as one that is closed now.
        lock(&self.shared.passing).drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
    }

    /// How many connections came since it answers so.
    pub fn taken(&self) -> usize {
        lock(&self.shared.answer).1
    }
}

impl Drop for Nonsense {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        drop(TcpStream::connect(self.addr));
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        let answer = self.take();
        if answer == Answer::Pass {
            lock(&self.passing).push(stream.try_clone()?);
            return relay(stream, TcpStream::connect(self.hub)?);
        }
        if stream.read(&mut [0; 64 * 1024])? == 0 {
            return Ok(());
        }
        match answer {
            Answer::Html => reply(&mut stream, "200 OK", b"<html><body>Please log in to the Wi-Fi</body></html>"),
            Answer::ServerError => reply(&mut stream, "500 Internal Server Error", b"<h1>500</h1>"),
            Answer::NotFound => reply(&mut stream, "404 Not Found", b"<h1>nginx</h1>"),
            Answer::Garbage => reply(&mut stream, "200 OK", &[0xd2, 0x84, 0x43, 0xa1, 0x01, 0x27, 0xa0]),
            Answer::NotHttp => stream.write_all(b"\x16\x03\x01 220 mail.example ESMTP\r\n"),
            Answer::Endless => endless(&mut stream),
            Answer::Silent => self.wait(),
            Answer::Reset | Answer::Pass => Ok(()),
        }
    }

    fn take(&self) -> Answer {
        let mut answer = lock(&self.answer);
        answer.1 += 1;
        answer.0
    }

    fn wait(&self) -> io::Result<()> {
        while !self.ended.load(Ordering::SeqCst) && lock(&self.answer).0 == Answer::Silent {
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

fn reply(stream: &mut TcpStream, status: &str, body: &[u8]) -> io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
    stream.write_all(body)
}

fn endless(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
    loop {
        stream.write_all(&[b'x'; 8192])?;
    }
}

fn relay(gate: TcpStream, hub: TcpStream) -> io::Result<()> {
    let (mut from_gate, mut to_hub) = (gate.try_clone()?, hub.try_clone()?);
    let (mut from_hub, mut to_gate) = (hub, gate);
    let up = thread::spawn(move || {
        // Either end may leave at any time.
        drop(io::copy(&mut from_gate, &mut to_hub));
        drop(to_hub.shutdown(Shutdown::Write));
    });
    drop(io::copy(&mut from_hub, &mut to_gate));
    drop(to_gate.shutdown(Shutdown::Both));
    drop(up.join());
    Ok(())
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
