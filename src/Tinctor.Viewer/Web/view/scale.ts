// Scale bar and magnification.

import { formatLength } from '../format.ts';

export interface ScaleBar { pixels: number; label: string }

/**
 * Longest bar of 1, 2 or 5 times a power of ten that fits.
 * @param umPerPixel micrometres per pixel of the screen
 * @param most greatest length in pixels of the screen
 */
export function scaleBar(umPerPixel: number, most: number): ScaleBar {
  const longest = umPerPixel * most, power = 10 ** Math.floor(Math.log10(longest) + 1e-9);
  const um = power * (longest / power >= 5 - 1e-9 ? 5 : longest / power >= 2 - 1e-9 ? 2 : 1);
  return { pixels: um / umPerPixel, label: formatLength(um) };
}

/** Objective magnification of a slide; from its resolution if the file does not state it: 10 µm per pixel are 1×. Null without either. */
export const objectiveOf = (slide: { magnification: number | null; mpp: number | null }) =>
  slide.magnification ?? (slide.mpp ? 10 / slide.mpp : null);

/** Magnification on the screen, such as 12.5×; zoom is pixels of the screen per pixel of the slide. */
export function magnificationText(objective: number | null, zoom: number): string {
  if (objective === null) return `${Number((zoom * 100).toPrecision(3))}%`;
  const value = objective * zoom;
  return `${value >= 9.95 ? Math.round(value) : Number(value.toPrecision(2))}×`;
}
