#!/usr/bin/env bash
# Checks the script of reports: eslint's rules, and types by TypeScript. Prints what is wrong and fails.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../src/Tinctor.Evaluation/Report/Script"
built=../../../../build/report
node bundle.js "$built"
node "$built/node_modules/eslint/bin/eslint.js" .
(cd ../../../Web && node "../../build/report/node_modules/eslint/bin/eslint.js" .)
node "$built/node_modules/typescript/bin/tsc" -p .
