// Installs the packages of the report's script if their list has changed, and bundles the script into one file.
// Usage: node bundle.js FOLDER (writes report.js, and packages.json with the packages that it contains)

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = dirname(fileURLToPath(import.meta.url)), folder = resolve(process.argv[2]);
const packages = join(folder, 'node_modules');
const read = file => existsSync(file) ? readFileSync(file, 'utf8') : null;
const writeWhole = (file, text) => { writeFileSync(`${file}.new`, text); renameSync(`${file}.new`, file); };

function install() {
  const lock = readFileSync(join(script, 'package-lock.json'), 'utf8'), installed = join(folder, 'installed.json');
  if (read(installed) === lock && existsSync(packages)) return;
  mkdirSync(folder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(script, file), join(folder, file));
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'],
    { cwd: folder, encoding: 'utf8', shell: process.platform === 'win32' });
  if (npm.error?.code === 'ENOENT')
    fail('npm was not found; the report\'s script needs it. Install npm (Debian: apt-get install npm).');
  if (npm.status !== 0) {
    writeFileSync(join(folder, 'npm.log'), npm.stdout + npm.stderr);
    fail(`npm ci failed; its output is in ${join(folder, 'npm.log')}. It needs a connection to the npm registry.`);
  }
  writeWhole(installed, lock); // only a complete installation has this file
}

function bundle() {
  const esbuild = createRequire(join(packages, 'package.json'))('esbuild');
  const result = esbuild.buildSync({
    entryPoints: [join(script, 'main.js')], absWorkingDir: script, nodePaths: [packages], bundle: true, minify: true, format: 'iife',
    target: 'es2022', charset: 'utf8', outfile: join(folder, 'report.js'), write: false, metafile: true, logLevel: 'silent',
  });
  const packageOf = file => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1];
  const names = new Set(Object.keys(result.metafile.inputs).map(packageOf).filter(Boolean));
  const contained = [...names].sort().map(name => JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8')))
    .map(({ name, version, license, homepage }) => ({ name, version, license, homepage }));
  writeWhole(join(folder, 'packages.json'), JSON.stringify(contained, null, 2) + '\n');
  const notice = contained.map(p => `${p.name} ${p.version} (${p.license})`).join(', ');
  writeWhole(join(folder, 'report.js'), `/* Contains ${notice}. */\n${result.outputFiles[0].text}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

install();
try {
  bundle();
} catch (error) {
  if (!error.errors) throw error;
  const place = at => at ? `${at.file}:${at.line}:${at.column + 1}: ` : '';
  fail(error.errors.map(({ location, text }) => place(location) + text).join('\n'));
}
