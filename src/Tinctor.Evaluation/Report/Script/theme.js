// Light and dark themes, colours, and print, which uses the light theme.

import { models } from './data.js';
import { $ } from '../../../Web/elements.js';
import { isDark, setTheme, startTheme } from '../../../Web/theme.js';

const redraws = [], preparations = [];

/** Registers a function that draws again after a change of theme. */
export const onTheme = draw => { redraws.push(draw); };
/** Registers a function that prepares the page before it is printed. */
export const onPrint = prepare => { preparations.push(prepare); };

/** Value of a CSS variable in the current theme. */
export const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const palette = ['--m0', '--m1', '--m2', '--m3', '--m4', '--m5'];
/** CSS variable with the colour of a method. */
export const methodVariable = key => ({ identity: '--identity', mean_colour: '--mean' })[key]
  ?? palette[models.findIndex(m => m.key === key) % palette.length];
export const methodInk = key => `var(${methodVariable(key)})`;

const redraw = () => redraws.forEach(draw => draw());

let wasDark = null;
function startPrint() {
  if (wasDark !== null) return;
  wasDark = isDark();
  setTheme(false);
  redraw();
  preparations.forEach(prepare => prepare());
}
function endPrint() {
  if (wasDark === null) return;
  setTheme(wasDark);
  redraw();
  wasDark = null;
}

/** Takes the theme of the system, and follows it, the button and print. */
export function startThemes() {
  startTheme($('theme'), redraw);
  addEventListener('beforeprint', startPrint);
  addEventListener('afterprint', endPrint);
  matchMedia('print').addEventListener('change', e => e.matches ? startPrint() : endPrint());
}
