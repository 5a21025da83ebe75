// Requests to the server, and the shapes of its answers.

import { registrationOf } from './registrations.ts';

export interface Channel {
  name: string; color: string;
  /** Samples that are shown black and in full colour, by default and by an overview of the slide; and the largest possible sample. */
  low: number; high: number; autoLow: number; autoHigh: number; most: number;
}
export interface Result { id: string; name: string; model: string | null; kind: 'stained' | 'variation' | 'novelty'; complete: boolean }
/** Layer of an uncertainty slide; a band without a colour is transparent. */
export interface Overlay { name: string; bands: { name: string; color: string | null }[] }
/** Report of a stained slide; uncertainty is the identifier of a slide. Shares and probabilities are from 0 to 1. */
export interface StainingReport {
  model: string | null; seamScore: number | null; haematoxylinCorrelation: number | null; backgroundDrift: number | null;
  ihcLevel: string | null; ihcLevelProbability: number | null; noveltyShare: number | null; unlikeTraining: boolean | null;
  uncertainty: string | null; report: string | null;
}
export interface Slide {
  id: string; name: string; folder: string; width: number; height: number; mpp: number | null; magnification: number | null;
  levels: number; format: string; bytes: number; modified: string; channels: Channel[]; isFluorescence: boolean;
  results: Result[]; associated: string[]; layers: string[]; metadata?: Record<string, string> | null;
  overlays: Overlay[]; staining?: StainingReport | null;
  /** Why the slide cannot be read; its size is unknown then. */
  error?: string | null;
}
export interface SlidePage { total: number; items: Slide[] }
export interface Model {
  id: string; name: string; kind: string; method: string | null; source: string | null; target: string | null;
  mpp: number | null; parameters: number | null;
  created: string | null; folder: string;
  /** Heading of the card, which names the stains, and its scores. */
  heading: string | null; scores: { name: string; text: string }[]; card?: string;
}
export interface Curve { name: string; points: [number, number][] }
export interface Sample { step: number; url: string }
export interface Run {
  id: string; name: string; method: string | null; step: number; steps: number | null; state: 'running' | 'finished' | 'stopped';
  curves?: Curve[]; samples?: Sample[];
}
export interface LoggedValues { step: number; values: Record<string, number> }
export interface StainedSlide {
  width: number; height: number; done: number; total: number; result: string | null; noveltyShare: number | null;
}
export interface Job {
  id: string; slide: string; slideName: string; model: string; modelName: string;
  state: 'queued' | 'running' | 'paused' | 'finished' | 'failed' | 'cancelled';
  done: number; total: number; error?: string | null; result?: string | null; created: string; updated: string;
}

/** Failed request: one line for the user, and the status, which is 0 if the server did not answer. */
export class RequestError extends Error {
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

const root = '/api/v1/';
const slideRoot = (id: string) => `${root}slides/${encodeURIComponent(id)}/`;

const modelPrefix = 'model:';

/** Layer of a slide that a model stains on demand. */
export const modelLayer = (model: string) => modelPrefix + model;

/** Model of a layer that is stained on demand; null for other layers. */
export const modelOf = (layer: string) => layer.startsWith(modelPrefix) ? layer.slice(modelPrefix.length) : null;

const stainedRoot = (id: string, model: string) => `${slideRoot(id)}stained/${encodeURIComponent(model)}`;

export const addressOf = {
  stained: stainedRoot,
  thumbnail: (id: string, size: number) => `${slideRoot(id)}thumbnail?size=${size}`,
  associated: (id: string, name: string) => `${slideRoot(id)}associated/${encodeURIComponent(name)}`,
  deepZoom(id: string, layer: string) {
    const model = modelOf(layer), registered = registrationOf(layer);
    if (registered) {
      const { registration, layer: of, preview } = registered, file = `dzi/${encodeURIComponent(of)}.dzi`;
      return `${root}registrations/${encodeURIComponent(registration)}/${preview === null ? '' : `previews/${preview}/`}${file}`;
    }
    return model === null ? `${slideRoot(id)}dzi/${encodeURIComponent(layer)}.dzi` : `${stainedRoot(id, model)}/dzi/stained.dzi`;
  },
  runEvents: (id: string) => `${root}runs/${encodeURIComponent(id)}/events`,
  jobEvents: `${root}jobs/events`,
};

/** Describes a failed answer in one line: the problem details of the server, or a sentence about its status. */
export function problemText(status: number, details: { title?: string; detail?: string } | null): string {
  if (status === 401 || status === 403)
    return 'The server needs a token. Open the address with the token that the server printed when it started.';
  if (status === 429) return 'The server is busy. Wait a few seconds, then try again.';
  return details?.detail ?? details?.title ?? `The server answered with status ${status}.`;
}

const serverGone = 'The server does not answer. Start it again, then try again.';

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response;
  try {
    response = await fetch(path.startsWith('/') ? path : root + path, { headers: { Accept: 'application/json' }, ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new RequestError(serverGone, 0);
  }
  if (response.ok) return response;
  const details = await response.json().catch(() => null) as { title?: string; detail?: string } | null;
  throw new RequestError(problemText(response.status, details), response.status);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return await (await request(path, signal ? { signal } : {})).json() as T;
}

export const getText = async (path: string): Promise<string> => (await request(path, { headers: {} })).text();

/** Sends a change of state, and gets the answer. */
export async function exchange<T>(method: 'POST' | 'PUT', path: string, body: unknown): Promise<T> {
  const headers = { 'X-Tinctor': '1', Accept: 'application/json', 'Content-Type': 'application/json' };
  return await (await request(path, { method, headers, body: JSON.stringify(body) })).json() as T;
}

/** Sends a change of state; the header shows the server that a page of its own sent it. */
export async function send(method: 'POST' | 'PUT', path: string, body?: unknown): Promise<void> {
  await sendRequest(method, path, body);
}

/** Sends a change of state, and returns the answer. */
export const sendFor = async <T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> =>
  await (await sendRequest(method, path, body)).json() as T;

async function sendRequest(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = { 'X-Tinctor': '1', Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  return await request(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

export const messageOf = (error: unknown) => error instanceof Error ? error.message : String(error);
