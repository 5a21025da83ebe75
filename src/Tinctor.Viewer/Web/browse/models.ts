// List of models with their cards.

import { get, messageOf } from '../api.ts';
import type { Model } from '../api.ts';
import { formatCount, formatDate, formatNumber } from '../format.ts';
import { byId, el, fill } from '../page.ts';
import { renderMarkdown } from './markdown.ts';

function factsOf(model: Model): string {
  const facts = model.kind !== 'staining' ? [model.kind]
    : model.method && model.source ? [model.method, `${model.source} → ${model.target}`] : ['model.json is missing or damaged'];
  if (model.mpp !== null) facts.push(`${formatNumber(model.mpp)} µm/px`);
  if (model.parameters !== null) facts.push(`${formatCount(model.parameters)} parameters`);
  if (model.created) facts.push(formatDate(model.created));
  return facts.join(' · ');
}

async function toggleCard(model: Model, button: HTMLElement, place: HTMLElement): Promise<void> {
  const isOpen = button.getAttribute('aria-expanded') === 'true';
  button.setAttribute('aria-expanded', String(!isOpen));
  place.hidden = isOpen;
  if (isOpen || place.childNodes.length > 0) return;
  try {
    const { card } = await get<Model>(`models/${encodeURIComponent(model.id)}`);
    if (card) place.innerHTML = renderMarkdown(card);
    else fill(place, el('p', { class: 'empty' }, 'This model has no card.'));
  } catch (error) {
    fill(place, el('p', { class: 'empty' }, messageOf(error)));
    button.setAttribute('aria-expanded', 'false');
  }
}

function row(model: Model): HTMLElement {
  const id = `card-${model.id}`, place = el('div', { class: 'card', id, hidden: true });
  const button = el('button', {
    class: 'quiet', type: 'button', 'aria-expanded': 'false', 'aria-controls': id, onclick: () => void toggleCard(model, button, place),
  }, 'Card', el('span', { class: 'visually-hidden' }, ` of ${model.name}`));
  return el('li', {}, el('div', { class: 'row-head' }, el('h2', {}, model.name), el('p', {}, factsOf(model)), button),
    model.heading ? el('p', {}, model.heading) : '',
    model.scores.length === 0 ? '' : el('dl', { class: 'facts' },
      ...model.scores.flatMap(({ name, text }) => [el('dt', {}, name), el('dd', {}, text)])),
    el('p', { class: 'empty' }, model.folder), place);
}

export async function showModels(): Promise<void> {
  const models = await get<Model[]>('models');
  fill(byId('models-list'), ...models.map(row));
  byId('models-count').textContent = models.length > 0 ? `${models.length} model${models.length === 1 ? '' : 's'}`
    : 'The folders of the server have no models. Export one from a run, or start the server with other folders.';
}
