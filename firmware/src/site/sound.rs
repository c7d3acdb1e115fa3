//! The `[sound]` section: how loud the gate is, when it is quiet, what is spoken and in which languages.

use menshen_lane::sound::{BuzzerAtNight, Percent, Quiet, SoundRules, clips};
use menshen_lane::words::Lang;
use serde::Deserialize;

use super::Refused;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SoundSection {
    volume_percent: Option<i64>,
    quiet: Option<String>,
    quiet_volume_percent: Option<i64>,
    quiet_buzzer: Option<String>,
    speech: Option<bool>,
    say_admit: Option<bool>,
    speech_langs: Option<Vec<String>>,
}

impl SoundSection {
    /// The rules, whose defaults are those of a gate that nobody asked anything of.
    pub(super) fn check(self) -> Result<SoundRules, Refused> {
        let usual = SoundRules::default();
        let quiet = match self.quiet.as_deref() {
            None => usual.quiet,
            Some("off") => None,
            Some(text) => {
                let quiet = text.parse::<Quiet>();
                Some(quiet.map_err(|error| Refused::new("sound.quiet", format!("{text:?}"), error.to_string()))?)
            }
        };
        let quiet_buzzer = match self.quiet_buzzer.as_deref() {
            None => usual.quiet_buzzer,
            Some("short") => BuzzerAtNight::Short,
            Some("off") => BuzzerAtNight::Off,
            Some("same") => BuzzerAtNight::Same,
            Some(other) => {
                let allowed = "it may be \"short\", \"off\" or \"same\"";
                return Err(Refused::new("sound.quiet_buzzer", format!("{other:?}"), allowed));
            }
        };
        Ok(SoundRules {
            volume: percent("sound.volume_percent", self.volume_percent, usual.volume)?,
            quiet,
            quiet_volume: percent("sound.quiet_volume_percent", self.quiet_volume_percent, usual.quiet_volume)?,
            quiet_buzzer,
            speech: self.speech.unwrap_or(usual.speech),
            say_admit: self.say_admit.unwrap_or(usual.say_admit),
            speech_langs: self.speech_langs.map_or(Ok(usual.speech_langs), |names| langs(&names))?,
        })
    }
}

fn percent(key: &'static str, value: Option<i64>, usual: Percent) -> Result<Percent, Refused> {
    let Some(value) = value else { return Ok(usual) };
    let percent = u8::try_from(value).ok().and_then(Percent::new);
    percent.ok_or_else(|| Refused::new(key, value, "it may be 0 to 100"))
}

/// Languages that speak, each once.
fn langs(names: &[String]) -> Result<Vec<Lang>, Refused> {
    let mut found = Vec::new();
    for name in names {
        let lang = clips::languages().find(|lang| lang.name() == name).filter(|lang| !found.contains(lang));
        found.push(lang.ok_or_else(|| refused(names))?);
    }
    if found.is_empty() { Err(refused(names)) } else { Ok(found) }
}

fn refused(names: &[String]) -> Refused {
    let known: Vec<&str> = clips::languages().map(Lang::name).collect();
    let allowed = format!("it must name one or more of {known:?}, each once; for none at all write speech = false");
    Refused::new("sound.speech_langs", format!("{names:?}"), allowed)
}
