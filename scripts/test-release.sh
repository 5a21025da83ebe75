#!/usr/bin/env bash
# Proves the Linux archives in a bare Debian in which nothing is installed: unpacks one, and runs doctor, stain and evaluate.
# Needs root rights and debootstrap. Usage: scripts/test-release.sh ARCHIVE.tar.gz [FOLDER FOR THE BARE SYSTEM]
set -euo pipefail
root="$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")"
. "$root/scripts/setup.sh"
[ $# -ge 1 ] && [ -f "$1" ] || { sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; }
archive="$(readlink -f "$1")" bare="${2:-$build/bare}"
name="$(basename "$archive" .tar.gz)"
install_packages debootstrap
if [ ! -x "$bare/bin/bash" ]; then
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' | awk '$2 == "bookworm" {print $1; exit}')
    logged debootstrap debootstrap --variant=minbase bookworm "$bare" ${mirror:+"$mirror"}
fi
rm -rf "$bare/opt/$name" "$bare/root/work"
tar -xzf "$archive" -C "$bare/opt"
mkdir -p "$bare/root/work" "$bare/proc"
mountpoint -q "$bare/proc" || mount -t proc proc "$bare/proc"
trap 'umount "$bare/proc"' EXIT
inside() { chroot "$bare" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/root sh -ec "cd /root/work; PATH=/opt/$name:\$PATH; $1"; }
inside "tinctor doctor || [ \$? -eq 1 ]" # what only training needs is missing
inside "tinctor phantom -o pairs --slides 4 --size 256x256 --seed 3"
inside "tinctor convert pairs/source/\$(ls pairs/source | head -n 1) -o slide.ome.tif"
inside "tinctor info slide.ome.tif"
inside "tinctor stain /opt/$name/samples/model pairs/source -o stained"
inside "tinctor stain /opt/$name/samples/model /opt/$name/samples/data/phantom/he.ome.tif -o slides"
inside "tinctor evaluate --stained stained --real pairs/target --source pairs/source -o report"
case "$name" in
    *-libtorch) inside "tinctor train pix2pix --data pairs -o run --steps 2 --set model.ngf=8" ;;
    *) ! inside "tinctor train pix2pix --data pairs -o run --steps 2" ;;
esac
[ -s "$bare/root/work/report/report.html" ] && ls "$bare/root/work/slides"/*.ome.tif
say "$name works in a bare system"
