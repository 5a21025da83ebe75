// Maps computed from the embedded images: difference of two images, DAB density. Each has a fixed scale, shown with its colour bar.

const ramps = {
  ember: ['#000004', '#1b0c41', '#4a0c6b', '#781c6d', '#a52c60', '#cf4446', '#ed6925', '#fb9b06', '#f7d13d', '#fcffa4'],
  brown: ['#fbfaf8', '#ecd9bf', '#d2a878', '#a9743f', '#74451b', '#43230a', '#1c0d03'],
  balance: ['#0f3b73', '#3f78b5', '#9cc3df', '#f4f2ef', '#e2b98d', '#ab6a2b', '#5c2c06'],
};

const maps = {
  difference: {
    title: 'Difference', ramp: 'ember', low: 0, high: 100, two: true, ticks: ['0', '50', '≥ 100'],
    name: (a, b) => `|${a} − ${b}|`, scale: 'mean absolute difference of R, G and B in grey levels',
    of: (a, b) => (Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) + Math.abs(a[2] - b[2])) / 3,
  },
  dab: {
    title: 'DAB', ramp: 'brown', low: 0, high: 1, ticks: ['0', '0.5', '≥ 1'],
    name: a => `DAB, ${a}`, scale: 'optical density of DAB (decimal)', of: a => dabOf(a),
  },
  dab_difference: {
    title: 'DAB difference', ramp: 'balance', low: -0.5, high: 0.5, two: true, ticks: ['≤ −0.5', '0', '≥ 0.5'],
    name: (a, b) => `DAB, ${a} − ${b}`, scale: 'difference in optical density of DAB (decimal): brown: too much, blue: too little',
    of: (a, b) => dabOf(a) - dabOf(b),
  },
};

if (!hasDab) for (const kind of ['dab', 'dab_difference']) delete maps[kind];

const density = Float64Array.from({ length: 256 }, (_, v) => Math.log10(255 / Math.max(1, v)));
const dabOf = ([r, g, b]) => Math.max(0, gallery.dab[0] * density[r] + gallery.dab[1] * density[g] + gallery.dab[2] * density[b]);

const hex = text => [1, 3, 5].map(i => parseInt(text.slice(i, i + 2), 16));
const tables = Object.fromEntries(Object.entries(ramps).map(([name, stops]) => {
  const colours = stops.map(hex);
  return [name, Array.from({ length: 256 }, (_, i) => {
    const at = i / 255 * (colours.length - 1), k = Math.min(colours.length - 2, Math.floor(at));
    return colours[k].map((c, n) => Math.round(c + (at - k) * (colours[k + 1][n] - c)));
  })];
}));

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

// Paints a map of one image, or of two of the same size, into a canvas.
async function paintMap(canvas, kind, first, second) {
  const map = maps[kind], table = tables[map.ramp];
  const a = await pixelsOf(first), b = map.two ? await pixelsOf(second) : a;
  canvas.width = a.width;
  canvas.height = a.height;
  const context = canvas.getContext('2d'), out = context.createImageData(a.width, a.height);
  const pa = [0, 0, 0], pb = [0, 0, 0], to = 255 / (map.high - map.low);
  for (let i = 0; i < out.data.length; i += 4) {
    for (let c = 0; c < 3; c++) { pa[c] = a.data[i + c]; pb[c] = b.data[i + c]; }
    const painted = table[clamp(Math.round((map.of(pa, pb) - map.low) * to), 0, 255)];
    out.data[i] = painted[0]; out.data[i + 1] = painted[1]; out.data[i + 2] = painted[2]; out.data[i + 3] = 255;
  }
  context.putImageData(out, 0, 0);
  canvas.dataset.painted = kind;
}

function colourBar(kind) {
  const map = maps[kind];
  return el('div', { class: 'colour-bar', role: 'img', 'aria-label': `Scale: ${map.scale}, from ${map.ticks[0]} to ${map.ticks[2]}` },
    el('span', { class: 'ramp', style: { background: `linear-gradient(to right, ${ramps[map.ramp].join(', ')})` } }),
    el('span', { class: 'ticks' }, ...map.ticks.map(t => el('span', {}, t))), el('span', { class: 'what' }, map.scale));
}
