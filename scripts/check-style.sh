#!/usr/bin/env bash
# Checks formatting as .editorconfig has it, that lines have at most 140 characters, and the scripts of reports and of the viewer; prints what differs and fails.
# Naming and unneeded usings are errors of the build.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
long=$(git ls-files '*.cs' 'src/*.js' 'src/*.ts' 'scripts/*.mjs' 'tests/*.mjs' | LC_ALL=C.UTF-8 xargs grep -nE '^.{141,}' || true)
[ -z "$long" ] || { printf 'lines of more than 140 characters:\n%s\n' "$long" >&2; exit 1; }
scripts/check-report-script.sh
scripts/check-viewer-script.sh
dotnet format whitespace Tinctor.slnx --verify-no-changes
