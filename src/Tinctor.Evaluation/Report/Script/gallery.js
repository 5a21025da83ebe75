// Image viewer: worst and best images of each model, two versions with a divider or all side by side, and difference maps.

const galleryOf = new Map(gallery.images.map(entry => [entry.name, entry]));
const roles = [
  ...(gallery.images.every(i => i.source) ? [['source', 'Source']] : []), ...models.map(m => [`model:${m.key}`, m.title]), ['real', 'Real'],
];
const roleTitle = Object.fromEntries(roles);
const roleImage = (entry, role) => role.startsWith('model:') ? entry.stained[role.slice(6)] : entry[role];
const view = {
  model: models[0].key, metric: gallery.sets[0].metric, end: 'worst', names: [], index: 0,
  mode: 'swipe', show: 'image', left: `model:${models[0].key}`, right: 'real', split: 0.5, scale: 1, x: 0, y: 0,
};
const stage = $('stage');
let layers = [], handle = null;

const rankedBy = [...new Set(gallery.sets.map(s => s.metric))].map(metricOf);
const setOf = (model, metric) => gallery.sets.find(s => s.model === model && s.metric === metric);
const ends = [
  ['worst', `Worst ${setOf(view.model, view.metric).worst.length}`], ['best', `Best ${setOf(view.model, view.metric).best.length}`],
  ['all', gallery.complete ? 'All' : `All ${gallery.images.length} shown`],
];

const anEnd = setOf(view.model, view.metric).worst.length;
$('gallery-note').textContent = [
  gallery.complete ? 'All images.'
    : `${gallery.images.length} of ${images.length.toLocaleString('en')} images: the worst and best ${anEnd} in ${listing(rankedBy.map(m => m.title))}`
      + `${models.length > 1 ? ' of each model' : ''}${labels.length ? ', and the median of each label' : ''}.`,
  `The report contains JPEG copies of at most ${gallery.max_side} px; maps are computed from the copies, metrics from the original files.`,
].join(' ');

// ---- controls

const modelPick = segments('Model', models.map(m => [m.key, m.title]), view.model, key => {
  view.model = key;
  view.left = `model:${key}`;
  if (view.right === view.left) view.right = 'real';
  choose();
});
const metricPick = dropdown('Ranked by', rankedBy.map(m => [m.key, m.title]), view.metric, key => { view.metric = key; choose(); });
const endPick = segments('Which images', ends, view.end, end => { view.end = end; choose(); });
const modePick = segments('Mode', [['swipe', 'Swipe'], ['side', 'Side by side']], view.mode, mode => { view.mode = mode; build(); });
const showPick = segments('Show', [['image', 'Image'], ...Object.entries(maps).map(([k, m]) => [k, m.title])], view.show,
  show => { view.show = show; build(); });
const sidePick = side => roles.length > 3
  ? dropdown(side === 'left' ? 'Left of the divider' : 'Right of the divider', roles, view[side], role => pickRole(side, role))
  : segments(side === 'left' ? 'Left of the divider' : 'Right of the divider', roles, view[side], role => pickRole(side, role));
const leftPick = sidePick('left'), rightPick = sidePick('right');
const sideChoices = [choice('Left', leftPick), choice('Right', rightPick)];
const setPicked = (node, value) => node.tagName === 'SELECT' ? node.value = value : press(node, value);

$('sets').append(
  ...(models.length > 1 ? [choice('Model', modelPick)] : []), endPick, choice('by', metricPick), el('span', { class: 'grow' }),
  el('span', { class: 'buttons' },
    button('←', 'Previous image', () => show(view.index - 1)), button('→', 'Next image', () => show(view.index + 1)),
    button('−', 'Zoom out', () => zoomBy(1 / 1.5)), button('+', 'Zoom in', () => zoomBy(1.5)), button('Fit', 'Whole image', reset)));
$('tools').append(modePick, showPick, ...sideChoices);

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
  setPicked(leftPick, view.left);
  setPicked(rightPick, view.right);
  press(modelPick, view.model);
  press(endPick, view.end);
  sideChoices.forEach(c => c.classList.toggle('hidden', view.mode !== 'swipe'));
  stage.classList.toggle('side', view.mode === 'side');
  const entry = galleryOf.get(view.names[view.index]), wanted = layersToShow(), swipe = view.mode === 'swipe';
  layers = wanted.map((layer, i) => layerNode(layer, entry, swipe && i === 1));
  handle = swipe ? el('div', {
    class: 'handle', role: 'slider', tabindex: '0', 'aria-orientation': 'horizontal', 'aria-valuemin': '0', 'aria-valuemax': '100',
    'aria-label': `Divider between ${wanted[0].title} and ${wanted[1].title}`, onpointerdown: startSplit, onkeydown: splitKeys,
  }) : null;
  stage.dataset.panes = layers.length;
  stage.setAttribute('aria-label', `${listing(wanted.map(l => l.title))} of ${entry.name}`);
  stage.replaceChildren(...layers, ...(handle ? [handle] : []));
  $('scale').replaceChildren(...(maps[view.show] ? [colourBar(view.show)] : []));
  place();
}

// All layers share one transform.
function place() {
  if (!layers.length) return;
  const width = layers[0].clientWidth, height = layers[0].clientHeight;
  const image = imageOf.get(view.names[view.index]);
  const fit = Math.min(width / image.width, height / image.height);
  const w = image.width * fit, h = image.height * fit, s = view.scale;
  const limit = (offset, size, room) => size * s <= room ? (room - size * s) / 2 : clamp(offset, room - size * s, 0);
  view.x = limit(view.x, w, width);
  view.y = limit(view.y, h, height);
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

function startSplit(event) {
  event.stopPropagation();
  handle.setPointerCapture(event.pointerId);
  const move = e => { const box = stage.getBoundingClientRect(); moveSplit((e.clientX - box.left) / box.width); };
  const end = () => ['pointermove', 'pointerup', 'pointercancel'].forEach((type, i) => handle.removeEventListener(type, i ? end : move));
  handle.addEventListener('pointermove', move);
  handle.addEventListener('pointerup', end);
  handle.addEventListener('pointercancel', end);
}

function splitKeys(event) {
  const to = { ArrowLeft: view.split - 0.02, ArrowRight: view.split + 0.02, Home: 0, End: 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  moveSplit(to);
}

// ---- zoom and pan

function zoomAt(factor, x, y) {
  const scale = clamp(view.scale * factor, 1, 24), by = scale / view.scale;
  view.x = x - (x - view.x) * by;
  view.y = y - (y - view.y) * by;
  view.scale = scale;
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
const within = (box, e) => e.clientX >= box.left && e.clientX <= box.right && e.clientY >= box.top && e.clientY <= box.bottom;

stage.addEventListener('wheel', event => {
  if (event.deltaY > 0 && view.scale === 1) return; // scroll the page instead
  event.preventDefault();
  zoomAt(Math.exp(-clamp(event.deltaY, -240, 240) * 0.0025), ...inPane(event));
}, { passive: false });

const pointers = new Map();
stage.addEventListener('pointerdown', event => {
  if (event.button > 0) return;
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, event);
  stage.classList.add('moving');
});
stage.addEventListener('pointermove', event => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  if (pointers.size === 1) {
    view.x += event.clientX - before.clientX;
    view.y += event.clientY - before.clientY;
    place();
  } else {
    const other = [...pointers.values()].find(p => p.pointerId !== event.pointerId);
    const distance = p => Math.hypot(p.clientX - other.clientX, p.clientY - other.clientY);
    const [x, y] = inPane(other);
    zoomAt(distance(event) / Math.max(1, distance(before)), x, y);
  }
  pointers.set(event.pointerId, event);
});
for (const type of ['pointerup', 'pointercancel'])
  stage.addEventListener(type, event => {
    pointers.delete(event.pointerId);
    stage.classList.toggle('moving', pointers.size > 0);
  });
stage.addEventListener('dblclick', event => view.scale > 1 ? reset() : zoomAt(3, ...inPane(event)));
stage.addEventListener('keydown', event => {
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
});
new ResizeObserver(place).observe(stage);

// ---- choice of images

const scoreText = (image, model, metric) => format(image.scores[model]?.[metric.key], metric.digits) + unitOf(metric);
let thumbs = [];

// All embedded images, the worst first.
function allRanked() {
  const metric = metricOf(view.metric), sign = metric.higher_is_better ? 1 : -1;
  const value = entry => number(imageOf.get(entry.name).scores[view.model][view.metric]);
  return gallery.images.toSorted((a, b) => comparing({ value }, sign < 0)(a, b)).map(entry => entry.name);
}

function choose(name) {
  const set = setOf(view.model, view.metric), metric = metricOf(view.metric);
  view.names = view.end === 'all' ? allRanked() : set[view.end];
  thumbs = view.names.map((imageName, i) => {
    const image = imageOf.get(imageName), score = scoreText(image, view.model, metric);
    return el('button', {
      type: 'button', role: 'option', title: imageName, onclick: () => show(i),
      'aria-label': `${imageName}, ${metric.title} ${score}${image.label ? `, label ${image.label}` : ''}`,
    }, el('img', { src: galleryOf.get(imageName).stained[view.model], alt: '' }),
    el('span', {}, score), el('span', {}, image.label ? `label ${image.label}` : imageName));
  });
  $('strip').setAttribute('aria-label',
    `${view.end === 'all' ? 'All images shown' : ends.find(e => e[0] === view.end)[1]} by ${metric.title}, ${methodOf(view.model).title}`);
  $('strip').replaceChildren(...thumbs);
  show(name ? Math.max(0, view.names.indexOf(name)) : 0);
}

function show(index) {
  const count = view.names.length;
  view.index = (index + count) % count;
  view.scale = 1;
  build();
  const image = imageOf.get(view.names[view.index]);
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
$('strip').addEventListener('keydown', event => {
  const to = { ArrowLeft: view.index - 1, ArrowRight: view.index + 1, Home: 0, End: view.names.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  show(to);
  thumbs[view.index].focus();
});
choose();

// Shows an image that was chosen in a table or chart, if it is embedded.
function lookAt(name) {
  if (!galleryOf.has(name)) return;
  if (!view.names.includes(name)) view.end = 'all';
  choose(name);
  stage.scrollIntoView({ block: 'center' });
  stage.focus({ preventScroll: true });
}

// ---- print: plates of the worst and best images of each model, prepared when the browser is idle

const plateMaps = ['difference', 'dab_difference'].filter(kind => maps[kind]);

function plate(name, model, metric) {
  const entry = galleryOf.get(name), image = imageOf.get(name);
  const shown = roles.filter(([role]) => !role.startsWith('model:') || role === `model:${model}`);
  const pictures = shown.map(([role, title]) =>
    el('div', {}, el('img', { src: roleImage(entry, role), alt: '' }), el('span', {}, title)));
  const canvases = plateMaps.map(kind => {
    const canvas = el('canvas');
    canvas.paint = () => paintMap(canvas, kind, entry.stained[model], entry.real);
    return canvas;
  });
  const details = [image.label && `label ${image.label}`, `${metric.title} ${scoreText(image, model, metric)}`].filter(Boolean);
  return el('figure', { class: 'plate' },
    el('div', { class: 'row' }, ...pictures, ...canvases.map((c, i) => el('div', {}, c, el('span', {}, maps[plateMaps[i]].title)))),
    el('figcaption', {}, el('b', {}, name), ` ${details.join(' · ')}`));
}

async function preparePlates() {
  const metric = metricOf(gallery.sets.find(s => s.metric === 'ssim') ? 'ssim' : gallery.sets[0].metric);
  for (const model of models) {
    const set = setOf(model.key, metric.key);
    for (const end of ['worst', 'best'])
      $('plates').append(el('h3', {}, `${end === 'worst' ? 'Worst' : 'Best'} ${set[end].length} by ${metric.title}: ${model.title}`),
        ...set[end].map(name => plate(name, model.key, metric)));
  }
  $('plates').append(...plateMaps.map(kind => el('div', { class: 'scale' }, el('b', {}, maps[kind].title), colourBar(kind))));
  const idle = () => new Promise(resolve => (window.requestIdleCallback ?? setTimeout)(resolve));
  for (const canvas of $('plates').querySelectorAll('canvas')) {
    await idle();
    await canvas.paint();
  }
  await Promise.all([...$('plates').querySelectorAll('img')].map(image => image.decode()));
  $('plates').dataset.ready = '';
}
