import type { FieldProblem } from './types';

/** An answer of the server that is not a success, or no answer at all (`status` 0). */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
    readonly requestId: string | null = null,
    /** Seconds to wait before another try, where the server says so. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }

  /** True when the server could not be reached: nothing was refused, and trying again may work. */
  get offline(): boolean {
    return this.status === 0;
  }

  /** The problems by field of a VALIDATION_ERROR, for showing each one beside its input. */
  fieldErrors(): Record<string, string> {
    const problems = this.details.errors;
    if (!Array.isArray(problems)) return {};
    const byField: Record<string, string> = {};
    for (const problem of problems as FieldProblem[]) byField[problem.field] ??= sentence(problem.message);
    return byField;
  }
}

/** The server says "must not be empty" of a field; below an input that reads better as a sentence. */
function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

export interface Meta {
  page?: number;
  limit?: number;
  total?: number;
  /** There are more than `total`, which was not worth counting on. */
  total_is_at_least?: boolean;
  next_cursor?: string | null;
  warnings?: { code: string; message: string }[];
}

export interface List<T> {
  items: T[];
  total: number;
  meta: Meta;
}

/** Several values are said one after the other under the same name. */
export type QueryValue = string | number | boolean | undefined | null | string[];

export interface RequestOptions {
  query?: Record<string, QueryValue>;
  signal?: AbortSignal;
}

interface WriteOptions extends RequestOptions {
  /** Lets the request outlive the page, for a last save while leaving. Bodies up to 64 KiB. */
  keepalive?: boolean;
}

const base = '/api/v1';

let workspace: string | null = null;

/** Names the workspace that every following request is about. */
export function setWorkspace(id: string | null): void {
  workspace = id;
}

let onUnauthenticated: () => void = () => {};

/** Registers what happens when the session has ended while the dashboard is open. */
export function setUnauthenticatedHandler(handler: () => void): void {
  onUnauthenticated = handler;
}

/** Builds a path with its parts encoded: path`/prompts/${slug}/details`. */
export function path(strings: TemplateStringsArray, ...parts: (string | number)[]): string {
  return strings.reduce((built, text, index) => {
    const part = index === 0 ? '' : encodeURIComponent(String(parts[index - 1]));
    return built + part + text;
  }, '');
}

/** Routes that are about the account, about no workspace yet, or that name theirs in the path. */
const elsewhere = /^\/(auth|invitations|preview-links|workspaces)(\/|$)/;

/** The full address of a call, with the workspace unless the route is about something else. */
export function urlFor(route: string, query: Record<string, QueryValue> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === '') continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
  }
  if (workspace && !elsewhere.test(route) && !search.has('workspace')) search.set('workspace', workspace);
  const text = search.toString();
  return base + route + (text ? `?${text}` : '');
}

interface Envelope {
  success: boolean;
  data?: unknown;
  meta?: Meta;
  error?: { code?: string; message?: string; details?: Record<string, unknown>; request_id?: string };
}

async function readEnvelope(response: Response): Promise<Envelope | null> {
  if (!response.headers.get('content-type')?.includes('json')) return null;
  try {
    return (await response.json()) as Envelope;
  } catch {
    return null;
  }
}

function errorFrom(response: Response, envelope: Envelope | null): ApiError {
  const error = envelope?.error;
  const retryAfter = Number(response.headers.get('retry-after'));
  return new ApiError(
    response.status,
    error?.code ?? 'UNEXPECTED_ANSWER',
    error?.message ?? `The server answered ${response.status} without saying why.`,
    error?.details ?? {},
    error?.request_id ?? response.headers.get('x-request-id'),
    Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : null,
  );
}

async function request(method: string, route: string, body: unknown, options: WriteOptions): Promise<Envelope> {
  const headers: Record<string, string> = { accept: 'application/json' };
  const file = body instanceof Blob ? body : null;
  if (body !== undefined) headers['content-type'] = file ? file.type : 'application/json';

  let response: Response;
  try {
    response = await fetch(urlFor(route, options.query), {
      method,
      headers,
      body: file ?? (body === undefined ? undefined : JSON.stringify(body)),
      signal: options.signal,
      keepalive: options.keepalive,
      credentials: 'same-origin',
      cache: 'no-store',
    });
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new ApiError(0, 'OFFLINE', 'The server cannot be reached.');
  }

  const envelope = await readEnvelope(response);
  if (response.ok && envelope?.success) return envelope;
  if (response.status === 401 && !route.startsWith('/auth/')) onUnauthenticated();
  throw errorFrom(response, envelope);
}

/** The calls of the API. Each gives the envelope's `data`; `list` gives the total as well. A file is sent as it is. */
export const api = {
  async get<T>(route: string, options: RequestOptions = {}): Promise<T> {
    return (await request('GET', route, undefined, options)).data as T;
  },
  async list<T>(route: string, options: RequestOptions = {}): Promise<List<T>> {
    const { data, meta = {} } = await request('GET', route, undefined, options);
    const items = data as T[];
    return { items, total: meta.total ?? items.length, meta };
  },
  async post<T>(route: string, body: unknown = {}, options: WriteOptions = {}): Promise<T> {
    return (await request('POST', route, body, options)).data as T;
  },
  async put<T>(route: string, body: unknown = {}, options: WriteOptions = {}): Promise<T> {
    return (await request('PUT', route, body, options)).data as T;
  },
  async del<T = unknown>(route: string, options: WriteOptions = {}): Promise<T> {
    return (await request('DELETE', route, undefined, options)).data as T;
  },
};
