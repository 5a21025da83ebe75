// Server with drawn slides for the viewer's pages: answers as the real server does, from memory.
// Usage: node fixture.mjs PORT

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';

const pages = new URL('../../build/viewer/', import.meta.url), tileSize = 256;
const policy = "default-src 'self'; img-src 'self' data: blob:";

const slide = (id, name, more) => ({
  id, name, folder: 'cohort/a', width: 8000, height: 6000, mpp: 0.25, magnification: 40, levels: 6, format: 'OME-TIFF', bytes: 123456789,
  modified: '2026-03-01T10:00:00Z', channels: [], isFluorescence: false, results: [], associated: [], overlays: [], staining: null,
  layers: ['source', 'haematoxylin', 'eosin', 'dab'], metadata: { Vendor: 'Fixture', Scanner: 'None' }, ...more,
});
export const slides = [
  slide('he1', 'kidney-he.ome.tif', {
    associated: ['label', 'overview'],
    results: [{ id: 'ihc1', name: 'kidney-he stained', model: 'HE to Ki67', kind: 'stained', complete: true }],
  }),
  slide('ihc1', 'kidney-he-stained.ome.tif', { width: 4000, height: 3000, mpp: 0.5 }),
  slide('fluo', 'cells-fluorescence.ndpi', {
    isFluorescence: true, layers: ['source'], mpp: null, magnification: null,
    channels: [{ name: 'DAPI', color: '#3050ff', low: 4, high: 200 }, { name: 'TRITC', color: '#ff5030', low: 0, high: 90 }]
      .map(channel => ({ ...channel, autoLow: 2, autoHigh: 150, most: 255 })),
  }),
  slide('bad', 'broken.svs', { layers: ['source'] }),
  slide('unreadable', 'empty.svs', { width: 0, height: 0, mpp: null, layers: [], error: 'empty.svs: the file is empty. Copy it again.' }),
];
const models = [{
  id: 'm1', name: 'HE to Ki67', kind: 'staining', method: 'pix2pix', source: 'HE', target: 'Ki67', mpp: 0.5, parameters: 54413955,
  created: '2026-02-01T00:00:00Z', heading: 'HE to Ki67', scores: [{ name: 'Validation', text: 'SSIM 0.43' }], folder: 'models/ki67',
}];
const card = '# HE to Ki67\n\nTrained on **12** slides. <script>alert(1)</script>\n\n| Metric | Value |\n|---|---|\n| SSIM | 0.43 |\n\n'
  + '[site](https://example.org) [bad](javascript:alert(1)) ![x](https://example.org/x.png)\n';
const points = scale => Array.from({ length: 50 }, (_, i) => [i * 100, scale * Math.exp(-i / 20) + 0.05 * Math.sin(i)]);
const runs = [{ id: 'r1', name: 'ki67-a', method: 'pix2pix', step: 4900, steps: 10000, state: 'running' },
  { id: 'r2', name: 'ki67-b', method: 'cut', step: 10000, steps: 10000, state: 'finished' }];
const runDetails = { curves: [{ name: 'loss.generator', points: points(3) }, { name: 'loss.discriminator', points: points(1) }],
  samples: [{ step: 2000, url: '/api/v1/runs/r1/samples/2000.png' }, { step: 4000, url: '/api/v1/runs/r1/samples/4000.png' }] };
const jobs = [{ id: 'j1', slide: 'he1', slideName: 'kidney-he.ome.tif', model: 'm1', modelName: 'HE to Ki67',
  state: 'running', done: 30, total: 100,
  created: '2026-03-01T10:00:00Z',
  updated: '2026-03-01T10:00:00Z' }];

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]), length = Buffer.alloc(4), crc = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  crc.writeUInt32BE((body.reduce((c, byte) => crcTable[(c ^ byte) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0);
  return Buffer.concat([length, body, crc]);
}
function png(width, height, colourAt) {
  const rows = Buffer.alloc(height * (1 + 3 * width)), head = Buffer.alloc(13);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows.set(colourAt(x, y), y * (1 + 3 * width) + 1 + 3 * x);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows, { level: 1 })),
    chunk('IEND', Buffer.alloc(0))]);
}

const tints = { source: [190, 60, 150], haematoxylin: [60, 60, 170], eosin: [230, 90, 140], dab: [140, 90, 40] };
// Discs on a grid in a round section: a position on the slide as a share of its width gives the colour.
function colourOf(id, layer, u, v) {
  if ((u - 0.5) ** 2 + (v - 0.375) ** 2 > 0.12) return [243, 240, 244];
  const x = u * 60 % 1 - 0.5, y = v * 60 % 1 - 0.5, tint = id === 'ihc1' ? tints.dab : tints[layer] ?? tints.source;
  return x * x + y * y < 0.08 ? tint : tint.map(c => Math.round(200 + c / 5));
}
function tile(of, layer, level, column, row) {
  const scale = 2 ** (Math.ceil(Math.log2(Math.max(of.width, of.height))) - level);
  const width = Math.min(tileSize, Math.ceil(of.width / scale) - column * tileSize);
  const height = Math.min(tileSize, Math.ceil(of.height / scale) - row * tileSize);
  if (width <= 0 || height <= 0) return null;
  return png(width, height, (x, y) =>
    colourOf(of.id, layer, (column * tileSize + x) * scale / of.width, (row * tileSize + y) * scale / of.width));
}

/** Starts the server. options: jobs (whether it has jobs), slides. Returns its address, the requests that it received, and regions. */
export async function startFixture(options = {}, port = 0) {
  const listed = options.slides ?? slides, state = { requests: [], regions: new Map(), writes: [] };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://fixture');
    state.requests.push(pathname);
    const answer = (status, type, body) => {
      response.writeHead(status, { 'Content-Type': type, 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff' });
      response.end(body);
    };
    const json = (value, status = 200) =>
      answer(status, status < 400 ? 'application/json' : 'application/problem+json', JSON.stringify(value));
    const missing = () => json({ title: 'Not found', detail: 'There is no such resource.', status: 404 }, 404);
    const parts = pathname.split('/').slice(1).map(decodeURIComponent);
    if (pathname === '/' || pathname === '/view')
      return answer(200, 'text/html; charset=utf-8', readFileSync(new URL(pathname === '/' ? 'index.html' : 'view.html', pages)));
    if (parts[0] === 'assets') {
      const file = new URL(`assets/${parts[1]}`, pages);
      return existsSync(file) ? answer(200, file.pathname.endsWith('.js') ? 'text/javascript' : 'text/css', readFileSync(file)) : missing();
    }
    if (pathname === '/openapi/v1.json') {
      const optional = [...options.jobs ? ['jobs'] : [], ...options.regions === false ? [] : ['slides/{id}/regions']];
      return json({ openapi: '3.1.1', paths: Object.fromEntries(optional.map(path => [`/api/v1/${path}`, {}])) });
    }
    if (parts[0] !== 'api') return missing();
    const [, , kind, id, part, name, file] = parts;
    if (request.method !== 'GET') {
      if (request.headers['x-tinctor'] !== '1') return json({ title: 'Forbidden', status: 403 }, 403);
      let body = '';
      request.on('data', data => { body += data; });
      request.on('end', () => {
        state.writes.push({ method: request.method, pathname, body });
        if (part === 'regions') state.regions.set(id, body);
        json({});
      });
      return;
    }
    if (kind === 'info') return json({ name: 'Tinctor', version: '0.0.0', researchUseOnly: true });
    if (kind === 'models') return json(id ? { ...models[0], card } : models);
    if (kind === 'runs' && part === 'events' || kind === 'jobs' && id === 'events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const event = kind === 'runs' ? { step: 5000, values: { 'loss.generator': 0.5, 'score.ssim': 0.4 } } : { ...jobs[0], done: 55 };
      response.write(`data: ${JSON.stringify(event)}\n\n`);
      return;
    }
    if (kind === 'runs' && part === 'samples')
      return answer(200, 'image/png', png(300, 100, (x, y) => colourOf('he1', 'source', x / 300, y / 133)));
    if (kind === 'runs') return json(id ? { ...runs.find(run => run.id === id), ...runDetails } : runs);
    if (kind === 'jobs') return options.jobs ? json(jobs) : missing();
    if (kind !== 'slides') return missing();
    if (!id) {
      const search = (searchParams.get('search') ?? '').toLowerCase(), found = listed.filter(s => s.name.toLowerCase().includes(search));
      const offset = Number(searchParams.get('offset') ?? 0);
      return json({ total: found.length, items: found.slice(offset, offset + Number(searchParams.get('limit') ?? 100)) });
    }
    const of = listed.find(s => s.id === id);
    if (!of) return missing();
    if (!part) return json(of);
    if (part === 'regions') {
      if (options.regions === false) return missing();
      return answer(200, 'application/geo+json', state.regions.get(id) ?? '{"type":"FeatureCollection","features":[]}');
    }
    if (of.id === 'bad')
      return json({ title: 'Unreadable', detail: 'broken.svs: the file ends too early. Copy it again.', status: 422 }, 422);
    if (part === 'thumbnail') return answer(200, 'image/png', png(256, 192, (x, y) => colourOf(id, 'source', x / 256, y / 256)));
    if (part === 'associated') return answer(200, 'image/png', png(200, 120, () => [200, 210, 200]));
    if (part === 'dzi' && name.endsWith('.dzi'))
      return answer(200, 'application/xml',
        '<?xml version="1.0" encoding="UTF-8"?><Image xmlns="http://schemas.microsoft.com/deepzoom/2008" '
        + `Format="jpg" Overlap="0" TileSize="${tileSize}"><Size Width="${of.width}" Height="${of.height}"/></Image>`);
    if (part === 'dzi' && name.endsWith('_files')) {
      const [column, row] = parts[7].replace('.jpg', '').split('_').map(Number);
      const image = tile(of, name.slice(0, -6), Number(file), column, row);
      return image ? answer(200, 'image/png', image) : missing();
    }
    return missing();
  });
  await new Promise(resolve => { server.listen(port, '127.0.0.1', resolve); });
  return {
    ...state, address: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise(resolve => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log((await startFixture({ jobs: true }, Number(process.argv[2] ?? 8090))).address);
