// Plates for print: the worst and best images of each model, prepared when the browser is idle.

import { embedded, gallery, imageOf, metricOf, models, scoreText } from './data.js';
import { $, el } from '../../../Web/elements.js';
import { setOf } from './gallery.js';
import { colourBar, maps, paintMap } from './maps.js';
import { roleImage, roles } from './versions.js';

const paints = [];
const plateMaps = ['difference', 'dab_difference'].filter(kind => maps[kind]);

function plate(name, model, metric) {
  const entry = embedded(name), image = imageOf(name);
  const shown = roles.filter(([role]) => !role.startsWith('model:') || role === `model:${model}`);
  const pictures = shown.map(([role, title]) =>
    el('div', {}, el('img', { src: roleImage(entry, role), alt: '' }), el('span', {}, title)));
  const canvases = plateMaps.map(kind => {
    const canvas = el('canvas');
    paints.push(() => paintMap(canvas, kind, entry.stained[model], entry.real));
    return canvas;
  });
  const details = [image.label && `label ${image.label}`, `${metric.title} ${scoreText(image, model, metric)}`].filter(Boolean);
  return el('figure', { class: 'plate' },
    el('div', { class: 'row' }, ...pictures, ...canvases.map((c, i) => el('div', {}, c, el('span', {}, maps[plateMaps[i]].title)))),
    el('figcaption', {}, el('b', {}, name), ` ${details.join(' · ')}`));
}

/** Draws all plates; the element has the attribute data-ready afterwards. */
export async function preparePlates() {
  const metric = metricOf(gallery.sets.find(s => s.metric === 'ssim') ? 'ssim' : gallery.sets[0].metric);
  for (const model of models) {
    const set = setOf(model.key, metric.key);
    for (const end of ['worst', 'best'])
      $('plates').append(el('h3', {}, `${end === 'worst' ? 'Worst' : 'Best'} ${set[end].length} by ${metric.title}: ${model.title}`),
        ...set[end].map(name => plate(name, model.key, metric)));
  }
  $('plates').append(...plateMaps.map(kind => el('div', { class: 'scale' }, el('b', {}, maps[kind].title), colourBar(kind))));
  const idle = () => new Promise(resolve => (window.requestIdleCallback ?? setTimeout)(resolve));
  for (const paint of paints) {
    await idle();
    await paint();
  }
  await Promise.all([...$('plates').querySelectorAll('img')].map(image => image.decode()));
  $('plates').dataset.ready = '';
}
