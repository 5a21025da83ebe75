// Page that shows a slide and compares it with its results.

import './view.css';
import OpenSeadragon from 'openseadragon';
import { startDivider } from '../../../Web/divider.js';
import { addressOf, get, getText, messageOf, modelLayer, modelOf, RequestError } from '../api.ts';
import type { Model, Slide } from '../api.ts';
import { byId, el, fill, showProblem, startTheme } from '../page.ts';
import { startChannels } from './channels.ts';
import type { ChannelPanel } from './channels.ts';
import { registeredLayer, registrationOf } from '../registrations.ts';
import type { Registration } from '../registrations.ts';
import { startOtherSlides } from './choose.ts';
import { showDetails } from './details.ts';
import { icon } from './icons.ts';
import type { IconName } from './icons.ts';
import type { Measuring } from './measure.ts';
import type { Regions } from './regions.ts';
import { saveFile } from './save.ts';
import { magnificationText, objectiveOf, scaleBar } from './scale.ts';
import type { ScaleBar } from './scale.ts';
import { takeShot } from './screenshot.ts';
import { startShortcuts } from './shortcuts.ts';
import { startStaining } from './staining.ts';
import type { Staining } from './staining.ts';
import { formatState, initialState, modes, parseState } from './state.ts';
import type { Mode, Picture, ViewState } from './state.ts';
import { startUncertainty } from './uncertainty.ts';
import type { Uncertainty } from './uncertainty.ts';
import { canvasOf, createPanes, relativeWidth } from './viewer.ts';
import type { Panes } from './viewer.ts';

const layerTitles: Record<string, string> = { source: 'Source', haematoxylin: 'Haematoxylin', eosin: 'Eosin', dab: 'DAB' };
const modeTitles: Record<Mode, string> = {
  single: 'One picture', side: 'Side by side', curtain: 'Curtain', opacity: 'Opacity', flicker: 'Flicker',
};
const problem = (text: string | null, retry?: () => void) => showProblem(byId('problem'), text, retry);
const stage = byId('stage');

let state: ViewState, slide: Slide, panes: Panes, regions: Regions | null = null, bar: ScaleBar | null = null;
let staining: Staining | null = null;
let channels: ChannelPanel | null = null;
let uncertainty: Uncertainty | null = null;
let measuring: Measuring | null = null;
let models: Model[] = [];
let registrations: Registration[] = [];
const slides = new Map<string, Slide>();

const key = (picture: Picture) => `${picture.slide}/${picture.layer}`;
async function slideOf(id: string): Promise<Slide> {
  const known = slides.get(id) ?? await get<Slide>(`slides/${encodeURIComponent(id)}`);
  slides.set(id, known);
  return known;
}

const nameOfModel = (id: string) => models.find(model => model.id === id)?.name ?? 'a model';

function titleOf(picture: Picture): string {
  const registered = registrationOf(picture.layer);
  if (registered) {
    const name = registrations.find(one => one.id === registered.registration)?.target.name ?? 'A slide';
    return `${name} (registered)${registered.layer === 'source' ? '' : `: ${layerTitles[registered.layer] ?? registered.layer}`}`;
  }
  const model = modelOf(picture.layer), layer = model === null ? layerTitles[picture.layer] ?? picture.layer : nameOfModel(model);
  if (picture.slide === slide.id) return layer;
  const result = slide.results.find(r => r.id === picture.slide);
  const name = result ? result.model && result.kind === 'stained' ? result.model : result.name
    : slides.get(picture.slide)?.name ?? picture.slide;
  return picture.layer === 'source' ? name : `${name}: ${layer}`;
}

// ---- the address

let addressTimer = 0;
function keepAddress(): void {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => history.replaceState(null, '', `${location.pathname}${formatState(state)}`), 200);
}

const baseImage = () => panes.first.world.getItemCount() > 0 ? panes.first.world.getItemAt(0) : null;

/** Pixels of the screen per pixel of the slide of the address. */
const zoomNow = () => panes.first.viewport.getZoom(true) * panes.first.viewport.getContainerSize().x / slide.width;

function readView(): void {
  const { x, y } = panes.first.viewport.getCenter(true);
  state.centre = { x: x * slide.width, y: y * slide.width, zoom: zoomNow() };
  state.rotation = ((panes.first.viewport.getRotation(true) + 540) % 360 + 360) % 360 - 180;
  keepAddress();
}

function applyView(): void {
  const { viewport } = panes.first, { centre } = state;
  viewport.setRotation(state.rotation, true);
  if (!centre) return void viewport.goHome(true);
  viewport.zoomTo(centre.zoom * slide.width / viewport.getContainerSize().x, undefined, true);
  viewport.panTo(new OpenSeadragon.Point(centre.x / slide.width, centre.y / slide.width), true);
}

// ---- what surrounds the picture

function showScale(): void {
  if (!baseImage()) return;
  const zoom = zoomNow();
  bar = slide.mpp === null ? null : scaleBar(slide.mpp / zoom, Math.min(180, stage.clientWidth / 3));
  byId('scale').hidden = bar === null;
  if (bar) {
    byId('scale-label').textContent = bar.label;
    byId('scale-line').style.width = `${bar.pixels}px`;
  }
  byId('magnification').textContent = `Magnification ${magnificationText(objectiveOf(slide), zoom)}`;
  byId('resolution').textContent = slide.mpp === null ? 'Resolution not stated'
    : `${Number((slide.mpp / zoom).toPrecision(3))} µm per screen pixel`;
  const { x, y } = panes.first.viewport.getCenter(true);
  const [column, row] = [x, y].map(value => Math.round(value * slide.width).toLocaleString('en'));
  byId('position').textContent = `Centre ${column}, ${row} px`;
}

const filterText = () => `brightness(${state.brightness}) contrast(${state.contrast})`;
function showDisplay(): void {
  for (const viewer of [panes.first, panes.second])
    canvasOf(viewer).style.filter = state.brightness === 1 && state.contrast === 1 ? '' : filterText();
  for (const name of ['brightness', 'contrast', 'opacity'] as const) {
    byId<HTMLInputElement>(name).value = String(state[name]);
    byId(`${name}-value`).textContent = `${Math.round(state[name] * 100)}%`;
  }
  byId<HTMLInputElement>('rotation').value = String(Math.round(state.rotation));
  byId('rotation-value').textContent = `${Math.round(state.rotation)}°`;
  byId('opacity-label').hidden = state.mode !== 'opacity';
  const curtain = byId('curtain');
  curtain.hidden = state.mode !== 'curtain';
  curtain.style.left = `${state.split * 100}%`;
  curtain.setAttribute('aria-valuenow', String(Math.round(state.split * 100)));
}

function showTags(): void {
  const compared = state.mode === 'single' ? null : state.compared;
  byId('first-tag').textContent = titleOf(state.shown);
  byId('second-tag').hidden = compared === null;
  byId('second-tag').textContent = compared ? titleOf(compared) : '';
}

// ---- pictures

async function showPictures(): Promise<void> {
  const compared = state.mode === 'single' ? null : state.compared;
  try {
    const pictures = await Promise.all([state.shown, ...(compared ? [compared] : [])]
      .map(async picture => ({ picture, slide: await slideOf(picture.slide), channels: channels?.queryOf(picture) ?? null })));
    stage.classList.toggle('side', state.mode === 'side');
    byId('second').hidden = state.mode === 'single';
    showTags();
    await panes.show(await uncertainty?.follow(pictures) ?? pictures, state.mode);
    channels?.follow(pictures);
    staining?.follow(pictures.map(({ picture }) => picture));
    measuring?.follow(state.shown, compared);
    setRegionScale();
    problem(null);
  } catch (error) {
    problem(messageOf(error), () => void showPictures());
  }
  for (const button of byId('modes').querySelectorAll('button'))
    button.setAttribute('aria-pressed', String(button.dataset.mode === state.mode));
  select('shown', state.shown);
  select('compared', state.compared);
  showTags();
  showDisplay();
  keepAddress();
}

// Annotorious counts in pixels of the shown picture, regions in those of the slide.
function setRegionScale(): void {
  const shown = slides.get(state.shown.slide);
  if (shown) regions?.setScale(shown.width / (slide.width * relativeWidth(shown, slide)));
}

function options(): HTMLElement[] {
  const own = slide.layers.map(layer => el('option', { value: `${slide.id}/${layer}` }, layerTitles[layer] ?? layer));
  const results = slide.results.map(result => el('option', { value: `${result.id}/source` },
    titleOf({ slide: result.id, layer: 'source' })));
  const group = (label: string, items: HTMLElement[]) => items.length > 0 ? [el('optgroup', { label }, ...items)] : [];
  const demand = models.map(model => el('option', { value: `${slide.id}/${modelLayer(model.id)}` }, model.name));
  const registered = registrations.map(one => {
    const picture = { slide: slide.id, layer: registeredLayer(one.id) };
    return el('option', { value: key(picture) }, titleOf(picture));
  });
  return [...group('This slide', own), ...group('Results', results), ...group('Registered slides', registered),
    ...group('Stain with', demand)];
}

function select(id: 'shown' | 'compared', picture: Picture | null): void {
  const list = byId<HTMLSelectElement>(id), value = picture ? key(picture) : '';
  if (picture && ![...list.options].some(option => option.value === value))
    list.append(el('option', { value }, titleOf(picture)));
  list.value = value;
}

function compareWith(picture: Picture | null): void {
  state.compared = picture;
  state.mode = !picture ? 'single' : state.mode === 'single' ? 'side' : state.mode;
  void showPictures();
}

const pictureOf = (value: string): Picture => {
  const [id = '', layer = 'source'] = value.split('/');
  return { slide: id, layer };
};

/** First picture to compare with: a stained result, or another layer. */
function defaultCompared(): Picture | null {
  const result = slide.results.find(r => r.kind === 'stained' && r.id !== state.shown.slide) ?? slide.results[0];
  if (result) return { slide: result.id, layer: 'source' };
  const layer = slide.layers.find(name => slide.id !== state.shown.slide || name !== state.shown.layer);
  return layer ? { slide: slide.id, layer } : null;
}

function setMode(mode: Mode): void {
  if (mode !== 'single') state.compared ??= defaultCompared();
  state.mode = state.compared ? mode : 'single';
  if (mode !== 'single' && !state.compared) problem('The slide has neither results nor other layers. Choose another slide.');
  else void showPictures();
}

// ---- controls

function button(name: IconName, text: string, onclick: () => void, more: object = {}): HTMLElement {
  return el('button', { class: 'quiet', type: 'button', 'aria-label': text, title: text, onclick, ...more }, icon(name));
}

function move(action: (viewport: OpenSeadragon.Viewport) => void): void {
  panes.lead();
  action(panes.first.viewport);
  panes.first.viewport.applyConstraints();
}
const zoomBy = (factor: number) => move(viewport => viewport.zoomBy(factor));
const turnBy = (degrees: number) => move(viewport => viewport.setRotation(viewport.getRotation() + degrees));
const panBy = (x: number, y: number) => move(viewport => viewport.panBy(
  viewport.deltaPointsFromPixels(new OpenSeadragon.Point(x, y).times(0.15 * stage.clientWidth))));
const showWhole = () => move(viewport => viewport.goHome());

function setSplit(split: number): void {
  state.split = Math.min(1, Math.max(0, split));
  panes.setSplit(state.split);
  showDisplay();
  keepAddress();
}

const isOn = (node: HTMLElement, on: boolean) => node.setAttribute('aria-pressed', String(on));
function togglePanel(): void {
  isOn(byId('panel-button'), !byId('main').classList.toggle('wide'));
}
function toggleMap(): void {
  const map = byId('mini-map');
  map.hidden = !map.hidden;
  isOn(byId('map-button'), !map.hidden);
}

async function saveScreenshot(): Promise<void> {
  const { mode, split, opacity } = state;
  const titles = [byId('first-tag'), byId('second-tag')].filter(tag => !tag.hidden).map(tag => tag.textContent ?? '');
  const content = await takeShot({
    panes: mode === 'single' ? [panes.first] : [panes.first, panes.second], mode, split, opacity, titles, filter: filterText(), bar,
    stacked: mode === 'side' && byId('second').offsetTop > byId('first').offsetTop,
    features: regions?.features() ?? [], slideWidth: slide.width,
  });
  if (content) saveFile(content, `${slide.name}.png`);
  else problem('The browser could not make the picture. Make the window smaller, then try again.');
}

function buildBar(): void {
  fill(byId('shown'), ...options());
  fill(byId('compared'), el('option', { value: '' }, 'Nothing'), ...options());
  byId('shown').addEventListener('change', event => {
    const chosen = pictureOf((event.target as HTMLSelectElement).value);
    // A picture is not compared with itself: the two change places.
    if (state.compared && key(state.compared) === key(chosen)) state.compared = state.shown;
    state.shown = chosen;
    void showPictures();
  });
  byId('compared').addEventListener('change', event => {
    const { value } = event.target as HTMLSelectElement;
    compareWith(value === '' ? null : pictureOf(value));
  });
  byId('other-slide').append(icon('search'));
  fill(byId('modes'), ...modes.map((mode, i) => button(mode, `${modeTitles[mode]} (${i + 1})`, () => setMode(mode),
    { 'data-mode': mode, 'aria-pressed': 'false' })));
  fill(byId('zooms'), button('closer', 'Zoom in (+)', () => zoomBy(1.5)), button('farther', 'Zoom out (−)', () => zoomBy(1 / 1.5)),
    button('whole', 'Whole slide (0)', showWhole), button('left', 'Turn left by 90° ([)', () => turnBy(-90)),
    button('right', 'Turn right by 90° (])', () => turnBy(90)));
  fill(byId('extras'), button('map', 'Mini-map (M)', toggleMap, { id: 'map-button', 'aria-pressed': 'true' }),
    button('camera', 'Screenshot with scale bar (S)', () => void saveScreenshot()),
    button('panel', 'Panel (I)', togglePanel, { id: 'panel-button', 'aria-pressed': 'true' }),
    button('help', 'Keyboard shortcuts (?)', () => byId<HTMLDialogElement>('help').showModal()));
}

function buildPanel(): void {
  for (const name of ['brightness', 'contrast', 'opacity'] as const) {
    byId(name).addEventListener('input', event => {
      state[name] = Number((event.target as HTMLInputElement).value);
      panes.setOpacity(state.opacity);
      showDisplay();
      keepAddress();
    });
  }
  byId('rotation').addEventListener('input', event =>
    move(viewport => viewport.setRotation(Number((event.target as HTMLInputElement).value), true)));
  byId('reset').addEventListener('click', () => {
    Object.assign(state, { brightness: 1, contrast: 1 });
    move(viewport => viewport.setRotation(0, true));
    showDisplay();
    keepAddress();
  });
  startDivider(byId('curtain'), stage, () => state.split, setSplit);
}

const startKeys = () => startShortcuts([
  { keys: ['+', '='], shown: '+', text: 'Zoom in', run: () => zoomBy(1.5) },
  { keys: ['-', '_'], shown: '−', text: 'Zoom out', run: () => zoomBy(1 / 1.5) },
  { keys: ['0'], shown: '0', text: 'Whole slide', run: showWhole },
  { keys: ['ArrowLeft'], shown: '← → ↑ ↓', text: 'Move', run: () => panBy(-1, 0) },
  ...([['ArrowRight', 1, 0], ['ArrowUp', 0, -1], ['ArrowDown', 0, 1]] as const)
    .map(([name, x, y]) => ({ keys: [name], shown: '', text: '', run: () => panBy(x, y) })),
  { keys: ['['], shown: '[ ]', text: 'Turn by 90°', run: () => turnBy(-90) },
  { keys: [']'], shown: '', text: '', run: () => turnBy(90) },
  ...modes.map((mode, i) => ({ keys: [String(i + 1)], shown: String(i + 1), text: modeTitles[mode], run: () => setMode(mode) })),
  { keys: [','], shown: ', .', text: 'Move the curtain', run: () => setSplit(state.split - 0.05) },
  { keys: ['.'], shown: '', text: '', run: () => setSplit(state.split + 0.05) },
  { keys: ['r', 'R'], shown: 'R', text: 'Draw a rectangle', run: () => regions?.draw('rectangle') },
  { keys: ['p', 'P'], shown: 'P', text: 'Draw a polygon', run: () => regions?.draw('polygon') },
  { keys: ['Delete', 'Backspace'], shown: 'Del', text: 'Delete the selected region', run: () => regions?.removeSelected() },
  { keys: ['Escape'], shown: 'Esc', text: 'Stop drawing', run: () => regions?.cancel() },
  { keys: ['u', 'U'], shown: 'U', text: 'Uncertainty on or off', run: () => uncertainty?.toggle() },
  { keys: ['m', 'M'], shown: 'M', text: 'Mini-map on or off', run: toggleMap },
  { keys: ['i', 'I'], shown: 'I', text: 'Panel on or off', run: togglePanel },
  { keys: ['s', 'S'], shown: 'S', text: 'Screenshot with scale bar', run: () => void saveScreenshot() },
  { keys: ['?'], shown: '?', text: 'This list', run: () => byId<HTMLDialogElement>('help').showModal() },
]);

// ---- failures of tiles

let checking = false;
let isGone = false;
/** Finds out why tiles failed: the server is gone, or the slide cannot be read. Waits for a server that is gone. */
async function explainFailure(): Promise<void> {
  if (checking) return;
  checking = true;
  const again = () => {
    problem(null);
    panes.reload();
  };
  try {
    for (const { slide: id, layer } of [state.shown, ...(state.compared && state.mode !== 'single' ? [state.compared] : [])])
      await getText(addressOf.deepZoom(id, layer));
    if (isGone) again();
    else problem('Some parts of the slide could not be read.', again);
    isGone = false;
  } catch (error) {
    isGone = error instanceof RequestError && error.status === 0;
    problem(isGone ? 'The server does not answer. Start it again; the page continues by itself.' : messageOf(error), again);
    if (isGone) setTimeout(() => void explainFailure(), 5000);
  } finally {
    checking = false;
  }
}

// ---- start

/** Starts regions and measurements. Their script is large, and waits until the first picture is drawn, but not for stained tiles. */
async function startDrawing(picture: OpenSeadragon.TiledImage): Promise<void> {
  await new Promise(resolve => {
    setTimeout(resolve, 1500);
    picture.addOnceHandler('fully-loaded-change', () => requestAnimationFrame(() => setTimeout(resolve)));
  });
  const [{ startRegions }, { startMeasuring }] = await Promise.all([import('./regions.ts'), import('./measure.ts')]);
  regions = await startRegions(panes.first, slide);
  setRegionScale();
  measuring = startMeasuring(slide, regions, titleOf);
  measuring.follow(state.shown, state.mode === 'single' ? null : state.compared);
}

async function start(): Promise<void> {
  const parsed = parseState(location.search);
  if (!parsed) return problem('The address names no slide. Choose one in the list of slides.', () => { location.href = '/'; });
  state = parsed;
  // What the page needs is requested at once.
  const listed = Promise.all([
    get<Model[]>('models').catch(() => []),
    get<Registration[]>(`registrations?slide=${encodeURIComponent(state.slide)}`).catch(() => []),
  ]);
  try {
    slide = await slideOf(state.slide);
  } catch (error) {
    const isMissing = error instanceof RequestError && error.status === 404;
    return problem(isMissing ? 'The folders of the server have no such slide any more.' : messageOf(error), () => void start());
  }
  if (slide.error) return problem(slide.error, () => { location.reload(); });
  problem(null);
  const [allModels, allRegistrations] = await listed;
  models = allModels.filter(model => model.kind === 'staining');
  registrations = allRegistrations.filter(one => one.source.id === slide.id && one.file !== null && !one.error);
  staining = startStaining(slide, nameOfModel);
  uncertainty = startUncertainty(state, slideOf, () => void showPictures());
  channels = startChannels(state.channels, () => void showPictures());
  const isKnown = slide.layers.includes(state.shown.layer) || modelOf(state.shown.layer) !== null
    || registrationOf(state.shown.layer) !== null;
  if (state.shown.slide === slide.id && !isKnown) state.shown = initialState(slide.id).shown;
  byId('bar').hidden = stage.hidden = false;
  byId('main').classList.remove('wide');
  document.title = `${slide.name} · Tinctor`;
  byId('title').textContent = slide.name;
  showDetails(slide);
  buildBar();
  stage.classList.toggle('side', state.mode === 'side'); // the panes need their sizes
  byId('second').hidden = state.mode === 'single';
  panes = createPanes({ first: byId('first'), second: byId('second'), miniMap: 'mini-map' }, slide, () => void explainFailure());
  buildPanel();
  startKeys();
  const { first } = panes;
  first.addHandler('canvas-key', event => { event.preventDefaultAction = true; });
  panes.second.addHandler('canvas-key', event => { event.preventDefaultAction = true; });
  let started = false;
  first.world.addHandler('add-item', ({ item }) => {
    if (started) return;
    started = true;
    applyView();
    first.addHandler('viewport-change', () => {
      readView();
      staining?.look(state.centre?.x ?? 0, state.centre?.y ?? 0);
      showScale();
      showDisplay();
    });
    first.addHandler('resize', showScale);
    showScale();
    void startDrawing(item).catch((error: unknown) => problem(messageOf(error)));
  });
  panes.setSplit(state.split);
  panes.setOpacity(state.opacity);
  await showPictures();
  startOtherSlides(other => other.id !== slide.id && !slide.results.some(result => result.id === other.id), other => {
    slides.set(other.id, other);
    compareWith({ slide: other.id, layer: 'source' });
  });
}

startTheme();
void start();
