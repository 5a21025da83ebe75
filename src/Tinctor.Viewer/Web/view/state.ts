// Permalink: the state of a view in the query of its address.

export const modes = ['single', 'side', 'curtain', 'opacity', 'flicker'] as const;
export type Mode = typeof modes[number];

/** Layer of a slide or of one of its results, which is a slide too. */
export interface Picture { slide: string; layer: string }

export interface ViewState {
  slide: string; shown: Picture; compared: Picture | null; mode: Mode;
  /** Centre in pixels of the slide at full resolution, and pixels of the screen per pixel of the slide; null for the whole slide. */
  centre: { x: number; y: number; zoom: number } | null;
  rotation: number; brightness: number; contrast: number;
  /** Place of the curtain, and opacity of the compared picture, from 0 to 1. */
  split: number; opacity: number;
  /** Uncertainty over stained slides, and its opacity from 0 to 1. */
  overlay: 'variation' | 'novelty' | 'none'; overlayOpacity: number;
  /** Channels of slides by their identifiers, as addresses of tiles have them; slides with the defaults are left out. */
  channels: Map<string, string>;
}

export const initialState = (slide: string): ViewState => ({
  slide, shown: { slide, layer: 'source' }, compared: null, mode: 'single', centre: null, rotation: 0, brightness: 1, contrast: 1,
  split: 0.5, opacity: 0.5, overlay: 'variation', overlayOpacity: 0.6,
  channels: new Map(),
});

const numberIn = (text: string | null, low: number, high: number): number | null => {
  if (text === null || text.trim() === '') return null;
  const value = Number(text);
  return Number.isFinite(value) && value >= low && value <= high ? value : null;
};

// channels is that of the slide of the address, channels.ID that of another one.
const otherChannels = 'channels.';

/** Picture of LAYER, ID/LAYER, or an id for its source. */
function pictureOf(text: string | null, slide: string | null): Picture | null {
  if (!text) return null;
  const slash = text.indexOf('/');
  if (slash > 0) return { slide: text.slice(0, slash), layer: text.slice(slash + 1) };
  return slide === null ? { slide: text, layer: 'source' } : { slide, layer: text };
}

/** Reads the query of an address; null if it names no slide. Values out of range are ignored. */
export function parseState(query: string): ViewState | null {
  const values = new URLSearchParams(query), slide = values.get('slide');
  if (!slide) return null;
  const state = initialState(slide), mode = values.get('mode');
  state.shown = pictureOf(values.get('layer'), slide) ?? state.shown;
  state.compared = pictureOf(values.get('compare'), null);
  state.mode = state.compared ? modes.find(m => m === mode) ?? 'side' : 'single';
  const x = numberIn(values.get('x'), -1e9, 1e9), y = numberIn(values.get('y'), -1e9, 1e9), zoom = numberIn(values.get('zoom'), 1e-6, 1e3);
  if (x !== null && y !== null && zoom !== null) state.centre = { x, y, zoom };
  state.rotation = numberIn(values.get('rotation'), -360, 360) ?? 0;
  state.brightness = numberIn(values.get('brightness'), 0.2, 3) ?? 1;
  state.contrast = numberIn(values.get('contrast'), 0.2, 3) ?? 1;
  state.split = numberIn(values.get('split'), 0, 1) ?? 0.5;
  state.opacity = numberIn(values.get('opacity'), 0, 1) ?? 0.5;
  const overlay = values.get('overlay');
  if (overlay === 'novelty' || overlay === 'none') state.overlay = overlay;
  state.overlayOpacity = numberIn(values.get('overlay-opacity'), 0, 1) ?? state.overlayOpacity;
  for (const [name, value] of values)
    if (name === 'channels' || name.startsWith(otherChannels)) state.channels.set(name.slice(otherChannels.length) || slide, value);
  return state;
}

const rounded = (value: number, digits: number) => String(Number(value.toFixed(digits)));

/** Formats the query of the address of a view, without the values that are the default. */
export function formatState(state: ViewState): string {
  const values = new URLSearchParams({ slide: state.slide });
  const { shown, compared, centre } = state;
  if (shown.slide !== state.slide) values.set('layer', `${shown.slide}/${shown.layer}`);
  else if (shown.layer !== 'source') values.set('layer', shown.layer);
  if (centre) {
    values.set('x', rounded(centre.x, 1));
    values.set('y', rounded(centre.y, 1));
    values.set('zoom', String(Number(centre.zoom.toPrecision(5))));
  }
  if (state.rotation !== 0) values.set('rotation', rounded(state.rotation, 1));
  if (compared) {
    values.set('compare', compared.layer === 'source' ? compared.slide : `${compared.slide}/${compared.layer}`);
    values.set('mode', state.mode);
    if (state.mode === 'curtain') values.set('split', rounded(state.split, 3));
    if (state.mode === 'opacity') values.set('opacity', rounded(state.opacity, 2));
  }
  if (state.brightness !== 1) values.set('brightness', rounded(state.brightness, 2));
  if (state.contrast !== 1) values.set('contrast', rounded(state.contrast, 2));
  if (state.overlay !== 'variation') values.set('overlay', state.overlay);
  if (state.overlayOpacity !== 0.6) values.set('overlay-opacity', rounded(state.overlayOpacity, 2));
  for (const [id, channels] of state.channels) values.set(id === state.slide ? 'channels' : otherChannels + id, channels);
  return `?${values.toString().replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%2C', ',')}`;
}
