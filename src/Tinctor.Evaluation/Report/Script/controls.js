// Controls to choose with.

import { el } from '../../../Web/elements.js';
import { groupTitle } from './metrics.js';

/** Marks the button of a value in a group of buttons. */
export function press(group, value) {
  for (const b of group.children) b.setAttribute('aria-pressed', String(b.dataset.value === value));
}

/** Control with buttons, for few options of [value, text]. */
export function segments(name, options, current, pick) {
  const group = el('div', { class: 'segments', role: 'group', 'aria-label': name });
  for (const [value, text] of options)
    group.append(el('button', {
      type: 'button', 'data-value': value, 'aria-pressed': String(value === current),
      onclick: () => { press(group, value); pick(value); },
    }, text));
  return group;
}

/** Control with a list, for many options of [value, text, group]; the group may be missing. */
export function dropdown(name, options, current, pick) {
  const node = el('select', { 'aria-label': name, onchange: e => pick(e.target.value) });
  const groupsByName = new Map();
  for (const [value, text, group] of options) {
    const option = el('option', { value, selected: value === current }, text);
    if (!group) { node.append(option); continue; }
    if (!groupsByName.has(group)) {
      groupsByName.set(group, el('optgroup', { label: group }));
      node.append(groupsByName.get(group));
    }
    groupsByName.get(group).append(option);
  }
  return node;
}

export const choice = (text, control) => el('label', { class: 'choice' }, el('span', {}, text), control);
export const metricChoice = (list, current, pick) =>
  choice('Metric', dropdown('Metric', list.map(m => [m.key, m.title, groupTitle(m.group)]), current, pick));
