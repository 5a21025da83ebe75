// Page with the lists of slides, models, runs and jobs.

import './browse.css';
import { get, messageOf } from '../api.ts';
import { byId, showProblem, startTheme } from '../page.ts';
import { redrawCurves } from './curves.ts';
import { hideJobs, showJobs } from './jobs.ts';
import { showModels } from './models.ts';
import { hideRuns, showRuns } from './runs.ts';
import { showSlides, startSearch } from './slides.ts';

interface List { show: () => Promise<void>; hide?: () => void }

const lists: Record<string, List> = {
  slides: { show: showSlides }, models: { show: showModels }, runs: { show: showRuns, hide: hideRuns },
  jobs: { show: showJobs, hide: hideJobs },
};
let current = '';

function chosen(): string {
  const name = location.hash.slice(1);
  return Object.hasOwn(lists, name) ? name : 'slides';
}

async function open(): Promise<void> {
  if (location.hash === '#main') return; // the link that skips the header
  const name = chosen();
  if (name !== current) lists[current]?.hide?.();
  current = name;
  for (const key of Object.keys(lists)) byId(key).hidden = key !== name;
  for (const link of document.querySelectorAll('#tabs a')) {
    if (link.getAttribute('href') === `#${name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${name.charAt(0).toUpperCase()}${name.slice(1)} · Tinctor`;
  try {
    await lists[name]?.show();
    if (name === current) showProblem(byId('problem'), null);
  } catch (error) {
    if (name === current) showProblem(byId('problem'), messageOf(error), () => void open());
  }
}

async function showVersion(): Promise<void> {
  const info = await get<{ version: string }>('info').catch(() => null);
  byId('version').textContent = info?.version ?? '';
}

startTheme(redrawCurves);
startSearch(error => showProblem(byId('problem'), error === null ? null : messageOf(error), () => void open()));
addEventListener('hashchange', () => void open());
void open();
void showVersion();
