//! Simulated switches: a text file whose words say which of them are on.
//!
//! A switch is an input pin like one of the header, so what is above it is what runs at a gate. The file holds any of the
//! words `button`, `presence` and `fire`; a switch whose word is not there, or that has no file, is off.

use embedded_hal::digital::{ErrorType, InputPin};
use std::convert::Infallible;
use std::path::PathBuf;

/// One switch of the file; high is on.
#[derive(Debug)]
pub struct SimSwitch {
    control: PathBuf,
    word: &'static str,
}

impl SimSwitch {
    /// The switch that `word` turns on in the file at `control`.
    pub fn new(control: PathBuf, word: &'static str) -> SimSwitch {
        SimSwitch { control, word }
    }
}

impl ErrorType for SimSwitch {
    type Error = Infallible;
}

impl InputPin for SimSwitch {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        let text = std::fs::read_to_string(&self.control).unwrap_or_default();
        Ok(text.split_whitespace().any(|word| word == self.word))
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        self.is_high().map(|high| !high)
    }
}
