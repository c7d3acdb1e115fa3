#!/usr/bin/env bash
# Counts the instructions that reading a frame takes, which machines agree on better than on milliseconds.
#
#   tests/peers/instructions.sh [FRAMES]
#
# FRAMES is how many frames of each kind are counted, one by one, 40 unless told otherwise. Needs Rust and valgrind.
# Frames are those of the simulated gate camera, 1280×720, as compare.sh makes them.
set -euo pipefail
cd "$(dirname "$0")/../.."
frames=${1:-40}
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
cargo build --quiet --release -p menshen-optics --example read_frames
cargo build --quiet --release -p menshen-tests --bin gate-camera
corpus=$target/gate-camera
[[ -d $corpus ]] || "$target/release/gate-camera" --seed 7 --out "$corpus" --per-condition 30 --sequences 60 --negatives 150

# Millions of instructions inside the reader for one frame.
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='menshen_optics::read::Reader::read' \
        "$target/release/examples/read_frames" "$1" 2>&1 | awk '/Collected/ { printf "%.2f\n", $4 / 1e6 }'
}

# Of a list of numbers: the median and the 99th of a hundred.
spread() { sort -n | awk '{ of[NR] = $1 } END { printf "p50 %s  p99 %s\n", of[int((NR + 1) / 2)], of[int(0.99 * NR + 0.99)] }'; }

for kind in frames negatives; do
    # Spread over all conditions.
    mapfile -t wide < <(find "$corpus/$kind" -name '*.pgm' -exec grep -l -a -m1 '^1280 720' {} + | sort)
    step=$(((${#wide[@]} + frames - 1) / frames))
    for ((at = 0; at < ${#wide[@]}; at += step)); do count "${wide[at]}"; done | spread | sed "s|^|$kind, million instructions: |"
done
