import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './modules.mjs';

const { areaOf, collectionOf, colourOf, createFeature, geometryOf, hex, parseFeatures, polygonsOf, scaled } = await load('view/geojson.ts');
const { geometryOfShape, shapeOf } = await load('view/selectors.ts');

const square = (x, y, size) => [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]];
const holed = { type: 'Polygon', coordinates: [square(0, 0, 100), square(20, 20, 10)] };
const several = { type: 'MultiPolygon', coordinates: [[square(0, 0, 100), square(20, 20, 10)], [square(200, 0, 50)]] };
const quPath = {
  type: 'FeatureCollection', features: [
    { type: 'Feature', id: 'b1f6b0d6-7f3e-4c0e-9d53-9d7d6f2a9f10', geometry: several,
      properties: { objectType: 'annotation', name: 'A', classification: { name: 'Tumor', color: [200, 0, 0] }, isLocked: true,
        measurements: { 'Area µm^2': 12.5 } } },
    { type: 'Feature', geometry: { type: 'Point', coordinates: [5, 6] }, properties: { objectType: 'annotation' } },
  ],
};

test('features that were not edited are exported as they were read', () => {
  assert.deepEqual(collectionOf(parseFeatures(JSON.stringify(quPath))), quPath);
});

test('lists of features and single features are read', () => {
  assert.equal(parseFeatures(JSON.stringify(quPath.features)).length, 2);
  assert.equal(parseFeatures(JSON.stringify(quPath.features[0])).length, 1);
});

test('files of other kinds and broken coordinates are refused with a line for the user', () => {
  assert.throws(() => parseFeatures('<xml/>'), /is not JSON/);
  assert.throws(() => parseFeatures('{"type":"Topology"}'), /no GeoJSON features/);
  const broken = { type: 'Feature', id: 'x', geometry: { type: 'Polygon', coordinates: [[[0, 0], [1, null], [2, 2]]] } };
  assert.throws(() => parseFeatures(JSON.stringify(broken)), /Polygon of feature x/);
});

test('holes and several polygons survive the shapes of Annotorious', () => {
  for (const geometry of [holed, several, { type: 'Polygon', coordinates: [square(3, 4, 7)] }])
    assert.deepEqual(geometryOfShape(shapeOf(geometry)), geometry);
  assert.equal(shapeOf({ type: 'Point', coordinates: [1, 2] }), null);
});

test('a drawn rectangle becomes a closed polygon, also if it is turned', () => {
  const bounds = { minX: 0, minY: 0, maxX: 0, maxY: 0 };
  assert.deepEqual(geometryOfShape({ type: 'RECTANGLE', geometry: { x: 10, y: 20, w: 30, h: 40, bounds } }),
    { type: 'Polygon', coordinates: [[[10, 20], [40, 20], [40, 60], [10, 60], [10, 20]]] });
  const turned = geometryOfShape({ type: 'RECTANGLE', geometry: { x: 0, y: 0, w: 4, h: 2, rot: Math.PI / 2, bounds } });
  assert.ok(Math.abs(areaOf(turned) - 8) < 1e-9);
  assert.ok(Math.abs(turned.coordinates[0][0][0] - 3) < 1e-9 && Math.abs(turned.coordinates[0][0][1] + 1) < 1e-9);
});

test('areas leave holes out', () => {
  assert.equal(areaOf(holed), 9900);
  assert.equal(areaOf(several), 9900 + 2500);
  assert.equal(areaOf({ type: 'Point', coordinates: [1, 2] }), 0);
});

test('scaled geometries keep their form, and a scale of 1 keeps the object', () => {
  assert.equal(scaled(several, 1), several);
  assert.equal(areaOf(scaled(several, 0.5)), areaOf(several) / 4);
  assert.equal(polygonsOf(scaled(several, 2))[0].length, 2);
});

test('colours are those of the class, in both forms of QuPath', () => {
  assert.deepEqual(colourOf(quPath.features[0]), [200, 0, 0]);
  assert.deepEqual(colourOf({ type: 'Feature', geometry: null, properties: { classification: { name: 'x', colorRGB: -3670016 } } }),
    [200, 0, 0]);
  assert.deepEqual(colourOf({ type: 'Feature', geometry: null, properties: { color: [1, 2, 3] } }), [1, 2, 3]);
  assert.equal(hex([200, 0, 15]), '#c8000f');
});

test('a new region has the class of QuPath only if one was chosen', () => {
  const geometry = geometryOf([[square(0, 0, 1)]]);
  assert.deepEqual(createFeature('i', geometry, 'Stroma', [150, 200, 150]).properties,
    { objectType: 'annotation', classification: { name: 'Stroma', color: [150, 200, 150] } });
  assert.deepEqual(createFeature('i', geometry, null, []).properties, { objectType: 'annotation' });
});
