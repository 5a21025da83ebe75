import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './modules.mjs';

const { magnificationText, objectiveOf, scaleBar } = await load('view/scale.ts');
const { formatArea, formatBytes, formatLength } = await load('format.ts');

test('scale bars are 1, 2 or 5 times a power of ten and fit', () => {
  for (const um of [0.013, 0.1, 0.25, 0.5, 1, 3.7, 10, 123]) {
    const { pixels, label } = scaleBar(um, 150), digits = /^[\d.]+/.exec(label)[0].replace(/[0.]/g, '');
    assert.ok(pixels <= 150 + 1e-6 && pixels > 150 / 2.5 - 1e-6, `${um}: ${pixels}`);
    assert.ok(['1', '2', '5'].includes(digits), label);
  }
  assert.deepEqual(scaleBar(0.5, 200), { pixels: 200, label: '100 µm' });
  assert.deepEqual(scaleBar(10, 150), { pixels: 100, label: '1 mm' });
});

test('the magnification follows from the resolution if the file does not state it', () => {
  assert.equal(objectiveOf({ magnification: 40, mpp: 0.3 }), 40);
  assert.equal(objectiveOf({ magnification: null, mpp: 0.5 }), 20);
  assert.equal(objectiveOf({ magnification: null, mpp: null }), null);
  assert.equal(magnificationText(40, 0.5), '20×');
  assert.equal(magnificationText(20, 0.0625), '1.3×');
  assert.equal(magnificationText(null, 0.25), '25%');
});

test('lengths, areas and sizes have units that suit them', () => {
  assert.equal(formatLength(0.5), '500 nm');
  assert.equal(formatLength(50), '50 µm');
  assert.equal(formatLength(2000), '2 mm');
  assert.equal(formatArea(1234), '1,230 µm²');
  assert.equal(formatArea(123400), '0.123 mm²');
  assert.equal(formatBytes(999), '999 bytes');
  assert.equal(formatBytes(1500), '1.5 KB');
  assert.equal(formatBytes(123456789), '123 MB');
});
