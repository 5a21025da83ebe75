// Panel with the facts, associated images and metadata of the slide.

import { addressOf } from '../api.ts';
import type { Slide } from '../api.ts';
import { formatBytes, formatDate, formatLength, formatSize } from '../format.ts';
import { byId, el, fill } from '../page.ts';

const pairs = (entries: [string, string][]) => entries.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]);

export function showDetails(slide: Slide): void {
  const facts: [string, string][] = [
    ['Folder', slide.folder], ['Format', slide.format], ['Size', formatSize(slide.width, slide.height)],
    ['Resolution', slide.mpp === null ? 'not stated' : `${Number(slide.mpp.toPrecision(5))} µm/px`],
    ['Objective', slide.magnification === null ? 'not stated' : `${slide.magnification}×`], ['Levels', String(slide.levels)],
    ['File', formatBytes(slide.bytes)], ['Modified', formatDate(slide.modified)],
  ];
  if (slide.mpp !== null)
    facts.splice(3, 0, ['Field', `${formatLength(slide.width * slide.mpp)} × ${formatLength(slide.height * slide.mpp)}`]);
  fill(byId('facts'), ...pairs(facts.filter(([, value]) => value !== '')));
  // The images are read when they are looked at, so that they do not delay the first view.
  byId('associated').closest('details')?.addEventListener('toggle', () => {
    fill(byId('associated'), ...slide.associated.map(name => el('figure', {},
      el('img', { src: addressOf.associated(slide.id, name), alt: `${name} image` }), el('figcaption', {}, name))));
  }, { once: true });
  const metadata = Object.entries(slide.metadata ?? {});
  fill(byId('metadata'), ...pairs(metadata.length > 0 ? metadata : [['', 'The file states no metadata.']]));
}
