// Page that lists registrations, and shows one: landmarks in both slides, the target on its source, fits and the review.

import './register.css';
import { startDivider } from '../../../Web/divider.js';
import { exchange, get, messageOf } from '../api.ts';
import type { Slide } from '../api.ts';
import { byId, el, fill, showProblem, startTheme } from '../page.ts';
import { isRunning, registeredLayer, stateTexts } from '../registrations.ts';
import type { Fit, Landmarks, Registration } from '../registrations.ts';
import { icon } from '../view/icons.ts';
import { createPanes, readPyramid } from '../view/viewer.ts';
import type { Panes } from '../view/viewer.ts';
import { saveFile } from '../view/save.ts';
import { createMarked } from './marks.ts';
import type { MarkedPicture } from './marks.ts';
import { startOverview } from './overview.ts';
import { complete, missing, moved, other, placed, removed } from './pairs.ts';
import type { OpenPair, Side } from './pairs.ts';
import { apply, fitSimilarity, invert } from './predict.ts';
import type { Point } from './predict.ts';

const views = { landmarks: 'Landmarks', curtain: 'Curtain', opacity: 'Opacity', flicker: 'Flicker' } as const;
type View = keyof typeof views;
const models = {
  rigid: 'Rigid', similarity: 'Similarity', affine: 'Affine', nonrigid: 'Nonrigid (thin-plate spline)',
  correction: 'Correction of the automatic result',
};
const layerTitles: Record<string, string> = { source: 'Colours', haematoxylin: 'Haematoxylin', eosin: 'Eosin', dab: 'DAB' };
const saveDelay = 400, pollInterval = 1000;

const say = (id: string, text: string) => { byId(id).textContent = text; };
const problem = (text: string | null, retry?: () => void) => showProblem(byId('problem'), text, retry);

let registration: Registration, path = '', source: Slide, target: Slide;
let pictures: Record<Side, MarkedPicture>, panes: Panes | null = null;
let pairs: OpenPair[] = [], errors: number[] = [], fit: Fit | null = null, selected = -1, view: View = 'landmarks', saveTimer = 0;
let split = 0.5;

const unit = () => target.mpp ? 'µm' : 'px';
const errorNumber = (pixels: number | null | undefined) => pixels === null || pixels === undefined ? ''
  : (pixels * (target.mpp ?? 1)).toFixed(2);
const errorText = (pixels: number) => `${errorNumber(pixels)} ${unit()}`;

// ---- landmarks

function draw(): void {
  for (const side of ['source', 'target'] as const) pictures[side].draw(pairs.map(pair => pair[side]), selected);
  const whole = complete(pairs);
  byId('pairs-box').hidden = pairs.length === 0;
  let at = 0;
  const focused = document.activeElement?.getAttribute('data-key');
  fill(byId('pairs'), ...pairs.map((pair, i) => {
    const isWhole = pair.source !== null && pair.target !== null, index = isWhole ? at++ : -1;
    return el('tr', {}, el('td', {}, el('button', { class: 'quiet', type: 'button', 'aria-label': `Show pair ${i + 1}`,
      'aria-pressed': String(i === selected), 'data-key': `show ${i}`, onclick: () => show(i) }, String(i + 1))),
    el('td', {}, isWhole ? errorNumber(errors[index]) : 'open'), el('td', {}, isWhole ? errorNumber(fit?.errors[index]) : ''),
    el('td', {}, isWhole ? errorNumber(fit?.leaveOneOut?.[index]) : ''),
    el('td', {}, el('button', { class: 'quiet', type: 'button', 'aria-label': `Remove pair ${i + 1}`, 'data-key': `remove ${i}`,
      onclick: () => remove(i) }, '✕')));
  }));
  if (focused) document.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  const open = missing(pairs), count = `${whole.length} pair${whole.length === 1 ? '' : 's'}.`;
  for (const node of document.querySelectorAll('.pairs .unit')) node.textContent = unit();
  say('landmarks-note', open ? `${count} Now place it in the ${open}.` : count);
  byId<HTMLButtonElement>('refit').disabled = whole.length < 3;
}

async function save(): Promise<void> {
  try {
    const answer = await exchange<Landmarks>('PUT', `${path}/landmarks`, { pairs: complete(pairs) });
    errors = answer.errors;
    draw();
  } catch (error) {
    problem(messageOf(error), () => void save());
  }
}

function changed(next: OpenPair[]): void {
  pairs = next;
  if (fit) forgetFit();
  draw();
  clearTimeout(saveTimer);
  saveTimer = setTimeout(() => void save(), saveDelay);
}

function forgetFit(): void {
  fit = null;
  say('fit-note', 'The landmarks have changed. Refit to see the new transform.');
  showTransforms();
}

function show(index: number): void {
  selected = index;
  const pair = pairs[index];
  setView('landmarks');
  for (const side of ['source', 'target'] as const) if (pair?.[side]) pictures[side].centreOn(pair[side]);
  draw();
}

function remove(index: number): void {
  selected = -1;
  pictures.source.expect(null);
  pictures.target.expect(null);
  changed(removed(pairs, index));
}

const map = (points: Point[], inverse: boolean) => exchange<Point[]>('POST', `${path}/map`, { points, inverse });

/** Place in the other picture: by the transform, corrected by a similarity that is fitted to the landmarks. */
async function predict(side: Side, point: Point): Promise<Point> {
  const whole = complete(pairs), known = whole.map(pair => pair.source);
  const mapped = await map(side === 'source' ? [...known, point] : known, false);
  const correction = fitSimilarity(mapped.slice(0, known.length), whole.map(pair => pair.target));
  if (side === 'source') return apply(correction, mapped[known.length] as Point);
  const [back] = await map([invert(correction, point)], true);
  return back as Point;
}

async function place(side: Side, point: Point): Promise<void> {
  const next = placed(pairs, side, point), open = missing(next), opposite = other(side);
  pictures[side].expect(null);
  selected = open ? next.findIndex(pair => pair.source === null || pair.target === null) : next.length - 1;
  changed(next);
  if (open !== opposite) return pictures[opposite].expect(null);
  try {
    const expected = await predict(side, point);
    if (missing(pairs) !== opposite) return;
    pictures[opposite].expect(expected);
    pictures[opposite].centreOn(expected);
  } catch (error) {
    problem(messageOf(error));
  }
}

async function importFiles(files: File[]): Promise<void> {
  const [a, b] = files;
  if (!a || !b || files.length > 2) return problem('Choose two CSV files: the landmarks of the source and of the target.');
  // By their names if these say which is which, in the order of the names otherwise.
  const ordered = [a, b].sort((x, y) => Number(/target/i.test(x.name)) - Number(/target/i.test(y.name)) || x.name.localeCompare(y.name));
  const [from = '', to = ''] = await Promise.all(ordered.map(file => file.text()));
  try {
    const answer = await exchange<Landmarks>('POST', `${path}/landmarks/import`, { source: from, target: to });
    if (fit) forgetFit();
    ({ pairs, errors } = answer);
    problem(null);
    draw();
  } catch (error) {
    problem(messageOf(error));
  }
}

function exportFiles(): void {
  for (const side of ['source', 'target'] as const) {
    const rows = complete(pairs).map((pair, i) => [i + 1, ...pair[side].map(value => Number(value.toFixed(3)))].join(','));
    saveFile(new Blob([['landmark,X,Y', ...rows, ''].join('\n')], { type: 'text/csv' }), `${side}.csv`);
  }
}

// ---- overlay

const shownFit = () => byId<HTMLSelectElement>('transform').value === 'fit' ? fit : null;

function showTransforms(): void {
  const list = byId<HTMLSelectElement>('transform'), before = list.value;
  fill(list, el('option', { value: 'saved' }, stateTexts[registration.state]),
    ...fit ? [el('option', { value: 'fit' }, 'Fit (not saved)')] : []);
  list.value = fit && before === 'fit' ? 'fit' : 'saved';
  byId<HTMLButtonElement>('correct').disabled = !fit;
  if (before === 'fit' && !fit && view !== 'landmarks') void overlay();
}

async function overlay(): Promise<void> {
  if (view === 'landmarks') return;
  byId('first').hidden = byId('second').hidden = false;
  panes ??= createPanes({ first: byId('first'), second: byId('second'), miniMap: 'mini-map' }, source, () => undefined);
  const layer = byId<HTMLSelectElement>('layer').value || 'source';
  const shown = registeredLayer(registration.id, layer, shownFit()?.preview ?? null, registration.reviewedAt);
  try {
    await panes.show([
      { picture: { slide: source.id, layer: 'source' }, slide: source },
      { picture: { slide: source.id, layer: shown }, slide: source },
    ], view);
    problem(null);
  } catch (error) {
    problem(messageOf(error), () => void overlay());
  }
}

function setSplit(value: number): void {
  split = Math.min(1, Math.max(0, value));
  panes?.setSplit(split);
  byId('curtain').style.left = `${split * 100}%`;
  byId('curtain').setAttribute('aria-valuenow', String(Math.round(split * 100)));
}

function setView(next: View): void {
  const before = view;
  view = next;
  byId('marking').hidden = next !== 'landmarks';
  byId('stage').hidden = next === 'landmarks';
  byId('curtain').hidden = next !== 'curtain';
  byId('opacity-label').hidden = next !== 'opacity';
  for (const button of byId('views').querySelectorAll('button')) button.setAttribute('aria-pressed', String(button.dataset.view === next));
  if (next === 'landmarks') return;
  void overlay().then(() => {
    setSplit(split);
    if (before === 'landmarks') panes?.first.viewport.fitBounds(pictures.source.viewer.viewport.getBounds(true), true);
  });
}

function zoomBy(factor: number): void {
  panes?.lead();
  for (const viewer of view === 'landmarks' ? [pictures.source.viewer, pictures.target.viewer] : panes ? [panes.first] : []) {
    viewer.viewport.zoomBy(factor);
    viewer.viewport.applyConstraints();
  }
}

// ---- fit and review

async function refit(): Promise<void> {
  const model = byId<HTMLSelectElement>('model').value;
  say('fit-note', 'Fitting…');
  try {
    fit = await exchange<Fit>('POST', `${path}/refit`, { model, landmarks: complete(pairs) });
    const { medianError, medianLeaveOneOut, quality, reasons } = fit;
    say('fit-note', `Median error ${errorText(medianError)}${medianLeaveOneOut === null ? ''
      : `, of left-out pairs ${errorText(medianLeaveOneOut)}`}; smallest determinant ${quality.smallestDeterminant.toFixed(2)}, scale `
      + `${quality.scale.toFixed(3)}.${reasons.length > 0 ? ` Check it: ${reasons.join('; ')}.` : ''}`);
    showTransforms();
    byId<HTMLSelectElement>('transform').value = 'fit';
    draw();
    void overlay();
  } catch (error) {
    fit = null;
    showTransforms();
    say('fit-note', messageOf(error));
  }
}

async function review(action: 'accept' | 'correct' | 'reject'): Promise<void> {
  const by = byId<HTMLInputElement>('by').value.trim() || null, model = byId<HTMLSelectElement>('model').value;
  localStorage.setItem('reviewer', by ?? '');
  try {
    registration = await exchange<Registration>('POST', `${path}/${action}`,
      action === 'correct' ? { model, landmarks: complete(pairs), by } : { by });
    fit = null;
    showFacts();
    showTransforms();
    say('review-note', action === 'reject' ? 'Rejected: “tinctor warp” and “tinctor prepare” refuse the file.' : 'Saved.');
    errors = (await get<Landmarks>(`${path}/landmarks`)).errors;
    draw();
    void overlay();
  } catch (error) {
    say('review-note', messageOf(error));
  }
}

const quoted = (text: string) => /^[\w./:\\-]+$/.test(text) ? text : `"${text}"`;

function showFacts(): void {
  const { state, quality, reviewedBy, reviewedAt, medianTre, medianLeaveOneOut, usable, passed, reasons, file } = registration;
  const fact = (name: string, value: string | null) => value === null ? [] : [el('dt', {}, name), el('dd', {}, value)];
  const number = (value: number | null | undefined) => value === null || value === undefined ? null : String(Number(value.toPrecision(3)));
  const reviewed = reviewedAt && `${new Date(reviewedAt).toLocaleString('en-GB')}${reviewedBy ? ` by ${reviewedBy}` : ''}`;
  fill(byId('facts'), ...fact('State', stateTexts[state]), ...fact('Reviewed', reviewed),
  ...fact('Quality check', passed ? 'passed' : 'failed'),
  ...fact('Used by other commands', usable ? 'yes' : 'no'),
  ...fact('Median error of landmarks', medianTre === null ? null : errorText(medianTre)),
  ...fact('Left-out landmarks', medianLeaveOneOut === null ? null : errorText(medianLeaveOneOut)),
  ...fact('Similarity', number(quality?.similarity)), ...fact('Distinctness', number(quality?.distinctness)),
  ...fact('Overlap', quality && `${Math.round(quality.overlap * 100)}%`), ...fact('Scale', number(quality?.scale)),
  ...fact('Stretch', number(quality?.stretch)), ...fact('Smallest determinant', number(quality?.smallestDeterminant)));
  fill(byId('reasons'), ...reasons.map(reason => el('li', {}, `${reason}.`)));
  byId('accept').textContent = registration.state === 'manual' ? 'Accept as it is' : 'Accept automatic result';
  const folder = file?.replace(/[\\/][^\\/]*$/, '') ?? '', [from, to] = [registration.sourceFile ?? '', registration.targetFile ?? ''];
  fill(byId('commands'), ...file ? [el('p', {}, 'Transform'), el('pre', {}, file), el('p', {}, 'Commands that use it'),
    el('pre', {}, `tinctor warp ${quoted(file)} ${quoted(to)} -o ${quoted(`${registration.name}_warped.ome.tif`)}`),
    el('pre', {}, `tinctor prepare --source ${quoted(from)} --target ${quoted(to)} --transforms ${quoted(folder)} -o dataset`)] : []);
}

// ---- start

async function showPicture(picture: MarkedPicture, slide: Slide): Promise<void> {
  const tileSource = await readPyramid({ picture: { slide: slide.id, layer: 'source' }, slide });
  await new Promise<void>((resolve, reject) => picture.viewer.addTiledImage({
    tileSource, x: 0, y: 0, width: 1, success: () => resolve(),
    error: () => reject(new Error('The server described the slide in a form that the viewer cannot read.')),
  } as unknown as Parameters<typeof picture.viewer.addTiledImage>[0]));
}

/** Turns the target so that it lies as the source does. */
async function turnTarget(): Promise<void> {
  const [x, y] = [source.width / 2, source.height / 2], step = source.width / 10;
  const [[u, v], [u1, v1]] = await map([[x, y], [x + step, y]], false) as [Point, Point];
  const degrees = Math.round(Math.atan2(v1 - v, u1 - u) * 180 / Math.PI);
  if (Math.abs(degrees) > 5) pictures.target.viewer.viewport.setRotation(-degrees, true);
}

function buildControls(): void {
  fill(byId('views'), ...Object.entries(views).map(([name, text]) => el('button', { class: 'quiet', type: 'button', 'data-view': name,
    'aria-pressed': 'false', onclick: () => setView(name as View) }, text)));
  const zoom = (name: 'closer' | 'farther', text: string, factor: number) =>
    el('button', { class: 'quiet', type: 'button', 'aria-label': text, title: text, onclick: () => zoomBy(factor) }, icon(name));
  fill(byId('zooms'), zoom('closer', 'Zoom in', 1.5), zoom('farther', 'Zoom out', 1 / 1.5));
  fill(byId('layer'), ...registration.layers.map(layer => el('option', { value: layer }, layerTitles[layer] ?? layer)));
  fill(byId('model'), ...Object.entries(models).map(([value, text]) => el('option', { value }, text)));
  byId<HTMLSelectElement>('model').value = 'affine';
  for (const id of ['transform', 'layer'])
    byId(id).addEventListener('change', () => view === 'landmarks' ? setView('curtain') : void overlay());
  byId('opacity').addEventListener('input', event => {
    const { value } = event.target as HTMLInputElement;
    panes?.setOpacity(Number(value));
    say('opacity-value', `${Math.round(Number(value) * 100)}%`);
  });
  startDivider(byId('curtain'), byId('stage'), () => split, setSplit);
  const file = byId<HTMLInputElement>('landmark-file');
  const tool = (id: string, text: string, onclick: () => void) => el('button', { class: 'quiet', type: 'button', id, onclick }, text);
  fill(byId('landmark-files'), tool('import', 'Import CSV', () => file.click()), tool('export', 'Export CSV', exportFiles));
  file.addEventListener('change', () => {
    void importFiles([...file.files ?? []]);
    file.value = '';
  });
  byId('refit').addEventListener('click', () => void refit());
  byId('model').addEventListener('change', () => { if (fit) void refit(); });
  for (const action of ['accept', 'correct', 'reject'] as const) byId(action).addEventListener('click', () => void review(action));
  byId<HTMLInputElement>('by').value = localStorage.getItem('reviewer') ?? '';
}

async function open(id: string): Promise<void> {
  path = `registrations/${encodeURIComponent(id)}`;
  registration = await get<Registration>(path);
  if (isRunning(registration)) {
    problem(`The registration is ${registration.state === 'queued' ? 'queued' : `running: ${Math.round(registration.done * 100)}%`}.`);
    setTimeout(() => void open(id).catch((error: unknown) => problem(messageOf(error))), pollInterval);
    return;
  }
  if (registration.error) return problem(registration.error);
  problem(null);
  [source, target] = await Promise.all([registration.source, registration.target]
    .map(one => get<Slide>(`slides/${encodeURIComponent(one.id)}`))) as [Slide, Slide];
  document.title = `${target.name} on ${source.name} · Tinctor`;
  say('title', `${target.name} on ${source.name}`);
  for (const [tag, text] of [['source-tag', `Source: ${source.name}`], ['target-tag', `Target: ${target.name}`],
    ['first-tag', source.name], ['second-tag', `${target.name} (registered)`]] as const) say(tag, text);
  byId('bar').hidden = byId('marking').hidden = false;
  byId('main').classList.remove('wide');
  buildControls();
  const marked = (side: Side, { width }: Slide) => createMarked(byId(`${side}-pane`), width, side, {
    place: point => void place(side, point),
    move: (index, point) => changed(moved(pairs, index, side, point)),
    remove,
    select: index => {
      if (selected === index) return;
      selected = index;
      draw();
    },
  });
  pictures = { source: marked('source', source), target: marked('target', target) };
  await Promise.all([showPicture(pictures.source, source), showPicture(pictures.target, target)]);
  await turnTarget();
  ({ pairs, errors } = await get<Landmarks>(`${path}/landmarks`));
  showFacts();
  showTransforms();
  setView('landmarks');
  draw();
}

async function start(): Promise<void> {
  const query = new URLSearchParams(location.search), id = query.get('registration');
  try {
    await (id ? open(id) : startOverview(query.get('slide')));
  } catch (error) {
    problem(messageOf(error), () => { location.reload(); });
  }
}

startTheme();
void start();
