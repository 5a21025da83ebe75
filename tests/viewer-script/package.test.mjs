import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const script = new URL('../../src/Tinctor.Viewer/Web/', import.meta.url);
const read = name => JSON.parse(readFileSync(new URL(name, script), 'utf8'));

test('packages have exact versions, and the lock has them with their hashes but without a registry', () => {
  const { dependencies, devDependencies } = read('package.json'), lock = read('package-lock.json').packages;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
    assert.equal(lock[`node_modules/${name}`].version, version);
  }
  for (const [path, entry] of Object.entries(lock).filter(([key]) => key)) {
    assert.match(entry.integrity, /^sha512-/, path);
    assert.equal(entry.resolved, undefined, path);
  }
});

test('pages have no inline scripts or styles and load nothing from other servers', () => {
  for (const name of ['index.html', 'view.html']) {
    const html = readFileSync(new URL(name, script), 'utf8');
    assert.doesNotMatch(html, /<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|(?:src|href)="(?:https?:)?\/\//, name);
    assert.match(html, /Research use only/, name);
  }
});
