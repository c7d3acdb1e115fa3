//! Serves the panel with a screen of your choice, for those who design it:
//!
//! ```text
//! cargo run -p menshen-tests --example panel_show -- refuse
//! ```
//!
//! Screens: idle, clock (idle, with a clock that fell back), clock_alone (the same at a gate without a hub), the name of a
//! hint, ask, again, admit, ageing, refer, refuse, bare; stick_checking, stick_imported, stick_unchanged, stick_refused,
//! stick_failed (idle, with a stick in), stick_pulled (admit, with a stick that is out again); reads_no_stick (idle, at a
//! gate that takes nothing new), no_list (the verdict of one that has nothing either); issuers (idle, with old lists: tap
//! the bar); and tour, which shows one after another. A second argument is the address to listen on; `ailing` as a third
//! shows a device in trouble.

use menshen_lane::panel::{Panel, PanelConfig, PinFile};
use menshen_lane::words::Lang;
use menshen_tests::screens::{SCREENS, info, show};
use std::error::Error;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "tour".to_owned());
    let listen = args.next().unwrap_or_else(|| "127.0.0.1:8460".to_owned()).parse()?;
    let ailing = args.next().is_some_and(|word| word == "ailing");
    // A PIN that is set at its page stays for the next time.
    let folder = std::env::temp_dir().join("menshen-panel-show");
    std::fs::create_dir_all(&folder)?;
    let pin = Some(PinFile::of(&folder));
    let panel = Panel::open(PanelConfig { pin, langs: Lang::ALL.into(), ..PanelConfig::new(listen, info()) })?;
    println!("http://{}/?lang=en", panel.addr());
    let chosen: Vec<&str> = SCREENS.into_iter().filter(|screen| name == "tour" || name == *screen).collect();
    if chosen.is_empty() {
        return Err(format!("there is no screen {name}: choose one of {} or tour", SCREENS.join(", ")).into());
    }
    for screen in chosen.iter().cycle() {
        show(&panel, screen, ailing);
        std::thread::sleep(Duration::from_secs(if chosen.len() > 1 { 4 } else { 3600 }));
    }
    Ok(())
}
