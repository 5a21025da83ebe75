// Tables that are sorted by clicking a heading. A column has a title, text (left-aligned), value(row) for sorting, show(row) for
// display, best ("high", "low" or nothing), and optionally hint and tone(row), a class of the cell.

import { choice, dropdown } from './controls.js';
import { el } from '../../../Web/elements.js';
import { bestOf, sortedBy } from './sorting.js';

/** Table in a box that scrolls sideways. */
export function scrolling(name, table) {
  return withScrollSign(el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': name }, table));
}

/** Shades the edges of a box that hide columns, and adds a note. */
export function withScrollSign(scroller) {
  const box = el('div', { class: 'scroller' }, scroller, el('span', { class: 'scroll-sign', 'aria-hidden': 'true' }, 'more columns →'));
  const mark = () => {
    box.classList.toggle('more-left', scroller.scrollLeft > 1);
    box.classList.toggle('more-right', scroller.scrollLeft + scroller.clientWidth < scroller.scrollWidth - 1);
  };
  scroller.addEventListener('scroll', mark, { passive: true });
  const observer = new ResizeObserver(mark);
  observer.observe(scroller);
  if (scroller.firstElementChild) observer.observe(scroller.firstElementChild);
  return box;
}

/** Row of headings that sort: a click changes column and descending of state. */
export function sortHeadings(columns, state, changed) {
  const cells = columns.map(column => el('th', { scope: 'col', class: column.text ? 'text' : '' },
    el('button', { type: 'button', title: column.hint, onclick: () => {
      // The first click sorts in ascending order.
      state.descending = state.column === column && !state.descending;
      state.column = column;
      mark();
      changed();
    } }, column.title)));
  const mark = () => cells.forEach((th, i) => columns[i] === state.column
    ? th.setAttribute('aria-sort', state.descending ? 'descending' : 'ascending') : th.removeAttribute('aria-sort'));
  mark();
  return el('tr', {}, ...cells);
}

export function sortableTable(name, columns, rows) {
  const state = { column: null, descending: false };
  const bests = columns.map(c => bestOf(c, rows));
  const body = el('tbody');
  const fill = () => body.replaceChildren(...(state.column ? sortedBy(rows, state.column, state.descending) : rows)
    .map(row => el('tr', {}, ...columns.map((column, i) => tableCell(column, row, i, bests[i])))));
  const head = el('thead', {}, sortHeadings(columns, state, fill));
  fill();
  return scrolling(name, el('table', { class: 'sortable', 'aria-label': name }, head, body));
}

export function tableCell(column, row, index, best) {
  const shown = [column.show(row)].flat();
  const bold = best !== null && column.value(row) === best;
  const attributes = { class: [column.text ? 'text' : '', bold ? 'best' : '', column.tone?.(row) ?? ''].filter(Boolean).join(' ') };
  return index === 0 ? el('th', { scope: 'row', ...attributes }, ...shown) : el('td', attributes, ...shown);
}

/** Tables of which a dropdown shows one; prints contain all but those with print: false. */
export function panels(name, entries, tools) {
  if (!entries.length) return el('div');
  const nodes = new Map(entries.map(e => [e.key, el('div', { class: `panel${e.print === false ? ' screen-only' : ''}` }, e.node)]));
  const pick = key => nodes.forEach((node, k) => node.classList.toggle('chosen', k === key));
  pick(entries[0].key);
  if (entries.length > 1)
    tools.append(choice(name, dropdown(name, entries.map(e => [e.key, e.title, e.group]), entries[0].key, pick)));
  return el('div', { class: 'panels' }, ...nodes.values());
}
