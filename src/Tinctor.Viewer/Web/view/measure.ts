// Panel of measurements: regions, thresholds, progress, tables, and files of the results.

import { get, messageOf, sendFor } from '../api.ts';
import type { Slide } from '../api.ts';
import { byId, el, fill } from '../page.ts';
import { areaOf, collectionOf } from './geojson.ts';
import type { Feature } from './geojson.ts';
import {
  csvOf, formatValue, headingOf, levelText, measurementsOf, picturesFor, withMeasurements,
} from './measurements.ts';
import type { Defaults, MeasuredRegion, Measurement, Quantity, Result, Thresholds } from './measurements.ts';
import type { Regions } from './regions.ts';
import { saveFile } from './save.ts';
import type { Picture } from './state.ts';

const interval = 400;
const thresholdTitles: [keyof Thresholds, string][] = [
  ['positive', 'DAB-positive pixel'], ['weak', 'Weak (1+)'], ['moderate', 'Moderate (2+)'], ['strong', 'Strong (3+)'],
];

export interface Measuring {
  /** Follows the pictures that are shown. */
  follow: (shown: Picture, compared: Picture | null) => void;
}

export function startMeasuring(slide: Slide, regions: Regions, titleOf: (picture: Picture) => string): Measuring {
  const note = byId('measure-note'), progress = byId<HTMLProgressElement>('measure-progress');
  const start = byId<HTMLButtonElement>('measure'), stop = byId('measure-stop');
  let pictures: { shown: Picture; compared: Picture | null } = { shown: { slide: slide.id, layer: 'source' }, compared: null };
  let running: string | null = null, result: Result | null = null;
  const say = (text: string) => { note.textContent = text; };

  function describePictures(): void {
    const { shown, compared } = pictures, measured = picturesFor(shown, compared);
    byId('measure-pictures').textContent = measured.length > 1 && compared
      ? `Pictures: ${titleOf(shown)}, and ${titleOf(compared)}, with the difference ${titleOf(shown)} − ${titleOf(compared)}.`
      : `Picture: ${titleOf(shown)}. Choose another one in “Compare with” for a difference.`;
  }

  const chosen = (id: string) => byId<HTMLSelectElement>(id).value;
  function features(): Feature[] {
    const which = chosen('measure-regions');
    if (which === 'view') return [regions.view()].filter(feature => feature !== null);
    const all = regions.features().filter(feature => areaOf(feature.geometry) > 0);
    return which === 'all' ? all : all.filter(feature => feature.id === regions.selected());
  }

  function request(measured: Feature[]): object {
    const { shown, compared } = pictures;
    const thresholds = Object.fromEntries(thresholdTitles.map(([name]) => [name, byId<HTMLInputElement>(`measure-${name}`).valueAsNumber]));
    const mpp = slide.mpp === null ? byId<HTMLInputElement>('measure-mpp').valueAsNumber : NaN;
    return {
      // The server needs neither properties of other programs nor earlier measurements.
      regions: collectionOf(measured.map(({ id, geometry, properties }) => ({
        type: 'Feature', ...(id === undefined ? {} : { id }), geometry,
        properties: {
          ...(properties?.name ? { name: properties.name } : {}),
          ...(properties?.classification ? { classification: properties.classification } : {}),
        },
      }))),
      of: picturesFor(shown, compared), thresholds, nuclei: chosen('measure-nuclei'),
      ...(Number.isFinite(mpp) ? { mpp } : {}), ...(chosen('measure-classifier') ? { classifier: chosen('measure-classifier') } : {}),
    };
  }

  async function measure(): Promise<void> {
    const measured = features();
    if (measured.length === 0) {
      return say(chosen('measure-regions') === 'selected' ? 'Select a region in the list first.'
        : chosen('measure-regions') === 'view' ? 'The view shows no part of the slide.' : 'Draw a region first, or measure the view.');
    }
    const fields = [...byId('measure-thresholds').querySelectorAll('input')];
    if (!fields.every(field => field.checkValidity())) return say('Each threshold must be a number above 0.');
    show(true);
    say('Waiting.');
    try {
      let { id, ...now } = await sendFor<Measurement>('POST', `slides/${encodeURIComponent(slide.id)}/measurements`, request(measured));
      running = id;
      while (now.state === 'queued' || now.state === 'running') {
        await new Promise(resolve => { setTimeout(resolve, interval); });
        now = await get<Measurement>(`measurements/${id}`);
        progress.max = Math.max(1, now.total);
        progress.value = now.done;
        if (now.state === 'running') say(now.total > 0 ? `Measuring: ${now.done} of ${now.total} steps.` : 'Opening the pictures.');
      }
      if (now.result) showResult(now.result);
      say(now.state === 'finished' ? 'Measured.' : now.state === 'cancelled' ? 'Stopped.' : now.error ?? '');
    } catch (error) {
      say(messageOf(error));
    } finally {
      running = null;
      show(false);
    }
  }

  function show(isRunning: boolean): void {
    const focused = document.activeElement;
    start.hidden = isRunning;
    stop.hidden = progress.hidden = !isRunning;
    progress.value = 0;
    // A hidden button cannot keep the focus.
    if (focused === start && isRunning) stop.focus();
    else if (focused === stop && !isRunning) start.focus();
  }

  function showResult(next: Result): void {
    result = next;
    const names = next.pictures.length > 1 ? ['Shown', 'Compared'] : ['Value'];
    fill(byId('measure-results'),
      el('dl', { class: 'facts' }, ...next.pictures.flatMap(({ name }, i) => [el('dt', {}, names[i] ?? ''), el('dd', {}, name)])),
      ...next.notes.map(text => el('p', { class: 'empty' }, text)),
      ...next.regions.map(region => table(next, region, names)));
    fill(byId('measure-definitions'), ...next.quantities.flatMap(definition));
    byId<HTMLButtonElement>('measure-csv').disabled = byId<HTMLButtonElement>('measure-add').disabled = false;
  }

  const definition = (quantity: Quantity) => [el('dt', {}, headingOf(quantity)), el('dd', {}, quantity.definition)];

  function table(of: Result, region: MeasuredRegion, names: string[]): HTMLElement {
    const columns = [...names, ...(region.difference ? ['Difference'] : [])];
    const caption = region.class && region.class !== region.name ? `${region.name} (${region.class})` : region.name;
    const levels = region.pictures.map(({ level }) => el('td', {}, levelText(level, of.classifier !== null)));
    return el('div', { class: 'measured', tabindex: '0', role: 'region', 'aria-label': `Measurements of ${region.name}` }, el('table', {},
      el('caption', {}, caption),
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Quantity'), ...columns.map(name => el('th', { scope: 'col' }, name)))),
      el('tbody', {}, ...of.quantities.map(quantity => el('tr', { 'data-key': quantity.key },
        el('th', { scope: 'row', title: quantity.definition }, quantity.title, quantity.unit ? el('small', {}, ` ${quantity.unit}`) : ''),
        ...region.pictures.map(({ values }) => el('td', {}, formatValue(values[quantity.key], quantity.digits))),
        ...(region.difference ? [el('td', {}, formatValue(region.difference[quantity.key], quantity.digits, true))] : []))),
        el('tr', { 'data-key': 'ihc_level' }, el('th', { scope: 'row' }, 'IHC level'), ...levels,
          ...(region.difference ? [el('td', {}, '')] : [])))));
  }

  function addToRegions(): void {
    if (!result) return;
    const of = result, measured = new Map(of.regions.map(region => [region.id, region]));
    const changed = regions.features().flatMap(feature => {
      const region = measured.get(String(feature.id));
      return region ? [withMeasurements(feature, measurementsOf(of, region))] : [];
    });
    regions.replace(changed);
    say(changed.length === 0 ? 'The measured regions are not in the list any more.'
      : `Added to ${changed.length} region${changed.length === 1 ? '' : 's'}. Export GeoJSON to open them in QuPath.`);
  }

  function build({ thresholds, quantities, classifiers, mpp }: Defaults): void {
    fill(byId('measure-thresholds'), ...thresholdTitles.map(([name, title]) => el('label', {}, title, el('input', {
      id: `measure-${name}`, type: 'number', min: '0.001', max: '3', step: 'any', required: true, value: thresholds[name],
    }))));
    fill(byId('measure-classifier'), ...classifiers.map(({ id, name }) => el('option', { value: id }, name)));
    byId('measure-classifier-label').hidden = classifiers.length < 2;
    byId('measure-mpp-label').hidden = slide.mpp !== null;
    byId<HTMLInputElement>('measure-mpp').placeholder = `unknown; ${mpp} assumed`;
    fill(byId('measure-definitions'), ...quantities.flatMap(definition));
    byId('measuring').hidden = false;
  }

  start.addEventListener('click', () => void measure());
  stop.addEventListener('click', () => {
    if (running) void sendFor('DELETE', `measurements/${running}`).catch((error: unknown) => say(messageOf(error)));
  });
  byId('measure-csv').addEventListener('click', () => {
    if (result) saveFile(new Blob([csvOf(result)], { type: 'text/csv' }), `${slide.name}.measurements.csv`);
  });
  byId('measure-add').addEventListener('click', addToRegions);
  // DAB is measured in brightfield, whose stains are layers.
  if (slide.layers.length > 1) void get<Defaults>('measurements/defaults').then(build).catch(() => undefined);
  return {
    follow(shown, compared) {
      pictures = { shown, compared };
      describePictures();
    },
  };
}
