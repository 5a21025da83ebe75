// Tables of all metrics, method by method.

import { ciName, evaluation, groups, hasDab, headline, labels, methods, metrics, summaryOf } from './data.js';
import { $, el, toolbar } from '../../../Web/elements.js';
import { groupTitle, withUnit } from './metrics.js';
import { format, formatCi, number, plural } from '../../../Web/numbers.js';
import { panels, scrolling, sortableTable } from './tables.js';
import { methodInk } from './theme.js';

const bestOfMetric = (metric, group) => {
  const values = methods.map(m => number(summaryOf(m.key, metric.key, group).mean)).filter(v => !Number.isNaN(v));
  const best = metric.higher_is_better ? Math.max(...values) : Math.min(...values);
  return values.length > 1 && Math.min(...values) !== Math.max(...values) ? best : null;
};
const estimate = (summary, digits) =>
  [format(summary.mean, digits), el('small', {}, formatCi(summary.ci, digits) ?? (summary.n ? 'no interval' : ''))];
const methodHead = m => el('th', { scope: 'col' }, el('span', { class: 'swatch', style: { background: methodInk(m.key) } }), m.title);
const methodCells = (metric, group) => {
  const best = bestOfMetric(metric, group);
  return methods.map(m => {
    const summary = summaryOf(m.key, metric.key, group);
    return el('td', { class: best !== null && number(summary.mean) === best ? 'best' : '' }, ...estimate(summary, metric.digits));
  });
};

const arrow = ({ higher_is_better: rising }) =>
  el('span', { class: 'arrow', title: `${rising ? 'higher' : 'lower'} is better` }, rising ? '↑' : '↓');

function resultsTable() {
  const bodies = [...new Set(metrics.map(m => m.group))].map(group => el('tbody', {},
    el('tr', { class: 'group' }, el('th', { class: 'text', colspan: methods.length + 1, scope: 'rowgroup' }, groupTitle(group))),
    ...metrics.filter(m => m.group === group).map(m => el('tr', {},
      el('th', { class: 'text', scope: 'row' }, withUnit(m), ' ', arrow(m)),
      ...methodCells(m, groups[0])))));
  return scrolling('Means of all metrics', el('table', { class: 'estimates', 'aria-label': 'Means of all metrics' },
    el('thead', {}, el('tr', {}, el('th', { class: 'text', scope: 'col' }, 'Metric'), ...methods.map(methodHead))), ...bodies));
}

function spreadTable(metric) {
  const columns = [
    { title: 'Method', text: true, value: m => m.title, show: m => m.title },
    ...['n', 'mean', 'std', 'median', 'min', 'max'].map(key => ({
      title: { n: 'n', mean: 'Mean', std: 'SD', median: 'Median', min: 'Min', max: 'Max' }[key],
      value: m => number(summaryOf(m.key, metric.key)[key]),
      show: m => format(summaryOf(m.key, metric.key)[key], key === 'n' ? 0 : metric.digits),
    })),
  ];
  return sortableTable(`Spread of ${metric.title}`, columns, methods);
}

function labelTable(metric) {
  const rows = [...groups.slice(1), groups[0]];
  return scrolling(`${metric.title} by label`, el('table', { class: 'estimates', 'aria-label': `${metric.title} by label` },
    el('thead', {},
      el('tr', {}, el('th', { class: 'text', scope: 'col' }, 'Label'), el('th', { scope: 'col' }, 'n'), ...methods.map(methodHead))),
    el('tbody', {}, ...rows.map(group => el('tr', { class: group.label === null ? 'total' : '' },
      el('th', { class: 'text', scope: 'row' }, group.label ?? 'All'), el('td', {}, group.n.toLocaleString('en')),
      ...methodCells(metric, group))))));
}

const perMetric = (name, node) => {
  const bar = toolbar();
  const entries = [...headline, ...metrics.filter(m => !headline.includes(m))]
    .map(m => ({ key: m.key, title: m.title, group: groupTitle(m.group), node: node(m), print: headline.includes(m) }));
  const all = panels(name, entries.map(e => ({ ...e, node: el('div', {}, el('p', { class: 'panel-title' }, e.title), e.node) })), bar);
  return [bar, all];
};

/** Draws the tables of means, of labels and of spreads. */
export function drawResults() {
  $('results-tables').append(
    el('div', { class: 'block' },
      el('p', {}, `Mean over ${plural(evaluation.n, 'image')} with its ${ciName} below. `
        + 'Bold: best of each row. ↑ higher is better, ↓ lower is better.'),
      resultsTable()));
  if (labels.length)
    $('results-tables').append(el('h3', {}, 'By label'), el('div', { class: 'block' },
      el('p', {}, `Mean of each label with its ${ciName} below. Labels from ${evaluation.labels_from}.`),
      ...perMetric('Metric', labelTable)));
  $('results-tables').append(el('details', { class: 'fold' },
    el('summary', {}, 'Medians, standard deviations and ranges'), ...perMetric('Metric', spreadTable)));

  if (!hasDab)
    $('results-tables').append(el('p', { class: 'note' },
      'No DAB was found in the real images, so DAB metrics and maps are hidden. metrics.json has the numbers.'));
  const absent = evaluation.metrics.filter(m => m.not_computed);
  if (absent.length)
    $('results-tables').append(el('p', { class: 'note' },
      `Not computed: ${absent.map(m => `${m.title} (${m.not_computed})`).join('; ')}.`));
}
