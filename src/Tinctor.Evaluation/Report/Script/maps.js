// Maps computed from the embedded images: difference of two images, DAB density. Each has a fixed scale, shown with its colour bar.

import { colourOf, mapsOf, ramps } from './colours.js';
import { gallery, hasDab } from './data.js';
import { el } from '../../../Web/elements.js';

export const maps = mapsOf(hasDab && gallery ? gallery.dab : null);

// Cache of decoded images, as decoding a JPEG is slower than the divider moves.
const decoded = new Map();
function pixelsOf(uri) {
  if (!decoded.has(uri)) {
    if (decoded.size >= 12) decoded.delete(decoded.keys().next().value);
    decoded.set(uri, readPixels(uri));
  }
  return decoded.get(uri);
}

async function readPixels(uri) {
  const image = new Image();
  image.src = uri;
  await image.decode();
  const canvas = el('canvas', { width: image.naturalWidth, height: image.naturalHeight });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** Paints a map of one image, or of two of the same size, into a canvas. */
export async function paintMap(canvas, kind, first, second) {
  const map = maps[kind];
  const a = await pixelsOf(first), b = map.two ? await pixelsOf(second) : a;
  canvas.width = a.width;
  canvas.height = a.height;
  const context = canvas.getContext('2d'), out = context.createImageData(a.width, a.height);
  const pa = [0, 0, 0], pb = [0, 0, 0];
  for (let i = 0; i < out.data.length; i += 4) {
    for (let c = 0; c < 3; c++) { pa[c] = a.data[i + c]; pb[c] = b.data[i + c]; }
    const painted = colourOf(map, map.value(pa, pb));
    out.data[i] = painted[0]; out.data[i + 1] = painted[1]; out.data[i + 2] = painted[2]; out.data[i + 3] = 255;
  }
  context.putImageData(out, 0, 0);
  canvas.dataset.painted = kind;
}

export function colourBar(kind) {
  const map = maps[kind];
  return el('div', { class: 'colour-bar', role: 'img', 'aria-label': `Scale: ${map.scale}, from ${map.ticks[0]} to ${map.ticks[2]}` },
    el('span', { class: 'ramp', style: { background: `linear-gradient(to right, ${ramps[map.ramp].join(', ')})` } }),
    el('span', { class: 'ticks' }, ...map.ticks.map(t => el('span', {}, t))), el('span', { class: 'what' }, map.scale));
}
