//! The reader that a gate is to an access controller: its keys as they are written, and what they come to.
//!
//! The line is secure unless the board says in so many words that it is not; a board that says both is refused, because
//! whoever wrote it believes one of the two.

use std::path::PathBuf;

use serde::Deserialize;

use super::{BoardError, Resolver};
use crate::osdp::{Card, Format};

/// A reader on a serial line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Osdp {
    /// The serial port of the RS-485 adapter; within the state directory where it is relative.
    pub port: PathBuf,
    /// Its speed, in bits a second.
    pub baud: u32,
    /// The reader's address on the line, 0..=126.
    pub address: u8,
    /// The file with the key of the secure channel, within the state directory where it is relative; `None` for a line
    /// that is plain.
    pub key: Option<PathBuf>,
    /// What is shown at an admission.
    pub card: Card,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OsdpSection {
    port: Option<PathBuf>,
    baud: Option<u32>,
    address: Option<u8>,
    key: Option<PathBuf>,
    secure: Option<bool>,
    format: Option<u16>,
    facility: Option<u16>,
    card: Option<u16>,
}

/// The speeds of the standard.
const BAUDS: [u32; 6] = [9600, 19_200, 38_400, 57_600, 115_200, 230_400];
const DEFAULT_BAUD: u32 = 9600;
const MAX_ADDRESS: u8 = 126;

impl Resolver<'_> {
    pub(super) fn osdp(&self, section: &OsdpSection) -> Result<Osdp, BoardError> {
        let baud = section.baud.unwrap_or(DEFAULT_BAUD);
        if !BAUDS.contains(&baud) {
            return Err(self.value("outputs.osdp.baud", baud.to_string(), format!("it may be one of {BAUDS:?}")));
        }
        let address = section.address.unwrap_or(0);
        if address > MAX_ADDRESS {
            let allowed = format!("it may be 0 to {MAX_ADDRESS}");
            return Err(self.value("outputs.osdp.address", address.to_string(), allowed));
        }
        Ok(Osdp {
            port: self.need(section.port.clone(), "outputs.osdp.port")?,
            baud,
            address,
            key: self.osdp_key(section)?,
            card: self.osdp_card(section)?,
        })
    }

    fn osdp_key(&self, section: &OsdpSection) -> Result<Option<PathBuf>, BoardError> {
        match (section.secure.unwrap_or(true), &section.key) {
            (true, key) => self.need(key.clone(), "outputs.osdp.key").map(Some),
            (false, None) => Ok(None),
            (false, Some(_)) => {
                let allowed = "it may be true where there is a `key`; leave one of the two out".to_owned();
                Err(self.value("outputs.osdp.secure", "false".to_owned(), allowed))
            }
        }
    }

    fn osdp_card(&self, section: &OsdpSection) -> Result<Card, BoardError> {
        let format = match section.format.unwrap_or(26) {
            26 => Format::Wiegand26,
            34 => Format::Wiegand34,
            other => {
                let allowed = "it may be 26 or 34 (bits)".to_owned();
                return Err(self.value("outputs.osdp.format", other.to_string(), allowed));
            }
        };
        let facility = self.need(section.facility, "outputs.osdp.facility")?;
        if facility > format.max_facility() {
            let allowed = format!("with format = {} it may be 0 to {}", format.bits(), format.max_facility());
            return Err(self.value("outputs.osdp.facility", facility.to_string(), allowed));
        }
        Ok(Card { format, facility, card: self.need(section.card, "outputs.osdp.card")? })
    }
}
