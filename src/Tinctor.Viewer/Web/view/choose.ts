// Dialog that finds another slide to compare with, among all slides of the server.

import { get, messageOf } from '../api.ts';
import type { Slide, SlidePage } from '../api.ts';
import { formatSize } from '../format.ts';
import { byId, el, fill } from '../page.ts';

const shownAtOnce = 20, searchDelay = 200;

/** States how many slides were found and how many of them are listed. */
export function foundText(total: number, listed: number, search: string): string {
  if (total === 0) return search ? `No slide matches “${search}”.` : 'The server has no other slide.';
  const slides = `${total.toLocaleString('en')} slide${total === 1 ? '' : 's'}`;
  return listed < total ? `${slides}; the first ${listed} are listed. Type a part of the name or folder.` : slides;
}

/** Connects the button and the dialog. Slides for which `isOffered` is false are in the lists already. */
export function startOtherSlides(isOffered: (slide: Slide) => boolean, choose: (slide: Slide) => void): void {
  const dialog = byId<HTMLDialogElement>('choose'), search = byId<HTMLInputElement>('choose-search'), list = byId('choose-list');
  let timer = 0, latest: AbortController | null = null;

  const pick = (slide: Slide) => {
    dialog.close();
    choose(slide);
  };

  const row = (slide: Slide) => el('li', {}, el('button', { type: 'button', class: 'quiet', onclick: () => pick(slide) },
    slide.name, el('small', {}, [slide.folder, formatSize(slide.width, slide.height)].filter(Boolean).join(' · '))));

  async function find(): Promise<void> {
    latest?.abort();
    const request = latest = new AbortController(), text = search.value.trim();
    const query = new URLSearchParams({ search: text, offset: '0', limit: String(shownAtOnce) });
    try {
      const { total, items } = await get<SlidePage>(`slides?${query}`, request.signal);
      const offered = items.filter(slide => !slide.error && isOffered(slide));
      fill(list, ...offered.map(row));
      byId('choose-count').textContent = foundText(total - (items.length - offered.length), offered.length, text);
    } catch (error) {
      if (!request.signal.aborted) byId('choose-count').textContent = messageOf(error);
    }
  }

  byId('other-slide').addEventListener('click', () => {
    dialog.showModal();
    search.select();
    void find();
  });
  search.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => void find(), searchDelay);
  });
  // Enter takes the first slide, arrow keys move in the list.
  dialog.addEventListener('keydown', event => {
    const buttons = [...list.querySelectorAll('button')], at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    if (event.key === 'Enter' && document.activeElement === search) buttons[0]?.click();
    else if (event.key === 'ArrowDown') buttons[Math.min(at + 1, buttons.length - 1)]?.focus();
    else if (event.key === 'ArrowUp') (at > 0 ? buttons[at - 1] : search)?.focus();
    else return;
    event.preventDefault();
  });
}
