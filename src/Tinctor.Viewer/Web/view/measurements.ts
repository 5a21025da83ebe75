// Measurements of regions: requests, and results as tables, CSV and measurements of QuPath.

import { modelOf } from '../api.ts';
import { registrationOf } from '../registrations.ts';
import type { Feature } from './geojson.ts';
import type { Picture } from './state.ts';

export interface Thresholds { positive: number; weak: number; moderate: number; strong: number; tissue: number; ring: number }
export interface Quantity { key: string; title: string; unit: string; digits: number; definition: string }
export interface NamedModel { id: string; name: string }
export interface Level { level: string; probabilities: { level: string; probability: number }[]; tiles: number }
export type Values = Record<string, number | null>;
export interface MeasuredRegion {
  id: string; name: string; class: string | null; pictures: { values: Values; level: Level | null }[]; difference: Values | null;
}
export interface Result {
  slide: string; slideName: string; version: string; mpp: number; hasPixelSize: boolean; thresholds: Thresholds; nuclei: string;
  classifier: NamedModel | null; pictures: { slide: string; model: string | null; name: string }[]; compare: [number, number] | null;
  quantities: Quantity[]; regions: MeasuredRegion[]; notes: string[];
}
export interface Measurement {
  id: string; state: 'queued' | 'running' | 'finished' | 'failed' | 'cancelled'; done: number; total: number;
  error: string | null; result: Result | null;
}
export interface Defaults { thresholds: Thresholds; mpp: number; quantities: Quantity[]; classifiers: NamedModel[] }

export interface MeasuredPicture { slide?: string; model?: string; registration?: string }

/** Picture of a request: layers of one slide, such as its stains, are the same pixels. */
export function pictureFor({ slide, layer }: Picture): MeasuredPicture {
  const model = modelOf(layer), registered = registrationOf(layer);
  return registered ? { registration: registered.registration } : model === null ? { slide } : { slide, model };
}

/** Pictures to measure: the shown one, and the compared one unless it has the same pixels. */
export function picturesFor(shown: Picture, compared: Picture | null): MeasuredPicture[] {
  const pictures = [shown, ...(compared ? [compared] : [])].map(pictureFor);
  return pictures.filter((one, i) => pictures.findIndex(other =>
    other.slide === one.slide && other.model === one.model && other.registration === one.registration) === i);
}

export const headingOf = ({ title, unit }: Quantity) => unit ? `${title} (${unit})` : title;

/** Value with the decimals of its quantity; a dash where it is not defined. */
export function formatValue(value: number | null | undefined, digits: number, isDifference = false): string {
  if (value === null || value === undefined) return '–';
  const text = value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return (isDifference && value > 0 && /[1-9]/.test(text) ? `+${text}` : text).replace('-', '−');
}

export const levelText = (level: Level | null, hasClassifier: boolean) => level === null ? hasClassifier ? 'no tissue' : 'no classifier'
  : `${level.level} (${Math.round(100 * Math.max(...level.probabilities.map(p => p.probability)))}%)`;

/** Title of the row that compares two pictures. */
export const differenceName = ({ pictures, compare }: Result) =>
  compare ? `${pictures[compare[0]]?.name} − ${pictures[compare[1]]?.name}` : '';

// Spreadsheets take a text that starts with one of these for a formula.
const cell = (value: string | number | null) => {
  const text = typeof value === 'string' ? value.replace(/^[=+\-@\t\r]/, found => `'${found}`) : value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Table with a row for each region and picture, and one for each difference; UTF-8 with a mark, which Excel needs. */
export function csvOf(result: Result): string {
  const { thresholds, quantities } = result;
  const header = ['slide', 'region', 'region_id', 'class', 'row', 'picture',
    ...quantities.map(({ key, unit }) => unit ? `${key} (${unit})` : key), 'ihc_level', 'ihc_level_probability', 'um_per_pixel',
    'positive_od', 'weak_od', 'moderate_od', 'strong_od', 'tissue_od', 'ring_um', 'nuclei_in', 'classifier', 'program', 'version', 'note'];
  const rows = result.regions.flatMap(region => {
    const row = (kind: string, picture: string, values: Values, level: Level | null) => [
      result.slideName, region.name, region.id, region.class, kind, picture, ...quantities.map(q => values[q.key] ?? null),
      level?.level ?? null, level ? Math.max(...level.probabilities.map(p => p.probability)) : null, result.mpp, thresholds.positive,
      thresholds.weak, thresholds.moderate, thresholds.strong, thresholds.tissue, thresholds.ring, result.nuclei,
      result.classifier?.name ?? null, 'Tinctor', result.version, ['Research use only', ...result.notes].join('. ').replaceAll('..', '.'),
    ];
    return [...region.pictures.map(({ values, level }, i) => row('value', result.pictures[i]?.name ?? '', values, level)),
      ...(region.difference ? [row('difference', differenceName(result), region.difference, null)] : [])];
  });
  return `\uFEFF${[header, ...rows].map(row => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

/** Measurements of a region by the names that QuPath shows. */
export function measurementsOf(result: Result, region: MeasuredRegion): Record<string, number> {
  const named = (name: string, values: Values) => result.quantities.flatMap(quantity => {
    const value = values[quantity.key];
    return value === null || value === undefined ? [] : [[`${name}: ${headingOf(quantity)}`, value] as const];
  });
  return Object.fromEntries([
    ...region.pictures.flatMap(({ values, level }, i) => [...named(result.pictures[i]?.name ?? '', values),
      ...(level?.probabilities ?? []).map(p =>
        [`${result.pictures[i]?.name}: Probability of IHC level ${p.level}`, p.probability] as const)]),
    ...(region.difference ? named(differenceName(result), region.difference) : []),
  ]);
}

type OldMeasurements = { name: string; value: number }[];

/** Feature with further measurements, as QuPath reads them; its older form, a list of names and values, is kept. */
export function withMeasurements(feature: Feature, added: Record<string, number>): Feature {
  const known = feature.properties?.measurements as Record<string, number> | OldMeasurements | undefined;
  const measurements = Array.isArray(known)
    ? [...known.filter(({ name }) => !Object.hasOwn(added, name)), ...Object.entries(added).map(([name, value]) => ({ name, value }))]
    : { ...known, ...added };
  return { ...feature, properties: { ...feature.properties, measurements } };
}
