# Sourced by ./tinctor and ./run-tests. Installs missing packages, builds native/ and src/ once, and leaves a stamp so that
# the next start only compares file times. Safe to interrupt: the next start discards an incomplete build.

build="$root/build"
# Each libtorch has its own native library, so switching between them needs no rebuild.
if [ -n "${TINCTOR_LIBTORCH:-}" ]; then
    native_dir="$build/native/$(basename "$TINCTOR_LIBTORCH")-$(printf %s "$TINCTOR_LIBTORCH" | cksum | cut -d' ' -f1)"
else
    native_dir="$build/native/debian"
fi
export TINCTOR_NATIVE="$native_dir/libtinctor_torch.so"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
# Threads that wait by spinning slow training down severalfold as soon as another program needs a core.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

missing_packages() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
    done
}

# Installs Debian packages, naming them first; without root or sudo it prints the command and stops.
install_packages() {
    local missing as_root=()
    missing=$(missing_packages "$@")
    [ -z "$missing" ] && return
    command -v apt-get >/dev/null || die "these packages are required: $missing(apt-get was not found; install their equivalents, see README.md)"
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null || ! { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
            say "Tinctor requires these packages: $missing"
            say "Installing them needs root rights. Please run:"
            say "    su -c 'apt-get update && apt-get install -y --no-install-recommends ${missing% }'"
            exit 1
        fi
        as_root=(sudo)
    fi
    say "Installing Debian packages: $missing"
    mkdir -p "$build"
    if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
           apt-get install -y --no-install-recommends $missing; } >"$build/apt.log" 2>&1 </dev/null; then
        tail -n 5 "$build/apt.log" >&2
        die "apt-get failed; the log is in $build/apt.log"
    fi
}

# Runs a build step quietly; on failure shows the end of its log.
logged() {
    local log="$build/$1.log"
    shift
    "$@" >"$log" 2>&1 </dev/null || { tail -n 25 "$log" >&2; die "the build failed; the log is in $log"; }
}

build_native() {
    [ -f "$TINCTOR_NATIVE" ] && [ -z "$(find "$root/native" -newer "$TINCTOR_NATIVE" -print -quit)" ] && return
    if [ -n "${TINCTOR_LIBTORCH:-}" ] && [ ! -e "$TINCTOR_LIBTORCH/share/cmake/Torch/TorchConfig.cmake" ] \
            && [ ! -e "$TINCTOR_LIBTORCH/Torch/TorchConfig.cmake" ]; then
        die "TINCTOR_LIBTORCH=$TINCTOR_LIBTORCH is not a libtorch folder: share/cmake/Torch/TorchConfig.cmake is missing (the folder of an installed PyTorch: python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))')"
    fi
    say "Building native/ against ${TINCTOR_LIBTORCH:-the libtorch of Debian} (about half a minute) ..."
    mkdir -p "$native_dir"
    logged native-configure cmake -S "$root/native" -B "$native_dir/cmake" ${TINCTOR_LIBTORCH:+"-DCMAKE_PREFIX_PATH=$TINCTOR_LIBTORCH"}
    logged native-build cmake --build "$native_dir/cmake"
    cp "$native_dir/cmake/libtinctor_torch.so" "$TINCTOR_NATIVE.new"
    mv "$TINCTOR_NATIVE.new" "$TINCTOR_NATIVE"
}

# build_dotnet PROJECT: builds a project. An interrupted build may have left an incomplete file, so it starts over.
build_dotnet() {
    [ -e "$build/building" ] && rm -rf "$build/dotnet"
    touch "$build/building"
    say "Building $(basename "$1") ..."
    logged dotnet-build dotnet build "$1" -c Release --nologo -v quiet
    rm -f "$build/building"
}

# Tests once whether this libtorch computes convolutions correctly on this processor. The program stores the result beside the native
# library; training refuses a libtorch that failed.
check_engine() {
    [ "$native_dir/engine-check.json" -nt "$TINCTOR_NATIVE" ] && return
    dotnet "$build/dotnet/bin/Tinctor.Cli/release/tinctor.dll" doctor --engine >/dev/null </dev/null && return
    say "Training needs a working libtorch (see the error above). Staining works on ONNX Runtime."
}

# set_up STAMP PROJECT PACKAGE...: installs and builds everything that PROJECT needs.
set_up() {
    local stamp="$build/$1.stamp" project="$2"
    shift 2
    if [ -f "$stamp" ] && [ -f "$TINCTOR_NATIVE" ] && [ -z "$(find "$root/src" "$root/tests" "$root/native" "$root"/Directory.* \
            "$root/scripts" -newer "$stamp" \( -type f -o -type d \) -print -quit 2>/dev/null)" ]; then
        return
    fi
    command -v dotnet >/dev/null || die "the .NET 10 SDK is required (https://dotnet.microsoft.com/download, or the package dotnet-sdk-10.0)"
    mkdir -p "$build"
    exec 9>"$build/lock"
    flock 9
    # Created before the build, so that a file saved meanwhile counts as newer.
    local started="$build/.started.$$"
    touch "$started"
    install_packages "$@"
    build_native
    build_dotnet "$project"
    check_engine
    mv "$started" "$stamp"
    exec 9>&-
}

runtime_packages=(libvips42 libopenblas0-openmp cmake make g++)
# The script of reports is bundled by Node.js, which may come from elsewhere than Debian.
node_packages=()
command -v node >/dev/null || node_packages+=(nodejs)
command -v npm >/dev/null || node_packages+=(npm)
runtime_packages+=("${node_packages[@]}")
[ -n "${TINCTOR_LIBTORCH:-}" ] || runtime_packages+=(libtorch-dev libgloo-dev)
