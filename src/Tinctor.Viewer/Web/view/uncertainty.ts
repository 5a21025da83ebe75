// Stained results: what their reports state, and their uncertainty as a layer over the picture.

import type { Overlay, Slide, StainingReport } from '../api.ts';
import { formatNumber } from '../format.ts';
import { byId, el, fill } from '../page.ts';
import type { Picture, ViewState } from './state.ts';
import type { ShownPicture } from './viewer.ts';

const titles: Record<string, string> = { variation: 'Variation', novelty: 'Novelty', none: 'None' };
const hints: Record<string, string> = {
  variation: 'Coefficient of variation of the colour over repeated results for the same place.',
  novelty: 'Distance of the source from the training images, relative to the limit that 99 of 100 training windows keep.',
};
const percent = (share: number) => `${Math.round(100 * share)}%`;

/** Facts of a report as names and values. */
export function reportFacts(report: StainingReport): [string, string][] {
  const facts: [string, string | null][] = [
    ['Model', report.model],
    ['IHC level', report.ihcLevel === null ? null : report.ihcLevel
      + (report.ihcLevelProbability === null ? '' : ` (probability ${formatNumber(report.ihcLevelProbability)})`)],
    ['Seams', report.seamScore === null ? null : `${formatNumber(report.seamScore)} (1 is invisible)`],
    ['Haematoxylin', report.haematoxylinCorrelation === null ? null : `correlation ${formatNumber(report.haematoxylinCorrelation)}`],
    ['Background', report.backgroundDrift === null ? null : `changed by ΔE ${formatNumber(report.backgroundDrift)}`],
    ['Unfamiliar', report.noveltyShare === null ? null : `${percent(report.noveltyShare)} of the source`],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== null);
}

/** States why a stained slide has no uncertainty or only a part of it; null if it has all. */
export function missingText(report: StainingReport, overlays: Overlay[]): string | null {
  if (report.uncertainty === null)
    return 'The slide was stained without uncertainty. tinctor stain --uncertainty adds a map of it.';
  return overlays.some(({ name }) => name === 'novelty') ? null
    : 'The model has no detector of sources that are unlike its training images.';
}

/** Text about the novelty of a source that a model stains on demand. */
export const noveltyText = (share: number | null) => share === null
  ? 'The model has no detector of sources that are unlike its training images.'
  : `${percent(share)} of the source is unlike the model's training images${share >= 0.5 ? ': do not trust the result' : ''}.`;

export interface Uncertainty {
  /** Adds the layers of uncertainty to pictures that have one, and shows the section of the panel. */
  follow: (pictures: ShownPicture[]) => Promise<ShownPicture[]>;
  toggle: () => void;
}

export function startUncertainty(state: ViewState, slideOf: (id: string) => Promise<Slide>, changed: () => void): Uncertainty {
  let last = state.overlay === 'none' ? 'variation' : state.overlay, offered: Overlay[] = [];

  const set = (overlay: ViewState['overlay']) => {
    if (overlay !== 'none') last = overlay;
    state.overlay = overlay;
    changed();
  };

  // A slide without the chosen kind shows the one that it has.
  const kindOf = (overlays: Overlay[]) => state.overlay === 'none' ? null
    : overlays.find(({ name }) => name === state.overlay) ?? overlays[0] ?? null;

  function showControls(): void {
    const kind = kindOf(offered);
    byId('overlay').hidden = byId('overlay-opacity-label').hidden = offered.length === 0;
    byId('overlay-opacity-label').hidden ||= kind === null;
    const names = [...offered.map(({ name }) => name), 'none'] as ViewState['overlay'][];
    fill(byId('overlay-kinds'), ...names.map(name => el('button', { type: 'button', class: 'quiet', 'data-overlay': name,
      'aria-pressed': String(name === (kind?.name ?? 'none')), onclick: () => set(name) }, titles[name] ?? name)));
    byId<HTMLInputElement>('overlay-opacity').value = String(state.overlayOpacity);
    byId('overlay-opacity-value').textContent = percent(state.overlayOpacity);
    fill(byId('overlay-legend'), ...kind === null ? [] : [el('li', {}, hints[kind.name] ?? ''), ...kind.bands.map(({ name, color }) =>
      el('li', {}, el('span', { class: color ? 'swatch' : 'swatch clear', style: color ? { background: color } : {} }), name))]);
  }

  function describe({ slide }: ShownPicture, withName: boolean, overlays: Overlay[]): HTMLElement[] {
    const report = slide.staining;
    if (!report) return [];
    const note = missingText(report, overlays);
    return [...withName ? [el('h2', {}, slide.name)] : [],
      ...report.unlikeTraining ? [el('p', { class: 'warning' }, noveltyText(report.noveltyShare))] : [],
      el('dl', { class: 'facts' }, ...reportFacts(report).flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
      ...report.report ? [el('p', {}, el('a', { href: report.report }, 'Page about the slide'))] : [],
      ...note ? [el('p', { class: 'empty' }, note)] : []];
  }

  byId('overlay-opacity').addEventListener('input', event => {
    state.overlayOpacity = Number((event.target as HTMLInputElement).value);
    changed();
  });

  return {
    async follow(pictures) {
      const overlaysOf = async ({ slide, picture }: ShownPicture) => slide.staining?.uncertainty && picture.layer === 'source'
        ? (await slideOf(slide.staining.uncertainty)).overlays : [];
      const overlays = await Promise.all(pictures.map(overlaysOf));
      const stained = pictures.map((picture, i) => ({ picture, overlays: overlays[i] ?? [] }))
        .filter(({ picture }) => picture.slide.staining);
      offered = stained.map(entry => entry.overlays).sort((a, b) => b.length - a.length)[0] ?? [];
      byId('result-section').hidden = stained.length === 0;
      fill(byId('result-facts'), ...stained.flatMap(entry => describe(entry.picture, stained.length > 1, entry.overlays)));
      const focused = document.activeElement?.getAttribute('data-overlay');
      showControls();
      if (focused) document.querySelector<HTMLElement>(`[data-overlay=${focused}]`)?.focus();
      return pictures.map((picture, i) => {
        const kind = kindOf(overlays[i] ?? []), slide = picture.slide.staining?.uncertainty;
        const overlay: Picture | null = kind && slide ? { slide, layer: kind.name } : null;
        return { ...picture, overlay, overlayOpacity: state.overlayOpacity };
      });
    },
    toggle() {
      if (offered.length > 0) set(state.overlay === 'none' ? last : 'none');
    },
  };
}
