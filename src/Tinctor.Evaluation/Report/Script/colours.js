// Scales of maps and their colours.

import { clamp } from '../../../Web/numbers.js';

export const ramps = {
  ember: ['#000004', '#1b0c41', '#4a0c6b', '#781c6d', '#a52c60', '#cf4446', '#ed6925', '#fb9b06', '#f7d13d', '#fcffa4'],
  brown: ['#fbfaf8', '#ecd9bf', '#d2a878', '#a9743f', '#74451b', '#43230a', '#1c0d03'],
  balance: ['#0f3b73', '#3f78b5', '#9cc3df', '#f4f2ef', '#e2b98d', '#ab6a2b', '#5c2c06'],
};

const density = Float64Array.from({ length: 256 }, (_, v) => Math.log10(255 / Math.max(1, v)));

/**
 * Maps of one image, or of two: title, ramp and range of the scale, and value(a, b) of two pixels.
 * @param {number[] | null} dab weights of the optical densities of R, G and B in that of DAB; null leaves DAB out
 */
export function mapsOf(dab) {
  const dabOf = ([r, g, b]) => Math.max(0, dab[0] * density[r] + dab[1] * density[g] + dab[2] * density[b]);
  const all = {
    difference: {
      title: 'Difference', ramp: 'ember', low: 0, high: 100, two: true, ticks: ['0', '50', '≥ 100'],
      name: (a, b) => `|${a} − ${b}|`, scale: 'mean absolute difference of R, G and B in grey levels',
      value: (a, b) => (Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) + Math.abs(a[2] - b[2])) / 3,
    },
    dab: {
      title: 'DAB', ramp: 'brown', low: 0, high: 1, ticks: ['0', '0.5', '≥ 1'],
      name: a => `DAB, ${a}`, scale: 'optical density of DAB (decimal)', value: a => dabOf(a),
    },
    dab_difference: {
      title: 'DAB difference', ramp: 'balance', low: -0.5, high: 0.5, two: true, ticks: ['≤ −0.5', '0', '≥ 0.5'],
      name: (a, b) => `DAB, ${a} − ${b}`, scale: 'difference in optical density of DAB (decimal): brown: too much, blue: too little',
      value: (a, b) => dabOf(a) - dabOf(b),
    },
  };
  return dab ? all : { difference: all.difference };
}

const hex = text => [1, 3, 5].map(i => parseInt(text.slice(i, i + 2), 16));
const tables = Object.fromEntries(Object.entries(ramps).map(([name, stops]) => {
  const colours = stops.map(hex);
  return [name, Array.from({ length: 256 }, (_, i) => {
    const at = i / 255 * (colours.length - 1), k = Math.min(colours.length - 2, Math.floor(at));
    return colours[k].map((c, n) => Math.round(c + (at - k) * (colours[k + 1][n] - c)));
  })];
}));

/** Colour of a value on the scale of a map, as [r, g, b]. */
export const colourOf = (map, value) => tables[map.ramp][clamp(Math.round((value - map.low) * (255 / (map.high - map.low))), 0, 255)];
