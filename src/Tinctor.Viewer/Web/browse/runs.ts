// List of training runs; the opened run shows its curves and samples as they are logged.

import { addressOf, get, messageOf } from '../api.ts';
import type { Curve, LoggedValues, Run, Sample } from '../api.ts';
import { byId, el, fill } from '../page.ts';
import { appendValues, curveFigures } from './curves.ts';
import type { CurveFigures } from './curves.ts';

const refreshInterval = 10_000;
const stateTexts = { running: 'Running', finished: 'Finished', stopped: 'Stopped' };

interface Row { node: HTMLElement; update: (run: Run) => void }
const rows = new Map<string, Row>();
let opened: { id: string; place: HTMLElement; button: HTMLElement; events: EventSource | null; figures: CurveFigures } | null = null;
let timer = 0;

function createRow(run: Run): Row {
  const state = el('span', { class: 'state' }), facts = el('p'), place = el('div', { class: 'details', id: `run-${run.id}`, hidden: true });
  const progress = el('progress', { 'aria-label': `Progress of ${run.name}` });
  const button = el('button', {
    class: 'quiet', type: 'button', 'aria-expanded': 'false', 'aria-controls': place.id, onclick: () => void toggle(run.id, button, place),
  }, 'Curves and samples', el('span', { class: 'visually-hidden' }, ` of ${run.name}`));
  const update = (next: Run) => {
    state.textContent = stateTexts[next.state];
    state.className = `state ${next.state}`;
    // A training that is limited by epochs has no number of steps.
    const total = next.steps === null ? '' : ` of ${next.steps.toLocaleString('en')}`;
    fill(facts, state, ` · ${next.method ?? 'unknown method'} · step ${next.step.toLocaleString('en')}${total}`);
    progress.hidden = next.steps === null;
    progress.max = Math.max(next.steps ?? 1, 1);
    progress.value = next.step;
  };
  update(run);
  return { node: el('li', {}, el('div', { class: 'row-head' }, el('h2', {}, run.name), facts, button), progress, place), update };
}

function close(): void {
  if (!opened) return;
  opened.events?.close();
  opened.figures.dispose();
  opened.button.setAttribute('aria-expanded', 'false');
  opened.place.hidden = true;
  fill(opened.place);
  opened = null;
}

async function toggle(id: string, button: HTMLElement, place: HTMLElement): Promise<void> {
  const wasOpen = opened?.id === id;
  close();
  if (wasOpen) return;
  const figures = curveFigures(), view = opened = { id, place, button, events: null as EventSource | null, figures };
  button.setAttribute('aria-expanded', 'true');
  place.hidden = false;
  fill(place, el('p', { class: 'empty', role: 'status' }, 'Reading the run …'));
  try {
    const run = await get<Run>(`runs/${encodeURIComponent(id)}`);
    if (opened !== view) return;
    const samples = el('div', { class: 'samples' });
    fill(place, figures.node, el('h3', {}, 'Samples'), samples);
    let curves: Curve[] = run.curves ?? [];
    figures.update(curves);
    showSamples(samples, run.samples ?? []);
    if (run.state !== 'running') return;
    view.events = new EventSource(addressOf.runEvents(id));
    view.events.addEventListener('message', (event: MessageEvent<string>) => {
      const logged = JSON.parse(event.data) as LoggedValues;
      curves = appendValues(curves, logged);
      figures.update(curves);
      rows.get(id)?.update({ ...run, step: Math.max(run.step, logged.step) });
    });
  } catch (error) {
    if (opened === view) fill(place, el('p', { class: 'empty', role: 'alert' }, messageOf(error)));
  }
}

function showSamples(node: HTMLElement, samples: Sample[]): void {
  if (samples.length === 0) {
    fill(node, el('p', { class: 'empty' }, 'The run has logged no sample images yet.'));
    return;
  }
  if (node.querySelectorAll('figure').length === samples.length) return;
  fill(node, ...[...samples].reverse().map(({ step, url }) => el('figure', {},
    el('a', { href: url, target: '_blank', rel: 'noopener' }, el('img', { src: url, alt: `Samples at step ${step}`, loading: 'lazy' })),
    el('figcaption', {}, `Step ${step.toLocaleString('en')}`))));
}

async function refresh(): Promise<void> {
  const runs = await get<Run[]>('runs'), list = byId('runs-list');
  for (const run of runs) {
    const row = rows.get(run.id);
    if (row) row.update(run);
    else rows.set(run.id, createRow(run));
  }
  const current = new Set(runs.map(run => run.id));
  for (const [id, row] of rows) {
    if (current.has(id)) continue;
    if (opened?.id === id) close();
    row.node.remove();
    rows.delete(id);
  }
  runs.forEach((run, index) => {
    const node = rows.get(run.id)?.node;
    if (node && list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
  byId('runs-count').textContent = runs.length > 0 ? `${runs.length} run${runs.length === 1 ? '' : 's'}`
    : 'The folders of the server have no training runs.';
  const view = opened;
  if (!view?.events) return;
  const run = await get<Run>(`runs/${encodeURIComponent(view.id)}`), samples = view.place.querySelector<HTMLElement>('.samples');
  if (opened !== view || !samples) return;
  showSamples(samples, run.samples ?? []);
  if (run.state !== 'running') view.events.close();
}

export async function showRuns(): Promise<void> {
  hideRuns();
  await refresh();
  timer = setInterval(() => void refresh().catch(() => undefined), refreshInterval);
}

export function hideRuns(): void {
  clearInterval(timer);
  close();
}
