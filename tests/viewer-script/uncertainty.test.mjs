import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './modules.mjs';

const { missingText, noveltyText, reportFacts } = await load('view/uncertainty.ts');

const report = {
  model: 'HE to Ki67', seamScore: 1.0671, haematoxylinCorrelation: null, backgroundDrift: 6.51, ihcLevel: '2+', ihcLevelProbability: 0.75,
  noveltyShare: 0.017, unlikeTraining: false, uncertainty: 'u1', report: null,
};

test('facts are what the report states', () => {
  assert.deepEqual(reportFacts(report), [['Model', 'HE to Ki67'],
    ['IHC level', '2+ (probability 0.75)'], ['Seams', '1.067 (1 is invisible)'],
    ['Background', 'changed by ΔE 6.51'], ['Unfamiliar', '2% of the source']]);
});

test('uncertainty that is missing is stated', () => {
  const overlays = [{ name: 'variation', bands: [] }];
  assert.match(missingText({ ...report, uncertainty: null }, []), /without uncertainty/);
  assert.match(missingText(report, overlays), /no detector/);
  assert.equal(missingText(report, [...overlays, { name: 'novelty', bands: [] }]), null);
});

test('sources that are mostly unlike the training images are warned of', () => {
  assert.match(noveltyText(0.5), /^50% .*do not trust/);
  assert.doesNotMatch(noveltyText(0.49), /trust/);
  assert.match(noveltyText(null), /no detector/);
});
