// List of landmark pairs. A pair that was begun in one picture is completed by a place in the other one.

import type { LandmarkPair } from '../registrations.ts';
import type { Point } from './predict.ts';

export type Side = 'source' | 'target';
export interface OpenPair { source: Point | null; target: Point | null }

export const other = (side: Side): Side => side === 'source' ? 'target' : 'source';

/** Adds a place: to the pair that lacks one in this picture, or as a new pair. A second place in the same picture replaces the first. */
export function placed(pairs: OpenPair[], side: Side, point: Point): OpenPair[] {
  const open = pairs.findIndex(pair => pair.source === null || pair.target === null);
  if (open < 0) return [...pairs, { source: null, target: null, [side]: point }];
  return pairs.map((pair, i) => i === open ? { ...pair, [side]: point } : pair);
}

export const moved = (pairs: OpenPair[], index: number, side: Side, point: Point): OpenPair[] =>
  pairs.map((pair, i) => i === index ? { ...pair, [side]: point } : pair);

export const removed = (pairs: OpenPair[], index: number): OpenPair[] => pairs.filter((_, i) => i !== index);

export const complete = (pairs: OpenPair[]): LandmarkPair[] => pairs.filter((pair): pair is LandmarkPair =>
  pair.source !== null && pair.target !== null);

/** Picture in which the open pair needs a place; null if all pairs are complete. */
export function missing(pairs: OpenPair[]): Side | null {
  const open = pairs.find(pair => pair.source === null || pair.target === null);
  return !open ? null : open.source === null ? 'source' : 'target';
}
