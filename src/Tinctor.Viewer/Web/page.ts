// Parts that both pages have: elements, the theme, and messages.

import { el, svg } from '../../Web/elements.js';
import { startTheme as followTheme } from '../../Web/theme.js';

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
export const startTheme = (onChange: () => void = () => undefined) => followTheme(byId('theme'), onChange, localStorage);

/** Shows a problem in one line, with a button that tries again if there is something to try. */
export function showProblem(node: HTMLElement, text: string | null, retry?: () => void): void {
  node.hidden = text === null;
  if (text === null) {
    fill(node);
    return;
  }
  fill(node, el('span', {}, text), ...(retry ? [el('button', { type: 'button', class: 'quiet', onclick: retry }, 'Try again')] : []));
}
