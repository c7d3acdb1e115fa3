#!/usr/bin/env bash
# Compares the reader with zxing-cpp, zbar, OpenCV, rxing and rqrr, in one run, on this machine.
#
#   tests/peers/compare.sh [CORPUS]
#
# CORPUS is a folder of pictures with their texts beside them (see compare.py); without one, frames of the simulated
# gate camera are made. Needs Rust, Python 3 with pip, and for zbar the library libzbar0 of the system; what can not be
# had is told and left out. Everything is kept under target/.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')

cargo build --quiet --release -p menshen -p menshen-tests --bin menshen --bin gate-camera --bin rust-decoders
if [[ ! -x $target/peers/bin/python ]]; then
    python3 -m venv "$target/peers"
    "$target/peers/bin/pip" install --quiet zxing-cpp==3.1.1 pyzbar==0.1.9 opencv-python-headless numpy pillow
fi
corpus=${1:-$target/gate-camera}
if [[ $# == 0 && ! -d $corpus ]]; then
    "$target/release/gate-camera" --seed 7 --out "$corpus" --per-condition 30 --sequences 60 --negatives 150
fi
exec "$target/peers/bin/python" tests/peers/compare.py "$corpus" \
    --menshen "$target/release/menshen" --rust-decoders "$target/release/rust-decoders"
