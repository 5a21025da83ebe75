// Order and best values of table columns. A column has value(row) for sorting, text (true for words), and best ("high", "low" or nothing).

import { isMissing } from '../../../Web/numbers.js';

/** Comparison of rows by a column. Missing values come last in both directions. */
export function comparing(column, descending) {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (isMissing(x) || isMissing(y)) return Number(isMissing(x)) - Number(isMissing(y));
    if (column.text) return sign * String(x).localeCompare(String(y), 'en', { numeric: true });
    return x === y ? 0 : sign * (x - y);
  };
}

/** Sorted copy of rows. */
export const sortedBy = (rows, column, descending) => [...rows].sort(comparing(column, descending));

/** Best value of a column, shown in bold; null if all values are equal or there is only one. */
export function bestOf(column, rows) {
  if (!column.best) return null;
  const values = rows.map(column.value).filter(v => !isMissing(v));
  if (values.length < 2 || Math.min(...values) === Math.max(...values)) return null;
  return column.best === 'high' ? Math.max(...values) : Math.min(...values);
}
