// Regions: drawn with Annotorious, kept as GeoJSON features, listed in the panel.

import { createOSDAnnotator } from '@annotorious/openseadragon';
import '@pixi/unsafe-eval';
import type { Color, ImageAnnotation } from '@annotorious/openseadragon';
import OpenSeadragon from 'openseadragon';
import { get, messageOf, send } from '../api.ts';
import type { Slide } from '../api.ts';
import { formatArea } from '../format.ts';
import { byId, el, fill } from '../page.ts';
import {
  areaOf, boundsOf, classNameOf, collectionOf, colourOf, createFeature, defaultClasses, geometryOf, hex, parseFeatures, polygonsOf, scaled,
} from './geojson.ts';
import type { Feature, FeatureCollection, Ring } from './geojson.ts';
import { saveFile } from './save.ts';
import { annotationOf, geometryOfShape, shapeOf } from './selectors.ts';

// The server takes no larger ones.
const largestFile = 32 * 2 ** 20;

export interface Regions {
  features: () => Feature[]; setScale: (scale: number) => void;
  /** Identifier of the selected region. */
  selected: () => string | null;
  /** The view as a region; null if it shows no part of the slide. */
  view: () => Feature | null;
  /** Replaces features that have the same identifiers. */
  replace: (changed: Feature[]) => void;
  draw: (tool: 'rectangle' | 'polygon') => void; cancel: () => void; removeSelected: () => void;
}

// Identifiers of QuPath are UUIDs; crypto.randomUUID needs HTTPS or this computer.
function newId(): string {
  const digits = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte, i) =>
    (i === 6 ? (byte & 15) | 64 : i === 8 ? (byte & 63) | 128 : byte).toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export async function startRegions(viewer: OpenSeadragon.Viewer, slide: Slide): Promise<Regions> {
  const features = new Map<string, Feature>(), note = byId('regions-note'), path = `slides/${encodeURIComponent(slide.id)}/regions`;
  const annotator = createOSDAnnotator(viewer, { drawingEnabled: false, autoSave: true });
  let saves = false, timer = 0, selected: string | null = null, scale = 1;
  const say = (text: string) => { note.textContent = text; };
  const styleOf = (id: string) => hex(colourOf(features.get(id) ?? createFeature(id, geometryOf([]), null, []))) as Color;
  annotator.setStyle(annotation => ({
    fill: styleOf(annotation.id), fillOpacity: 0.12, stroke: styleOf(annotation.id), strokeWidth: annotation.id === selected ? 3 : 2,
  }));

  // The double click that ends a polygon must not zoom.
  viewer.addHandler('canvas-double-click', event => {
    if (annotator.isDrawingEnabled()) event.preventDefaultAction = true;
  });

  const chosenClass = () => defaultClasses.find(c => c.name === byId<HTMLSelectElement>('class').value) ?? null;
  const collection = () => collectionOf([...features.values()]);
  function changed(): void {
    list();
    if (!saves) return;
    clearTimeout(timer);
    timer = setTimeout(() => void send('PUT', path, collection()).then(() => say('Saved.'), error => say(messageOf(error))), 500);
  }

  function add(added: Feature[]): void {
    for (const feature of added) {
      const given = typeof feature.id === 'string' && !features.has(feature.id) ? feature.id : null, id = given ?? newId();
      features.set(id, given ? feature : { ...feature, id });
    }
    annotate();
  }

  // Annotations that are set, unlike added and cleared ones, are no changes by the user.
  function annotate(): void {
    annotator.setAnnotations([...features].flatMap(([id, { geometry }]) => {
      const shape = shapeOf(scaled(geometry, scale));
      return shape ? [annotationOf(id, shape)] : [];
    }), true);
  }

  /** Draws all regions in the pixels of the shown picture, which may be coarser or finer than the slide. */
  function setScale(next: number): void {
    if (Math.abs(next - scale) < 1e-9) return;
    scale = next;
    annotate();
  }

  const geometryFrom = (annotation: ImageAnnotation) => scaled(geometryOfShape(annotation.target.selector), 1 / scale);

  function remove(id: string): void {
    const ids = [...features.keys()], next = ids[ids.indexOf(id) + 1] ?? ids[ids.indexOf(id) - 1];
    features.delete(id);
    annotator.removeAnnotation(id);
    if (selected === id) selected = null;
    changed();
    const button = next === undefined ? null : byId('regions').querySelector<HTMLElement>(`[data-id="${CSS.escape(next)}"]`);
    (button ?? byId('drawing').querySelector('button'))?.focus();
  }

  function choose(id: string): void {
    selected = id;
    const rings = polygonsOf(features.get(id)?.geometry ?? null).flat();
    if (rings.length > 0) {
      annotator.setSelected(id);
      const { minX, minY, maxX, maxY } = boundsOf(rings), margin = 0.25 * Math.max(maxX - minX, maxY - minY, 64);
      const [x, y, w, h] = [minX - margin, minY - margin, maxX - minX + 2 * margin, maxY - minY + 2 * margin].map(v => v / slide.width);
      viewer.viewport.fitBoundsWithConstraints(new OpenSeadragon.Rect(x, y, w, h));
    }
    list();
  }

  const areaText = (feature: Feature) => {
    const pixels = areaOf(feature.geometry);
    return pixels === 0 ? feature.geometry?.type ?? '' : slide.mpp ? formatArea(pixels * slide.mpp ** 2)
      : `${Math.round(pixels).toLocaleString('en')} px²`;
  };

  function list(): void {
    const focused = document.activeElement?.getAttribute('data-id');
    fill(byId('regions'), ...[...features].map(([id, feature], index) => {
      const swatch = el('span', { class: 'swatch', style: { background: styleOf(id) } });
      const name = feature.properties?.name ?? classNameOf(feature) ?? `Region ${index + 1}`;
      return el('li', {},
        el('button', { class: 'quiet choose', type: 'button', 'data-id': id, 'aria-pressed': String(id === selected),
            onclick: () => choose(id) },
          swatch, el('span', {}, name), el('small', {}, areaText(feature))),
        el('button', { class: 'quiet', type: 'button', 'aria-label': `Delete ${name}`, title: 'Delete', onclick: () => remove(id) }, '×'));
    }));
    if (focused) byId('regions').querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"]`)?.focus();
    byId<HTMLButtonElement>('export').disabled = features.size === 0;
  }

  function stopDrawing(): void {
    annotator.setDrawingEnabled(false);
    for (const button of byId('drawing').querySelectorAll('[aria-pressed]')) button.setAttribute('aria-pressed', 'false');
  }

  function draw(tool: 'rectangle' | 'polygon'): void {
    const button = byId(`draw-${tool}`), wasOn = button.getAttribute('aria-pressed') === 'true';
    stopDrawing();
    say('');
    if (wasOn) return;
    annotator.setDrawingTool(tool);
    annotator.setDrawingMode(tool === 'rectangle' ? 'drag' : 'click');
    annotator.setDrawingEnabled(true);
    button.setAttribute('aria-pressed', 'true');
    say(tool === 'rectangle' ? 'Drag on the slide. Esc stops.' : 'Click each corner; double-click ends. Esc stops.');
  }

  function viewRing(share: number): Ring | null {
    const size = viewer.viewport.getContainerSize();
    const corner = (x: number, y: number): [number, number] => {
      const point = viewer.viewport.pointFromPixel(new OpenSeadragon.Point(x, y), true).times(slide.width);
      return [Math.round(Math.min(slide.width, Math.max(0, point.x))), Math.round(Math.min(slide.height, Math.max(0, point.y)))];
    };
    const near = (1 - share) / 2, far = 1 - near;
    const ring: Ring = [[near, near], [far, near], [far, far], [near, far]].map(([x, y]) => corner(size.x * (x ?? 0), size.y * (y ?? 0)));
    return areaOf(geometryOf([[ring]])) === 0 ? null : ring;
  }

  // Keyboards have no pointer to draw with: the view becomes the region.
  function addView(): void {
    const ring = viewRing(0.8);
    if (!ring) return say('The view shows no part of the slide.');
    const feature = createFeature(newId(), geometryOf([[ring]]), chosenClass()?.name ?? null, chosenClass()?.color ?? []);
    add([feature]);
    changed();
  }

  async function readFile(file: File): Promise<void> {
    try {
      if (file.size > largestFile) throw new Error('The file is larger than 32 MB. Export fewer objects from QuPath.');
      const added = parseFeatures(await file.text());
      add(added);
      changed();
      say(`Read ${added.length} region${added.length === 1 ? '' : 's'} from ${file.name}.`);
    } catch (error) {
      say(`${file.name}: ${messageOf(error)}`);
    }
  }

  annotator.on('createAnnotation', (annotation: ImageAnnotation) => {
    const geometry = geometryFrom(annotation);
    if (geometry)
      features.set(annotation.id, createFeature(annotation.id, geometry, chosenClass()?.name ?? null, chosenClass()?.color ?? []));
    stopDrawing();
    say('');
    changed();
  });
  annotator.on('updateAnnotation', (annotation: ImageAnnotation) => {
    const feature = features.get(annotation.id), geometry = geometryFrom(annotation);
    if (feature && geometry) features.set(annotation.id, { ...feature, geometry });
    changed();
  });
  annotator.on('deleteAnnotation', (annotation: ImageAnnotation) => {
    features.delete(annotation.id);
    changed();
  });
  annotator.on('selectionChanged', (annotations: ImageAnnotation[]) => {
    selected = annotations[0]?.id ?? null;
    list();
  });

  const tool = (id: string, text: string, onclick: () => void, pressed?: 'false') =>
    el('button', { class: 'quiet', type: 'button', id, onclick, 'aria-pressed': pressed }, text);
  fill(byId('drawing'), tool('draw-rectangle', 'Rectangle', () => draw('rectangle'), 'false'),
    tool('draw-polygon', 'Polygon', () => draw('polygon'), 'false'), tool('add-view', 'Add view', addView));
  fill(byId('class'), el('option', { value: '' }, 'No class'), ...defaultClasses.map(c => el('option', { value: c.name }, c.name)));
  fill(byId('region-files'),
    tool('import', 'Import GeoJSON', () => byId('region-file').click()),
    tool('export', 'Export GeoJSON', () =>
      saveFile(new Blob([JSON.stringify(collection())], { type: 'application/geo+json' }), `${slide.name}.geojson`)));
  const file = byId<HTMLInputElement>('region-file');
  file.addEventListener('change', () => {
    if (file.files?.[0]) void readFile(file.files[0]);
    file.value = '';
  });
  list();
  try {
    add((await get<FeatureCollection>(path)).features);
    saves = true; // only after the stored regions are known, which would be overwritten otherwise
  } catch (error) {
    say(messageOf(error));
  }
  list();
  return {
    features: () => [...features.values()], draw, setScale, selected: () => selected,
    view() {
      const ring = viewRing(1);
      return ring && { ...createFeature('view', geometryOf([[ring]]), null, []), properties: { objectType: 'annotation', name: 'View' } };
    },
    replace(replaced) {
      for (const feature of replaced) features.set(String(feature.id), feature);
      changed();
    },
    cancel: () => {
      stopDrawing();
      annotator.cancelDrawing();
      annotator.cancelSelected();
    },
    removeSelected: () => { if (selected) remove(selected); },
  };
}
