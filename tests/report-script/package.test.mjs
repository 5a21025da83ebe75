import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const script = new URL('../../src/Tinctor.Evaluation/Report/Script/', import.meta.url);
const read = name => JSON.parse(readFileSync(new URL(name, script), 'utf8'));

test('packages have exact versions, and the lock has them with their hashes', () => {
  const { dependencies, devDependencies } = read('package.json'), lock = read('package-lock.json').packages;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
    assert.equal(lock[`node_modules/${name}`].version, version);
  }
  for (const [path, entry] of Object.entries(lock).filter(([key]) => key)) assert.match(entry.integrity, /^sha512-/, path);
});

test('the lock names no registry, so that any mirror can be used', () => {
  for (const [path, entry] of Object.entries(read('package-lock.json').packages)) assert.equal(entry.resolved, undefined, path);
});
