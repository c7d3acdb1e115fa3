//! Samples: tones made, clips read, both put into one WAV file at a volume.
//!
//! Volume is applied to the samples and not to the device's mixer: a mixer is shared with whatever else plays on it, and
//! it is lost with the device that it belongs to.

use super::{Beat, Cue, Percent};
use std::f32::consts::TAU;
use std::time::Duration;

/// How many samples a second has: speech needs no more.
pub const RATE_HZ: u32 = 16_000;
/// What stands before the samples of a file that this program writes.
pub const HEADER_BYTES: usize = 44;
/// How much of the full scale a tone takes: as loud as the clips are.
const TONE: f32 = 0.5;
/// Between a rhythm and what is said, and between two languages, in milliseconds.
const PAUSE_MS: u32 = 120;
/// A tone swells and fades so long, in milliseconds: without it each end is a click.
const FADE_MS: u32 = 6;

fn count(length_ms: u32) -> usize {
    (u64::from(length_ms) * u64::from(RATE_HZ) / 1000) as usize
}

/// How long samples last.
pub fn length(samples: &[i16]) -> Duration {
    Duration::from_micros(samples.len() as u64 * 1_000_000 / u64::from(RATE_HZ))
}

/// A rhythm, sounding or as the same silence, then clips one after the other.
pub fn render(rhythm: Option<Cue>, sounds: bool, clips: &[Vec<i16>], volume: Percent) -> Vec<i16> {
    let gain = volume.gain();
    let mut out = Vec::new();
    for beat in rhythm.iter().flat_map(|cue| cue.beats()) {
        tone(&mut out, *beat, if sounds { gain * TONE } else { 0.0 });
    }
    for clip in clips {
        if !out.is_empty() {
            out.resize(out.len() + count(PAUSE_MS), 0);
        }
        out.extend(clip.iter().map(|sample| (f32::from(*sample) * gain) as i16));
    }
    out
}

fn tone(out: &mut Vec<i16>, beat: Beat, gain: f32) {
    let (on, fade) = (count(beat.on_ms.into()), count(FADE_MS) as f32);
    for at in 0..on {
        let swell = (at.min(on - at) as f32 / fade).min(1.0);
        let phase = at as f32 * f32::from(beat.hz) / RATE_HZ as f32 * TAU;
        // A third of the third overtone: it carries through noise, and small loudspeakers have no deep tones.
        let wave = (phase.sin() + (3.0 * phase).sin() / 3.0) * 0.95;
        out.push((wave * swell * gain * f32::from(i16::MAX)) as i16);
    }
    out.resize(out.len() + count(beat.off_ms.into()), 0);
}

/// A WAV file of samples.
pub fn wav(samples: &[i16]) -> Vec<u8> {
    let bytes = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX - HEADER_BYTES as u32);
    let mut file = Vec::with_capacity(HEADER_BYTES + samples.len() * 2);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(bytes + HEADER_BYTES as u32 - 8).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16u32.to_le_bytes());
    // Plain samples, one channel.
    file.extend_from_slice(&1u16.to_le_bytes());
    file.extend_from_slice(&1u16.to_le_bytes());
    file.extend_from_slice(&RATE_HZ.to_le_bytes());
    file.extend_from_slice(&(RATE_HZ * 2).to_le_bytes());
    file.extend_from_slice(&2u16.to_le_bytes());
    file.extend_from_slice(&16u16.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&bytes.to_le_bytes());
    samples.iter().for_each(|sample| file.extend_from_slice(&sample.to_le_bytes()));
    file
}

/// The samples of a WAV file as [`wav`] writes it; `None` for any other.
pub fn samples(file: &[u8]) -> Option<Vec<i16>> {
    let data = file.get(HEADER_BYTES..)?;
    let samples: Vec<i16> = data.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
    (wav(&samples) == file).then_some(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rms(samples: &[i16]) -> f64 {
        let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        (sum / samples.len().max(1) as f64).sqrt()
    }

    #[test]
    fn a_file_reads_back_its_samples_and_nothing_else_is_one() {
        let made = [0, 1, -1, i16::MAX, i16::MIN];
        let file = wav(&made);
        assert_eq!(samples(&file).as_deref(), Some(&made[..]));
        assert_eq!(samples(&file[..file.len() - 1]), None);
        let mut stereo = file.clone();
        stereo[22] = 2;
        assert_eq!(samples(&stereo), None);
        assert_eq!(samples(b""), None);
    }

    #[test]
    fn a_rhythm_sounds_in_its_beats_and_nowhere_else() {
        for cue in Cue::ALL {
            let made = render(Some(cue), true, &[], Percent::ALL);
            assert_eq!(length(&made), Duration::from_millis(cue.length_ms().into()), "{cue:?}");
            let mut from = 0;
            for beat in cue.beats() {
                let (on, off) = (from + count(beat.on_ms.into()), count(beat.off_ms.into()));
                assert!(rms(&made[from..on]) > 5000.0, "{cue:?}");
                assert_eq!(rms(&made[on..on + off]), 0.0, "{cue:?}");
                from = on + off;
            }
            assert!(made.iter().all(|sample| sample.unsigned_abs() < 30_000), "{cue:?} is cut off");
        }
    }

    #[test]
    fn speech_waits_for_a_rhythm_that_a_buzzer_sounds() {
        let clip = vec![1000; 160];
        let made = render(Some(Cue::Refuse), false, std::slice::from_ref(&clip), Percent::ALL);
        let silent = count(Cue::Refuse.length_ms() + PAUSE_MS);
        assert!(made[..silent].iter().all(|sample| *sample == 0));
        assert_eq!(made[silent..], clip[..]);
    }

    #[test]
    fn a_lower_volume_is_softer_and_none_is_silent() {
        let clip = [vec![10_000; 1600]];
        let loud: Vec<f64> = [100, 50, 25, 0]
            .map(|percent| rms(&render(Some(Cue::Admit), true, &clip, Percent::new(percent).expect("a percentage"))))
            .into();
        assert!(loud.is_sorted_by(|a, b| a > b) && loud[3] == 0.0, "{loud:?}");
    }
}
