// Numbers and words as the report prints them.

export const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
export const percent = p => `${Math.round(p * 100)}%`;
export const plural = (n, one) => `${n.toLocaleString('en')} ${one}${n === 1 ? '' : 's'}`;
export const listing = words => words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
export const sentence = text => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
export const escaped = text => String(text).replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`);

/**
 * Number of a JSON value: infinite numbers are strings there, undefined ones are null.
 * @param {number | string | null | undefined} value
 * @returns {number} NaN for undefined values
 */
export const number = value => value === null || value === undefined ? NaN : Number(value);
export const finite = values => values.map(number).filter(Number.isFinite);
export const isMissing = v => v === null || v === undefined || Number.isNaN(v);

/** Formats a JSON value with a fixed number of decimals; there is no negative zero. */
export function format(value, digits) {
  const n = number(value);
  if (Number.isNaN(n)) return '–';
  if (!Number.isFinite(n)) return n > 0 ? '∞' : '−∞';
  const text = n.toFixed(digits).replace('-', '−');
  return /^−0(\.0*)?$/.test(text) ? text.slice(1) : text;
}

/** Formats a confidence interval; null if there is none. */
export const formatCi = (ci, digits) => ci ? `${format(ci[0], digits)} to ${format(ci[1], digits)}` : null;
export const signed = (value, digits) => (number(format(value, digits).replace('−', '-')) > 0 ? '+' : '') + format(value, digits);
export const formatP = p => p === null ? '–' : p < 0.001 ? '< 0.001' : p.toFixed(3);
export const equalsP = p => p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;

/** Formats a JSON value with four significant digits. */
export function significant(value) {
  const n = number(value);
  return Number.isFinite(n) ? String(Number(n.toPrecision(4))).replace('-', '−') : '–';
}

export const decimalsOf = step => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
