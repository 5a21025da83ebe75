// Enlarged pictures of sections: zoom by wheel, pinch or double click, drag to move, swipe or arrow keys for the next picture.
// All pictures share zoom and position, so that those of one slide can be compared.

import { button, el } from '../../../Web/elements.js';
import { distance, wheelFactor } from './geometry.js';
import { clamp } from '../../../Web/numbers.js';

const lightbox = el('dialog', { class: 'lightbox', 'aria-label': 'Enlarged picture' });
const shown = { buttons: [], index: 0, scale: 1, x: 0, y: 0 };

/** Enlarges the picture inside a button; the other pictures of its group follow. */
export function openPicture(opened) {
  if (!lightbox.isConnected) document.body.append(lightbox);
  shown.buttons = [...opened.closest('.pictures').querySelectorAll('.enlarge')];
  Object.assign(shown, { scale: 1, x: 0, y: 0 });
  lightbox.showModal();
  showPicture(shown.buttons.indexOf(opened));
}

function showPicture(index) {
  const count = shown.buttons.length;
  shown.index = (index + count) % count;
  const { src, alt } = shown.buttons[shown.index].firstChild, picture = el('img', { src, alt, draggable: 'false' });
  lightbox.replaceChildren(
    el('div', { class: 'lightbox-stage' }, picture),
    el('div', { class: 'lightbox-bar' },
      el('b', {}, `${picture.alt} (${shown.index + 1} of ${count})`), el('span', { class: 'grow' }),
      button('←', 'Previous picture', () => showPicture(shown.index - 1)), button('→', 'Next picture', () => showPicture(shown.index + 1)),
      button('−', 'Zoom out', () => zoomPicture(1 / 1.5)), button('+', 'Zoom in', () => zoomPicture(1.5)),
      button('×', 'Close', () => lightbox.close())));
  placePicture();
}

function placePicture() {
  const picture = lightbox.querySelector('img'), limit = 50 * (shown.scale - 1);
  shown.x = clamp(shown.x, -limit, limit);
  shown.y = clamp(shown.y, -limit, limit);
  picture.style.transform = `translate(${shown.x}%, ${shown.y}%) scale(${shown.scale})`;
}

function zoomPicture(factor) {
  const scale = clamp(shown.scale * factor, 1, 16);
  shown.x *= scale / shown.scale;
  shown.y *= scale / shown.scale;
  shown.scale = scale;
  placePicture();
}

const fingers = new Map();
let swiped = 0;
lightbox.addEventListener('wheel', event => { event.preventDefault(); zoomPicture(wheelFactor(event.deltaY)); },
  { passive: false });
lightbox.addEventListener('dblclick', () => zoomPicture(shown.scale > 1 ? 1 / shown.scale : 3));
lightbox.addEventListener('pointerdown', event => {
  if (!/** @type {Element} */ (event.target).closest('.lightbox-stage')) return;
  fingers.set(event.pointerId, event);
  swiped = 0;
});
lightbox.addEventListener('pointermove', event => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  fingers.set(event.pointerId, event);
  if (fingers.size === 2) {
    const other = [...fingers.values()].find(p => p.pointerId !== event.pointerId);
    zoomPicture(distance(event, other) / Math.max(1, distance(before, other)));
  } else if (shown.scale === 1) swiped += event.clientX - before.clientX;
  else {
    const box = lightbox.querySelector('.lightbox-stage').getBoundingClientRect();
    shown.x += (event.clientX - before.clientX) / box.width * 100;
    shown.y += (event.clientY - before.clientY) / box.height * 100;
    placePicture();
  }
});
for (const type of /** @type {const} */ (['pointerup', 'pointercancel']))
  lightbox.addEventListener(type, event => {
    if (!fingers.delete(event.pointerId) || Math.abs(swiped) < 60) return;
    const by = swiped < 0 ? 1 : -1;
    swiped = 0;
    showPicture(shown.index + by);
  });
lightbox.addEventListener('keydown', event => {
  const action = {
    ArrowLeft: () => showPicture(shown.index - 1), ArrowRight: () => showPicture(shown.index + 1),
    '+': () => zoomPicture(1.5), '=': () => zoomPicture(1.5), '-': () => zoomPicture(1 / 1.5),
  }[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
