// Head of the page: numbers, verdicts and headline metrics.

import { baselines, bootstrap, comparisons, evaluation, headline, labels, methodOf, methods, metricOf, metrics, modelCouples, models,
  summaryOf, unitOf } from './data.js';
import { $, el } from '../../../Web/elements.js';
import { clamp, equalsP, finite, format, formatCi, listing, number, percent, plural, sentence } from '../../../Web/numbers.js';
import { warningBox } from './sections.js';
import { methodInk } from './theme.js';

/** Draws the line of numbers below the title. */
export function drawHead() {
  $('meta').textContent = [
    plural(evaluation.n, 'image'),
    evaluation.slides ? plural(evaluation.slides, 'slide') : null,
    labels.length ? plural(labels.length, 'label') : null,
    models.length > 1 ? plural(models.length, 'model') : null,
    new Date(evaluation.created).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' }),
    `Tinctor ${evaluation.versions.tinctor.split('+')[0]}`,
  ].filter(Boolean).join('  ·  ');
}

// ---- verdicts

/** Comparison of two methods by a metric. */
export const compared = (a, b, metric) => comparisons.find(c => c.a === a && c.b === b && c.metric === metric);

function baselineVerdict(model) {
  const beats = evaluation.beats_baselines[model.key];
  const name = models.length > 1 ? `${model.title}: ` : '';
  const them = baselines.length === 2 ? 'both baselines' : `the ${baselines[0].title.toLowerCase()} baseline`;
  const against = comparisons.filter(c => c.a === model.key && ['psnr', 'ssim'].includes(c.metric) && methodOf(c.b).kind === 'baseline');
  const say = c => `${metricOf(c.metric).title} against ${methodOf(c.b).title.toLowerCase()}`;
  const lost = against.filter(c => c.better !== model.key);
  const doubtful = against.filter(c => c.better === model.key && !c.significant && c.p_adjusted !== null);
  const value = key => {
    const metric = metricOf(key);
    const others = baselines.map(b => `${format(summaryOf(b.key, key).mean, metric.digits)} for ${b.title.toLowerCase()}`);
    return `${metric.title} ${format(summaryOf(model.key, key).mean, metric.digits)}${unitOf(metric)} (${listing(others)})`;
  };
  return el('p', {}, name,
    el('strong', { class: beats ? 'yes' : 'no' }, beats ? `Beats ${them}: ` : `Does not beat ${them}: `),
    `${value('psnr')}; ${value('ssim')}.`,
    lost.length && lost.length < against.length ? ` Worse or equal: ${listing(lost.map(say))}.` : '',
    doubtful.length ? ` Not significant: ${listing(doubtful.map(say))}.` : '');
}

// Significant differences between two models: the first metrics with their size, the others as a number.
function coupleVerdict([a, b]) {
  if (evaluation.not_tested) {
    const differing = metrics.map(m => compared(a, b, m.key)).filter(c => c && c.n > 0);
    const first = differing.filter(c => c.better === a).length, second = differing.filter(c => c.better === b).length;
    return el('p', {},
      `${methodOf(a).title} has the better mean in ${first} of ${differing.length} metrics, ${methodOf(b).title} in ${second}.`);
  }
  const tested = metrics.map(m => [m, compared(a, b, m.key)]).filter(([, c]) => c && c.n > 0);
  const difference = (m, c) => format(Math.abs(number(c.difference)), m.digits) + unitOf(m);
  const size = ([m, c]) => `${m.title} (difference ${difference(m, c)}, ${equalsP(c.p_adjusted)})`;
  const better = key => tested.filter(([, c]) => c.significant && c.better === key);
  const name = list => list.length <= 3 ? listing(list.map(size))
    : `${list.length} of ${tested.length} metrics, including ${listing(list.slice(0, 2).map(size))}`;
  const parts = [a, b].filter(key => better(key).length)
    .map(key => [el('strong', {}, `${methodOf(key).title} is significantly better`), ` in ${name(better(key))}`]);
  const open = tested.filter(([, c]) => !c.significant).map(([m]) => m.title);
  const rest = open.length === tested.length ? 'any metric' : open.length <= 4 ? listing(open) : `${open.length} other metrics`;
  return el('p', {}, `${methodOf(a).title} against ${methodOf(b).title}: `, ...parts.flatMap((part, i) => [i ? '; ' : '', ...part]),
    open.length ? `${parts.length ? '; no' : 'no'} significant difference in ${rest}` : '', '.');
}

/** Draws the verdicts of models against each other and against the baselines. */
export function drawVerdicts() {
  const verdicts = models.map(baselineVerdict), verdictsOfCouples = modelCouples.map(coupleVerdict);
  $('verdict').append(evaluation.not_tested ? el('p', {}, el('strong', {}, sentence(evaluation.not_tested))) : '',
    ...verdictsOfCouples.slice(0, 3), ...verdicts.slice(0, 4));
  $('verdict').after(warningBox(evaluation.warnings, 'Before you use these numbers'));
  if (verdictsOfCouples.length > 3 || verdicts.length > 4)
    $('verdict').append(el('p', {}, el('a', { href: '#comparisons' }, 'All comparisons are below.')));
}

// ---- headline numbers

function forest(metric) {
  const rows = methods.map(m => ({ method: m, summary: summaryOf(m.key, metric.key) }));
  const known = finite(rows.flatMap(r => [r.summary.mean, ...(r.summary.ci ?? [])]));
  const low = Math.min(...known), high = Math.max(...known), pad = (high - low || Math.abs(high) || 1) * 0.08;
  const x = value => `${clamp((number(value) - low + pad) / (high - low + 2 * pad), 0, 1) * 100}%`;
  const node = el('div', { class: 'forest' });
  for (const { method, summary } of rows) {
    const track = el('div', { class: 'track', style: { color: methodInk(method.key) } });
    if (summary.ci)
      track.append(el('i', { style: { left: x(summary.ci[0]), width: `calc(${x(summary.ci[1])} - ${x(summary.ci[0])})` } }));
    if (!Number.isNaN(number(summary.mean)))
      track.append(el('b', { style: { left: Number.isFinite(number(summary.mean)) ? x(summary.mean) : '100%' } }));
    node.append(
      el('span', { class: 'who' }, method.title), track,
      el('span', { class: 'number', title: summary.ci ? `${percent(bootstrap.confidence)} CI ${formatCi(summary.ci, metric.digits)}` : '' },
        format(summary.mean, metric.digits)));
  }
  for (const method of evaluation.methods.filter(m => m.not_computed))
    node.append(el('span', { class: 'who' }, method.title), el('span', { class: 'absent' }, 'not computed'), el('span', {}));
  return node;
}

// Model with the best mean of a metric; the first one of equals.
function bestModel(metric) {
  const value = m => number(summaryOf(m.key, metric.key).mean) * (metric.higher_is_better ? 1 : -1);
  return models.filter(m => !Number.isNaN(value(m))).toSorted((a, b) => value(b) - value(a))[0] ?? models[0];
}

/** Draws the headline metrics. */
export function drawHeadline() {
  headline.forEach((metric, i) => {
    const best = bestModel(metric), summary = summaryOf(best.key, metric.key), ci = formatCi(summary.ci, metric.digits);
    $('headline').append(el('article', { class: i < 2 ? 'metric' : 'metric minor' },
      el('div', { class: 'name' }, metric.title, el('span', {}, metric.higher_is_better ? 'higher is better' : 'lower is better')),
      el('div', { class: 'value', style: { color: methodInk(best.key) } }, format(summary.mean, metric.digits),
        metric.unit ? el('small', {}, ` ${metric.unit}`) : '', models.length > 1 ? el('small', { class: 'of' }, ` ${best.title}`) : ''),
      el('p', { class: 'ci' }, ci ? `${percent(bootstrap.confidence)} CI ${ci}` : 'no confidence interval',
        summary.infinite ? ` · ${plural(summary.infinite, 'identical image')}` : ''),
      forest(metric)));
  });
}
