#!/bin/bash
# Two access controllers that others have written, each in a Python environment of its own, because both call themselves `osdp`.
#   make.sh CACHE
# makes CACHE/python and CACHE/libosdp and prints nothing. Needs python3 with venv, and once the package index; without them it
# ends with 3 and says what is missing.
set -euo pipefail
cache=$1
here=$(cd "$(dirname "$0")" && pwd)

missing() { echo "$*" >&2; exit 3; }
python3 -c 'import ensurepip, venv' 2>/dev/null || missing "no python3 with venv: apt-get install python3-venv"
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
for panel in python libosdp; do
    made=$cache/$panel
    if ! cmp -s "$here/$panel.txt" "$made/made"; then
        rm -rf "$made"
        python3 -m venv "$made"
        "$made/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$here/$panel.txt" >&2 ||
            missing "the packages of $panel.txt can not be installed"
        cp "$here/$panel.txt" "$made/made"
    fi
done
