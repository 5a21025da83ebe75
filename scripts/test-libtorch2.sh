#!/usr/bin/env bash
# Runs the tests of the engine and of training against libtorch 2.x: that of Debian 13 (2.6), in a system of its own under build/debian13.
# Needs root rights for debootstrap and chroot, 2 GB of disk and some minutes at the first run. Names select test projects; a libtorch that
# fails the self-test on this machine is reported as skipped.
set -euo pipefail
root="$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")"
. "$root/scripts/setup.sh"
[ "$(id -u)" -eq 0 ] || die "root rights are required for debootstrap and chroot: sudo $0"
set_up tests "$root/Tinctor.slnx" "${runtime_packages[@]}" debootstrap

system="$build/debian13"
if [ ! -e "$system/complete" ]; then
    say "Installing Debian 13 into $system ..."
    rm -rf "$system"
    logged debian13 debootstrap --variant=minbase trixie "$system"
    logged debian13-packages chroot "$system" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        g++ cmake make libtorch-dev libgloo-dev libopenblas0-openmp libvips42 ca-certificates
    mkdir -p "$system/dotnet" "$system/tinctor"
    touch "$system/complete"
fi

inside='set -e
export PATH=/dotnet:$PATH HOME=/root DOTNET_CLI_TELEMETRY_OPTOUT=1 OMP_WAIT_POLICY=passive
native=/tinctor/build/native/debian13
cmake -S /tinctor/native -B $native/cmake >/dev/null 2>&1
cmake --build $native/cmake >/dev/null
cp $native/cmake/libtinctor_torch.so $native/
export TINCTOR_NATIVE=$native/libtinctor_torch.so
if ! dotnet /tinctor/build/dotnet/bin/Tinctor.Cli/release/tinctor.dll doctor --engine; then
    echo "skipped: the libtorch of Debian 13 fails the self-test on this machine"
    exit 0
fi
failed=0
for project; do
    echo "== Tinctor.$project.Tests"
    dotnet /tinctor/build/dotnet/bin/Tinctor.$project.Tests/release/Tinctor.$project.Tests.dll -noColor -noLogo || failed=1
done
exit $failed'

[ $# -gt 0 ] || set -- Torch Training
# The mounts end with the namespace.
unshare --mount bash -c 'mount -t proc proc "$1/proc"; mount --bind "$2" "$1/dotnet"; mount --bind "$3" "$1/tinctor"
    system="$1" inside="$4"; shift 4; exec chroot "$system" bash -c "$inside" bash "$@"' bash \
    "$system" "$(dirname "$(readlink -f "$(command -v dotnet)")")" "$root" "$inside" "$@" </dev/null
