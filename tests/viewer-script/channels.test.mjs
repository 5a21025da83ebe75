import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './modules.mjs';

const { defaultSettings, formatChannels, parseChannels } = await load('view/channels.ts');

const channels = [['DAPI', '#0000ff', 12, 200], ['Cy5', '#ff00ff', 0, 4000]].map(([name, color, low, high]) =>
  ({ name, color, low, high, autoLow: 1, autoHigh: 100, most: 65535 }));

test('channels that nobody has changed have no text', () => {
  assert.equal(formatChannels(defaultSettings(channels), channels), null);
  assert.deepEqual(parseChannels(undefined, channels), defaultSettings(channels));
});

test('changed channels survive their text, and hidden ones are left out', () => {
  const settings = defaultSettings(channels);
  Object.assign(settings[0], { color: '#00ff80', high: 150.5, gamma: 0.7 });
  settings[1].shown = false;
  assert.equal(formatChannels(settings, channels), '0:00ff80:12:150.5:0.7');
  assert.deepEqual(parseChannels('0:00ff80:12:150.5:0.7', channels), settings);
});

test('a text without channels hides all', () => {
  const settings = parseChannels('', channels);
  assert.ok(settings.every(setting => !setting.shown));
  assert.equal(formatChannels(settings, channels), '');
});

test('entries that are no channels are ignored', () => {
  for (const text of ['7:ff0000:0:1', '0:red:0:1', '0:ff0000:5:5', '0:ff0000:0:9:99', ':ff0000:0:9', '0:ff0000:a:9'])
    assert.ok(parseChannels(text, channels).every(setting => !setting.shown), text);
});
