// Registrations of two slides: the shapes of the server's answers, and the layers that show a target on its source.

export interface RegisteredSlide { id: string; name: string; width: number; height: number; mpp: number | null }
export interface Quality {
  similarity: number | null; distinctness: number | null; overlap: number; scale: number; stretch: number; smallestDeterminant: number;
  folded: number;
}
export interface Registration {
  id: string; name: string; source: RegisteredSlide; target: RegisteredSlide;
  state: 'queued' | 'running' | 'failed' | 'manual' | 'automatic' | 'accepted' | 'corrected' | 'rejected';
  done: number; error: string | null; usable: boolean; passed: boolean; reasons: string[]; quality: Quality | null; nonrigid: boolean;
  layers: string[]; reviewedBy: string | null; reviewedAt: string | null; landmarks: number; medianTre: number | null;
  medianLeaveOneOut: number | null; file: string | null; sourceFile: string | null; targetFile: string | null;
}
export interface LandmarkPair { source: [number, number]; target: [number, number] }
export interface Landmarks { pairs: LandmarkPair[]; errors: number[]; medianError: number | null }
export interface Fit {
  preview: string; errors: number[]; medianError: number; leaveOneOut: number[] | null; medianLeaveOneOut: number | null;
  quality: Quality; passed: boolean; reasons: string[];
}

export const stateTexts: Record<Registration['state'], string> = {
  queued: 'Queued', running: 'Running', failed: 'Failed', manual: 'Begun by hand', automatic: 'Automatic', accepted: 'Accepted',
  corrected: 'Corrected', rejected: 'Rejected',
};

export const isRunning = ({ state }: Pick<Registration, 'state'>) => state === 'queued' || state === 'running';

const prefix = 'registered:';

export interface RegisteredLayer { registration: string; layer: string; preview: string | null; version: string | null }

/**
 * Layer of a source slide that shows a layer of the target of a registration. The preview is that of a fit; another version, such as the
 * time of the review, is read anew.
 */
export function registeredLayer(registration: string, layer = 'source', preview: string | null = null, version: string | null = null) {
  const more = version === null ? preview ?? '' : `${preview ?? ''}:${version.replace(/\W/g, '')}`;
  return `${prefix}${registration}:${layer}${more === '' ? '' : `:${more}`}`;
}

/** Parts of a layer that shows a registered slide; null for other layers. */
export function registrationOf(layer: string): RegisteredLayer | null {
  if (!layer.startsWith(prefix)) return null;
  const [registration = '', of = 'source', preview, version] = layer.slice(prefix.length).split(':');
  return { registration, layer: of, preview: preview || null, version: version || null };
}

export const registerAddress = (id: string) => `/register?registration=${encodeURIComponent(id)}`;
