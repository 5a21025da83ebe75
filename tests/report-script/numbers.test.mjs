import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decimalsOf, equalsP, escaped, finite, format, formatCi, formatP, listing, number, percent, plural, sentence, significant, signed }
  from '../../src/Web/numbers.js';
import { splitAfter } from '../../src/Web/divider.js';

test('format has fixed decimals and a minus sign', () => {
  assert.equal(format(1.005, 1), '1.0');
  assert.equal(format(-2.25, 1), '−2.3');
  assert.equal(format('7', 0), '7');
});

test('format of a value that rounds to zero has no sign', () => {
  assert.equal(format(-0.0004, 3), '0.000');
  assert.equal(format(-0.4, 0), '0');
  assert.equal(format(-0.0006, 3), '−0.001');
});

test('format of infinite and missing values gives symbols', () => {
  assert.deepEqual(['Infinity', '-Infinity', null, undefined, NaN].map(v => format(v, 2)), ['∞', '−∞', '–', '–', '–']);
});

test('number reads the JSON of infinite and missing values', () => {
  assert.equal(number('-Infinity'), -Infinity);
  assert.ok(Number.isNaN(number(null)));
  assert.deepEqual(finite([1, null, 'Infinity', 0]), [1, 0]);
});

test('signed has a plus only above zero as printed', () => {
  assert.deepEqual([0.2, -0.2, 0, 0.0001].map(v => signed(v, 2)), ['+0.20', '−0.20', '0.00', '0.00']);
});

test('formatCi of no interval is null', () => {
  assert.equal(formatCi([-1, 2.5], 1), '−1.0 to 2.5');
  assert.equal(formatCi(null, 1), null);
});

test('p values below a thousandth are bounded', () => {
  assert.deepEqual([null, 0.0009, 0.001, 1].map(formatP), ['–', '< 0.001', '0.001', '1.000']);
  assert.deepEqual([0.0009, 0.02].map(equalsP), ['p < 0.001', 'p = 0.020']);
});

test('significant has four digits', () => {
  assert.deepEqual([123456, -0.012346, 2, null].map(significant), ['123500', '−0.01235', '2', '–']);
});

test('decimalsOf a step shows the step', () => {
  assert.deepEqual([5, 1, 0.5, 0.1, 0.02].map(decimalsOf), [0, 0, 1, 1, 2]);
});

test('words', () => {
  assert.deepEqual([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listing), ['', 'a', 'a and b', 'a, b and c']);
  assert.deepEqual([plural(1, 'image'), plural(1200, 'image')], ['1 image', '1,200 images']);
  assert.deepEqual([sentence('no slides'), sentence('Why?')], ['No slides.', 'Why?']);
  assert.equal(percent(0.954), '95%');
});

test('escaped text cannot contain markup', () => {
  const text = escaped('<img src="x" onerror=alert(1)>&');
  assert.doesNotMatch(text, /[<>"]/);
  assert.equal(text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)), '<img src="x" onerror=alert(1)>&');
});

test('keys move a divider, which stays within its pictures', () => {
  assert.equal(splitAfter('ArrowRight', 0.5), 0.52);
  assert.equal(splitAfter('ArrowLeft', 0.01), 0);
  assert.equal(splitAfter('PageUp', 0.95), 1);
  assert.equal(splitAfter('Home', 0.5), 0);
  assert.equal(splitAfter('a', 0.5), null);
});
