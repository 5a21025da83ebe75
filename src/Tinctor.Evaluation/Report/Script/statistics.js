// Statistics of scores, and the ranges of axes.

import { clamp, finite } from '../../../Web/numbers.js';

/**
 * Quantile with linear interpolation.
 * @param {number[]} sorted values in ascending order, at least one
 * @param {number} q share from 0 to 1
 */
export function quantile(sorted, q) {
  const at = q * (sorted.length - 1), below = Math.floor(at);
  return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}

/**
 * Box of a box plot: lower whisker, quartiles and median, upper whisker. Whiskers end at the farthest value within 1.5 interquartile
 * ranges of the box.
 * @param {number[]} values in any order
 * @returns {number[] | null} null without values
 */
export function boxOf(values) {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const [q1, q2, q3] = [0.25, 0.5, 0.75].map(q => quantile(sorted, q)), reach = 1.5 * (q3 - q1);
  const inside = sorted.filter(v => v >= q1 - reach && v <= q3 + reach);
  return [inside[0], q1, q2, q3, inside.at(-1)];
}

/**
 * Outline of a violin: Gaussian kernel density with Silverman's bandwidth 1.06 sd n^(-1/5), at least 1/200 of the range, from the
 * smallest to the largest value; the width is relative to the largest density.
 * @param {number[]} values finite values in any order
 * @param {number} [points] number of points
 * @returns {{ value: number, width: number }[]} ascending; empty without values
 */
export function violinOf(values, points = 81) {
  if (!values.length) return [];
  const low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b));
  const mean = values.reduce((a, b) => a + b) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  const band = Math.max(1.06 * deviation * values.length ** -0.2, (high - low) / 200, 1e-8);
  const outline = Array.from({ length: points }, (_, i) => {
    const value = low + i / (points - 1) * (high - low);
    return { value, width: values.reduce((sum, v) => sum + Math.exp(-0.5 * ((value - v) / band) ** 2), 0) };
  });
  const widest = Math.max(...outline.map(p => p.width));
  return outline.map(p => ({ ...p, width: p.width / widest }));
}

/** Range with round ends: steps are 1, 2 or 5 times a power of ten. */
export function roundRange(values, ticks = 5) {
  const known = finite(values);
  if (!known.length) return { min: 0, max: 1, interval: 0.2 };
  let low = Math.min(...known), high = Math.max(...known);
  if (low === high) { const pad = Math.abs(low) * 0.1 || 1; low -= pad; high += pad; }
  const interval = roundStep((high - low) / ticks);
  const tidy = x => Number(x.toPrecision(12));
  return {
    min: tidy(Math.floor(low / interval + 1e-9) * interval), max: tidy(Math.ceil(high / interval - 1e-9) * interval),
    interval: tidy(interval),
  };
}

function roundStep(raw) {
  const power = 10 ** Math.floor(Math.log10(raw)), distance = step => Math.abs(Math.log(step * power / raw));
  return power * [1, 2, 5, 10].sort((a, b) => distance(a) - distance(b))[0];
}

/**
 * Histogram with common bins for several lists.
 * @param {number[][]} lists finite values
 * @returns {{ edges: number[], counts: number[][], width: number }} one list of counts for each list of values
 */
export function histogram(lists) {
  const all = lists.flat(), range = roundRange(all, clamp(Math.round(2 * Math.sqrt(all.length)), 16, 40));
  const bins = Math.max(1, Math.round((range.max - range.min) / range.interval));
  const counted = list => {
    const counts = new Array(bins).fill(0);
    for (const v of list) counts[clamp(Math.floor((v - range.min) / range.interval), 0, bins - 1)]++;
    return counts;
  };
  return {
    edges: Array.from({ length: bins + 1 }, (_, i) => range.min + i * range.interval), counts: lists.map(counted), width: range.interval,
  };
}

/** Means over a twentieth of the values; a centred window does not lag behind, unlike a running mean. Nulls are skipped. */
export function smooth(values) {
  const reach = Math.floor(values.length / 40);
  return values.map((_, i) => {
    const near = values.slice(Math.max(0, i - reach), i + reach + 1).filter(v => v !== null);
    return near.length ? near.reduce((a, b) => a + b) / near.length : null;
  });
}
