// Numbers as the pages print them.

import { significant } from '../../Web/numbers.js';

const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** Size of a file, in powers of 1000. */
export function formatBytes(bytes: number): string {
  let value = bytes, unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : Number(value.toPrecision(2))} ${units[unit]}`;
}

export const formatSize = (width: number, height: number) => `${width.toLocaleString('en')} × ${height.toLocaleString('en')} px`;

/** Length in micrometres, in millimetres from 1000 µm and nanometres below 1 µm. */
export function formatLength(um: number): string {
  if (um >= 1000) return `${Number((um / 1000).toPrecision(3))} mm`;
  if (um >= 1) return `${Number(um.toPrecision(3))} µm`;
  return `${Number((um * 1000).toPrecision(3))} nm`;
}

/** Area in square micrometres, in square millimetres from 0.1 mm². */
export const formatArea = (um2: number) =>
  um2 >= 1e5 ? `${Number((um2 / 1e6).toPrecision(3))} mm²` : `${Number(um2.toPrecision(3)).toLocaleString('en')} µm²`;

export const formatCount = (value: number) =>
  value >= 1e6 ? `${Number((value / 1e6).toPrecision(3))} M` : value.toLocaleString('en');

export function formatDate(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
}

export const formatNumber = (value: number) => significant(value);
