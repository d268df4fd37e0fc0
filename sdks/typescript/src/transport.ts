import {
  ApiError,
  ConnectionError,
  errorFromAnswer,
  isTemporary,
  RateLimitError,
  ServerError,
  TimeoutError,
  Xr2Error,
  type ErrorEnvelope,
} from "./errors.js";
import type { Settings } from "./options.js";
import { parseRetryAfter } from "./headers.js";
import { platform, unref } from "./platform.js";

/** One request to the API. */
export interface ApiRequest {
  readonly method: "GET" | "POST";
  /** Below /api/v1, beginning with a slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** JSON text. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** For messages: what was being done, and with which prompt. */
  readonly what: string;
  readonly slug: string;
  /** Time for everything, retries included. */
  readonly timeoutMs: number;
  /** How often to try again at most. Default 2: fetching and rendering change nothing. */
  readonly retries?: number;
  /** May outlive the page it was sent from (browsers). */
  readonly keepalive?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A good answer (2xx or 304). */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; undefined for 304. */
  readonly body: unknown;
}

const RETRIES = 2;
const RETRIED = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Sends requests: address, credentials, time limit, retries, errors. */
export class Transport {
  readonly #settings: Settings;
  readonly #fetch: typeof fetch;
  #lostAt = -Infinity;

  constructor(settings: Settings) {
    this.#settings = settings;
    // Looked up at each call, and called without a receiver, as browsers demand.
    this.#fetch = settings.fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  /** When a request last got no answer; long ago if a later one got one. */
  get lostAt(): number {
    return this.#lostAt;
  }

  get fetch(): typeof fetch {
    return this.#fetch;
  }

  /** Headers that every request carries. */
  headers(): Record<string, string> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.#settings.apiKey}` };
    const agent = platform().userAgent;
    if (agent) headers["User-Agent"] = agent;
    return headers;
  }

  url(path: string, query: ApiRequest["query"] = {}): string {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, value);
    const text = parameters.toString();
    return `${this.#settings.url}/api/v1${path}${text ? `?${text}` : ""}`;
  }

  /** Sends, and sends again after a pause where that can help and time allows. */
  async send(request: ApiRequest): Promise<ApiAnswer> {
    const deadline = performance.now() + request.timeoutMs;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#attempt(request, Math.max(1, deadline - performance.now()));
      } catch (error) {
        const pause = this.#pauseBeforeRetry(error, attempt, request.retries ?? RETRIES);
        if (pause === undefined || performance.now() + pause >= deadline) throw error;
        await sleep(pause, request.signal);
      }
    }
  }

  /** How long to wait before trying again; undefined: do not. */
  #pauseBeforeRetry(error: unknown, attempt: number, retries: number): number | undefined {
    if (attempt >= retries || !isTemporary(error) || error instanceof TimeoutError) return undefined;
    const { retryDelay, maxRetryAfter } = this.#settings.timing;
    if (error instanceof ServerError && error.status !== undefined && !RETRIED.has(error.status)) return undefined;
    const asked = error instanceof ApiError ? error.retryAfter : undefined;
    // Without Retry-After a quota is used up: no pause within a call helps.
    if (error instanceof RateLimitError && asked === undefined) return undefined;
    if (asked !== undefined) {
      return asked * 1_000 <= maxRetryAfter ? asked * 1_000 + Math.random() * retryDelay : undefined;
    }
    return retryDelay * 2 ** attempt * (0.5 + Math.random());
  }

  async #attempt(request: ApiRequest, timeoutMs: number): Promise<ApiAnswer> {
    const limit = new TimeLimit(timeoutMs, request.signal);
    try {
      const response = await this.#fetch(this.url(request.path, request.query), {
        method: request.method,
        headers: {
          ...this.headers(),
          Accept: "application/json",
          ...(request.body === undefined ? {} : { "Content-Type": "application/json" }),
          ...request.headers,
        },
        signal: limit.signal,
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(request.keepalive ? { keepalive: true } : {}),
        ...(acceptsCacheOption() ? { cache: "no-store" as const } : {}),
      });
      const text = await response.text();
      this.#lostAt = -Infinity;
      return readAnswer(response, text, request);
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      if (error instanceof Xr2Error) throw error;
      this.#lostAt = performance.now();
      if (limit.expired) {
        throw new TimeoutError(
          `${request.what}: no answer from ${this.#settings.url} within ${Math.round(timeoutMs)} ms`,
        );
      }
      throw new ConnectionError(`${request.what}: cannot reach ${this.#settings.url} (${reasonOf(error)})`, {
        cause: error,
      });
    } finally {
      limit.clear();
    }
  }
}

/** Aborts after a time, or with the caller's signal. */
class TimeLimit {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #outer: AbortSignal | undefined;
  readonly #follow = (): void => this.#controller.abort(this.#outer?.reason);
  expired = false;

  constructor(timeoutMs: number, outer: AbortSignal | undefined) {
    this.#outer = outer;
    this.#timer = setTimeout(() => {
      this.expired = true;
      this.#controller.abort();
    }, timeoutMs);
    if (outer?.aborted) this.#follow();
    outer?.addEventListener("abort", this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#follow);
  }
}

function readAnswer(response: Response, text: string, request: ApiRequest): ApiAnswer {
  const { status, headers } = response;
  if (status === 304) return { status, headers, body: undefined };
  const body = parseJson(text);
  if (status >= 200 && status < 300) {
    if (isEnvelope(body)) return { status, headers, body };
    throw new ServerError(`${request.what}: the answer is not xr2's; does the url point at an xr2 server?`, {
      code: "UNEXPECTED_ANSWER",
      status,
      requestId: headers.get("x-request-id") ?? undefined,
    });
  }
  const error = (isRecord(body) && isRecord(body["error"]) ? body["error"] : {}) as ErrorEnvelope;
  const requestId = headers.get("x-request-id");
  const retryAfter = parseRetryAfter(headers.get("retry-after"));
  throw errorFromAnswer(status, error, {
    what: request.what,
    slug: request.slug,
    ...(requestId ? { requestId } : {}),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function isEnvelope(body: unknown): boolean {
  return isRecord(body) && body["success"] === true && isRecord(body["data"]);
}

/** The system's word for a failed connection, such as ECONNREFUSED. */
function reasonOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as { code?: unknown }).code;
    if (typeof code === "string" && code !== "") return code;
    if (!(cause.cause instanceof Error)) return cause.message;
  }
  return "unknown reason";
}

/** Waits; ends early, with the signal's reason, when the signal is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** A promise's result, unless the time is up first (then `onTimeout` decides) or the signal is aborted. */
export function within<T>(promise: Promise<T>, ms: number, onTimeout: () => T, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => settle(() => reject(signal?.reason));
    const timer = setTimeout(() => {
      settle(() => {
        try {
          resolve(onTimeout());
        } catch (error) {
          reject(error);
        }
      });
    }, ms);
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      finish();
    };
    promise.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

/** A timer that does not keep the program alive. */
export function backgroundTimer(run: () => void, ms: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(run, ms);
  unref(timer);
  return timer;
}

let cacheOption: boolean | undefined;

/** Some worker runtimes throw at the `cache` option instead of ignoring it. */
function acceptsCacheOption(): boolean {
  if (cacheOption === undefined) {
    try {
      void new Request("http://localhost/", { cache: "no-store" });
      cacheOption = true;
    } catch {
      cacheOption = false;
    }
  }
  return cacheOption;
}
