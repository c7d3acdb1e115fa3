//! A program in a process of its own, which can be killed.

use super::until;
use super::world::{TOKEN, World};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A program that runs; killed when dropped.
pub struct Program {
    child: Child,
    said: String,
    log: PathBuf,
}

impl Program {
    /// Starts a program and waits until it says on its output that it is there. Its log goes to `log`.
    ///
    /// `Err` is how a program ended that said nothing.
    pub fn start<A: AsRef<OsStr>>(program: &str, args: &[A], log: &Path) -> Result<Program, Ended> {
        let errors = fs::File::options().create(true).append(true).open(log).expect("the folder is ours");
        let mut command = Command::new(program);
        command.args(args).env("MENSHEN_ENROL_TOKEN", TOKEN).env_remove("MENSHEN_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().expect("cargo has built it");
        let mut said = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut said).expect("it writes text");
        let mut program = Program { child, said, log: log.into() };
        if program.said.is_empty() {
            let status = program.end();
            return Err(Ended { status, log: program.log() });
        }
        Ok(program)
    }

    /// Starts the gate program `program` on the files of a world.
    ///
    /// `Err` is how it ended that did not start.
    pub fn gate(program: &str, world: &World) -> Result<Program, Ended> {
        let files = [world.board_file(), world.site_file(), world.state()];
        let names = ["--board", "--site", "--state"];
        let args = names.iter().zip(&files).flat_map(|(name, file)| [OsStr::new(name), file.as_os_str()]);
        Program::start(program, &args.collect::<Vec<_>>(), &world.path("gate.log"))
    }

    /// Starts the victim `program` on the files of a world.
    pub fn victim(program: &str, world: &World, more: &[&str]) -> Program {
        let files = [world.board_file(), world.site_file(), world.state()];
        let args = files.iter().map(|path| path.as_os_str()).chain(more.iter().map(OsStr::new));
        let started = Program::start(program, &args.collect::<Vec<_>>(), &world.path("victim.log"));
        started.expect("a victim's world is in order")
    }

    /// The address in what it said.
    pub fn addr(&self) -> Option<SocketAddr> {
        let (_, rest) = self.said.split_once("http://")?;
        rest.split_whitespace().next()?.parse().ok()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("it was made at the start")
    }

    /// SIGKILL: no destructor runs.
    pub fn kill(mut self) -> ExitStatus {
        self.child.kill().expect("it is our own child");
        self.end()
    }

    /// SIGTERM, and how it ended.
    pub fn terminate(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.end()
    }

    /// Any signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a child has a number");
        kill_process(pid, signal).expect("it is our own child");
    }

    /// Waits for it to end by itself.
    pub fn end(&mut self) -> ExitStatus {
        until("the end of a program", Duration::from_secs(30), || self.child.try_wait().expect("it is our own child"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// How a program ended that said nothing.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code or signal.
    pub status: ExitStatus,
    /// What it logged.
    pub log: String,
}

/// Reads JSON from an address.
pub fn get(addr: SocketAddr, path: &str) -> serde_json::Value {
    let mut response = ureq::get(format!("http://{addr}{path}")).call().expect("the server answers");
    serde_json::from_slice(&response.body_mut().read_to_vec().expect("a whole answer")).expect("JSON")
}
