// Parts that both pages have: elements, the theme, and messages.

import { el, svg } from '../../Tinctor.Evaluation/Report/Script/elements.js';

export { el, svg };

/** Gets an element that the page has. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const node = document.getElementById(id);
  if (!node) throw new Error(`The page has no element ${id}.`);
  return node as T;
}

/** Replaces the children of an element. */
export const fill = (node: Element, ...children: (Node | string)[]) => node.replaceChildren(...children);

/** Takes the theme of the system or the one chosen earlier, and follows the button. */
export function startTheme(onChange: () => void = () => undefined): void {
  const root = document.documentElement, system = matchMedia('(prefers-color-scheme: dark)');
  const set = (theme: string) => {
    root.dataset.theme = theme;
    onChange();
  };
  set(localStorage.getItem('theme') ?? (system.matches ? 'dark' : 'light'));
  system.addEventListener('change', event => { if (!localStorage.getItem('theme')) set(event.matches ? 'dark' : 'light'); });
  byId('theme').addEventListener('click', () => {
    const theme = root.dataset.theme === 'dark' ? 'light' : 'dark';
    localStorage.setItem('theme', theme);
    set(theme);
  });
}

/** Shows a problem in one line, with a button that tries again if there is something to try. */
export function showProblem(node: HTMLElement, text: string | null, retry?: () => void): void {
  node.hidden = text === null;
  if (text === null) {
    fill(node);
    return;
  }
  fill(node, el('span', {}, text), ...(retry ? [el('button', { type: 'button', class: 'quiet', onclick: retry }, 'Try again')] : []));
}
