// Table of contents, and folded parts in print.

import { $, el } from '../../../Web/elements.js';
import { onPrint } from './theme.js';

/** Lists the visible sections and marks the one on screen. */
export function drawContents() {
  /** @type {NodeListOf<HTMLElement>} */
  const titled = document.querySelectorAll('main section[aria-labelledby]');
  const parts = [...titled].filter(s => !s.hidden);
  const links = parts.map(s => el('a', { href: `#${s.id}` }, $(s.getAttribute('aria-labelledby')).textContent));
  const list = $('contents');
  list.append(el('ol', {}, ...links.map(link => el('li', {}, link))));
  const markPlace = () => {
    const at = Math.max(0, parts.findLastIndex(s => s.getBoundingClientRect().top < innerHeight * 0.35)), link = links[at];
    links.forEach((other, i) => i === at ? other.setAttribute('aria-current', 'true') : other.removeAttribute('aria-current'));
    if (list.scrollWidth > list.clientWidth) list.scrollLeft = link.offsetLeft - list.clientWidth / 2 + link.offsetWidth / 2;
  };
  addEventListener('scroll', markPlace, { passive: true });
  markPlace();
}

/** Opens folded parts for print, and closes them afterwards. */
export function openFoldsInPrint() {
  /** @type {HTMLDetailsElement[]} */
  const opened = [];
  onPrint(() => {
    /** @type {NodeListOf<HTMLDetailsElement>} */
    const closed = document.querySelectorAll('details.fold:not([open])');
    opened.push(...closed);
    opened.forEach(d => { d.open = true; });
  });
  addEventListener('afterprint', () => opened.splice(0).forEach(d => { d.open = false; }));
}
