// Place in the other picture, predicted from the transform and the landmarks.

export type Point = [number, number];

/** Similarity, mirrored if flip is -1: u = a flip x - b y + x0, v = b flip x + a y + y0. */
export interface Similarity { a: number; b: number; x0: number; y0: number; flip: 1 | -1 }

export const identity: Similarity = { a: 1, b: 0, x0: 0, y0: 0, flip: 1 };

export const apply = ({ a, b, x0, y0, flip }: Similarity, [x, y]: Point): Point => [a * flip * x - b * y + x0, b * flip * x + a * y + y0];

export function invert({ a, b, x0, y0, flip }: Similarity, [u, v]: Point): Point {
  const size = a * a + b * b, x = u - x0, y = v - y0;
  return [flip * (a * x + b * y) / size, (a * y - b * x) / size];
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Fits a similarity by least squares (Umeyama 1991): a translation for one pair, the identity for none. From three pairs on, it may be
 * mirrored.
 */
export function fitSimilarity(from: Point[], to: Point[]): Similarity {
  if (from.length === 0) return identity;
  const [cx, cy] = [mean(from.map(p => p[0])), mean(from.map(p => p[1]))], [cu, cv] = [mean(to.map(p => p[0])), mean(to.map(p => p[1]))];
  const fit = (flip: 1 | -1): Similarity & { error: number } => {
    let along = 0, across = 0, spread = 0;
    from.forEach(([px, py], i) => {
      const [pu, pv] = to[i] as Point, x = flip * (px - cx), y = py - cy, u = pu - cu, v = pv - cv;
      along += x * u + y * v;
      across += x * v - y * u;
      spread += x * x + y * y;
    });
    const [a, b] = spread > 0 ? [along / spread, across / spread] : [1, 0];
    const found = { a, b, x0: cu - a * flip * cx + b * cy, y0: cv - b * flip * cx - a * cy, flip };
    const error = from.reduce((sum, p, i) => {
      const [u, v] = apply(found, p), [pu, pv] = to[i] as Point;
      return sum + (u - pu) ** 2 + (v - pv) ** 2;
    }, 0);
    return { ...found, error };
  };
  const plain = fit(1), mirrored = fit(-1);
  const { a, b, x0, y0, flip } = from.length > 2 && mirrored.error < plain.error ? mirrored : plain;
  return a === 0 && b === 0 ? identity : { a, b, x0, y0, flip };
}
