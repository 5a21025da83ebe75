// Divider between two pictures that lie above each other.

import { clamp } from './numbers.js';

/** Place of a divider after a key, from 0 to 1; null for other keys. */
export function splitAfter(key, split) {
  const step = { ArrowLeft: -0.02, ArrowRight: 0.02, ArrowDown: -0.02, ArrowUp: 0.02, PageDown: -0.1, PageUp: 0.1, Home: -1, End: 1 }[key];
  return step === undefined ? null : clamp(split + step, 0, 1);
}

/**
 * Lets a handle move a divider, by dragging and by keys.
 * @param {HTMLElement} handle has the role slider
 * @param {HTMLElement} stage holds the pictures
 * @param {() => number} split place of the divider, from 0 to 1
 * @param {(split: number) => void} move
 */
export function startDivider(handle, stage, split, move) {
  handle.addEventListener('pointerdown', event => {
    event.stopPropagation();
    handle.setPointerCapture(event.pointerId);
  });
  handle.addEventListener('pointermove', event => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const { left, width } = stage.getBoundingClientRect();
    move(clamp((event.clientX - left) / width, 0, 1));
  });
  handle.addEventListener('keydown', event => {
    const to = splitAfter(event.key, split());
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    move(to);
  });
}
