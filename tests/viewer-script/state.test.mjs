import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './modules.mjs';

const { formatState, initialState, parseState } = await load('view/state.ts');

test('a view survives its permalink', () => {
  const state = {
    slide: 'a1', shown: { slide: 'r2', layer: 'dab' }, compared: { slide: 'a1', layer: 'haematoxylin' }, mode: 'curtain',
    centre: { x: 1200.5, y: 3400, zoom: 0.25 }, rotation: -90, brightness: 1.2, contrast: 0.8, split: 0.25, opacity: 0.5,
    overlay: 'novelty', overlayOpacity: 0.3,
    channels: new Map([['a1', '0:0000ff:12:200,2:ff8000:0.5:80:0.7'], ['b2', '']]),
  };
  assert.deepEqual(parseState(formatState(state)), state);
});

test('the permalink of a new view names the slide only', () => {
  assert.equal(formatState(initialState('a1')), '?slide=a1');
  assert.deepEqual(parseState('?slide=a1'), initialState('a1'));
});

test('values out of range and modes without a compared picture are ignored', () => {
  const state = parseState('?slide=a1&mode=curtain&x=NaN&y=1&zoom=1&rotation=9999&brightness=-1&split=2&opacity=');
  assert.deepEqual(state, initialState('a1'));
  assert.equal(parseState('?slide=a1&compare=b&mode=nonsense').mode, 'side');
});

test('an address without a slide is no view', () => {
  assert.equal(parseState('?layer=dab'), null);
  assert.equal(parseState(''), null);
});
