#!/bin/bash
# A virtual machine's first disk with one program and the kernel's virtual camera, and the kernel to start it with.
#   make.sh CACHE OUT PROGRAM FILES...
# MODULES in the environment names other modules of the kernel than the virtual camera, for a machine with other devices.
# CACHE keeps the kernel package from one run to the next. FILES go to / of the machine. Needs Debian or Ubuntu
# with busybox-static, cpio and v4l-utils, and no privileges; without them it ends with 3 and says what is missing.
set -euo pipefail
cache=$1 out=$2 program=$3
shift 3

missing() { echo "$*" >&2; exit 3; }
wanted=${MODULES:-vivid}
tools="apt-get apt-cache dpkg-deb cpio ldd busybox"
[ "$wanted" != vivid ] || tools="$tools v4l2-ctl"
for tool in $tools; do
    command -v "$tool" >/dev/null || missing "no $tool: apt-get install busybox-static cpio v4l-utils, on Debian or Ubuntu"
done
mkdir -p "$cache" "$out"

unpacked=$cache/kernel
if [ ! -e "$unpacked/done" ]; then
    package=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: *\(linux-image-[0-9].*\)/\1/p' | head -n 1)
    [ -n "$package" ] || missing "apt knows no linux-image-amd64: apt-get update"
    (cd "$cache" && apt-get download "$package" >/dev/null 2>&1) || missing "apt can not download $package"
    rm -rf "$unpacked"
    dpkg-deb -x "$cache/$package"_*.deb "$unpacked"
    rm "$cache/$package"_*.deb
    touch "$unpacked/done"
fi
modules=$(echo "$unpacked"/lib/modules/*/kernel)
[ -d "$modules" ] || modules=$(echo "$unpacked"/usr/lib/modules/*/kernel)

root=$out/root
rm -rf "$root"
mkdir -p "$root"/{bin,dev,proc,sys,tmp,modules}
cp "$(command -v busybox)" "$root/bin/busybox"

# The modules in the order in which they go in: what a module depends on stands in it.
: >"$root/modules/order"
declare -A known
add() {
    local file name needs need
    name=${1//-/_}
    [ -z "${known[$name]:-}" ] || return 0
    known[$name]=1
    file=$(find "$modules" -name "${name//_/[-_]}.ko" -o -name "${name//_/[-_]}.ko.xz" | head -n 1)
    [ -n "$file" ] || return 0 # built in
    cp "$file" "$root/modules/"
    file=$root/modules/$(basename "$file")
    case $file in *.xz) xz -d "$file"; file=${file%.xz} ;; esac
    needs=$(tr '\0' '\n' <"$file" | sed -n 's/^depends=//p' | head -n 1)
    for need in ${needs//,/ }; do add "$need"; done
    basename "$file" >>"$root/modules/order"
}
for module in $wanted; do add "$module"; done
[ -s "$root/modules/order" ] || missing "the kernel has no $wanted"

# A program with the libraries that it needs.
bring() {
    cp "$1" "$root/bin/$2"
    strip "$root/bin/$2" 2>/dev/null || true
    ldd "$1" | grep -o '/[^ )]*' | while read -r library; do
        mkdir -p "$root$(dirname "$library")"
        cp -L "$library" "$root$library"
    done
}
bring "$program" program
[ "$wanted" != vivid ] || bring "$(command -v v4l2-ctl)" v4l2-ctl
cp "$@" "$root/"
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 >"$out/initrd"
cp "$unpacked"/boot/vmlinuz-* "$out/vmlinuz"
