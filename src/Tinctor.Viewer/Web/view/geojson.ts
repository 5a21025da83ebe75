// Regions as GeoJSON in the form of QuPath: pixels of the slide at full resolution, classes with colours in the properties.

export type Position = [number, number];
export type Ring = Position[];
export interface Geometry { type: string; coordinates: unknown }
export interface Classification { name?: string; color?: number[]; colorRGB?: number }
export interface Feature {
  type: 'Feature'; id?: string | number; geometry: Geometry | null;
  properties?: ({ name?: string; objectType?: string; classification?: Classification; color?: number[] } & Record<string, unknown>) | null;
  [key: string]: unknown;
}
export interface FeatureCollection { type: 'FeatureCollection'; features: Feature[]; [key: string]: unknown }

/** Classes of QuPath's default list, with its colours. */
export const defaultClasses: { name: string; color: [number, number, number] }[] = [
  { name: 'Tumor', color: [200, 0, 0] }, { name: 'Stroma', color: [150, 200, 150] }, { name: 'Immune cells', color: [160, 90, 160] },
  { name: 'Necrosis', color: [50, 50, 50] }, { name: 'Region*', color: [0, 0, 180] }, { name: 'Ignore*', color: [180, 180, 180] },
  { name: 'Positive', color: [250, 62, 62] }, { name: 'Negative', color: [112, 112, 225] }, { name: 'Other', color: [255, 200, 0] },
];

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads a feature collection, one feature, or QuPath's older form, a list of features.
 * @throws {Error} with one line for the user if the text is none of them
 */
export function parseFeatures(text: string): Feature[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('The file is not JSON. Export it from QuPath as GeoJSON.');
  }
  const features = Array.isArray(value) ? value : !isObject(value) ? null
    : value.type === 'FeatureCollection' ? value.features : value.type === 'Feature' ? [value] : null;
  if (!Array.isArray(features) || !features.every(f => isObject(f) && f.type === 'Feature'))
    throw new Error('The file has no GeoJSON features. Export it from QuPath as GeoJSON.');
  for (const [index, { id, geometry }] of (features as Feature[]).entries()) {
    if (geometry && polygonTypes.has(geometry.type) && !isValid(geometry))
      throw new Error(`The ${geometry.type} of feature ${id ?? index + 1} has coordinates that are not numbers.`);
  }
  return features as Feature[];
}

const polygonTypes = new Set(['Polygon', 'MultiPolygon']);
const isRing = (ring: unknown) => Array.isArray(ring) && ring.length >= 3
  && ring.every(p => Array.isArray(p) && p.length >= 2 && Number.isFinite(p[0]) && Number.isFinite(p[1]));
const isPolygon = (rings: unknown) => Array.isArray(rings) && rings.length > 0 && rings.every(isRing);
const isValid = ({ type, coordinates }: Geometry) =>
  type === 'Polygon' ? isPolygon(coordinates) : Array.isArray(coordinates) && coordinates.every(isPolygon);

/** Polygons of a geometry: of each its outer ring and then its holes. Geometries without area have none. */
export function polygonsOf(geometry: Geometry | null): Ring[][] {
  if (geometry?.type === 'Polygon') return [geometry.coordinates as Ring[]];
  return geometry?.type === 'MultiPolygon' ? geometry.coordinates as Ring[][] : [];
}

const ringArea = (ring: Ring) => Math.abs(ring.reduce((sum, [x, y], i) => {
  const [nextX, nextY] = ring[(i + 1) % ring.length] as Position;
  return sum + x * nextY - nextX * y;
}, 0)) / 2;

/** Area in square pixels, without holes. */
export const areaOf = (geometry: Geometry | null) => polygonsOf(geometry)
  .reduce((sum, [outer, ...holes]) => sum + ringArea(outer ?? []) - holes.reduce((inner, hole) => inner + ringArea(hole), 0), 0);

/** Geometry in other pixels; the same one if the scale is 1. */
export function scaled(geometry: Geometry | null, scale: number): Geometry | null {
  if (scale === 1 || polygonsOf(geometry).length === 0) return geometry;
  return geometryOf(polygonsOf(geometry).map(rings => rings.map(ring => ring.map(([x, y]): Position => [x * scale, y * scale]))));
}

export interface Bounds { minX: number; minY: number; maxX: number; maxY: number }

export function boundsOf(rings: Ring[]): Bounds {
  const xs = rings.flatMap(ring => ring.map(p => p[0])), ys = rings.flatMap(ring => ring.map(p => p[1]));
  const least = (values: number[]) => values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = (values: number[]) => values.reduce((a, b) => Math.max(a, b), -Infinity);
  return { minX: least(xs), minY: least(ys), maxX: most(xs), maxY: most(ys) };
}

export const classNameOf = (feature: Feature) => feature.properties?.classification?.name ?? null;

/** Colour of the class or of the feature itself, as red, green and blue from 0 to 255; QuPath's red without either. */
export function colourOf(feature: Feature): [number, number, number] {
  const { classification, color } = feature.properties ?? {};
  const list = classification?.color ?? color;
  if (Array.isArray(list) && list.length >= 3) return list.slice(0, 3) as [number, number, number];
  const packed = classification?.colorRGB;
  return typeof packed === 'number' ? [(packed >> 16) & 255, (packed >> 8) & 255, packed & 255] : [255, 0, 0];
}

export const hex = (colour: readonly number[]) =>
  `#${colour.map(v => Math.min(255, Math.max(0, Math.round(v))).toString(16).padStart(2, '0')).join('')}`;

export const closed = (ring: Ring): Ring => {
  const first = ring[0], last = ring.at(-1);
  return !first || !last || (first[0] === last[0] && first[1] === last[1]) ? ring : [...ring, [...first]];
};

/** Ring without the repeated first point at its end. */
export const opened = (ring: Ring): Ring => {
  const first = ring[0], last = ring.at(-1);
  return ring.length > 1 && first && last && first[0] === last[0] && first[1] === last[1] ? ring.slice(0, -1) : ring;
};

/** Geometry of polygons: a Polygon if there is one, a MultiPolygon otherwise; rings are closed. */
export function geometryOf(polygons: Ring[][]): Geometry {
  const rings = polygons.map(polygon => polygon.map(closed));
  return rings.length === 1 ? { type: 'Polygon', coordinates: rings[0] } : { type: 'MultiPolygon', coordinates: rings };
}

/** New annotation as QuPath writes it; no class if name is null. */
export function createFeature(id: string, geometry: Geometry, className: string | null, color: readonly number[]): Feature {
  const classification = className ? { classification: { name: className, color: [...color] } } : {};
  return { type: 'Feature', id, geometry, properties: { objectType: 'annotation', ...classification } };
}

/** Collection with the members of the original one, if there was one. */
export const collectionOf = (features: Feature[]): FeatureCollection => ({ type: 'FeatureCollection', features });
