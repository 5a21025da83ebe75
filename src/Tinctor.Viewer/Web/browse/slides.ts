// Grid of slides with thumbnails and stained results.

import { addressOf, get } from '../api.ts';
import type { Slide, SlidePage } from '../api.ts';
import { formatBytes, formatSize } from '../format.ts';
import { byId, el, fill } from '../page.ts';
import { registeredLayer, stateTexts } from '../registrations.ts';
import type { Registration } from '../registrations.ts';

const pageSize = 100;
let shown = 0, latest: AbortController | null = null, registrations: Registration[] = [];

export const viewAddress = (id: string, compared: string | null = null) =>
  `/view?slide=${encodeURIComponent(id)}${compared === null ? '' : `&compare=${encodeURIComponent(compared)}&mode=curtain`}`;

/** Resolution, magnification and channels of a slide in one line. */
function factsOf(slide: Slide): string {
  const facts = [formatSize(slide.width, slide.height)];
  if (slide.mpp !== null) facts.push(`${Number(slide.mpp.toPrecision(4))} µm/px`);
  if (slide.magnification !== null) facts.push(`${slide.magnification}×`);
  if (slide.isFluorescence) facts.push(slide.channels.map(c => c.name).join(', ') || 'fluorescence');
  return facts.join(' · ');
}

function thumbnail(slide: Slide): HTMLElement {
  const link = el('a', { class: 'picture', href: viewAddress(slide.id), tabindex: '-1', 'aria-hidden': 'true' });
  link.append(el('img', {
    src: addressOf.thumbnail(slide.id, 512), alt: '', loading: 'lazy', decoding: 'async',
    onerror: () => {
      link.classList.add('missing');
      fill(link, 'The slide cannot be read');
    },
  }));
  return link;
}

const resultLink = (slide: Slide, result: Slide['results'][number]) =>
  el('li', {}, el('a', { class: 'quiet', href: viewAddress(slide.id, result.id) },
    `${result.kind === 'stained' ? result.model ?? result.name : result.name}${result.complete ? '' : ' (incomplete)'}`));

const registeredLink = (one: Registration) => el('li', {}, el('a', { class: 'quiet',
  href: viewAddress(one.source.id, `${one.source.id}/${registeredLayer(one.id)}`) },
`${one.target.name} (registered, ${stateTexts[one.state].toLowerCase()})`));

const registeredOf = (slide: Slide) => registrations.filter(one => one.source.id === slide.id && one.file !== null && !one.error);

const unreadable = (slide: Slide) => el('li', { class: 'slide' },
  el('div', { class: 'picture missing' }, 'The slide cannot be read'), el('h2', {}, slide.name), el('p', {}, slide.error ?? ''));

const card = (slide: Slide) => slide.error ? unreadable(slide) : el('li', { class: 'slide' },
  thumbnail(slide), el('h2', {}, el('a', { href: viewAddress(slide.id) }, slide.name)), el('p', {}, factsOf(slide)),
  el('p', {}, [slide.folder, slide.format, formatBytes(slide.bytes)].filter(Boolean).join(' · ')),
  slide.results.length + registeredOf(slide).length === 0 ? ''
    : el('ul', { class: 'results', 'aria-label': `Results of ${slide.name}` }, ...slide.results.map(r => resultLink(slide, r)),
      ...registeredOf(slide).map(registeredLink)));

function countText(total: number, search: string): string {
  const slides = `${total.toLocaleString('en')} slide${total === 1 ? '' : 's'}`;
  if (total > 0) return search ? `${slides} found` : slides;
  return search ? `No slide matches “${search}”.`
    : 'The folders of the server have no slides. Start it with other folders, or add slides to them.';
}

async function load(from: number): Promise<void> {
  latest?.abort();
  const request = latest = new AbortController(), search = byId<HTMLInputElement>('search').value.trim();
  const query = new URLSearchParams({ search, offset: String(from), limit: String(pageSize) });
  const { total, items } = await get<SlidePage>(`slides?${query}`, request.signal);
  registrations = await get<Registration[]>('registrations', request.signal).catch(() => registrations);
  const list = byId('slides-list');
  if (from === 0) fill(list);
  list.append(...items.map(card));
  shown = from + items.length;
  byId('slides-count').textContent = countText(total, search);
  byId('slides-more').hidden = shown >= total || items.length === 0;
}

export const showSlides = () => load(0);

/** Connects the search box and the button for more slides. */
export function startSearch(report: (error: unknown) => void): void {
  let timer = 0;
  const reload = (from: number) => void load(from).then(() => report(null), (error: unknown) => {
    if (!(error instanceof DOMException && error.name === 'AbortError')) report(error);
  });
  byId('search').addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => reload(0), 250);
  });
  byId('slides-more').addEventListener('click', () => reload(shown));
}
