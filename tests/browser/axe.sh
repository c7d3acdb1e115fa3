#!/bin/bash
# axe-core, which looks for what keeps people from using a page, out of a Python package that ships its script.
#   axe.sh CACHE
# makes CACHE/axe.min.js and prints nothing. Needs python3 with venv, and once the package index; without them it ends with 3
# and says what is missing. Which package, and its hash, is in axe.txt.
set -euo pipefail
cache=$1
here=$(cd "$(dirname "$0")" && pwd)

missing() { echo "$*" >&2; exit 3; }
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
cmp -s "$here/axe.txt" "$cache/made" && exit 0
python3 -c 'import ensurepip, venv' 2>/dev/null || missing "no python3 with venv: apt-get install python3-venv"
rm -rf "$cache/pip" "$cache/package"
python3 -m venv "$cache/pip"
"$cache/pip/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --dest "$cache/package" -r "$here/axe.txt" >&2 || missing "the package of axe.txt can not be fetched"
python3 -m zipfile -e "$cache"/package/*.whl "$cache/package"
mv "$cache/package/axe_playwright_python/axe.min.js" "$cache/axe.min.js"
cp "$here/axe.txt" "$cache/made"
