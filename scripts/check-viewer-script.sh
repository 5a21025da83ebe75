#!/usr/bin/env bash
# Checks the script of the viewer's pages: eslint's rules, and types by TypeScript. Prints what is wrong and fails.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../src/Tinctor.Viewer/Web"
packages=../../../build/viewer-packages
node bundle.js ../../../build/viewer "$packages"
node "$packages/node_modules/eslint/bin/eslint.js" .
node "$packages/node_modules/typescript/bin/tsc" -p .
