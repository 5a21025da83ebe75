// Installation and description of npm packages, shared by the programs that bundle scripts with esbuild.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const read = file => existsSync(file) ? readFileSync(file, 'utf8') : null;

/** Writes a file so that no reader sees a part of it. */
export function writeWhole(file, content) {
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}

/** Installs the packages of the lock file in `script` below `folder` if the lock has changed. Returns the folder of the packages. */
export function install(script, folder, purpose) {
  const packages = join(folder, 'node_modules'), installed = join(folder, 'installed.json');
  const lock = readFileSync(join(script, 'package-lock.json'), 'utf8');
  if (read(installed) === lock && existsSync(packages)) return packages;
  mkdirSync(folder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(script, file), join(folder, file));
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'],
    { cwd: folder, encoding: 'utf8', shell: process.platform === 'win32' });
  if (npm.error?.code === 'ENOENT')
    fail(`npm was not found; ${purpose} needs it. Install npm (Debian: apt-get install npm).`);
  if (npm.status !== 0) {
    writeFileSync(join(folder, 'npm.log'), npm.stdout + npm.stderr);
    fail(`npm ci failed; its output is in ${join(folder, 'npm.log')}. It needs a connection to the npm registry.`);
  }
  writeWhole(installed, lock); // only a complete installation has this file
  return packages;
}

/** Loads esbuild from the installed packages. */
export const loadEsbuild = packages => createRequire(join(packages, 'package.json'))('esbuild');

/** Lists name, version, licence and homepage of the packages that a bundle contains. Packages of `merged` hold their dependencies. */
export function containedPackages(metafile, packages, merged = []) {
  const packageOf = file => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1];
  const describe = name => JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8'));
  const names = new Set(Object.keys(metafile.inputs).map(packageOf).filter(Boolean));
  const waiting = merged.filter(name => names.has(name));
  while (waiting.length > 0) {
    for (const name of Object.keys(describe(waiting.pop()).dependencies ?? {})) {
      if (names.has(name) || !existsSync(join(packages, name))) continue;
      names.add(name);
      waiting.push(name);
    }
  }
  return [...names].sort().map(describe).map(({ name, version, license, homepage }) => ({ name, version, license, homepage }));
}

/** Formats a list of packages as a line for the head of a bundle. */
export const packageNotice = contained => `Contains ${contained.map(p => `${p.name} ${p.version} (${p.license})`).join(', ')}.`;

/** Prints the errors of esbuild as one line each, and ends the program. */
export function failWith(error) {
  if (!error.errors) throw error;
  const place = at => at ? `${at.file}:${at.line}:${at.column + 1}: ` : '';
  fail(error.errors.map(({ location, text }) => place(location) + text).join('\n'));
}

export function fail(message) {
  console.error(message);
  process.exit(1);
}
