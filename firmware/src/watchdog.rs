//! Signs of life for the service manager, where it asks for them.
//!
//! The relay's guard minds the gate and the gate minds its guard; what stops both at once (a frozen control group, a
//! debugger, memory that is being swapped) neither of them sees. systemd does: with `WatchdogSec=` it expects a word within
//! that time, as sd_notify(3) and sd_watchdog_enabled(3) say, and starts the service anew without it. A thread says it, so
//! it means that this process runs and that its relays have guards, no more: a loop that turns in vain is the guard's
//! affair.

use menshen_lane::threads::Stop;
use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Where and how often the service manager wants to hear of this process.
pub struct Watchdog {
    to: SocketAddr,
    from: UnixDatagram,
    every: Duration,
}

impl Watchdog {
    /// What the environment asks for; `None` where it asks for nothing, or somebody else.
    ///
    /// # Errors
    /// What the system says of the socket that it names.
    pub fn asked_for(variable: impl Fn(&str) -> Option<OsString>) -> io::Result<Option<Watchdog>> {
        let number = |name: &str| variable(name)?.to_str()?.parse::<u64>().ok();
        let (Some(socket), Some(limit_us)) = (variable("NOTIFY_SOCKET"), number("WATCHDOG_USEC")) else {
            return Ok(None);
        };
        if number("WATCHDOG_PID").is_some_and(|pid| pid != u64::from(std::process::id())) {
            return Ok(None);
        }
        let to = match socket.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => SocketAddr::from_pathname(&socket)?,
        };
        // Twice within the limit, as sd_watchdog_enabled(3) advises.
        Ok(Some(Watchdog { to, from: UnixDatagram::unbound()?, every: Duration::from_micros(limit_us / 2) }))
    }

    /// Says it again and again, as long as all is `well`, until `stop` is set.
    ///
    /// # Errors
    /// What the system says where no thread can be started.
    pub fn start(self, stop: &Stop, well: impl Fn() -> bool + Send + 'static) -> io::Result<()> {
        let stop = stop.clone();
        let run = move || {
            while !stop.is_set() {
                if well() {
                    // One that is not heard is what the limit is for.
                    let _ = self.from.send_to_addr(b"WATCHDOG=1\n", &self.to);
                }
                stop.sleep(self.every);
            }
        };
        std::thread::Builder::new().name("watchdog".to_owned()).spawn(run).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn asked(socket: &str, pid: u32) -> io::Result<Option<Watchdog>> {
        let (socket, pid) = (socket.to_owned(), pid.to_string());
        Watchdog::asked_for(|name| match name {
            "NOTIFY_SOCKET" => Some(socket.clone().into()),
            "WATCHDOG_USEC" => Some("20000".into()),
            "WATCHDOG_PID" => Some(pid.clone().into()),
            _ => None,
        })
    }

    #[test]
    fn it_speaks_again_and_again_to_a_path_or_an_abstract_name() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("notify");
        let name = format!("menshen-watchdog-{}", std::process::id());
        let abstract_name = SocketAddr::from_abstract_name(&name)?;
        for (address, heard) in [
            (path.display().to_string(), UnixDatagram::bind(&path)?),
            (format!("@{name}"), UnixDatagram::bind_addr(&abstract_name)?),
        ] {
            let stop = Stop::new();
            let watchdog = asked(&address, std::process::id())?.ok_or(io::ErrorKind::NotFound)?;
            let well = Arc::new(AtomicBool::new(false));
            let is_well = Arc::clone(&well);
            watchdog.start(&stop, move || is_well.load(Ordering::SeqCst))?;
            heard.set_read_timeout(Some(Duration::from_millis(100)))?;
            assert!(heard.recv(&mut [0; 64]).is_err(), "nothing is well yet");
            well.store(true, Ordering::SeqCst);
            heard.set_read_timeout(Some(Duration::from_secs(20)))?;
            for _ in 0..3 {
                let mut word = [0; 64];
                let length = heard.recv(&mut word)?;
                assert_eq!(&word[..length], b"WATCHDOG=1\n");
            }
            stop.set();
        }
        Ok(())
    }

    #[test]
    fn it_is_silent_where_nobody_asks_or_another_process_is_asked() -> io::Result<()> {
        assert!(Watchdog::asked_for(|_| None)?.is_none());
        assert!(asked("/run/systemd/notify", std::process::id() + 1)?.is_none());
        Ok(())
    }
}
