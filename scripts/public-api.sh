#!/usr/bin/env bash
# Writes the public API of each library into its PublicAPI.Unshipped.txt, from what the analyzer reports as missing.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
for project in src/Tinctor.*/; do
    [ -f "$project/PublicAPI.Unshipped.txt" ] || continue
    printf '#nullable enable\n' >"$project/PublicAPI.Unshipped.txt"
    missing=$(dotnet build "$project" -c Release --nologo --no-incremental -p:TreatWarningsAsErrors=false 2>&1 |
        grep -F "/$(basename "$project").csproj]" | sed -n "s/.*RS0016: Symbol '\(.*\)' is not part of the declared public API.*/\1/p" | LC_ALL=C sort -u) || true # none is missing
    [ -z "$missing" ] || printf '%s\n' "$missing" >>"$project/PublicAPI.Unshipped.txt"
    echo "$(basename "$project"): $(grep -c . "$project/PublicAPI.Unshipped.txt") lines"
done
