for (const scroller of document.querySelectorAll('main .scroll'))
  if (!scroller.closest('.scroller')) { const place = scroller.nextSibling, parent = scroller.parentNode; parent.insertBefore(withScrollSign(scroller), place); }

// Table of contents, and preparation for print.

const parts = [...document.querySelectorAll('main section[aria-labelledby]')].filter(s => !s.hidden);
const links = parts.map(s => el('a', { href: `#${s.id}` }, $(s.getAttribute('aria-labelledby')).textContent));
$('contents').append(el('ol', {}, ...links.map(link => el('li', {}, link))));
const markPlace = () => {
  const at = Math.max(0, parts.findLastIndex(s => s.getBoundingClientRect().top < innerHeight * 0.35));
  links.forEach((link, i) => i === at ? link.setAttribute('aria-current', 'true') : link.removeAttribute('aria-current'));
  const list = $('contents'), link = links[at];
  if (list.scrollWidth > list.clientWidth) list.scrollLeft = link.offsetLeft - list.clientWidth / 2 + link.offsetWidth / 2;
};
addEventListener('scroll', markPlace, { passive: true });
markPlace();

// Prints show folded parts.
const openFolds = [];
beforePrint.push(() => document.querySelectorAll('details.fold:not([open])').forEach(d => { d.open = true; openFolds.push(d); }));
addEventListener('afterprint', () => openFolds.splice(0).forEach(d => { d.open = false; }));

drawCharts();
