import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boxOf, histogram, quantile, roundRange, smooth, violinOf } from '../../src/Tinctor.Evaluation/Report/Script/statistics.js';

test('quantile interpolates between values', () => {
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2.5);
  assert.equal(quantile([1, 2, 3, 4], 0.25), 1.75);
  assert.equal(quantile([1, 2, 3, 4], 1), 4);
  assert.equal(quantile([7], 0.75), 7);
});

test('boxOf ends whiskers at values within 1.5 interquartile ranges', () => {
  assert.deepEqual(boxOf([30, 1, 2, 3, 4, 5, -40]), [1, 1.5, 3, 4.5, 5]);
  assert.deepEqual(boxOf([2]), [2, 2, 2, 2, 2]);
  assert.equal(boxOf([]), null);
});

test('boxOf leaves the order of its values', () => {
  const values = [3, 1, 2];
  boxOf(values);
  assert.deepEqual(values, [3, 1, 2]);
});

test('roundRange has round ends around all values', () => {
  assert.deepEqual(roundRange([0.13, 0.87]), { min: 0, max: 1, interval: 0.2 });
  assert.deepEqual(roundRange([21.4, 33.9]), { min: 20, max: 34, interval: 2 });
  for (const values of [[-3.2, 17.9], [1e-5, 4e-5], [999, 1001], [5, 5], [0, 0], [-7, -7]]) {
    const { min, max, interval } = roundRange(values), steps = (max - min) / interval;
    assert.ok(min <= Math.min(...values) && max >= Math.max(...values), `${values}`);
    assert.ok(Math.abs(steps - Math.round(steps)) < 1e-6, `${values}: ${steps} steps`);
    assert.match(String(Number((interval / 10 ** Math.floor(Math.log10(interval) + 1e-9)).toPrecision(6))), /^(1|2|5)$/);
  }
});

test('roundRange of no finite value is a unit', () => {
  assert.deepEqual(roundRange([null, 'Infinity']), { min: 0, max: 1, interval: 0.2 });
});

test('histogram counts each value once, in bins that all lists share', () => {
  const lists = [[0, 0.1, 0.2, 0.9], [0.5, 1]], { edges, counts, width } = histogram(lists);
  assert.deepEqual(counts.map(list => list.reduce((a, b) => a + b)), [4, 2]);
  assert.equal(edges.length, counts[0].length + 1);
  assert.equal(counts[1].at(-1), 1, 'the largest value is in the last bin');
  lists[0].forEach(v => {
    const bin = Math.min(counts[0].length - 1, Math.floor((v - edges[0]) / width));
    assert.ok(counts[0][bin] > 0);
  });
});

test('histogram without values has bins without counts', () => {
  assert.ok(histogram([[]]).counts[0].every(n => n === 0));
});

test('smooth averages over a centred window and skips missing values', () => {
  const line = Array.from({ length: 81 }, (_, i) => i);
  assert.equal(smooth(line)[40], 40);
  assert.equal(smooth(line)[0], 1); // values 0 to 2
  const gap = line.map((v, i) => i === 41 ? null : v);
  assert.equal(smooth(gap)[40], (38 + 39 + 40 + 42) / 4);
  assert.deepEqual(smooth([null, null]), [null, null]);
});

test('violinOf is widest at the mode and ends at the range', () => {
  const values = [1, 4, 5, 5, 5, 6, 9], outline = violinOf(values, 9);
  assert.deepEqual([outline[0].value, outline.at(-1).value], [1, 9]);
  assert.equal(outline.find(p => p.width === 1).value, 5);
  // The kernel at the smallest value: 1.06 sd n^(-1/5) with sd^2 = (16 + 1 + 1 + 16) / 7.
  const band = 1.06 * Math.sqrt(34 / 7) * 7 ** -0.2;
  const density = x => values.reduce((sum, v) => sum + Math.exp(-0.5 * ((x - v) / band) ** 2), 0);
  assert.ok(Math.abs(outline[0].width - density(1) / density(5)) < 1e-12);
});

test('violinOf of equal values and of none is defined', () => {
  assert.ok(violinOf([3, 3]).every(p => p.value === 3 && p.width === 1));
  assert.deepEqual(violinOf([]), []);
});
