// Light and dark themes, colours, and print, which uses the light theme.

import { models } from './data.js';
import { $ } from './elements.js';

const root = document.documentElement;
const redraws = [], preparations = [];

/** Registers a function that draws again after a change of theme. */
export const onTheme = draw => { redraws.push(draw); };
/** Registers a function that prepares the page before it is printed. */
export const onPrint = prepare => { preparations.push(prepare); };

/** Value of a CSS variable in the current theme. */
export const colour = name => getComputedStyle(root).getPropertyValue(name).trim();
export const palette = ['--m0', '--m1', '--m2', '--m3', '--m4', '--m5'];
/** CSS variable with the colour of a method. */
export const methodVariable = key => ({ identity: '--identity', mean_colour: '--mean' })[key]
  ?? palette[models.findIndex(m => m.key === key) % palette.length];
export const methodInk = key => `var(${methodVariable(key)})`;

function setTheme(dark) {
  root.dataset.theme = dark ? 'dark' : 'light';
  redraws.forEach(draw => draw());
}

let themeOnScreen = null;
function startPrint() {
  if (themeOnScreen !== null) return;
  themeOnScreen = root.dataset.theme;
  setTheme(false);
  preparations.forEach(prepare => prepare());
}
function endPrint() {
  if (themeOnScreen === null) return;
  setTheme(themeOnScreen === 'dark');
  themeOnScreen = null;
}

/** Takes the theme of the system, and follows it, the button and print. */
export function startThemes() {
  const systemDark = matchMedia('(prefers-color-scheme: dark)');
  root.dataset.theme = systemDark.matches ? 'dark' : 'light';
  systemDark.addEventListener('change', e => setTheme(e.matches));
  $('theme').addEventListener('click', () => setTheme(root.dataset.theme !== 'dark'));
  addEventListener('beforeprint', startPrint);
  addEventListener('afterprint', endPrint);
  matchMedia('print').addEventListener('change', e => e.matches ? startPrint() : endPrint());
}
