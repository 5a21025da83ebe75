// List of staining jobs, which follows the events of the server.

import { addressOf, get, messageOf, send } from '../api.ts';
import type { Job } from '../api.ts';
import { byId, el, fill, showProblem } from '../page.ts';
import { viewAddress } from './slides.ts';

const jobs = new Map<string, Job>();
const stateTexts = {
  queued: 'Queued', running: 'Running', paused: 'Paused', finished: 'Finished', failed: 'Failed', cancelled: 'Cancelled',
};
let events: EventSource | null = null;

const act = (job: Job, action: string) => void send('POST', `jobs/${encodeURIComponent(job.id)}/${action}`)
  .catch((error: unknown) => showProblem(byId('problem'), messageOf(error)));

function actionsOf(job: Job): HTMLElement {
  const button = (text: string, action: string) =>
    el('button', { class: 'quiet', type: 'button', 'data-key': `${job.id} ${action}`, onclick: () => act(job, action) }, text);
  const buttons = [];
  if (job.state === 'running' || job.state === 'queued') buttons.push(button('Pause', 'pause'));
  if (['paused', 'cancelled', 'failed'].includes(job.state)) buttons.push(button('Resume', 'resume'));
  if (['queued', 'running', 'paused'].includes(job.state)) buttons.push(button('Cancel', 'cancel'));
  if (job.result) buttons.push(el('a', { class: 'quiet', href: viewAddress(job.slide, job.result) }, 'View'));
  return el('div', { class: 'actions' }, ...buttons);
}

const row = (job: Job) => el('li', {},
  el('div', { class: 'row-head' }, el('h2', {}, job.slideName),
    el('p', {}, el('span', { class: `state ${job.state}` }, stateTexts[job.state]),
      ` · ${job.modelName} · ${job.done} of ${job.total} tiles`)),
  el('progress', { max: String(Math.max(job.total, 1)), value: String(job.done), 'aria-label': `Progress of ${job.slideName}` }),
  job.error ? el('p', { class: 'empty' }, job.error) : '', actionsOf(job));

function draw(): void {
  const focused = document.activeElement?.getAttribute('data-key');
  const ordered = [...jobs.values()].sort((a, b) => b.created.localeCompare(a.created));
  fill(byId('jobs-list'), ...ordered.map(row));
  byId('jobs-count').textContent = ordered.length > 0 ? `${ordered.length} job${ordered.length === 1 ? '' : 's'}`
    : 'No slide is being stained.';
  if (focused) document.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

export async function showJobs(): Promise<void> {
  hideJobs();
  for (const job of await get<Job[]>('jobs')) jobs.set(job.id, job);
  draw();
  events = new EventSource(addressOf.jobEvents);
  events.addEventListener('message', (event: MessageEvent<string>) => {
    const job = JSON.parse(event.data) as Job;
    jobs.set(job.id, job);
    draw();
  });
}

export function hideJobs(): void {
  events?.close();
  events = null;
  jobs.clear();
}
