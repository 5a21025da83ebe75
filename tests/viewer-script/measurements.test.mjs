import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './modules.mjs';

const { csvOf, formatValue, levelText, measurementsOf, picturesFor, withMeasurements } = await load('view/measurements.ts');

const level = { level: '2+', probabilities: [{ level: '1+', probability: 0.25 }, { level: '2+', probability: 0.75 }], tiles: 3 };
const result = {
  slide: 's', slideName: 'a "b", c.svs', version: '1.2.3', mpp: 0.5, hasPixelSize: true, nuclei: 'both',
  classifier: { id: 'k', name: 'levels' },
  thresholds: { positive: 0.15, weak: 0.2, moderate: 0.4, strong: 0.6, tissue: 0.1, ring: 3 }, compare: [0, 1], notes: ['One note.'],
  pictures: [{ slide: 't', model: null, name: 'stained' }, { slide: 's', model: null, name: 'real' }],
  quantities: [
    { key: 'dab_area', title: 'DAB-positive share', unit: '% of tissue', digits: 2, definition: 'x' },
    { key: 'h_score_nuclei', title: 'H-score of nuclei', unit: '', digits: 1, definition: 'y' },
  ],
  regions: [{
    id: 'r1', name: '=1+1', class: null, difference: { dab_area: -0.75, h_score_nuclei: null },
    pictures: [{ values: { dab_area: 10.25, h_score_nuclei: null }, level },
      { values: { dab_area: 11, h_score_nuclei: 120 }, level: null }],
  }],
};

test('the CSV has a row for each picture and difference, with settings and version', () => {
  const [header, ...rows] = csvOf(result).slice(1).trimEnd().split('\r\n');
  assert.equal(csvOf(result).codePointAt(0), 0xFEFF);
  assert.match(header, /^slide,region,region_id,class,row,picture,dab_area \(% of tissue\),h_score_nuclei,ihc_level,/);
  assert.equal(rows.length, 3);
  assert.equal(rows[0], '"a ""b"", c.svs",\'=1+1,r1,,value,stained,10.25,,2+,0.75,0.5,0.15,0.2,0.4,0.6,0.1,3,both,levels,Tinctor,1.2.3,'
    + 'Research use only. One note.');
  assert.match(rows[1], /,value,real,11,120,,,0.5,/);
  assert.match(rows[2], /,difference,stained − real,-0.75,,,,0.5,/);
  for (const row of rows) assert.equal(row.split(',').length, header.split(',').length + 1); // a comma in the name
});

test('measurements of QuPath are numbers by picture, and keep others in both forms', () => {
  const added = measurementsOf(result, result.regions[0]);
  assert.deepEqual(added, {
    'stained: DAB-positive share (% of tissue)': 10.25, 'stained: Probability of IHC level 1+': 0.25,
    'stained: Probability of IHC level 2+': 0.75, 'real: DAB-positive share (% of tissue)': 11, 'real: H-score of nuclei': 120,
    'stained − real: DAB-positive share (% of tissue)': -0.75,
  });
  const feature = { type: 'Feature', id: 'r1', geometry: null, properties: { name: 'A', measurements: { 'Area µm^2': 12.5 } } };
  assert.deepEqual(withMeasurements(feature, { x: 1 }).properties, { name: 'A', measurements: { 'Area µm^2': 12.5, x: 1 } });
  assert.deepEqual(feature.properties.measurements, { 'Area µm^2': 12.5 });
  const old = { ...feature, properties: { measurements: [{ name: 'a', value: 1 }, { name: 'x', value: 2 }] } };
  assert.deepEqual(withMeasurements(old, { x: 3 }).properties.measurements, [{ name: 'a', value: 1 }, { name: 'x', value: 3 }]);
});

test('layers of one slide are measured once; models and registrations are pictures of their own', () => {
  const source = { slide: 's', layer: 'source' };
  assert.deepEqual(picturesFor(source, { slide: 's', layer: 'dab' }), [{ slide: 's' }]);
  assert.deepEqual(picturesFor({ slide: 's', layer: 'model:m' }, source), [{ slide: 's', model: 'm' }, { slide: 's' }]);
  assert.deepEqual(picturesFor(source, { slide: 's', layer: 'registered:r:dab' }), [{ slide: 's' }, { registration: 'r' }]);
  assert.deepEqual(picturesFor(source, null), [{ slide: 's' }]);
});

test('values have the decimals of their quantity, and differences a sign', () => {
  assert.equal(formatValue(1234.567, 1), '1,234.6');
  assert.equal(formatValue(0.04, 2, true), '+0.04');
  assert.equal(formatValue(0.001, 2, true), '0.00');
  assert.equal(formatValue(-3, 0, true), '−3');
  assert.equal(formatValue(null, 2), '–');
  assert.equal(levelText(level, true), '2+ (75%)');
  assert.equal(levelText(null, false), 'no classifier');
});
