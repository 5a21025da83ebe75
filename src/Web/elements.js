// Elements of the page.

export const $ = id => document.getElementById(id);

/**
 * Creates an element. Attributes that start with "on" are event handlers, style is an object; false, null and undefined set nothing.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {object} attributes
 * @param {...(Node | string | null)} children null and '' are skipped
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key === 'style') Object.entries(value).forEach(([name, v]) => node.style.setProperty(name, v));
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.filter(c => c !== null && c !== undefined && c !== ''));
  return node;
}

export function svg(tag, attributes, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

export const button = (text, name, onclick) =>
  el('button', { class: 'quiet', type: 'button', 'aria-label': name, title: name, onclick }, text);
export const toolbar = () => el('div', { class: 'tools' });
