// Loads modules of the viewer's pages, which are TypeScript, as esbuild bundles them.

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const web = new URL('../../src/Tinctor.Viewer/Web/', import.meta.url), packages = new URL('../../build/viewer-packages/', import.meta.url);
const esbuild = createRequire(new URL('package.json', packages))('esbuild');

/** Bundles a module and imports it. */
export async function load(file) {
  const { outputFiles: [output] } = esbuild.buildSync({
    entryPoints: [fileURLToPath(new URL(file, web))], bundle: true, write: false, format: 'esm', platform: 'neutral',
    mainFields: ['module', 'main'],
    nodePaths: [fileURLToPath(new URL('node_modules', packages))],
  });
  return import(`data:text/javascript;base64,${Buffer.from(output.contents).toString('base64')}`);
}
