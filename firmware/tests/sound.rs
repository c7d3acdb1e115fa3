//! What a gate is heard to say: by its files, on its loudspeaker, and what is told when there is none.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use menshen_core::lane::Screen;
use menshen_gate::board::{Board, Sound, SoundAt};
use menshen_gate::site::Site;
use menshen_gate::speaker;
use menshen_lane::ports::{PortError, Speaker};
use menshen_lane::sound::{BuzzerAtNight, Cue, Percent, SoundRules, Sounded, SpeechKey, clips, pcm};
use menshen_lane::words::Lang;

const PATIENCE: Duration = Duration::from_secs(20);

fn boards() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards")
}

fn board(rest: &str) -> Result<Board, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(boards().join("base.toml"), folder.path().join("base.toml")).unwrap();
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, format!("inherits = [\"base.toml\"]\n{rest}")).unwrap();
    Board::load(path).map_err(|error| error.to_string())
}

fn site(rest: &str) -> Result<SoundRules, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.toml");
    let base = "name_zh = \"东门\"\nname_en = \"East\"\nlane = 1\nhome = 330100\ntrust = \"trust\"\n[sound]\n";
    std::fs::write(&path, format!("{base}{rest}")).unwrap();
    Site::load(&path).map(|site| site.sound).map_err(|error| error.to_string())
}

/// The loudspeaker of a board, opened.
fn open(at: SoundAt, state: &Path) -> Result<Box<dyn Speaker>, PortError> {
    speaker::opener(&Sound { at, tones: true }, state)()
}

fn asking(volume: u8) -> Sounded {
    let rules = SoundRules::default();
    Sounded::of(&Screen::AskReading, &rules, Percent::new(volume).unwrap(), true).unwrap()
}

/// Waits until nothing plays.
fn played_out(speaker: &mut dyn Speaker) -> Result<(), PortError> {
    let deadline = Instant::now() + PATIENCE;
    while speaker.is_playing()? {
        assert!(Instant::now() < deadline, "it never ends");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

#[test]
fn a_board_says_where_its_loudspeaker_is() {
    assert_eq!(board("").unwrap().sound, None);
    let alsa = |device: &str, tones| Some(Sound { at: SoundAt::Alsa { device: device.into() }, tones });
    // The board has a buzzer, which sounds the rhythms.
    assert_eq!(board("[sound]\nkind = \"alsa\"\n").unwrap().sound, alsa("default", false));
    let quiet = "[sound]\nkind = \"alsa\"\ndevice = \"plughw:1\"\n[outputs.pins]\nbuzzer = \"none\"\n";
    assert_eq!(board(quiet).unwrap().sound, alsa("plughw:1", true));
    assert_eq!(board("[sound]\nkind = \"alsa\"\ntones = true\n").unwrap().sound, alsa("default", true));
    let sim = Board::load(boards().join("sim.toml")).unwrap();
    assert!(sim.sound.is_some_and(|sound| matches!(sound.at, SoundAt::Recorded { .. })));
    for (text, part) in [
        ("[sound]\nkind = \"pulse\"\n", "pulse"),
        ("[sound]\nloud = true\n", "loud"),
        ("[sound]\nkind = \"alsa\"\ndevice = \"--help\"\n", "sound.device"),
    ] {
        let said = board(text).unwrap_err();
        assert!(said.contains(part) && !said.contains('\n'), "{said}");
    }
}

#[test]
fn a_site_says_how_loud_it_is_and_what_is_spoken() {
    assert_eq!(site("").unwrap(), SoundRules::default());
    let rules = site(
        "volume_percent = 80\nquiet = \"21:30-07:00\"\nquiet_volume_percent = 25\nquiet_buzzer = \"off\"\n\
         say_admit = false\nspeech_langs = [\"en\", \"zh\"]\n",
    )
    .unwrap();
    assert_eq!((rules.volume.get(), rules.quiet_volume.get()), (80, 25));
    assert_eq!(rules.quiet.map(|quiet| quiet.to_string()).as_deref(), Some("21:30-07:00"));
    assert_eq!((rules.quiet_buzzer, rules.speech, rules.say_admit), (BuzzerAtNight::Off, true, false));
    assert_eq!(rules.speech_langs, ["en", "zh"].map(|name| Lang::parse(name).unwrap()));
    assert_eq!(site("quiet = \"off\"\n").unwrap().quiet, None);
}

#[test]
fn a_slip_of_the_finger_is_told_by_its_key() {
    for (text, key) in [
        ("volume_percent = 101\n", "sound.volume_percent"),
        ("quiet_volume_percent = 300\n", "sound.quiet_volume_percent"),
        ("quiet = \"22-6\"\n", "sound.quiet"),
        ("quiet = \"06:00-06:00\"\n", "sound.quiet"),
        ("quiet_buzzer = \"soft\"\n", "sound.quiet_buzzer"),
        ("speech_langs = []\n", "sound.speech_langs"),
        ("speech_langs = [\"fr\"]\n", "sound.speech_langs"),
        ("speech_langs = [\"zh\", \"zh\"]\n", "sound.speech_langs"),
        ("loudness = 3\n", "loudness"),
        ("volume_percent = -1\n", "volume_percent"),
    ] {
        let said = site(text).unwrap_err();
        assert!(said.contains(key) && said.contains("site.toml") && !said.contains('\n'), "{text}: {said}");
    }
}

#[test]
fn a_recorded_sound_is_the_rhythm_and_then_the_clip_at_its_volume() {
    let state = tempfile::tempdir().unwrap();
    let mut speaker = open(SoundAt::Recorded { folder: "sound".into() }, state.path()).unwrap();
    for volume in [100, 50] {
        speaker.play(&asking(volume)).unwrap();
    }
    let file = |name: &str| std::fs::read(state.path().join("sound").join(name)).unwrap();
    let [loud, soft] = ["000001.wav", "000002.wav"].map(|name| pcm::samples(&file(name)).unwrap());
    let clip = pcm::samples(clips::of(Lang::parse("zh").unwrap(), SpeechKey::AskReading).unwrap()).unwrap();
    assert_eq!(loud[loud.len() - clip.len()..], clip[..], "at full volume the clip is played as it is");
    let peak = |samples: &[i16]| samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    assert!(peak(&soft) * 3 < peak(&loud) && peak(&soft) > 1000);
    let lines = String::from_utf8(file("sounds.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["cue"], Cue::AskReading.name());
    assert_eq!(lines[1]["speech"], "ask_reading");
    assert_eq!((&lines[1]["volume_percent"], &lines[1]["langs"][0]), (&50.into(), &"zh".into()));
}

#[test]
fn what_is_recorded_does_not_fill_a_card() {
    let state = tempfile::tempdir().unwrap();
    let at = SoundAt::Recorded { folder: "sound".into() };
    let mut speaker = open(at.clone(), state.path()).unwrap();
    (0..15).for_each(|_| speaker.play(&asking(100)).unwrap());
    drop(speaker);
    // The next start goes on where this one ended, also where weeks of lines are.
    let lines = state.path().join("sound/sounds.jsonl");
    for _ in 0..2 {
        std::fs::write(&lines, "{}\n".repeat(400_000)).unwrap();
        open(at.clone(), state.path()).unwrap().play(&asking(100)).unwrap();
        assert!(std::fs::metadata(&lines).unwrap().len() < 1000, "the lines are begun anew");
    }
    let old = std::fs::metadata(state.path().join("sound/sounds.old.jsonl")).unwrap();
    assert_eq!(old.len(), 1_200_000, "the last ones are kept beside");
    let names = std::fs::read_dir(state.path().join("sound")).unwrap();
    let mut wavs: Vec<String> = names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect();
    wavs.retain(|name| name.ends_with(".wav"));
    wavs.sort();
    assert_eq!((wavs.len(), wavs.last().map(String::as_str)), (10, Some("000017.wav")));
}

#[test]
fn the_systems_player_plays_a_sound_to_its_end_and_is_ended_by_a_newer_one() {
    if Command::new("aplay").arg("--version").output().is_err() {
        eprintln!("SKIPPED: aplay is not installed (alsa-utils), so no real player was tried");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("played.wav");
    // A plugin of ALSA that needs no sound card: it writes what it is given.
    let device = format!("file:FILE={},FORMAT=wav", file.display());
    let mut speaker = open(SoundAt::Alsa { device }, folder.path()).unwrap();
    played_out(speaker.as_mut()).unwrap();
    let sound = asking(100);
    speaker.play(&sound).unwrap();
    played_out(speaker.as_mut()).unwrap();
    let wanted = pcm::samples(&sound.wav).unwrap();
    let played = std::fs::read(&file).unwrap();
    let played: Vec<i16> =
        played[pcm::HEADER_BYTES..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    assert!(played.len() >= wanted.len(), "{} of {}", played.len(), wanted.len());
    assert_eq!(played[..wanted.len()], wanted[..]);
    // Whether the first has ended by itself or is ended now, the second is the one that plays.
    speaker.play(&sound).unwrap();
    speaker.play(&asking(50)).unwrap();
    speaker.hush();
    assert!(!speaker.is_playing().unwrap());
}

#[test]
fn a_sound_card_that_is_not_there_is_told_with_the_remedy() {
    if Command::new("aplay").arg("--version").output().is_err() {
        eprintln!("SKIPPED: aplay is not installed (alsa-utils), so no real player was tried");
        return;
    }
    let mut speaker = open(SoundAt::Alsa { device: "plughw:CARD=Nowhere".into() }, Path::new("")).unwrap();
    let said = played_out(speaker.as_mut()).unwrap_err().to_string();
    assert!(said.contains("Nowhere") && said.contains("`sound.device`") && !said.contains('\n'), "{said}");
}
