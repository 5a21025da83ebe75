// Rules of the viewer's pages. The packages are installed below build/ by bundle.js.

import { createRequire } from 'node:module';

const require = createRequire(new URL('../../../build/viewer-packages/node_modules/package.json', import.meta.url));
const js = require('@eslint/js'), globals = require('globals'), ts = require('typescript-eslint');

const rules = {
  eqeqeq: 'error',
  'no-var': 'error',
  'object-shorthand': 'error',
  'prefer-const': ['error', { destructuring: 'all' }],
};

export default [
  ...[js.configs.recommended, ...ts.configs.strict].map(config => ({ ...config, files: ['**/*.ts'] })),
  { files: ['**/*.ts'], languageOptions: { globals: globals.browser }, rules: { ...rules, 'no-undef': 'off' } },
  { ...js.configs.recommended, files: ['*.js'], languageOptions: { globals: globals.node },
    rules: { ...js.configs.recommended.rules, ...rules } },
];
