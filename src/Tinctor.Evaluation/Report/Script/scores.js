// Table with the scores of every image: filtered, sorted, page by page.

import { choice, dropdown } from './controls.js';
import { couples, embedded, hasSlides, images, labels, methodOf, methods, metricOf, metrics, models } from './data.js';
import { $, el } from '../../../Web/elements.js';
import { lookAt } from './gallery.js';
import { clamp, format, number, plural, signed } from '../../../Web/numbers.js';
import { comparing } from './sorting.js';
import { sortHeadings, tableCell } from './tables.js';

const tableState = { column: null, descending: false, query: '', label: '', page: 0, what: '' };
const pageSize = 15;
const tableBody = el('tbody'), tableHead = el('thead');
let columns = [];

// Scores of one method, or the advantage of one method over another.
function chooseColumns() {
  const [kind, a, b] = tableState.what.split(/:|\n/);
  const score = (image, key, metric) => number(image.scores[key][metric]);
  const value = metric => kind === 'of' ? i => score(i, a, metric.key)
    : i => (metric.higher_is_better ? 1 : -1) * (score(i, a, metric.key) - score(i, b, metric.key));
  const text = (title, get) => ({ key: title, title, text: true, value: get, show: i => get(i) ?? '–' });
  columns = [
    { ...text('Image', i => i.name), show: i => embedded(i.name)
      ? el('button', { type: 'button', class: 'link', title: 'Show this image', onclick: () => lookAt(i.name) }, i.name) : i.name },
    ...(labels.length ? [text('Label', i => i.label)] : []), ...(hasSlides ? [text('Slide', i => i.slide_id)] : []),
    ...metrics.map(m => ({
      key: m.key, title: m.title, value: value(m), show: i => kind === 'of' ? format(value(m)(i), m.digits) : signed(value(m)(i), m.digits),
      tone: kind === 'of' ? undefined : i => value(m)(i) > 0 ? 'better' : value(m)(i) < 0 ? 'worse' : '',
    })),
  ];
  const key = tableState.column?.key ?? (metricOf('ssim') ? 'ssim' : metrics[0].key);
  tableState.column = columns.find(c => c.key === key) ?? columns[0];
  tableHead.replaceChildren(sortHeadings(columns, tableState, () => { tableState.page = 0; fillTable(); }));
  fillTable();
}

const found = el('span', { role: 'status' });
const turn = by => { tableState.page += by; fillTable(); };
const previous = el('button', { class: 'quiet', type: 'button', onclick: () => turn(-1) }, 'Previous');
const next = el('button', { class: 'quiet', type: 'button', onclick: () => turn(1) }, 'Next');

function fillTable() {
  const rows = images
    .filter(i => (!tableState.label || i.label === tableState.label)
      && [i.name, i.label, i.slide_id].some(t => t?.toLowerCase().includes(tableState.query)))
    .sort(comparing(tableState.column, tableState.descending));
  const pages = Math.max(1, Math.ceil(rows.length / pageSize));
  tableState.page = clamp(tableState.page, 0, pages - 1);
  const from = tableState.page * pageSize, visible = rows.slice(from, from + pageSize);
  tableBody.replaceChildren(...visible.map(image => el('tr', {}, ...columns.map((c, i) => tableCell(c, image, i, null)))));
  previous.disabled = tableState.page === 0;
  next.disabled = tableState.page === pages - 1;
  found.textContent = rows.length ? `${from + 1} to ${from + visible.length} of ${plural(rows.length, 'image')}` : 'No image matches';
}

/** Draws the table and its controls. */
export function drawScores() {
  tableState.what = `of:${models[0].key}`;
  $('table').append(el('caption', { class: 'visually-hidden' }, 'Scores of every image'), tableHead, tableBody);
  $('pager').append(previous, next, found);
  $('table-tools').append(
    el('input', {
      type: 'search', placeholder: 'Filter by name, label or slide', 'aria-label': 'Filter by name, label or slide',
      oninput: e => { tableState.query = e.target.value.toLowerCase(); tableState.page = 0; fillTable(); },
    }),
    labels.length ? choice('Label', dropdown('Label', [['', 'All'], ...labels.map(l => [l, l])], '',
      value => { tableState.label = value; tableState.page = 0; fillTable(); })) : '',
    choice('Scores', dropdown('Scores', [
      ...methods.map(m => [`of:${m.key}`, m.title, 'Scores of']),
      ...couples.map(([a, b]) => [`over:${a}\n${b}`, `${methodOf(a).title} over ${methodOf(b).title}`, 'Advantage of'])],
    tableState.what, what => { tableState.what = what; tableState.page = 0; chooseColumns(); })));
  chooseColumns();
}
