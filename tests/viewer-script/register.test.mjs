import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './modules.mjs';

const { apply, fitSimilarity, invert } = await load('register/predict.ts');
const { complete, missing, moved, placed, removed } = await load('register/pairs.ts');
const { registeredLayer, registrationOf } = await load('registrations.ts');
const { addressOf } = await load('api.ts');

const near = (found, expected) => found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-9, `${found} ${expected}`));
const from = [[0, 0], [100, 10], [30, 80], [70, 60]];

test('a similarity is recovered, mirrored or not, and inverted', () => {
  for (const flip of [1, -1]) {
    const truth = { a: 0.6, b: 1.1, x0: 5, y0: -7, flip }, found = fitSimilarity(from, from.map(p => apply(truth, p)));
    assert.equal(found.flip, flip);
    near(apply(found, [12, 34]), apply(truth, [12, 34]));
    near(invert(found, apply(found, [12, 34])), [12, 34]);
  }
});

test('no pair changes nothing, one pair shifts, two pairs turn without a mirror', () => {
  near(apply(fitSimilarity([], []), [3, 4]), [3, 4]);
  near(apply(fitSimilarity([[1, 1]], [[4, 6]]), [10, 10]), [13, 15]);
  near(apply(fitSimilarity([[0, 0], [1, 0]], [[0, 0], [0, 1]]), [2, 0]), [0, 2]);
  near(apply(fitSimilarity([[1, 1], [1, 1]], [[2, 2], [2, 2]]), [5, 5]), [6, 6]);
});

test('places complete the open pair, and another place in the same picture corrects it', () => {
  let pairs = placed([], 'source', [1, 2]);
  assert.equal(missing(pairs), 'target');
  pairs = placed(pairs, 'source', [3, 4]);
  pairs = placed(pairs, 'target', [5, 6]);
  assert.deepEqual(pairs, [{ source: [3, 4], target: [5, 6] }]);
  assert.equal(missing(pairs), null);
  pairs = placed(pairs, 'target', [7, 8]);
  assert.equal(missing(pairs), 'source');
  assert.deepEqual(complete(pairs), [{ source: [3, 4], target: [5, 6] }]);
  assert.deepEqual(moved(pairs, 0, 'target', [9, 9])[0], { source: [3, 4], target: [9, 9] });
  assert.deepEqual(removed(pairs, 0), [{ source: null, target: [7, 8] }]);
});

test('layers of registered slides name registration, layer and preview', () => {
  const layer = registeredLayer('r1', 'dab', 'p1', '2026-03-01T10:00:00Z');
  assert.deepEqual(registrationOf(layer), { registration: 'r1', layer: 'dab', preview: 'p1', version: '20260301T100000Z' });
  assert.equal(addressOf.deepZoom('s', layer), '/api/v1/registrations/r1/previews/p1/dzi/dab.dzi');
  assert.equal(addressOf.deepZoom('s', registeredLayer('r1')), '/api/v1/registrations/r1/dzi/source.dzi');
  assert.equal(registrationOf('source'), null);
});
