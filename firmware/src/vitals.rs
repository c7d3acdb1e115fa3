//! How the device itself is: its supply voltage and its heat, where the system tells them.
//!
//! A Raspberry Pi's firmware raises an alarm while its supply is too low, which the kernel gives as a hardware monitor, and
//! remembers that it was, which only the firmware's own tool tells. Any other machine says nothing, which is no fault.
//! Invariant: nothing here fails or waits for long.

use menshen_lane::proof::Vitals;
use menshen_lane::proof::child::{NotSaid, said_within};
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The hardware monitor of a Raspberry Pi's supply.
const SUPPLY: &str = "rpi_volt";
/// Bits of what the firmware's tool says.
const LOW_NOW: u32 = 1;
const LOW_BEFORE: u32 = 1 << 16;

/// Where vitals are read.
#[derive(Clone, Debug)]
pub struct VitalsAt {
    /// What is mounted at `/sys`.
    pub sys: PathBuf,
    /// The firmware's tool; `None` asks nobody.
    pub tool: Option<OsString>,
    /// How long it may take; it answers at once, or hangs.
    pub patience: Duration,
}

impl Default for VitalsAt {
    fn default() -> VitalsAt {
        VitalsAt { sys: "/sys".into(), tool: Some("vcgencmd".into()), patience: Duration::from_secs(2) }
    }
}

impl VitalsAt {
    /// Reads them.
    pub fn read(&self) -> Vitals {
        let alarm = self.supply_alarm();
        let (told, fault) = match self.ask_tool() {
            Ok(told) => (told, None),
            Err(fault) => (None, Some(fault)),
        };
        Vitals {
            under_voltage: alarm.or(told.map(|bits| bits & LOW_NOW != 0)),
            was_under_voltage: told.map(|bits| bits & LOW_BEFORE != 0),
            heat_c: self.heat_c(),
            fault,
        }
    }

    fn supply_alarm(&self) -> Option<bool> {
        let monitors = fs::read_dir(self.sys.join("class/hwmon")).ok()?.flatten().map(|entry| entry.path());
        let supply = monitors.into_iter().find(|path| read(&path.join("name")).as_deref() == Some(SUPPLY))?;
        read(&supply.join("in0_lcrit_alarm"))?.parse::<u8>().ok().map(|alarm| alarm != 0)
    }

    /// What the tool says; nothing where there is none, or it has nothing to say here.
    fn ask_tool(&self) -> Result<Option<u32>, String> {
        let Some(tool) = &self.tool else { return Ok(None) };
        match said_within(Command::new(tool).arg("get_throttled"), self.patience) {
            Ok(said) => Ok(bits(&said)),
            Err(NotSaid::NotStarted(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(NotSaid::Ended(_)) => Ok(None),
            Err(error) => Err(format!("{} get_throttled: {error}", tool.display())),
        }
    }

    /// The warmest zone.
    fn heat_c(&self) -> Option<f32> {
        let zones = fs::read_dir(self.sys.join("class/thermal")).ok()?.flatten().map(|entry| entry.path());
        let is_zone =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"thermal_zone"));
        let heats = zones.filter(is_zone).filter_map(|path| read(&path.join("temp"))?.parse::<f32>().ok());
        heats.map(|milli_c| milli_c / 1000.0).reduce(f32::max)
    }
}

fn bits(said: &str) -> Option<u32> {
    u32::from_str_radix(said.trim().strip_prefix("throttled=0x")?, 16).ok()
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// There, with the patience of a busy builder.
    fn at(sys: &Path, tool: Option<OsString>) -> VitalsAt {
        VitalsAt { sys: sys.into(), tool, patience: Duration::from_secs(60) }
    }

    fn pi(alarm: &str) -> (tempfile::TempDir, Vitals) {
        let sys = tempfile::tempdir().unwrap();
        put(sys.path(), "class/hwmon/hwmon0/name", "cpu_thermal\n");
        put(sys.path(), "class/hwmon/hwmon1/name", "rpi_volt\n");
        put(sys.path(), "class/hwmon/hwmon1/in0_lcrit_alarm", alarm);
        put(sys.path(), "class/thermal/thermal_zone0/temp", "61250\n");
        put(sys.path(), "class/thermal/cooling_device0/temp", "99000\n");
        let vitals = at(sys.path(), None).read();
        (sys, vitals)
    }

    #[test]
    fn a_pi_tells_its_supply_and_its_heat() {
        let (_sys, low) = pi("1\n");
        assert_eq!((low.under_voltage, low.was_under_voltage), (Some(true), None));
        assert_eq!(low.heat_c, Some(61.25));
        assert_eq!(pi("0\n").1.under_voltage, Some(false));
        assert_eq!(pi("?").1.under_voltage, None);
    }

    /// A tool of the firmware.
    fn tool(folder: &Path, script: &str) -> Option<OsString> {
        let tool = folder.join("tool");
        put(folder, "tool", &format!("#!/bin/sh\n[ $# -gt 0 ] || exit 0\n{script}\n"));
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
        // A test beside this one that just starts a program of its own still holds what was written.
        let is_held =
            || matches!(Command::new(&tool).output(), Err(error) if error.kind() == ErrorKind::ExecutableFileBusy);
        while is_held() {}
        Some(tool.into())
    }

    fn says(word: &str) -> String {
        format!("[ \"$1\" = get_throttled ] && echo throttled={word}")
    }

    #[test]
    fn where_the_kernel_says_nothing_the_firmwares_tool_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let tool = tool(folder.path(), &says("0x50000"));
        let vitals = at(folder.path(), tool).read();
        assert_eq!((vitals.under_voltage, vitals.was_under_voltage, vitals.heat_c), (Some(false), Some(true), None));
    }

    #[test]
    fn that_it_was_too_low_is_asked_of_the_tool_also_where_the_kernel_tells_what_is_now() {
        let (sys, _) = pi("0\n");
        for (word, was) in [("0x50000", true), ("0x0", false), ("0x20002", false)] {
            let tool = tool(sys.path(), &says(word));
            let vitals = at(sys.path(), tool).read();
            assert_eq!((vitals.under_voltage, vitals.was_under_voltage), (Some(false), Some(was)), "{word}");
        }
    }

    #[test]
    fn a_tool_that_hangs_is_told_and_not_waited_for() {
        let (sys, _) = pi("0\n");
        let vitals =
            VitalsAt { patience: Duration::from_secs(2), ..at(sys.path(), tool(sys.path(), "exec sleep 600")) }.read();
        assert_eq!((vitals.under_voltage, vitals.was_under_voltage), (Some(false), None));
        assert!(vitals.fault.unwrap().contains("did not end within 2 s"));
    }

    #[test]
    fn another_machine_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let tool = folder.path().join("there is no such tool");
        let at = at(folder.path(), Some(tool.into()));
        assert_eq!(at.read(), Vitals::default());
    }
}
