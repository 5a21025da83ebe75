// How to read the report, and how it was computed.

import { bootstrap, evaluation, models, run, sections } from './data.js';
import { $, el } from '../../../Web/elements.js';
import { withUnit } from './metrics.js';
import { sentence } from '../../../Web/numbers.js';
import { definitionList } from './sections.js';

const units = bootstrap.unit === 'slide' ? 'slides' : 'images';
const inputNames = { real: 'Real', source: 'Source', labels: 'Labels', train_real: 'Training targets', run: 'Run' };
const defined = m => sentence(m.definition) + (m.not_computed ? ` Not computed: ${m.not_computed}.` : '');

/** Draws the advice on reading scores. */
export function drawAdvice() {
  $('how').append(el('ul', {},
    el('li', {}, 'PSNR, SSIM, MAE and RMSE compare corresponding pixels and are misleading for misaligned pairs: '
      + 'serial sections show different cells, a shift of a few pixels can lower a score more than a wrong stain, '
      + 'and blurred images score better than sharp ones. Inspect the images too.'),
    el('li', {}, 'Scores depend more on the data set than on the method. '
      + 'Compare only scores of the same pairs, image size and definition.'),
    el('li', {}, 'The identity baseline returns the source image; the mean colour baseline returns a flat image. '
      + 'A model should beat both.'),
    el('li', {}, `Intervals: ${bootstrap.description}. They cover the variation between ${units} of the same kind, `
      + 'not between scanners, laboratories or training runs.'),
    el('li', {}, 'A difference that is not significant may become significant with more images. '
      + 'A significant difference may be too small to matter; consider its size.'),
    el('li', {}, 'Good scores do not prove that single cells are right. Virtual staining can add or remove structures; '
      + 'it is for research use only, not for diagnosis.'),
    el('li', {}, run ? 'The section Training has the settings of the training. The evaluated images must not be training images.'
      : 'The training data is unknown, as no run folder was given.')));
}

/** Draws the definitions of metrics and methods, and the origin of the numbers. */
export function drawProvenance() {
  $('definitions').append(definitionList([
    ...evaluation.metrics.map(m => ({ term: withUnit(m), text: defined(m) })),
    ...evaluation.methods.map(m => ({ term: m.title, text: defined(m) })),
  ]));
  $('provenance').append(definitionList([
    { term: 'Images', text: `${evaluation.n.toLocaleString('en')}, matched by file name` },
    ...Object.entries(evaluation.inputs.stained)
      .map(([key, path]) => ({ term: models.find(m => m.key === key)?.title ?? key, text: path })),
    ...Object.entries(inputNames).filter(([key]) => evaluation.inputs[key]).map(([key, term]) => ({ term, text: evaluation.inputs[key] })),
    { term: 'Protocol', text: `${evaluation.protocol.name}: ${sentence(evaluation.protocol.description)} `
      + `SSIM ${evaluation.protocol.ssim}, ${evaluation.protocol.aggregation}, seed ${evaluation.protocol.seed}` },
    { term: 'Test set', text: `SHA-256 of the names ${evaluation.test_set.names_sha256}`
      + (evaluation.test_set.manifest_sha256 ? `, of the labels ${evaluation.test_set.manifest_sha256}` : '') },
    ...(evaluation.labels_from ? [{ term: 'Labels from', text: evaluation.labels_from }] : []),
    { term: 'Intervals', text: bootstrap.description },
    { term: 'Tests', text: `Wilcoxon's signed-rank test, two-sided, over ${units}; Holm's correction over all comparisons by one metric` },
    ...sections.flatMap(s => s.provenance.map(p => ({ term: `${s.title}: ${p.term}`, text: p.text }))),
    { term: 'Made', text: `${evaluation.created} by Tinctor ${evaluation.versions.tinctor}, .NET ${evaluation.versions.dotnet}, `
      + `ONNX Runtime ${evaluation.versions.onnxruntime}, libvips ${evaluation.versions.libvips}, ${evaluation.versions.os}` },
  ]));
}
