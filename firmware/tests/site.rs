//! What a site file may say, and what is told when it says something else.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use menshen_core::decide::Verdict;
use menshen_core::manual::ManualWay;
use menshen_core::pass::Kind;
use menshen_core::policy::{Policy, Quota, SiteClass, Thermometry};
use menshen_gate::site::Site;

const BASE: &str = "name_zh = \"杭州东站\"\nname_en = \"Hangzhou East\"\nlane = 2\nhome = 330100\ntrust = \"trust\"\n";

fn load(rest: &str) -> Result<Site, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.toml");
    std::fs::write(&path, format!("{BASE}{rest}")).unwrap();
    let site = Site::load(&path).map_err(|error| error.to_string())?;
    assert_eq!(site.trust, folder.path().join("trust"));
    Ok(site)
}

/// The rules of a site for which nobody has signed any.
fn policy(site: &Site) -> Policy {
    site.rules().in_force(None, site.home).policy
}

#[track_caller]
fn refused(rest: &str, said: &[&str]) {
    let Err(error) = load(rest) else { panic!("taken: {rest}") };
    assert!(!error.contains('\n'), "one sentence: {error}");
    for part in said.iter().chain(&["site.toml"]) {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}

#[test]
fn a_site_that_says_nothing_of_policy_has_the_default() {
    let site = load("").unwrap();
    assert_eq!(policy(&site), Policy::default());
    assert!(site.neighbours.is_none() && site.leads_out.is_empty());
    assert_eq!((site.home.code(), site.lane), (330_100, 2));
    assert!(site.hub.is_none() && site.anchor.is_none());
}

#[test]
fn every_rule_of_a_site_reaches_the_policy() {
    let site = load(
        "[policy]\nthreshold_c = 37.5\nyellow = \"refuse\"\nthermometry = \"off\"\nreading_window_ms = 4000\n\
         measure_attempts = 2\nrelay_pulse_ms = 800\nhold_admit_ms = 1500\nhold_other_ms = 5000\n\
         trust_ageing_after_h = 12\ntrust_stale_after_h = 24\n\
         status_ageing_after_h = 6\nstatus_stale_after_h = 72\nkinds = [\"phone\", \"paper\"]\ntest_max_age_h = 48\n\
         again_after_s = 60\nmanual = \"referred\"\nquota = { outings = 1, days = 2 }\n\
         relay_hold_off_ms = 200\nreading_before_ms = 3000\n",
    )
    .unwrap();
    let policy = policy(&site);
    assert_eq!(
        (policy.threshold_centi_c, policy.yellow, policy.thermometry),
        (3750, Verdict::Refuse, Thermometry::Off)
    );
    assert_eq!((policy.reading_window_ms, policy.measure_attempts, policy.relay_pulse_ms), (4000, 2, 800));
    assert_eq!((policy.hold_admit_ms, policy.hold_other_ms), (1500, 5000));
    assert_eq!((policy.trust_ageing_after_s, policy.trust_stale_after_s), (43_200, 86_400));
    assert_eq!((policy.status_ageing_after_s, policy.status_stale_after_s), (21_600, 259_200));
    assert_eq!(policy.test_max_age_s, Some(172_800));
    assert_eq!((policy.again_after_s, policy.manual), (60, ManualWay::Referred));
    assert_eq!(policy.quota, Some(Quota { outings: 1, days: 2 }));
    assert_eq!((policy.relay_hold_off_ms, policy.reading_before_ms), (200, 3000));
    assert!(policy.kinds.has(Kind::Paper) && !policy.kinds.has(Kind::Visitor));
}

#[test]
fn a_threshold_is_within_36_and_40_degrees() {
    for (threshold_c, centi_c) in [("36.0", 3600), ("37", 3700), ("37.3", 3730), ("40.0", 4000)] {
        let site = load(&format!("[policy]\nthreshold_c = {threshold_c}")).unwrap();
        assert_eq!(policy(&site).threshold_centi_c, centi_c);
    }
    for threshold_c in ["35.9", "40.1", "373", "1e300", "nan", "-inf"] {
        refused(&format!("[policy]\nthreshold_c = {threshold_c}"), &["policy.threshold_c", "36.0 to 40.0"]);
    }
}

#[test]
fn a_rule_out_of_bounds_is_told_with_its_bounds() {
    refused("[policy]\nrelay_pulse_ms = 3600000", &["policy.relay_pulse_ms", "3600000", "100 to 30000"]);
    refused("[policy]\nmeasure_attempts = 0", &["policy.measure_attempts", "1 to 9"]);
    refused("[policy]\nkinds = [\"fax\"]", &["policy.kinds", "fax", "paper"]);
    refused("[policy]\nkinds = []", &["policy.kinds"]);
    refused("[policy]\nyellow = \"green\"", &["policy.yellow", "green", "refer"]);
}

#[test]
fn stale_comes_after_ageing() {
    refused("[policy]\ntrust_ageing_after_h = 48\ntrust_stale_after_h = 48", &["policy.trust_stale_after_h"]);
    refused("[policy]\nstatus_stale_after_h = 48", &["policy.status_stale_after_h", "ageing"]);
}

#[test]
fn a_typo_in_a_key_is_told_by_line() {
    refused("[policy]\ntreshold_c = 37.3", &["line 7", "`treshold_c`", "`threshold_c`"]);
    refused("[hub]\nadress = \"http://hub\"", &["line 7", "`adress`", "`url`"]);
}

#[test]
fn a_class_of_site_chooses_the_rules_that_are_baked_in() {
    for class in SiteClass::ALL {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.toml");
        std::fs::write(&path, format!("class = \"{}\"\n{BASE}", class.name())).unwrap();
        assert_eq!(policy(&Site::load(&path).unwrap()), Policy::of(class));
    }
    refused("class = \"prison\"", &["class", "prison", "metro"]);
}

#[test]
fn other_gates_of_the_site_share_a_key_that_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("neighbours.key");
    let path = folder.path().join("site.toml");
    let load = |listen: &str, peers: &str| {
        let section = format!("[neighbours]\nlisten = \"{listen}\"\npeers = {peers}\nkey = \"neighbours.key\"\n");
        std::fs::write(&path, format!("{BASE}{section}")).unwrap();
        Site::load(&path).map_err(|error| error.to_string())
    };
    let told = |result: Result<Site, String>, said: &[&str]| {
        let error = result.expect_err("refused");
        assert!(!error.contains('\n') && said.iter().all(|part| error.contains(part)), "{said:?} is not in: {error}");
    };
    let peers = "[\"192.168.8.12:8461\"]";
    told(load("0.0.0.0:8461", peers), &["neighbours.key", "neighbours.key", "openssl rand -hex 32"]);
    std::fs::write(&key, "abcd\n").unwrap();
    told(load("0.0.0.0:8461", peers), &["neighbours.key", "64 hexadecimal digits"]);
    std::fs::write(&key, format!("{}\n", "5e".repeat(32))).unwrap();
    told(load("8461", peers), &["neighbours.listen", "8461"]);
    told(load("0.0.0.0:8461", "[\"192.168.8.12\"]"), &["neighbours.peers", "192.168.8.12"]);
    told(load("0.0.0.0:8461", &format!("{:?}", vec!["1.2.3.4:5"; 17])), &["neighbours.peers", "16"]);
    let neighbours = load("0.0.0.0:8461", peers).unwrap().neighbours.unwrap();
    assert_eq!(neighbours.addresses.peers, ["192.168.8.12:8461".parse().unwrap()]);
    assert_eq!(neighbours.secret.0, [0x5e; 32]);
}

#[test]
fn a_hub_is_an_address_and_a_key() {
    let key = "ab".repeat(32);
    let hub = load(&format!("[hub]\nurl = \"http://10.0.0.1:8080/\"\nkey = \"{key}\"\n")).unwrap().hub.unwrap();
    assert_eq!(
        (hub.url.as_str(), hub.key, hub.label.as_str()),
        ("http://10.0.0.1:8080", [0xab; 32], "Hangzhou East / 2")
    );
    for url in ["hub.example", "http://", "https://", "ftp://hub", "http://me@hub", "http://hub/a"] {
        refused(&format!("[hub]\nurl = \"{url}\"\nkey = \"{key}\"\n"), &["hub.url", "http:// or https://"]);
    }
    refused("[hub]\nurl = \"http://hub\"\nkey = \"abcd\"\n", &["hub.key", "64 hexadecimal digits"]);
}

/// Made by `menshen-hub --tls`; its key is gone.
const CERTIFICATE: &str = include_str!("data/hub.crt");

#[test]
fn a_hub_by_https_has_its_certificate_beside_the_site_file() {
    let folder = tempfile::tempdir().unwrap();
    let site = |url: &str, more: &str| {
        let path = folder.path().join("site.toml");
        let key = "ab".repeat(32);
        std::fs::write(&path, format!("{BASE}[hub]\nurl = \"{url}\"\nkey = \"{key}\"\n{more}\n")).unwrap();
        Site::load(&path).map_err(|error| error.to_string())
    };
    let told = |result: Result<Site, String>, said: &[&str]| {
        let error = result.expect_err("refused");
        assert!(!error.contains('\n'), "one sentence: {error}");
        assert!(said.iter().all(|part| error.contains(part)), "{said:?} is not in: {error}");
    };
    let named = "certificate = \"hub.crt\"";
    told(site("https://hub.example:8470", ""), &["hub.certificate", "missing", "hub.crt"]);
    told(site("https://hub.example:8470", named), &["hub.certificate", "can not be read", "--trust folder"]);
    for (text, why) in [
        ("", "no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificate"),
        (&CERTIFICATE[..CERTIFICATE.len() / 2], "no certificate"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "private key"),
        (&"\n".repeat(100_000), "too long"),
    ] {
        std::fs::write(folder.path().join("hub.crt"), text).unwrap();
        told(site("https://hub.example:8470", named), &["hub.certificate", "hub.crt", why]);
    }
    std::fs::write(folder.path().join("hub.crt"), CERTIFICATE).unwrap();
    told(site("http://hub.example:8470", named), &["hub.url", "https://", "take the certificate out"]);
    let hub = site("https://hub.example:8470/", named).unwrap().hub.unwrap();
    assert_eq!(hub.url, "https://hub.example:8470");
    assert!(hub.certificate.is_some());
    std::fs::write(folder.path().join("hub.crt"), CERTIFICATE.repeat(2)).unwrap();
    assert!(site("https://[::1]:8470", named).is_ok(), "the old and the new while the hub's changes");
}

#[test]
fn a_home_is_a_division_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.toml");
    std::fs::write(&path, BASE.replace("330100", "33")).unwrap();
    let error = Site::load(&path).unwrap_err().to_string();
    assert!(error.contains("home") && error.contains("33") && error.contains("six digits"), "{error}");
}

#[test]
fn the_enrol_token_stays_out_of_debug_text() {
    let key = "ab".repeat(32);
    let hub = format!("[hub]\nurl = \"http://hub\"\nkey = \"{key}\"\nenrol_token = \"s3cret\"\n");
    assert!(!format!("{:?}", load(&hub).unwrap()).contains("s3cret"));
}
