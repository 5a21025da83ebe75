// Panes of OpenSeadragon: one picture, two above each other (curtain, opacity, flicker), or two side by side. The second pane follows.

import OpenSeadragon from 'openseadragon';
import { addressOf, getText } from '../api.ts';
import type { Slide } from '../api.ts';
import { registrationOf } from '../registrations.ts';
import type { Mode, Picture } from './state.ts';
import { CancellableSource } from './tiles.ts';

/** Width of a slide in units of the first slide's width: by physical size if both sizes are known, equal widths otherwise. */
export const relativeWidth = (slide: Pick<Slide, 'width' | 'mpp'>, first: Pick<Slide, 'width' | 'mpp'>) =>
  slide.mpp && first.mpp ? (slide.width * slide.mpp) / (first.width * first.mpp) : 1;

/** Picture with its slide; channels are those of its tiles' addresses, null for the defaults. The overlay has the size of the picture. */
export interface ShownPicture {
  picture: Picture; slide: Slide; channels?: string | null; overlay?: Picture | null; overlayOpacity?: number;
}

export interface Panes {
  first: OpenSeadragon.Viewer; second: OpenSeadragon.Viewer;
  /** Shows one or two pictures; the view stays. Fails with one line for the user if a picture cannot be read. */
  show: (pictures: ShownPicture[], mode: Mode) => Promise<void>;
  setSplit: (split: number) => void;
  setOpacity: (opacity: number) => void;
  /** Lets the controls of the page move the first pane; the other one follows. */
  lead: () => void;
  /** Reads all tiles again. */
  reload: () => void;
}

// OpenSeadragon adds a style sheet unless it finds one, and the security policy forbids that; its rule is in view.css.
function preventStyleSheet(): void {
  if (document.head.querySelector('[data-openseadragon-mobile-css]')) return;
  const mark = document.createElementNS('urn:tinctor', 'style');
  mark.setAttribute('data-openseadragon-mobile-css', 'true');
  document.head.append(mark);
}

// Stained tiles take long on slow computers.
const tileTimeout = 180_000;

/** Creates a viewer without a picture. */
export function createViewer(element: HTMLElement, navigator: string | null): OpenSeadragon.Viewer {
  preventStyleSheet();
  return OpenSeadragon({
    element, drawer: 'canvas', showNavigationControl: false, showNavigator: navigator !== null,
    ...(navigator ? { navigatorId: navigator } : {}),
    navigatorDrawer: 'canvas', animationTime: 0.6, visibilityRatio: 0.3, minZoomImageRatio: 0.5, maxZoomPixelRatio: 8,
    preserveViewport: true, tileRetryMax: 3, timeout: tileTimeout, tileRetryDelay: 1500,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    silenceMultiImageWarnings: true,
  // The server orders the tiles, and browsers limit the requests at a time.
  maxTilesPerFrame: 32,
  } as OpenSeadragon.Options);
}

export const canvasOf = (viewer: OpenSeadragon.Viewer) => (viewer as unknown as { drawer: { canvas: HTMLCanvasElement } }).drawer.canvas;

/** Reads the description of a pyramid. It is read here, and not by OpenSeadragon, so that problems are stated in the server's words. */
export async function readPyramid({ picture, channels = null }: ShownPicture): Promise<CancellableSource> {
  const address = addressOf.deepZoom(picture.slide, picture.layer), text = await getText(address);
  const image = new DOMParser().parseFromString(text, 'text/xml').documentElement, size = image.querySelector('Size');
  const number = (node: Element | null, name: string) => Number(node?.getAttribute(name));
  const source = new CancellableSource(number(size, 'Width'), number(size, 'Height'), number(image, 'TileSize'), number(image, 'Overlap'),
    address.replace(/\.dzi$/, '_files/'), image.getAttribute('Format') ?? '');
  const version = registrationOf(picture.layer)?.version ?? null, query = version === null ? '' : `?version=${version}`;
  return Object.assign(source, { queryParams: channels === null ? query : `?channels=${channels}` });
}

const itemsOf = ({ world }: OpenSeadragon.Viewer) => Array.from({ length: world.getItemCount() }, (_, index) => world.getItemAt(index));

function remove({ world }: OpenSeadragon.Viewer, item: OpenSeadragon.TiledImage): void {
  (item.source as CancellableSource).cancelAll();
  world.removeItem(item);
}

const flickerInterval = 600;

interface Places { first: HTMLElement; second: HTMLElement; miniMap: string }

export function createPanes(elements: Places, base: Slide, onFailure: () => void): Panes {
  const first = createViewer(elements.first, elements.miniMap), second = createViewer(elements.second, null);
  // The mini-map does not take the option from the viewer.
  (first as unknown as { navigator: { imageLoader: { timeout: number } } }).navigator.imageLoader.timeout = tileTimeout;
  const shown = new Map<OpenSeadragon.Viewer, string>(), complete = new Map<OpenSeadragon.Viewer, OpenSeadragon.TiledImage | null>();
  const overlays = new Map<OpenSeadragon.Viewer, { key: string; item: OpenSeadragon.TiledImage | null }>();
  let leader = first, mode: Mode = 'single', split = 0.5, opacity = 0.5, flicker = 0;

  const follow = (from: OpenSeadragon.Viewer, to: OpenSeadragon.Viewer) => {
    if (mode === 'single' || leader !== from || to.world.getItemCount() === 0 || from.world.getItemCount() === 0) return;
    to.viewport.setRotation(from.viewport.getRotation(true), true);
    to.viewport.zoomTo(from.viewport.getZoom(true), undefined, true);
    to.viewport.panTo(from.viewport.getCenter(true), true);
  };
  for (const [from, to] of [[first, second], [second, first]] as const) {
    for (const event of ['canvas-press', 'canvas-scroll', 'canvas-enter', 'canvas-double-click'] as const)
      from.addHandler(event, () => { leader = from; });
    from.addHandler('viewport-change', () => {
      follow(from, to);
      for (const item of itemsOf(from)) (item.source as CancellableSource).cancelInvisible();
    });
    from.addHandler('tile-load-failed', onFailure);
  }

  // The first picture lies above the second one, so that regions and gestures are those of the first in all modes.
  function blend(): void {
    const { style } = canvasOf(first);
    clearInterval(flicker);
    style.clipPath = mode === 'curtain' ? `inset(0 ${100 * (1 - split)}% 0 0)` : '';
    style.opacity = mode === 'opacity' ? String(1 - opacity) : '';
    style.visibility = '';
    if (mode === 'flicker')
      flicker = setInterval(() => { style.visibility = style.visibility === 'hidden' ? '' : 'hidden'; }, flickerInterval);
  }

  const add = (viewer: OpenSeadragon.Viewer, tileSource: CancellableSource, slide: Slide, more: object) =>
    new Promise<OpenSeadragon.TiledImage>((resolve, reject) => viewer.addTiledImage({
      tileSource, x: 0, y: 0, width: relativeWidth(slide, base), ...more,
      success: ({ item }: { item: OpenSeadragon.TiledImage }) => resolve(item),
      error: () => reject(new Error('The server described the slide in a form that the viewer cannot read.')),
    } as unknown as Parameters<typeof viewer.addTiledImage>[0]));

  // The overlay lies above the picture in the same pane, so that it follows all modes.
  async function placeOverlay(viewer: OpenSeadragon.Viewer, next: ShownPicture | undefined, placed: Promise<void>): Promise<void> {
    const overlay = next?.overlay ?? null, key = overlay ? `${overlay.slide}/${overlay.layer}` : '', old = overlays.get(viewer);
    if (old?.key === key) {
      old.item?.setOpacity(next?.overlayOpacity ?? 1);
      return placed;
    }
    if (old?.item) remove(viewer, old.item);
    const entry: { key: string; item: OpenSeadragon.TiledImage | null } = { key, item: null };
    overlays.set(viewer, entry);
    await placed;
    if (!next || !overlay) return;
    const tileSource = await readPyramid({ picture: overlay, slide: next.slide });
    if (overlays.get(viewer) !== entry) return; // another one was chosen meanwhile
    const item = await add(viewer, tileSource, next.slide, { opacity: next.overlayOpacity });
    if (overlays.get(viewer) === entry) entry.item = item;
    else remove(viewer, item);
  }

  async function place(viewer: OpenSeadragon.Viewer, next: ShownPicture | undefined): Promise<void> {
    const layer = next ? `${next.picture.slide}/${next.picture.layer}` : '', channels = next?.channels ?? null;
    const key = channels === null ? layer : `${layer}?${channels}`;
    const before = shown.get(viewer);
    if (before === key) return;
    shown.set(viewer, key);
    const tileSource = next ? await readPyramid(next).catch((error: unknown) => {
      shown.delete(viewer);
      throw error;
    }) : null;
    if (shown.get(viewer) !== key) return; // another picture was chosen meanwhile
    const over = overlays.get(viewer)?.item, old = itemsOf(viewer).filter(item => item !== over);
    let added: OpenSeadragon.TiledImage | null = null;
    if (next && tileSource) {
      added = await add(viewer, tileSource, next.slide, { index: old.length });
    }
    const last = complete.get(viewer);
    // Other channels of the same picture replace it when they are complete, so that it does not flash.
    if (!added || !last || before?.split('?')[0] !== layer) {
      old.forEach(item => remove(viewer, item));
      complete.set(viewer, added);
      return;
    }
    old.filter(item => item !== last).forEach(item => remove(viewer, item));
    const item = added;
    item.whenFullyLoaded(() => {
      if (shown.get(viewer) !== key) return;
      remove(viewer, last);
      complete.set(viewer, item);
    });
  }

  return {
    first, second,
    async show(pictures, next) {
      mode = pictures.length > 1 ? next : 'single';
      leader = first;
      blend();
      await Promise.all([first, second].map((viewer, i) => placeOverlay(viewer, pictures[i], place(viewer, pictures[i]))));
      follow(first, second);
    },
    setSplit(value) {
      split = value;
      blend();
    },
    setOpacity(value) {
      opacity = value;
      blend();
    },
    lead: () => { leader = first; },
    reload() {
      first.world.resetItems();
      second.world.resetItems();
    },
  };
}
