//! What the running gate is judged by: from what was seen of it to what that means for the shift.
//!
//! Pure, so that each way of being broken is a line of a test. Invariant: what a gate can do without (its hub, a voltage that
//! can not be read, another issuer's old list) never keeps a shift from beginning.

use super::watch::Eyes;
use super::{Check, Finding, Vitals};
use crate::aim::{SHARP, SOFT};
use crate::run::Device;
use crate::trust::{ListState, Standings, Trust};
use crate::view::rfc3339;
use menshen_core::ids::IssuerId;
use menshen_core::policy::{Policy, Thermometry};
use menshen_core::status;
use menshen_core::thermo::Reading;
use menshen_core::time::{Confidence, Time, Validity};
use menshen_core::trust::{Freshness, IssuerKey};

/// Below this a queue waits for the camera.
const SLOW_FPS: f64 = 3.0;
/// A record that takes longer than this makes a person wait.
const SLOW_RECORD_MS: u64 = 500;
/// Less room than this wants a look before it is gone.
const SMALL_DISK_MB: u64 = 200;
/// Where a Raspberry Pi begins to slow down.
const HOT_C: f32 = 80.0;
/// A key that ends within so many days wants a newer publication.
const KEY_SOON_DAYS: u64 = 14;
const DAY_S: u64 = 86_400;

pub(super) fn camera(eyes: &Eyes, fault: Option<&String>) -> Check {
    if let Some(fault) = fault {
        return Check::of(Finding::CameraFailed).because(fault);
    }
    match (eyes.frames, eyes.is_still) {
        (0 | 1, true) => Check::of(Finding::CameraStill),
        (0 | 1, false) => Check::of(Finding::CameraFailed),
        (frames, _) => {
            let fps = f64::from(frames - 1) / eyes.span.as_secs_f64().max(0.001);
            let finding = if fps < SLOW_FPS && !eyes.is_still { Finding::CameraSlow } else { Finding::CameraOk };
            Check::of(finding).with("fps", format!("{fps:.0}"))
        }
    }
}

/// An empty gate looks at whatever is behind it, which may well be out of focus: only a code that is there and blurred
/// proves that the lens is.
pub(super) fn focus(eyes: &Eyes) -> Check {
    if eyes.frames == 0 {
        return Check::of(Finding::FocusUnseen);
    }
    let found = match eyes.focus {
        _ if eyes.read_code => Finding::FocusOk,
        Some(SHARP..) => Finding::FocusOk,
        Some(SOFT..) => Finding::FocusSoft,
        Some(_) if eyes.saw_code => Finding::FocusCodeBlurred,
        Some(_) => Finding::FocusBlurred,
        None => Finding::FocusNoEdges,
    };
    Check::of(found).with("focus", eyes.focus.map_or_else(|| "–".to_owned(), |focus| focus.to_string()))
}

pub(super) fn light(eyes: &Eyes) -> Check {
    Check::of(match eyes.light {
        None => Finding::LightUnseen,
        Some("too_dark") => Finding::LightDark,
        Some("too_bright") => Finding::LightBright,
        Some(_) => Finding::LightOk,
    })
}

pub(super) fn thermometer(device: &Device, reading: Option<Reading>, policy: &Policy) -> Check {
    let is_wanted = policy.thermometry == Thermometry::Required;
    let fault = device.faults.thermometer.as_ref();
    match (device.has_thermometer, reading.filter(|_| fault.is_none())) {
        (false, _) if is_wanted => Check::of(Finding::ThermometerMissing),
        (false, _) => Check::of(Finding::ThermometerNone),
        (true, None) => {
            let silent = Check::of(if is_wanted { Finding::ThermometerSilent } else { Finding::ThermometerUnused });
            fault.map_or(silent.clone(), |fault| silent.because(fault))
        }
        (true, Some(reading)) => {
            let can_judge =
                (policy.ambient_min_centi_c..=policy.ambient_max_centi_c).contains(&reading.ambient_centi_c);
            let found = if can_judge || !is_wanted { Finding::ThermometerOk } else { Finding::ThermometerAmbient };
            Check::of(found).with("ambient", format!("{:.1}", f64::from(reading.ambient_centi_c) / 100.0))
        }
    }
}

pub(super) fn clock(device: &Device) -> Check {
    let Time { confidence, error_s, .. } = device.clock.time;
    let fault = device.faults.clock.as_ref();
    let found = match confidence {
        Confidence::Floor => Finding::ClockUnsure,
        Confidence::Trusted if fault.is_some() || device.clock.doubt.is_some() => Finding::ClockDoubt,
        Confidence::Trusted => Finding::ClockOk,
    };
    let check = Check::of(found).with("error", error_s);
    fault.map_or(check.clone(), |fault| check.because(fault))
}

pub(super) fn trust(trust: Option<&Trust>, time: Time, policy: &Policy) -> Check {
    let Some(content) = trust.map(|trust| trust.list.content()) else { return Check::of(Finding::TrustMissing) };
    let found = match status::freshness(time, content.as_of, policy.trust_ageing_after_s, policy.trust_stale_after_s) {
        Freshness::Fresh => Finding::TrustOk,
        Freshness::Ageing => Finding::TrustAgeing,
        Freshness::Stale => Finding::TrustStale,
        Freshness::Unknown => Finding::TrustUnknown,
    };
    let age_s = time.since(content.as_of);
    let left_s = policy.trust_stale_after_s.saturating_sub(age_s);
    Check::of(found).with("version", content.version).with("age", age_s / DAY_S).with("days", left_s / DAY_S)
}

pub(super) fn news(device: &Device) -> Check {
    let fault = device.faults.trust.as_ref();
    fault.map_or(Check::of(Finding::NewsOk), |fault| Check::of(Finding::NewsRefused).because(fault))
}

/// A list that is too old refers the passes of its issuer. Those of the gate's own make a queue of the whole place.
pub(super) fn lists(trust: Option<&Trust>, time: Time, policy: &Policy, home: IssuerId) -> Check {
    let Some(trust) = trust else { return Check::of(Finding::ListsUnknown) };
    let standings = Standings::of(trust, policy, time);
    let is_bad = |state| matches!(state, ListState::Unreadable | ListState::Stale | ListState::Missing);
    let count =
        |wanted: &dyn Fn(ListState) -> bool| standings.issuers.iter().filter(|standing| wanted(standing.list)).count();
    let (ill, untold) =
        (count(&|state| is_bad(state) || state == ListState::Ageing), count(&|state| state == ListState::Unknown));
    let is_own = |issuer: IssuerId| issuer.province() == home.province();
    let own_is_bad = standings.issuers.iter().any(|standing| is_own(standing.issuer) && is_bad(standing.list));
    let (found, n) = match (standings.lists(), ill, untold) {
        (0, ..) => (Finding::ListsNone, 0),
        _ if own_is_bad => (Finding::ListsOwn, ill),
        (_, 0, 0) => (Finding::ListsOk, 0),
        (_, 0, untold) => (Finding::ListsDoubt, untold),
        _ => (Finding::ListsSome, ill),
    };
    Check::of(found).with("of", standings.lists()).with("n", n)
}

/// Whether the gate could believe anybody of its own place.
pub(super) fn key(trust: Option<&Trust>, time: Time, home: IssuerId) -> Check {
    let keys = trust.map(|trust| trust.list.content().keys.as_slice()).unwrap_or_default();
    let own = keys.iter().filter(|key| key.issuer.province() == home.province());
    let valid_until = |wanted: Validity| {
        let counts = move |key: &&IssuerKey| time.within(key.valid_from, key.valid_until) == wanted;
        own.clone().filter(counts).map(|key| key.valid_until).max()
    };
    match (valid_until(Validity::Valid), valid_until(Validity::Unknown)) {
        (Some(until), _) => {
            let days = until.saturating_sub(time.unix_s) / DAY_S;
            let found = if days < KEY_SOON_DAYS { Finding::KeySoon } else { Finding::KeyOk };
            Check::of(found).with("days", days)
        }
        (None, Some(_)) => Check::of(Finding::KeyUnknown),
        (None, None) => Check::of(Finding::KeyNone),
    }
}

pub(super) fn relay(device: &Device, has_relay: bool) -> Check {
    match &device.faults.relay {
        _ if !has_relay => Check::of(Finding::RelayNone),
        Some(fault) => Check::of(Finding::RelayFailed).because(fault),
        None => Check::of(Finding::RelayOk),
    }
}

pub(super) fn signals(device: &Device, has_signals: bool) -> Check {
    let fault = device.faults.lamps.as_ref().or(device.faults.buzzer.as_ref());
    let well = if has_signals { Finding::SignalsOk } else { Finding::SignalsNone };
    fault.map_or(Check::of(well), |fault| Check::of(Finding::SignalsFailed).because(fault))
}

/// What has a line only where something is wrong with it.
pub(super) fn others(device: &Device, has_relay: bool) -> Vec<Check> {
    let faults = &device.faults;
    let controller = if has_relay {
        (Finding::ControllerFailed, faults.controller.as_ref())
    } else {
        // An order to open that failed was one to the controller.
        (Finding::ControllerAlone, faults.controller.as_ref().or(faults.relay.as_ref()))
    };
    let told = [
        // Whoever is at the gate reads there why, and the volunteer what to do: lamps alone say neither.
        (Finding::DisplayFailed, faults.display.as_ref()),
        (Finding::SpeakerFailed, faults.speaker.as_ref()),
        controller,
        (Finding::InputsFailed, faults.inputs.as_ref()),
        (Finding::RulesAside, faults.rules.as_ref()),
        (Finding::NeighboursSilent, faults.neighbours.as_ref()),
    ];
    told.into_iter().filter_map(|(found, fault)| fault.map(|fault| Check::of(found).because(fault))).collect()
}

pub(super) fn power(vitals: &Vitals) -> Check {
    let check = Check::of(match (vitals.under_voltage, vitals.was_under_voltage) {
        (Some(true), _) => Finding::PowerLow,
        (_, Some(true)) => Finding::PowerWasLow,
        (Some(false), _) => Finding::PowerOk,
        (None, _) => Finding::PowerUnread,
    });
    vitals.fault.as_ref().map_or(check.clone(), |fault| check.because(fault))
}

pub(super) fn heat(vitals: &Vitals) -> Check {
    match vitals.heat_c {
        Some(heat_c) => {
            let found = if heat_c >= HOT_C { Finding::HeatHot } else { Finding::HeatOk };
            Check::of(found).with("c", format!("{heat_c:.0}"))
        }
        None => Check::of(Finding::HeatUnread),
    }
}

pub(super) fn hub(device: &Device) -> Check {
    let found = match (device.has_hub, &device.faults.hub.fault) {
        (false, _) => Check::of(Finding::HubNone),
        (true, None) if device.faults.hub.last_ack_unix_s.is_none() => Check::of(Finding::HubQuiet),
        (true, None) => Check::of(Finding::HubOk),
        (true, Some(fault)) => Check::of(Finding::HubAway).because(fault),
    };
    let found = match device.faults.hub.last_ack_unix_s {
        Some(ack) => found.with("ack", rfc3339(ack)),
        None => found,
    };
    found.with("n", device.journal.backlog)
}

/// The disk, by what a record of the proof took on it and by the gate's own journal.
pub(super) fn disk(free_bytes: Option<u64>, slowest_ms: u64, journal: Option<String>) -> Check {
    let free_mb = free_bytes.map(|bytes| bytes / (1 << 20));
    let check = match (&journal, free_mb) {
        (Some(why), _) => Check::of(Finding::JournalClosed).because(why),
        _ if slowest_ms > SLOW_RECORD_MS => Check::of(Finding::DiskSlow),
        (None, Some(..SMALL_DISK_MB)) => Check::of(Finding::DiskSmall),
        (None, _) => Check::of(Finding::DiskOk),
    };
    let free = free_mb.map_or_else(|| "?".to_owned(), |free_mb| free_mb.to_string());
    check.with("free", free).with("ms", slowest_ms)
}
