import assert from 'node:assert/strict';
import { test } from 'node:test';
import { colourOf, mapsOf, ramps } from '../../src/Tinctor.Evaluation/Report/Script/colours.js';
import { distance, fitted, wheelFactor, within, zoomed } from '../../src/Tinctor.Evaluation/Report/Script/geometry.js';

const dab = [-0.5, -0.3, 1.9];
const hexOf = colour => `#${colour.map(c => c.toString(16).padStart(2, '0')).join('')}`;

test('zoomed keeps the place of the point', () => {
  const view = { scale: 2, x: -30, y: 10 }, at = [120, 80], after = zoomed(view, 1.5, ...at);
  assert.equal(after.scale, 3);
  const pixel = v => [(at[0] - v.x) / v.scale, (at[1] - v.y) / v.scale];
  assert.deepEqual(pixel(after), pixel(view));
});

test('zoomed stays between 1 and 24', () => {
  const view = { scale: 20, x: 0, y: 0 };
  assert.equal(zoomed(view, 100, 5, 5).scale, 24);
  assert.equal(zoomed(view, 0.001, 5, 5).scale, 1);
});

test('fitted covers the pane, or centres a smaller picture', () => {
  assert.equal(fitted(50, 300, 100), 0);
  assert.equal(fitted(-250, 300, 100), -200);
  assert.equal(fitted(-70, 300, 100), -70);
  assert.equal(fitted(-70, 60, 100), 20);
});

test('wheelFactor is limited and symmetric', () => {
  assert.equal(wheelFactor(5000), wheelFactor(240));
  assert.ok(Math.abs(wheelFactor(100) * wheelFactor(-100) - 1) < 1e-12);
});

test('pointers: distance and box', () => {
  assert.equal(distance({ clientX: 0, clientY: 0 }, { clientX: 3, clientY: 4 }), 5);
  const box = { left: 0, right: 10, top: 0, bottom: 5 };
  assert.ok(within(box, { clientX: 10, clientY: 0 }));
  assert.ok(!within(box, { clientX: 4, clientY: 6 }));
});

test('colourOf has the ends of the ramp at the ends of the scale and beyond', () => {
  const { difference, dab_difference: balance } = mapsOf(dab);
  assert.equal(hexOf(colourOf(difference, 0)), ramps.ember[0]);
  assert.equal(hexOf(colourOf(difference, 1000)), ramps.ember.at(-1));
  assert.equal(hexOf(colourOf(balance, -0.5)), ramps.balance[0]);
  const middle = colourOf(balance, 0), expected = ramps.balance[3].match(/\w\w/g).map(text => parseInt(text, 16));
  middle.forEach((c, i) => assert.ok(Math.abs(c - expected[i]) <= 2));
});

test('difference is the mean absolute difference of channels', () => {
  assert.equal(mapsOf(dab).difference.value([10, 20, 30], [13, 14, 30]), 3);
});

test('DAB is the weighted optical density, zero for white and never negative', () => {
  const map = mapsOf(dab).dab, density = v => Math.log10(255 / v);
  assert.equal(map.value([255, 255, 255]), 0);
  assert.equal(map.value([20, 255, 255]), 0);
  const expected = dab[0] * density(120) + dab[1] * density(80) + dab[2] * density(40);
  assert.ok(Math.abs(map.value([120, 80, 40]) - expected) < 1e-12);
  assert.equal(map.value([255, 255, 0]), dab[2] * density(1));
});

test('mapsOf without DAB has only the difference', () => {
  assert.deepEqual(Object.keys(mapsOf(null)), ['difference']);
  assert.equal(mapsOf(dab).dab_difference.name('A', 'B'), 'DAB, A − B');
});
