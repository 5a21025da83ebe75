// Paired differences between methods.

import { bootstrap, ciName, comparisons, couples, evaluation, methodOf, metrics, modelCouples, summaryOf } from './data.js';
import { $, el, svg, toolbar } from '../../../Web/elements.js';
import { withUnit } from './metrics.js';
import { clamp, finite, format, formatCi, formatP, number, plural, sentence, signed } from '../../../Web/numbers.js';
import { compared } from './summary.js';
import { panels, sortableTable } from './tables.js';

// Confidence interval of a difference: zero is at the same place in all rows, the scale is per row.
function intervalPlot(c) {
  const reach = Math.max(...finite([...(c.ci ?? []), c.difference]).map(Math.abs), 0) * 1.15 || 1;
  const x = v => 60 + clamp(v / reach, -1, 1) * 56;
  const parts = [svg('line', { x1: 60, x2: 60, y1: 1, y2: 19, class: 'zero' })];
  if (c.ci) parts.push(svg('line', { x1: x(c.ci[0]), x2: x(c.ci[1]), y1: 10, y2: 10, class: 'span' }));
  if (Number.isFinite(number(c.difference))) parts.push(svg('circle', { cx: x(number(c.difference)), cy: 10, r: 4 }));
  return svg('svg', { class: `interval ${c.significant ? 'clear' : ''}`, viewBox: '0 0 120 20', 'aria-hidden': 'true' }, ...parts);
}

function conclusion(c) {
  if (c.p_adjusted === null) return c.difference === 0 ? 'equal' : 'not tested';
  return c.significant ? `${methodOf(c.better).title} better` : 'no significant difference';
}

function comparisonTable([a, b]) {
  const rows = metrics.map(m => ({ metric: m, c: compared(a, b, m.key) })).filter(r => r.c);
  const mean = key => ({
    title: methodOf(key).title, value: r => number(summaryOf(key, r.metric.key).mean),
    show: r => format(summaryOf(key, r.metric.key).mean, r.metric.digits),
  });
  const tone = r => r.c.significant ? (r.c.better === a ? 'better' : 'worse') : 'open';
  return sortableTable(`${methodOf(a).title} against ${methodOf(b).title}`, [
    { title: 'Metric', text: true, value: r => r.metric.title, show: r => [withUnit(r.metric)] },
    mean(a), mean(b),
    { title: 'Advantage', hint: `Mean difference; positive if ${methodOf(a).title} is better`, value: r => number(r.c.difference),
      show: r => [signed(r.c.difference, r.metric.digits), el('small', {}, formatCi(r.c.ci, r.metric.digits) ?? '')] },
    { title: 'Interval', hint: 'Confidence interval relative to zero; the scale differs by row', value: r => r.c.ci?.[0] ?? NaN,
      show: r => intervalPlot(r.c) },
    { title: 'p', hint: 'Wilcoxon signed-rank test with Holm correction', value: r => r.c.p_adjusted ?? NaN,
      show: r => formatP(r.c.p_adjusted) },
    { title: 'Conclusion', text: true, value: r => conclusion(r.c), show: r => conclusion(r.c), tone },
  ], rows);
}

/** Draws a table for each pair of methods. */
export function drawComparisons() {
  const testedOn = comparisons.length ? Math.max(...comparisons.map(c => c.n)) : 0;
  const tests = `p: Wilcoxon signed-rank test over ${bootstrap.unit}s with Holm correction over all comparisons of a metric; `
    + `significant below ${format(1 - bootstrap.confidence, 2)}.`;
  $('comparisons-note').textContent = `Mean paired differences over ${plural(testedOn, 'image')} with their ${ciName} below; `
    + `positive values mean that the first method is better. ${evaluation.not_tested ? sentence(evaluation.not_tested) : tests}`;
  const bar = toolbar(), ordered = [...modelCouples, ...couples.filter(c => !modelCouples.includes(c))];
  const title = ([a, b]) => `${methodOf(a).title} against ${methodOf(b).title.replace(/^(Identity|Mean colour)$/, w => w.toLowerCase())}`;
  $('comparisons-tables').append(bar, panels('Comparison', ordered.map(couple => ({
    key: couple.join('\n'), title: title(couple),
    node: el('div', {}, el('p', { class: 'panel-title' }, title(couple)), comparisonTable(couple)),
  })), bar));
}
