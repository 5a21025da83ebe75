// Installs the packages of the report's script if their list has changed, and bundles the script into one file.
// Usage: node bundle.js FOLDER (writes report.js, and packages.json with the packages that it contains)

import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { containedPackages, failWith, install, loadEsbuild, packageNotice, writeWhole } from '../../../../scripts/bundling.mjs';

const script = dirname(fileURLToPath(import.meta.url)), folder = resolve(process.argv[2]);

function bundle(packages) {
  const result = loadEsbuild(packages).buildSync({
    entryPoints: [join(script, 'main.js')], absWorkingDir: script, nodePaths: [packages], bundle: true, minify: true, format: 'iife',
    target: 'es2022', charset: 'utf8', outfile: join(folder, 'report.js'), write: false, metafile: true, logLevel: 'silent',
  });
  const contained = containedPackages(result.metafile, packages);
  writeWhole(join(folder, 'packages.json'), JSON.stringify(contained, null, 2) + '\n');
  writeWhole(join(folder, 'report.js'), `/* ${packageNotice(contained)} */\n${result.outputFiles[0].text}`);
}

const packages = install(script, folder, 'the report\'s script');
try {
  bundle(packages);
} catch (error) {
  failWith(error);
}
