import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupTitle, headlineMetrics, withUnit } from '../../src/Tinctor.Evaluation/Report/Script/metrics.js';
import { bestOf, sortedBy } from '../../src/Tinctor.Evaluation/Report/Script/sorting.js';

const numbers = { value: row => row };
const words = { value: row => row, text: true };

test('sortedBy puts missing values last in both directions', () => {
  assert.deepEqual(sortedBy([2, null, -Infinity, NaN, 1], numbers, false), [-Infinity, 1, 2, null, NaN]);
  assert.deepEqual(sortedBy([2, null, -Infinity, NaN, 1], numbers, true), [2, 1, -Infinity, null, NaN]);
});

test('sortedBy keeps the order of equal values and its input', () => {
  const rows = [{ v: 1, n: 'a' }, { v: 0, n: 'b' }, { v: 1, n: 'c' }];
  assert.deepEqual(sortedBy(rows, { value: r => r.v }, true).map(r => r.n), ['a', 'c', 'b']);
  assert.deepEqual(rows.map(r => r.n), ['a', 'b', 'c']);
});

test('sortedBy orders words by the numbers in them', () => {
  assert.deepEqual(sortedBy(['image10', 'image9', 'Image1'], words, false), ['Image1', 'image9', 'image10']);
});

test('bestOf follows the direction of the column', () => {
  assert.equal(bestOf({ ...numbers, best: 'high' }, [1, 3, null, 2]), 3);
  assert.equal(bestOf({ ...numbers, best: 'low' }, [1, 3, null, 2]), 1);
});

test('bestOf equal values, one value or a column without direction is null', () => {
  assert.equal(bestOf({ ...numbers, best: 'high' }, [2, 2]), null);
  assert.equal(bestOf({ ...numbers, best: 'high' }, [2, NaN]), null);
  assert.equal(bestOf(numbers, [1, 2]), null);
});

test('headlineMetrics are two of the first group and the first of each other', () => {
  const metrics = ['psnr rgb', 'ssim rgb', 'mae rgb', 'dab_psnr dab', 'dab_ssim dab', 'lpips perceptual', 'fid perceptual']
    .map(text => ({ key: text.split(' ')[0], group: text.split(' ')[1] }));
  assert.deepEqual(headlineMetrics(metrics).map(m => m.key), ['psnr', 'ssim', 'dab_psnr', 'lpips']);
  assert.deepEqual(headlineMetrics(metrics.slice(0, 3)).map(m => m.key), ['psnr', 'ssim', 'mae']);
  assert.deepEqual(headlineMetrics([]), []);
});

test('titles of metrics and groups', () => {
  assert.equal(withUnit({ title: 'PSNR', unit: 'dB' }), 'PSNR (dB)');
  assert.equal(withUnit({ title: 'SSIM' }), 'SSIM');
  assert.deepEqual(['dab', 'ihc_level'].map(groupTitle), ['DAB', 'Ihc level']);
});
