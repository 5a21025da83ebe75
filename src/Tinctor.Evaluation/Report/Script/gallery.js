// Image viewer: worst and best images of each model, two versions with a divider or all side by side, and difference maps.

import { choice, dropdown, press, segments } from './controls.js';
import { embedded, gallery, imageOf, images, labels, methodOf, metricOf, metrics, models, scoreText } from './data.js';
import { startDivider } from '../../../Web/divider.js';
import { $, button, el } from '../../../Web/elements.js';
import { distance, fitted, wheelFactor, within, zoomed } from './geometry.js';
import { colourBar, maps, paintMap } from './maps.js';
import { clamp, listing, number } from '../../../Web/numbers.js';
import { sortedBy } from './sorting.js';
import { roleImage, roles, roleTitle } from './versions.js';

const view = {
  model: '', metric: '', end: 'worst', names: [], index: 0,
  mode: 'swipe', show: 'image', left: '', right: 'real', split: 0.5, scale: 1, x: 0, y: 0,
};
const stage = $('stage');
let layers = [], handle = null, controls = null;

/** Worst and best images of a model by a metric. */
export const setOf = (model, metric) => gallery.sets.find(s => s.model === model && s.metric === metric);
const rankedBy = () => [...new Set(gallery.sets.map(s => s.metric))].map(metricOf);
const ends = () => {
  const { worst, best } = setOf(view.model, view.metric);
  return [
    ['worst', `Worst ${worst.length}`], ['best', `Best ${best.length}`],
    ['all', gallery.complete ? 'All' : `All ${gallery.images.length} shown`],
  ];
};

/** Draws the viewer with the worst images of the first model. */
export function drawGallery() {
  Object.assign(view, { model: models[0].key, metric: gallery.sets[0].metric, left: `model:${models[0].key}` });
  const atEachEnd = setOf(view.model, view.metric).worst.length;
  $('gallery-note').textContent = [
    gallery.complete ? 'All images.'
      : `${gallery.images.length} of ${images.length.toLocaleString('en')} images: the worst and best ${atEachEnd} in `
        + `${listing(rankedBy().map(m => m.title))}${models.length > 1 ? ' of each model' : ''}`
        + `${labels.length ? ', and the median of each label' : ''}.`,
    `The report contains JPEG copies of at most ${gallery.max_side} px; `
      + 'maps are computed from the copies, metrics from the original files.',
  ].join(' ');
  drawControls();
  stage.addEventListener('wheel', onWheel, { passive: false });
  stage.addEventListener('pointerdown', onPointerDown);
  stage.addEventListener('pointermove', onPointerMove);
  for (const type of ['pointerup', 'pointercancel']) stage.addEventListener(type, onPointerUp);
  stage.addEventListener('dblclick', event => view.scale > 1 ? reset() : zoomAt(3, ...inPane(event)));
  stage.addEventListener('keydown', onKey);
  $('strip').addEventListener('keydown', onStripKey);
  new ResizeObserver(place).observe(stage);
  choose();
}

// ---- controls

function drawControls() {
  const model = segments('Model', models.map(m => [m.key, m.title]), view.model, pickModel);
  const end = segments('Which images', ends(), view.end, picked => { view.end = picked; choose(); });
  const metric = dropdown('Ranked by', rankedBy().map(m => [m.key, m.title]), view.metric, key => { view.metric = key; choose(); });
  const mode = segments('Mode', [['swipe', 'Swipe'], ['side', 'Side by side']], view.mode, picked => { view.mode = picked; build(); });
  const shown = segments('Show', [['image', 'Image'], ...Object.entries(maps).map(([key, map]) => [key, map.title])], view.show,
    picked => { view.show = picked; build(); });
  const left = sidePick('left', 'Left of the divider'), right = sidePick('right', 'Right of the divider');
  const viewer = el('a', { class: 'screen-only', title: 'Opens the stained and the real image in the viewer' }, 'Open in the viewer');
  controls = { model, end, left, right, viewer, sides: [choice('Left', left), choice('Right', right)] };
  $('sets').append(
    ...(models.length > 1 ? [choice('Model', model)] : []), end, choice('by', metric), el('span', { class: 'grow' }),
    el('span', { class: 'buttons' },
      button('←', 'Previous image', () => show(view.index - 1)), button('→', 'Next image', () => show(view.index + 1)),
      button('−', 'Zoom out', () => zoomBy(1 / 1.5)), button('+', 'Zoom in', () => zoomBy(1.5)), button('Fit', 'Whole image', reset)),
    viewer);
  $('tools').append(mode, shown, ...controls.sides);
}

const sidePick = (side, name) => (roles.length > 3 ? dropdown : segments)(name, roles, view[side], role => pickRole(side, role));
const setPicked = (node, value) => node.tagName === 'SELECT' ? node.value = value : press(node, value);

function pickModel(key) {
  view.model = key;
  view.left = `model:${key}`;
  if (view.right === view.left) view.right = 'real';
  choose();
}

// Both sides cannot show the same version: the other side gets the previous version of this one.
function pickRole(side, role) {
  const other = side === 'left' ? 'right' : 'left';
  if (view[other] === role) view[other] = view[side];
  view[side] = role;
  build();
}

// ---- layers: each shows an image, or a map of one or two images

function layersToShow() {
  const swipe = view.mode === 'swipe', map = maps[view.show];
  const image = role => ({ role, title: roleTitle[role] });
  const mapped = (role, against) => ({
    role, against, map: view.show, title: map.two ? map.name(roleTitle[role], roleTitle[against]) : map.name(roleTitle[role]),
  });
  const all = swipe ? [view.left, view.right] : roles.map(([role]) => role);
  if (!map) return all.map(image);
  if (!map.two) return all.filter(role => swipe || role !== 'source').map(role => mapped(role));
  if (swipe) return [image(view.left), mapped(view.left, view.right)];
  return [image('real'), ...models.map(m => mapped(`model:${m.key}`, 'real'))];
}

function layerNode(layer, entry, right) {
  const tag = el('span', { class: `tag ${right ? 'right' : 'left'}` }, layer.title);
  let picture;
  if (layer.map) {
    picture = el('canvas', { role: 'img', 'aria-label': `${layer.title}, ${entry.name}`, width: 1, height: 1 });
    paintMap(picture, layer.map, roleImage(entry, layer.role), layer.against && roleImage(entry, layer.against)).then(place);
  } else {
    picture = el('img', { src: roleImage(entry, layer.role), alt: `${layer.title} image ${entry.name}`, draggable: 'false' });
    picture.addEventListener('load', place);
  }
  return el('div', { class: 'layer', 'data-role': layer.role }, picture, tag);
}

function build() {
  setPicked(controls.left, view.left);
  setPicked(controls.right, view.right);
  press(controls.model, view.model);
  press(controls.end, view.end);
  controls.sides.forEach(c => c.classList.toggle('hidden', view.mode !== 'swipe'));
  stage.classList.toggle('side', view.mode === 'side');
  const entry = embedded(view.names[view.index]), link = entry.links?.[view.model];
  controls.viewer.classList.toggle('hidden', !link);
  if (link) controls.viewer.href = link;
  const wanted = layersToShow(), swipe = view.mode === 'swipe';
  layers = wanted.map((layer, i) => layerNode(layer, entry, swipe && i === 1));
  handle = swipe ? el('div', {
    class: 'handle', role: 'slider', tabindex: '0', 'aria-orientation': 'horizontal', 'aria-valuemin': '0', 'aria-valuemax': '100',
    'aria-label': `Divider between ${wanted[0].title} and ${wanted[1].title}`,
  }) : null;
  if (handle) startDivider(handle, stage, () => view.split, moveSplit);
  stage.dataset.panes = String(layers.length);
  stage.setAttribute('aria-label', `${listing(wanted.map(l => l.title))} of ${entry.name}`);
  stage.replaceChildren(...layers, ...(handle ? [handle] : []));
  $('scale').replaceChildren(...(maps[view.show] ? [colourBar(view.show)] : []));
  place();
}

// All layers share one transform.
function place() {
  if (!layers.length) return;
  const width = layers[0].clientWidth, height = layers[0].clientHeight;
  const image = imageOf(view.names[view.index]);
  const fit = Math.min(width / image.width, height / image.height);
  const w = image.width * fit, h = image.height * fit, s = view.scale;
  view.x = fitted(view.x, w * s, width);
  view.y = fitted(view.y, h * s, height);
  for (const layer of layers) {
    const picture = layer.firstChild, pixels = picture.naturalWidth ?? picture.width;
    picture.style.width = `${w}px`;
    picture.style.height = `${h}px`;
    picture.style.transform = `translate(${view.x}px, ${view.y}px) scale(${s})`;
    picture.classList.toggle('pixels', pixels > 0 && w * s / pixels > 3);
  }
  stage.classList.toggle('zoomed', s > 1);
  placeSplit();
}

function placeSplit() {
  if (!handle) return;
  const at = `${view.split * 100}%`, left = layers[0].lastChild.textContent;
  layers[0].style.clipPath = `inset(0 calc(100% - ${at}) 0 0)`;
  layers[1].style.clipPath = `inset(0 0 0 ${at})`;
  handle.style.left = at;
  handle.setAttribute('aria-valuenow', String(Math.round(view.split * 100)));
  handle.setAttribute('aria-valuetext', `${Math.round(view.split * 100)}% ${left}`);
}

function moveSplit(to) { view.split = clamp(to, 0, 1); placeSplit(); }

// ---- zoom and pan

function zoomAt(factor, x, y) {
  Object.assign(view, zoomed(view, factor, x, y));
  place();
}
const zoomBy = factor => zoomAt(factor, layers[0].clientWidth / 2, layers[0].clientHeight / 2);
function reset() { view.scale = 1; place(); }

// Position of a pointer inside its pane.
function inPane(event) {
  const pane = (view.mode === 'side' ? layers.find(l => within(l.getBoundingClientRect(), event)) : null) ?? layers[0];
  const box = pane.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function onWheel(event) {
  if (event.deltaY > 0 && view.scale === 1) return; // scroll the page instead
  event.preventDefault();
  zoomAt(wheelFactor(event.deltaY), ...inPane(event));
}

const pointers = new Map();
function onPointerDown(event) {
  if (event.button > 0) return;
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, event);
  stage.classList.add('moving');
}

function onPointerMove(event) {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  if (pointers.size === 1) {
    view.x += event.clientX - before.clientX;
    view.y += event.clientY - before.clientY;
    place();
  } else {
    const other = [...pointers.values()].find(p => p.pointerId !== event.pointerId);
    const [x, y] = inPane(other);
    zoomAt(distance(event, other) / Math.max(1, distance(before, other)), x, y);
  }
  pointers.set(event.pointerId, event);
}

function onPointerUp(event) {
  pointers.delete(event.pointerId);
  stage.classList.toggle('moving', pointers.size > 0);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const action = {
    ArrowLeft: () => show(view.index - 1), ArrowRight: () => show(view.index + 1),
    Home: () => show(0), End: () => show(view.names.length - 1),
    '+': () => zoomBy(1.5), '=': () => zoomBy(1.5), '-': () => zoomBy(1 / 1.5), 0: reset,
    '[': () => moveSplit(view.split - 0.05), ']': () => moveSplit(view.split + 0.05),
  }[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

// ---- choice of images

let thumbs = [];

// All embedded images, the worst first.
function allRanked() {
  const metric = metricOf(view.metric);
  const value = entry => number(imageOf(entry.name).scores[view.model][view.metric]);
  return sortedBy(gallery.images, { value }, !metric.higher_is_better).map(entry => entry.name);
}

function choose(name) {
  const set = setOf(view.model, view.metric), metric = metricOf(view.metric);
  view.names = view.end === 'all' ? allRanked() : set[view.end];
  thumbs = view.names.map((imageName, i) => {
    const image = imageOf(imageName), score = scoreText(image, view.model, metric);
    return el('button', {
      type: 'button', role: 'option', title: imageName, onclick: () => show(i),
      'aria-label': `${imageName}, ${metric.title} ${score}${image.label ? `, label ${image.label}` : ''}`,
    }, el('img', { src: embedded(imageName).stained[view.model], alt: '' }),
    el('span', {}, score), el('span', {}, image.label ? `label ${image.label}` : imageName));
  });
  const chosen = view.end === 'all' ? 'All images shown' : ends().find(e => e[0] === view.end)[1];
  $('strip').setAttribute('aria-label', `${chosen} by ${metric.title}, ${methodOf(view.model).title}`);
  $('strip').replaceChildren(...thumbs);
  show(name ? Math.max(0, view.names.indexOf(name)) : 0);
}

function show(index) {
  const count = view.names.length;
  view.index = (index + count) % count;
  view.scale = 1;
  build();
  const image = imageOf(view.names[view.index]);
  const scores = [...new Set([metricOf(view.metric), ...metrics.slice(0, 2)])].map(m =>
    `${m.title} ${[...models.map(k => (models.length > 1 ? `${k.title} ` : '') + scoreText(image, k.key, m)),
      ...(image.scores.identity ? [`identity ${scoreText(image, 'identity', m)}`] : [])].join(' · ')}`);
  $('caption').replaceChildren(
    el('b', {}, image.name),
    ...[`${view.index + 1} of ${count}`, image.label && `label ${image.label}`, image.slide_id && `slide ${image.slide_id}`,
      `${image.width} × ${image.height} px`, ...scores].filter(Boolean).map(text => el('span', {}, text)));
  thumbs.forEach((t, i) => { t.setAttribute('aria-selected', String(i === view.index)); t.tabIndex = i === view.index ? 0 : -1; });
  const strip = $('strip'), thumb = thumbs[view.index];
  strip.scrollTo({ left: thumb.offsetLeft - strip.offsetLeft - strip.clientWidth / 2 + thumb.offsetWidth / 2 });
}

function onStripKey(event) {
  const to = { ArrowLeft: view.index - 1, ArrowRight: view.index + 1, Home: 0, End: view.names.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  show(to);
  thumbs[view.index].focus();
}

/** Shows an image that was chosen in a table or chart, if it is embedded. */
export function lookAt(name) {
  if (!embedded(name)) return;
  if (!view.names.includes(name)) view.end = 'all';
  choose(name);
  stage.scrollIntoView({ block: 'center' });
  stage.focus({ preventScroll: true });
}
