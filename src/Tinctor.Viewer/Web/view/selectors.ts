// Shapes of Annotorious from and to GeoJSON.

import type { ImageAnnotation, MultiPolygonGeometry, PolygonGeometry, RectangleGeometry, Shape } from '@annotorious/openseadragon';
import { boundsOf, geometryOf, opened, polygonsOf } from './geojson.ts';
import type { Geometry, Position, Ring } from './geojson.ts';

/** Shape of a geometry; null for geometries without area. One polygon without holes stays editable as such. */
export function shapeOf(geometry: Geometry | null): Shape | null {
  const polygons = polygonsOf(geometry).map(rings => rings.map(opened).map(ring => ring.map(([x, y]): Position => [x, y])));
  const [first] = polygons;
  if (!first?.[0]) return null;
  if (polygons.length === 1 && first.length === 1)
    return { type: 'POLYGON', geometry: { points: first[0], bounds: boundsOf(first) } } as unknown as Shape;
  const elements = polygons.map(rings => ({ rings: rings.map(points => ({ points })), bounds: boundsOf(rings) }));
  return { type: 'MULTIPOLYGON', geometry: { polygons: elements, bounds: boundsOf(polygons.flat()) } } as unknown as Shape;
}

export function geometryOfShape({ type, geometry }: Shape): Geometry | null {
  switch (String(type)) {
    case 'RECTANGLE': return geometryOf([[corners(geometry as RectangleGeometry)]]);
    case 'POLYGON': return geometryOf([[(geometry as PolygonGeometry).points as Ring]]);
    case 'MULTIPOLYGON':
      return geometryOf((geometry as MultiPolygonGeometry).polygons.map(element => element.rings.map(ring => ring.points)));
    default: return null;
  }
}

// Rectangles turn about their centre.
function corners({ x, y, w, h, rot = 0 }: RectangleGeometry): Ring {
  const centreX = x + w / 2, centreY = y + h / 2, cos = Math.cos(rot), sin = Math.sin(rot);
  const turned = (dx: number, dy: number): Position => rot === 0 ? [centreX + dx, centreY + dy]
    : [centreX + dx * cos - dy * sin, centreY + dx * sin + dy * cos];
  return [turned(-w / 2, -h / 2), turned(w / 2, -h / 2), turned(w / 2, h / 2), turned(-w / 2, h / 2)];
}

export const annotationOf = (id: string, selector: Shape): ImageAnnotation =>
  ({ id, bodies: [], target: { annotation: id, selector } });
