// List of registrations, and the form that begins one.

import { exchange, get, messageOf } from '../api.ts';
import type { Slide, SlidePage } from '../api.ts';
import { byId, el, fill } from '../page.ts';
import { isRunning, registerAddress, stateTexts } from '../registrations.ts';
import type { Registration } from '../registrations.ts';

const searchDelay = 200, shownNames = 50, pollInterval = 1000;

const nameOf = (slide: Slide) => slide.folder ? `${slide.folder}/${slide.name}` : slide.name;

const row = (one: Registration) => el('li', {},
  el('h3', {}, isRunning(one) ? `${one.source.name} and ${one.target.name}`
    : el('a', { href: registerAddress(one.id) }, `${one.source.name} and ${one.target.name}`)),
  el('p', {}, el('span', { class: `state ${one.state}` }, stateTexts[one.state]),
    one.state === 'running' ? ` · ${Math.round(one.done * 100)}%` : '', one.error ? ` · ${one.error}` : '',
    !isRunning(one) && !one.error && !one.usable ? ' · not used by other commands' : ''));

async function list(): Promise<void> {
  const all = await get<Registration[]>('registrations');
  fill(byId('registrations'), ...all.map(row));
  byId('registrations-count').textContent = all.length > 0 ? ''
    : 'The folders of the server have no registrations of its slides. Register two slides, or run "tinctor register".';
  if (all.some(isRunning)) setTimeout(() => void list().catch(() => undefined), pollInterval);
}

async function find(name: string): Promise<Slide | null> {
  const { items } = await get<SlidePage>(`slides?${new URLSearchParams({ search: name, limit: String(shownNames) })}`);
  const only = items.length === 1 ? items[0] ?? null : null;
  return items.find(slide => nameOf(slide) === name) ?? items.find(slide => slide.name === name) ?? only;
}

async function begin(automatic: boolean): Promise<void> {
  const say = (text: string) => { byId('begin-note').textContent = text; };
  try {
    const slides = [];
    for (const side of ['source', 'target']) {
      const name = byId<HTMLInputElement>(side).value.trim(), slide = await find(name);
      if (!slide) return say(`No single slide is named “${name}”. Choose one of the list.`);
      slides.push(slide.id);
    }
    const [source, target] = slides, begun = await exchange<Registration>('POST', 'registrations', { source, target, automatic });
    if (!automatic) location.href = registerAddress(begun.id);
    say('');
    await list();
  } catch (error) {
    say(messageOf(error));
  }
}

/** Shows the list; slide is the identifier of the source that is proposed. */
export async function startOverview(slide: string | null): Promise<void> {
  byId('overview').hidden = false;
  const form = byId<HTMLFormElement>('begin');
  let timer = 0;
  const suggest = async (search: string) => {
    const { items } = await get<SlidePage>(`slides?${new URLSearchParams({ search, limit: String(shownNames) })}`);
    fill(byId('slide-names'), ...items.filter(one => !one.error).map(one => el('option', { value: nameOf(one) })));
  };
  for (const side of ['source', 'target']) {
    byId(side).addEventListener('input', event => {
      clearTimeout(timer);
      timer = setTimeout(() => void suggest((event.target as HTMLInputElement).value.trim()).catch(() => undefined), searchDelay);
    });
  }
  form.addEventListener('submit', event => {
    event.preventDefault();
    void begin(event.submitter?.id === 'begin-automatic');
  });
  await suggest('');
  const { isAvailable } = await get<{ isAvailable: boolean }>('registrations/automatic');
  byId<HTMLButtonElement>('begin-automatic').disabled = !isAvailable;
  if (!isAvailable) byId('begin-note').textContent = 'Automatic registration needs the installation with libtorch. Begin by hand.';
  if (slide) byId<HTMLInputElement>('source').value = nameOf(await get<Slide>(`slides/${encodeURIComponent(slide)}`));
  await list();
}
