// Rules of the report's script. The packages are installed below build/ by bundle.js.

import { createRequire } from 'node:module';

const require = createRequire(new URL('../../../../build/report/node_modules/package.json', import.meta.url));
const js = require('@eslint/js'), globals = require('globals');

const rules = {
  ...js.configs.recommended.rules,
  eqeqeq: 'error',
  'no-shadow': 'error',
  'no-use-before-define': ['error', { functions: false, variables: false }],
  'no-var': 'error',
  'object-shorthand': 'error',
  'prefer-const': ['error', { destructuring: 'all' }],
};

export default [
  { files: ['**/*.js'], languageOptions: { globals: globals.browser }, rules },
  { files: ['bundle.js', 'eslint.config.js'], languageOptions: { globals: globals.node }, rules },
];
