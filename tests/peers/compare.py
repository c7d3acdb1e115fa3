#!/usr/bin/env python3
"""Reads a corpus with Menshen and with other decoders, in one run, and prints one table in Markdown.

Every decoder gets the same 8-bit luma, decoded once by Pillow, and one thread. Loading is not measured, the processor's
time is. A corpus is a folder of pictures, at any depth, with NAME.txt or NAME.bin beside those that show a code; a
folder that holds text.txt is one approach, its pictures the frames in order. compare.sh installs what this needs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
from PIL import Image

PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".pgm", ".bmp"}
LIVE = ["--budget-ms", "30"]
FULL = "Menshen"
BUDGETED = "Menshen, 30 ms"


def zxing_cpp():
    import zxingcpp

    def read(luma):
        found = zxingcpp.read_barcodes(luma, formats=zxingcpp.BarcodeFormat.QRCode)
        return [reading for code in found for reading in (bytes(code.bytes), code.text.encode())]

    return read


def zbar():
    from pyzbar import pyzbar

    return lambda luma: [code.data for code in pyzbar.decode(luma, symbols=[pyzbar.ZBarSymbol.QRCODE])]


def opencv():
    import cv2

    cv2.setNumThreads(1)
    detector = cv2.QRCodeDetector()

    def read(luma):
        text, _, _ = detector.detectAndDecode(luma)
        return [text.encode()] if text else []

    return read


# Each gives its function, or fails to load.
IN_PYTHON = {"zxing-cpp": zxing_cpp, "zbar": zbar, "OpenCV": opencv}
IN_RUST = ["rxing", "rqrr"]


def plain(data):
    """Without what editors and version control do to the ends of lines."""
    return data.replace(b"\r", b"").rstrip(b"\n")


def truth_of(picture):
    for ending in (".bin", ".txt"):
        beside = picture.with_suffix(ending)
        if beside.exists():
            return plain(beside.read_bytes())
    return None


class Result:
    """What one decoder made of one picture."""

    def __init__(self, payloads, cpu_ms):
        self.payloads = [plain(payload) for payload in payloads if payload]
        self.cpu_ms = cpu_ms

    def read(self, truth):
        return truth is not None and truth in self.payloads

    def misread(self, truth):
        return bool(self.payloads) and not self.read(truth)


def in_python(read, lumas):
    results = []
    for luma in lumas:
        before = time.process_time()
        try:
            payloads = read(luma)
        except Exception as error:  # a decoder's own fault is a miss, and told
            print(f"a decoder failed: {error}", file=sys.stderr)
            payloads = []
        results.append(Result(payloads, 1e3 * (time.process_time() - before)))
    return results


def by_program(command, lumas):
    """Runs a program that prints one JSON object a picture, in order."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, luma in enumerate(lumas):
            file = Path(folder) / f"{number:05}.pgm"
            file.write_bytes(b"P5\n%d %d\n255\n" % (luma.shape[1], luma.shape[0]) + luma.tobytes())
            files.append(str(file))
        run = subprocess.run([*command, *files], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        lines = [json.loads(line) for line in run.stdout.splitlines()]
    if len(lines) != len(lumas):
        raise SystemExit(f"{command[0]} gave {len(lines)} answers for {len(lumas)} pictures")
    return [Result([text.encode() for text in line["payloads"]], line["decode_ms"]) for line in lines]


def decoders_of(words):
    """The decoders that are there, by name, each from lumas to results; Menshen first."""
    menshen = [words.menshen, "decode", "--json"]
    there = {
        FULL: lambda lumas: by_program(menshen, lumas),
        BUDGETED: lambda lumas: by_program([*menshen, *LIVE], lumas),
    }
    for name, load in IN_PYTHON.items():
        try:
            read = load()
        except (ImportError, OSError) as error:
            print(f"SKIPPED {name}: {error}", file=sys.stderr)
            continue
        there[name] = lambda lumas, read=read: in_python(read, lumas)
    if words.rust_decoders:
        for name in IN_RUST:
            there[name] = lambda lumas, name=name: by_program([words.rust_decoders, "--decoder", name], lumas)
    return there


class Comparison:
    def __init__(self, names):
        self.names = names
        self.folders = []
        self.misread = dict.fromkeys(names, 0)
        self.false = dict.fromkeys(names, 0)
        self.empty = 0
        self.firsts = []
        # CPU milliseconds by whether a code is in view, whether the frame is one of a gate's camera, and decoder.
        self.cpu = {}

    def add_pictures(self, folder, truths, lumas, results):
        reads = {}
        for name, of in results.items():
            pairs = list(zip(of, truths))
            reads[name] = sum(one.read(truth) for one, truth in pairs)
            self.misread[name] += sum(one.misread(truth) for one, truth in pairs if truth is not None)
            self.false[name] += sum(one.misread(truth) for one, truth in pairs if truth is None)
            for one, truth, luma in zip(of, truths, lumas):
                for size in {"any", f"{luma.shape[1]}×{luma.shape[0]}"}:
                    self.cpu.setdefault((truth is not None, size, name), []).append(one.cpu_ms)
        with_code = sum(truth is not None for truth in truths)
        self.empty += len(truths) - with_code
        if with_code:
            self.folders.append((folder, with_code, reads))

    def add_approach(self, truth, results):
        first = lambda of: next((at for at, one in enumerate(of, 1) if one.read(truth)), None)
        self.firsts.append({name: first(of) for name, of in results.items()})

    def tell(self):
        rows = [["", "of", *self.names], ["---", *["--:"] * (len(self.names) + 1)]]
        for folder, count, reads in self.folders:
            rows.append([folder, count, *(reads[name] for name in self.names)])
        total = sum(count for _, count, _ in self.folders)
        if total:
            sums = [sum(reads[name] for _, _, reads in self.folders) for name in self.names]
            rows.append(["**read**", total, *(f"**{read}** ({100 * read / total:.0f} %)" for read in sums)])
            rows.append(["misread", "", *(self.misread[name] for name in self.names)])
        if self.empty:
            rows.append(["read where no code is", self.empty, *(self.false[name] for name in self.names)])
        for with_code, title in ((True, "with a code"), (False, "without a code")):
            for size in ("any", "1280×720"):
                times = {name: sorted(self.cpu.get((with_code, size, name), [])) for name in self.names}
                if not times[FULL]:
                    continue
                for share in (50, 99):
                    at = lambda of: of[min(len(of) - 1, len(of) * share // 100)]
                    label = f"CPU ms p{share}, {title}" + ("" if size == "any" else f", {size}")
                    rows.append([label, len(times[FULL]), *(f"{at(times[name]):.2f}" for name in self.names)])
        if self.firsts:
            cells = lambda of: [of(name) if name in self.firsts[0] else "" for name in self.names]
            count = len(self.firsts)
            rows.append(["**approaches read**", count, *cells(lambda name: sum(f[name] is not None for f in self.firsts))])
            mean = lambda name: f"{statistics.mean(f[name] or 12 for f in self.firsts):.2f}"
            rows.append(["mean first frame, 12 if unread", "", *cells(mean)])
        for row in rows:
            print("| " + " | ".join(map(str, row)) + " |")


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("corpus", type=Path)
    words.add_argument("--menshen", default="target/release/menshen", help="the program to compare")
    words.add_argument("--rust-decoders", help="the program that runs rxing and rqrr")
    words = words.parse_args()
    decoders = decoders_of(words)
    comparison = Comparison(list(decoders))
    for folder, _, names in sorted(os.walk(words.corpus)):
        pictures = sorted(Path(folder) / name for name in names if Path(name).suffix.lower() in PICTURES)
        if not pictures:
            continue
        lumas = [numpy.array(Image.open(picture).convert("L")) for picture in pictures]
        approach = Path(folder) / "text.txt"
        if approach.exists():
            sequence = [words.menshen, "decode", "--json", "--sequence", *LIVE]
            results = {BUDGETED: by_program(sequence, lumas)}
            results |= {name: read(lumas) for name, read in decoders.items() if name not in (FULL, BUDGETED)}
            comparison.add_approach(plain(approach.read_bytes()), results)
        else:
            results = {name: read(lumas) for name, read in decoders.items()}
            truths = [truth_of(picture) for picture in pictures]
            comparison.add_pictures(Path(folder).relative_to(words.corpus), truths, lumas, results)
    comparison.tell()


if __name__ == "__main__":
    main()
