// Zoom and position of pictures.

import { clamp } from '../../../Web/numbers.js';

/**
 * Zooms about a point that keeps its place.
 * @param {{ scale: number, x: number, y: number }} view scale, and offset of the picture in pixels
 * @param {number} factor
 * @param {number} x of the point, in pixels from the left edge of the pane
 * @param {number} y
 * @returns {{ scale: number, x: number, y: number }} with a scale from 1 to 24
 */
export function zoomed(view, factor, x, y) {
  const scale = clamp(view.scale * factor, 1, 24), by = scale / view.scale;
  return { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

/** Offset at which a picture covers a pane, or is in its middle if it is smaller. */
export const fitted = (offset, size, room) => size <= room ? (room - size) / 2 : clamp(offset, room - size, 0);

/** Factor of a turn of the mouse wheel. */
export const wheelFactor = deltaY => Math.exp(-clamp(deltaY, -240, 240) * 0.0025);

/** Distance of two pointers. */
export const distance = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);

export const within = (box, e) => e.clientX >= box.left && e.clientX <= box.right && e.clientY >= box.top && e.clientY <= box.bottom;
