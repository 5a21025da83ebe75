#!/usr/bin/env bash
# Checks formatting as .editorconfig has it; prints files that differ and fails. Naming and unneeded usings are errors of the build.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
dotnet format whitespace Tinctor.slnx --verify-no-changes
