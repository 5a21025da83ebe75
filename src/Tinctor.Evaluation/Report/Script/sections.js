// Sections of analyses: text, tables, charts and pictures.

import { el } from '../../../Web/elements.js';
import { sectionChart } from './figures.js';
import { openPicture } from './lightbox.js';
import { format, number, sentence } from '../../../Web/numbers.js';
import { sortableTable } from './tables.js';

/**
 * Sections of the page; those that were not computed share one line.
 * @param {object[]} all
 * @param {((name: string) => void) | null} lookAt shows the image of a clicked point
 */
export function sectionNodes(all, lookAt) {
  const absent = all.filter(section => section.not_computed);
  const line = absent.map(section => `${section.title} (${section.not_computed})`).join('; ');
  return [...all.filter(section => !section.not_computed).map(section => sectionNode(section, lookAt)),
    ...(absent.length ? [el('p', { class: 'note absent-note' }, sentence(`Not computed: ${line}`))] : [])];
}

function sectionNode(section, lookAt) {
  const id = `section-${section.key}`;
  const charts = section.charts.map(chart => sectionChart(chart, lookAt));
  return el('section', { id, 'aria-labelledby': `${id}-title` },
    el('h2', { id: `${id}-title` }, section.title),
    section.lead ? el('p', { class: 'lead' }, section.lead) : '',
    section.links?.length ? el('p', { class: 'links screen-only' }, ...section.links.map(linkNode)) : '',
    warningBox(section.warnings, 'Before you use these numbers'),
    ...section.tables.map(sectionTable),
    charts.length ? el('div', { class: `charts ${charts.length > 1 ? 'two' : 'one'}` }, ...charts) : '',
    section.pictures.length ? el('div', { class: 'pictures' }, ...section.pictures.map(pictureFigure)) : '',
    fold('Definitions', section.definitions.map(d => ({ term: d.term, text: sentence(d.text) }))),
    fold('How it was computed', section.provenance));
}

const linkNode = ({ text, address }) => el('a', { class: 'quiet', href: address, rel: 'noopener noreferrer' }, text);

const swatch = entry => el('span', { class: 'key' },
  el('span', { class: `swatch${entry.colour ? '' : ' clear'}`, style: { background: entry.colour ?? 'transparent' } }), entry.name);

export function warningBox(warnings, title) {
  if (!warnings.length) return '';
  return el('div', { class: 'warnings', role: 'note' }, el('b', {}, title), el('ul', {}, ...warnings.map(w => el('li', {}, sentence(w)))));
}

function sectionTable(table) {
  const columns = table.columns.map((column, i) => {
    const cells = table.rows.map(row => row[i]).filter(cell => cell !== null);
    const text = cells.some(cell => cell.name || (typeof cell === 'string' && !/^-?Infinity$/.test(cell)));
    const whole = cells.every(Number.isInteger);
    return {
      title: column.title, text,
      value: row => text ? row[i]?.name ?? row[i] : number(row[i]),
      show: row => row[i]?.name ? swatch(row[i]) : text ? row[i] ?? '–' : format(row[i], whole ? 0 : column.digits),
      best: column.higher_is_better === null ? null : column.higher_is_better ? 'high' : 'low',
    };
  });
  return el('div', { class: 'block' }, el('p', {}, sentence(table.title)), sortableTable(table.title, columns, table.rows));
}

function pictureFigure(picture) {
  return el('figure', { class: picture.wide ? 'wide' : '' },
    el('button', { type: 'button', class: 'enlarge', 'aria-label': `Enlarge ${picture.title}`, onclick: e => openPicture(e.currentTarget) },
      el('img', { src: picture.image, alt: picture.title })),
    el('figcaption', {}, el('b', {}, picture.title), ` ${picture.caption}`,
      picture.legend?.length ? el('span', { class: 'legend' }, ...picture.legend.map(swatch)) : ''));
}

function fold(title, definitions) {
  if (!definitions.length) return '';
  return el('details', { class: 'fold' }, el('summary', {}, title), definitionList(definitions));
}

export const definitionList = definitions =>
  el('dl', {}, ...definitions.flatMap(d => [el('dt', {}, d.term), el('dd', {}, d.text)]));
