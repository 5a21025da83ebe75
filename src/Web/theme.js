// Light and dark theme of reports and of the viewer.

const page = () => document.documentElement.dataset;

/** Sets the theme of the page. */
export const setTheme = dark => { page().theme = dark ? 'dark' : 'light'; };
export const isDark = () => page().theme === 'dark';

/**
 * Takes the theme of the system, or the one that was chosen earlier, and follows the system and a button.
 * @param {HTMLElement} button
 * @param {() => void} onChange is called after each change
 * @param {Storage | null} storage keeps the choice; null if it is not kept
 */
export function startTheme(button, onChange, storage = null) {
  const system = matchMedia('(prefers-color-scheme: dark)'), chosen = storage?.getItem('theme') ?? null;
  setTheme(chosen === null ? system.matches : chosen === 'dark');
  const change = dark => {
    setTheme(dark);
    onChange();
  };
  system.addEventListener('change', event => { if (!storage?.getItem('theme')) change(event.matches); });
  button.addEventListener('click', () => {
    change(!isDark());
    storage?.setItem('theme', isDark() ? 'dark' : 'light');
  });
}
