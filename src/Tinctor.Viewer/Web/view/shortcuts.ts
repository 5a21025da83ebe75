// Keyboard shortcuts and the dialog that lists them.

import { byId, el, fill } from '../page.ts';

export interface Shortcut { keys: string[]; shown: string; text: string; run: () => void }

/** Text fields, lists and sliders take keys themselves; buttons take Enter and Space. */
const takesKeys = (target: EventTarget | null) => target instanceof HTMLElement
  && (target.closest('input:not([type=checkbox]), select, textarea, [role=slider], dialog') !== null);

export function startShortcuts(shortcuts: Shortcut[]): void {
  const on = byId<HTMLInputElement>('shortcuts-on'), stored = 'shortcuts';
  on.checked = localStorage.getItem(stored) !== 'off';
  on.addEventListener('change', () => localStorage.setItem(stored, on.checked ? 'on' : 'off'));
  fill(byId('help-keys'), ...shortcuts.filter(({ shown }) => shown).flatMap(({ shown, text }) =>
    [el('dt', {}, ...shown.split(' ').flatMap((key, i) => i === 0 ? [el('kbd', {}, key)] : [' ', el('kbd', {}, key)])),
      el('dd', {}, text)]));
  addEventListener('keydown', event => {
    if (event.ctrlKey || event.altKey || event.metaKey || takesKeys(event.target) || (!on.checked && event.key !== 'Escape')) return;
    const shortcut = shortcuts.find(({ keys }) => keys.includes(event.key));
    if (!shortcut) return;
    event.preventDefault();
    shortcut.run();
  });
}
