//! A panel alone, which shows what it is told: for what does not depend on how a gate comes to it.
//!
//! The panel is the gate's own, on a port of its own; the screens are those of [`crate::screens`].

use super::PATIENCE;
use super::page::Page;
use crate::faults::until;
use crate::screens;
use menshen_lane::panel::{Panel, PanelConfig, PinFile};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

/// A panel on its own.
pub struct Stage {
    /// What is told to show.
    pub panel: Panel,
}

impl Default for Stage {
    fn default() -> Stage {
        Stage::new()
    }
}

impl Stage {
    /// A panel on any port.
    pub fn new() -> Stage {
        Stage::at((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// A panel on any port, with the PIN that is kept in this folder, if any.
    pub fn with_pin(folder: &Path) -> Stage {
        let local = (Ipv4Addr::LOCALHOST, 0).into();
        let config = PanelConfig { pin: Some(PinFile::of(folder)), ..PanelConfig::new(local, screens::info()) };
        Stage { panel: Panel::open(config).expect("there is a free port") }
    }

    /// A panel at an address, as a gate's that starts again; its port may be let go of only in a moment.
    pub fn at(listen: SocketAddr) -> Stage {
        let panel = until("the panel's port", PATIENCE, || screens::start(listen).ok());
        Stage { panel }
    }

    /// Where it is.
    pub fn addr(&self) -> SocketAddr {
        self.panel.addr()
    }

    /// The address of a page in a language.
    pub fn url(&self, path: &str, lang: &str) -> String {
        format!("http://{}{path}?lang={lang}", self.addr())
    }

    /// Shows a screen by its name and opens the page anew, so that what is seen is that and nothing before it.
    pub fn open(&self, page: &Page, screen: &str, lang: &str, ailing: bool) {
        self.open_at(self.addr(), page, screen, lang, ailing);
    }

    /// The same by way of another address.
    pub fn open_at(&self, addr: SocketAddr, page: &Page, screen: &str, lang: &str, ailing: bool) {
        screens::show(&self.panel, screen, ailing);
        page.open(format!("http://{addr}/?lang={lang}"));
        page.until_value(
            "return document.body.dataset.screen + ' ' + document.querySelectorAll('#bar .part').length",
            |said| said.as_str().is_some_and(|said| !said.starts_with("starting") && !said.ends_with(" 0")),
        );
    }
}
