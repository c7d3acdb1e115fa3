//! A text file that steers a simulated thermometer from outside the program.
//!
//! The file holds one line: an object temperature such as `36.4`, optionally followed by the ambient
//! temperature (`36.4 22.5`), or `none` (the unit is silent) or `unplugged`. It is looked at 20 times a
//! second. Where there is no file the unit stays as it is.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::ThermometerUnit;

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A unit that does what a file says, until this is dropped.
pub struct ControlFile {
    stop: Option<Sender<()>>,
    follower: Option<JoinHandle<()>>,
}

impl ControlFile {
    /// Lets `unit` follow the file at `path`, beginning with what it says now.
    ///
    /// # Errors
    /// What the system says where no thread can be started.
    pub fn follow(path: impl Into<PathBuf>, unit: ThermometerUnit) -> io::Result<ControlFile> {
        let (stop, stopped) = channel();
        let mut follower = Follower { path: path.into(), unit, last: String::new(), plugged: true };
        follower.look();
        let follower =
            std::thread::Builder::new().name("sim-control".to_owned()).spawn(move || follower.run(&stopped))?;
        Ok(ControlFile { stop: Some(stop), follower: Some(follower) })
    }
}

impl Drop for ControlFile {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(follower) = self.follower.take() {
            // A follower that panicked has stopped too.
            let _ = follower.join();
        }
    }
}

struct Follower {
    path: PathBuf,
    unit: ThermometerUnit,
    last: String,
    plugged: bool,
}

impl Follower {
    fn run(&mut self, stopped: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK_EVERY) {
            self.look();
        }
    }

    fn look(&mut self) {
        let Ok(text) = std::fs::read_to_string(&self.path) else { return };
        // An empty file is one that is just being written.
        if text == self.last || text.trim().is_empty() {
            return;
        }
        match Order::parse(&text) {
            Some(order) => self.obey(order),
            None => tell(&self.path, &text),
        }
        self.last = text;
    }

    fn obey(&mut self, order: Order) {
        let plugged = !matches!(order, Order::Unplugged);
        match order {
            Order::Unplugged => self.unit.unplug(),
            Order::Silent => self.unit.set_object(None),
            Order::Read { object_centi_c, ambient_centi_c } => {
                self.unit.set_object(Some(object_centi_c));
                if let Some(ambient_centi_c) = ambient_centi_c {
                    self.unit.set_ambient(ambient_centi_c);
                }
            }
        }
        if plugged
            && !self.plugged
            && let Err(error) = self.unit.replug()
        {
            tracing::warn!("cannot plug the simulated thermometer in again: {error}; check the state directory");
        }
        self.plugged = plugged;
    }
}

fn tell(path: &Path, text: &str) {
    let path = path.display();
    tracing::warn!("{path} says {text:?}, which is ignored: write `36.4`, `36.4 22.5`, `none` or `unplugged`");
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Read { object_centi_c: i16, ambient_centi_c: Option<i16> },
    Silent,
    Unplugged,
}

impl Order {
    fn parse(text: &str) -> Option<Order> {
        match text.split_whitespace().collect::<Vec<_>>()[..] {
            ["none"] => Some(Order::Silent),
            ["unplugged"] => Some(Order::Unplugged),
            [object] => Some(Order::Read { object_centi_c: centi_c(object)?, ambient_centi_c: None }),
            [object, ambient] => {
                Some(Order::Read { object_centi_c: centi_c(object)?, ambient_centi_c: Some(centi_c(ambient)?) })
            }
            _ => None,
        }
    }
}

fn centi_c(text: &str) -> Option<i16> {
    let centi_c = (text.parse::<f64>().ok()? * 100.0).round();
    let sensible = f64::from(i16::MIN)..=f64::from(i16::MAX);
    sensible.contains(&centi_c).then_some(centi_c as i16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_order_is_none() {
        for text in ["", "warm", "36,4", "36.4 22.5 1", "nan", "400", "inf"] {
            assert_eq!(Order::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_temperature_is_rounded_to_hundredths() {
        let expected = Order::Read { object_centi_c: 3640, ambient_centi_c: Some(-50) };
        assert_eq!(Order::parse(" 36.4 -0.5\n"), Some(expected));
    }
}
