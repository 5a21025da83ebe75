import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './modules.mjs';

const { foundText } = await load('view/choose.ts');

test('the number of found slides is stated, and that more than the listed ones match', () => {
  assert.equal(foundText(0, 0, ''), 'The server has no other slide.');
  assert.equal(foundText(0, 0, 'kidney'), 'No slide matches “kidney”.');
  assert.equal(foundText(1, 1, 'kidney'), '1 slide');
  assert.equal(foundText(1200, 20, ''), '1,200 slides; the first 20 are listed. Type a part of the name or folder.');
});
