// Tables that are sorted by clicking a heading. A column has a title, text (left-aligned), value(row) for sorting, show(row) for
// display, and best ("high", "low" or nothing).

function scrolling(name, table) {
  return withScrollSign(el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': name }, table));
}

// Shades the edges of a table that hide columns, and adds a note.
function withScrollSign(scroller) {
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

const isNothing = v => v === null || v === undefined || Number.isNaN(v);

// Missing values come last in both directions.
function comparing(column, descending) {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (isNothing(x) || isNothing(y)) return isNothing(x) - isNothing(y);
    if (column.text) return sign * String(x).localeCompare(String(y), 'en', { numeric: true });
    return x === y ? 0 : sign * (x - y);
  };
}

function sortHeadings(columns, state, changed) {
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

// Best value of a column, shown in bold; null if all values are equal or there is only one.
function bestOf(column, rows) {
  if (!column.best || rows.length < 2) return null;
  const values = rows.map(column.value).filter(v => !isNothing(v));
  if (values.length < 2 || Math.min(...values) === Math.max(...values)) return null;
  return column.best === 'high' ? Math.max(...values) : Math.min(...values);
}

function sortableTable(name, columns, rows) {
  const state = { column: null, descending: false };
  const bests = columns.map(c => bestOf(c, rows));
  const body = el('tbody');
  const fill = () => body.replaceChildren(...(state.column ? rows.toSorted(comparing(state.column, state.descending)) : rows)
    .map(row => el('tr', {}, ...columns.map((column, i) => tableCell(column, row, i, bests[i])))));
  const head = el('thead', {}, sortHeadings(columns, state, fill));
  fill();
  return scrolling(name, el('table', { class: 'sortable', 'aria-label': name }, head, body));
}

function tableCell(column, row, index, best) {
  const shown = [column.show(row)].flat();
  const bold = best !== null && column.value(row) === best;
  const attributes = { class: [column.text ? 'text' : '', bold ? 'best' : '', column.tone?.(row) ?? ''].filter(Boolean).join(' ') };
  return index === 0 ? el('th', { scope: 'row', ...attributes }, ...shown) : el('td', attributes, ...shown);
}

// Tables of which a dropdown shows one; prints contain all that have print set.
function panels(name, entries, tools) {
  if (!entries.length) return el('div');
  const nodes = new Map(entries.map(e => [e.key, el('div', { class: `panel${e.print === false ? ' screen-only' : ''}` }, e.node)]));
  const pick = key => nodes.forEach((node, k) => node.classList.toggle('chosen', k === key));
  pick(entries[0].key);
  if (entries.length > 1)
    tools.append(choice(name, dropdown(name, entries.map(e => [e.key, e.title, e.group]), entries[0].key, pick)));
  return el('div', { class: 'panels' }, ...nodes.values());
}
