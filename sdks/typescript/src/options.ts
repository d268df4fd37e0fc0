import { UsageError } from "./errors.js";
import { platform } from "./platform.js";
import type { SnapshotStore } from "./snapshot.js";

/** Options of a client. */
export interface Xr2Options {
  /** API key (`xr2_…`). Default in Node: the environment variable `XR2_API_KEY`. */
  apiKey?: string;
  /** Address of the server. Default: `XR2_URL` in Node, else `http://localhost:8000`. */
  url?: string;
  /** Time one call may take in all, retries included, in milliseconds. Default 5,000. */
  timeoutMs?: number;
  /** How many prompts are kept in memory. Default 1,000. */
  cacheSize?: number;
  /** Listen for changes, so that memory is always current. Default true. */
  stream?: boolean;
  /** Where to keep what was fetched for the next start; see `fileSnapshot` in Node. */
  snapshot?: SnapshotStore;
  /** A fetch of your own, for proxies or tests. Then the stream goes through it, too. */
  fetch?: typeof fetch;
  /** Fine adjustments, mostly for tests. */
  timing?: Partial<Timing>;
}

/** The client's clocks, in milliseconds. */
export interface Timing {
  /** Without a stream, how old an entry may be before the server is asked again. */
  maxAge: number;
  /** How long a call waits for a fresh copy when there is a last good one. */
  staleWait: number;
  /** After a failure, how long until the server is asked again for the same prompt. */
  retryAfterFailure: number;
  /** First pause between the attempts of one request; doubles, with jitter. */
  retryDelay: number;
  /** Longest `Retry-After` that is waited for within a call. */
  maxRetryAfter: number;
  /** How long answers of a lower revision are taken for late ones rather than a restored server's. */
  olderGrace: number;
  /** With a stream, after how long the server is asked all the same, on the side. */
  streamTrust: number;
  /** A stream that is silent for longer is dead. The server's heartbeat is 15 s. */
  streamSilence: number;
  /** First and longest pause before the stream is opened again. */
  streamRetry: number;
  streamRetryMax: number;
}

const DEFAULT_TIMING: Timing = {
  maxAge: 1_000,
  staleWait: 1_000,
  retryAfterFailure: 1_000,
  retryDelay: 100,
  maxRetryAfter: 2_000,
  olderGrace: 10_000,
  streamTrust: 60_000,
  streamSilence: 45_000,
  streamRetry: 500,
  streamRetryMax: 30_000,
};

/** Options after defaults and checks. */
export interface Settings {
  readonly apiKey: string;
  readonly url: string;
  readonly timeoutMs: number;
  readonly cacheSize: number;
  readonly stream: boolean;
  readonly snapshot: SnapshotStore | undefined;
  readonly fetch: typeof fetch | undefined;
  readonly timing: Timing;
}

/** Fills in defaults and refuses what cannot work, with a sentence that says what to do. */
export function resolveOptions(options: Xr2Options): Settings {
  return {
    apiKey: checkKey(options.apiKey ?? platform().env("XR2_API_KEY")),
    url: checkUrl(options.url ?? (platform().env("XR2_URL") || "http://localhost:8000")),
    timeoutMs: checkNumber("timeoutMs", options.timeoutMs ?? 5_000, 1),
    cacheSize: checkNumber("cacheSize", options.cacheSize ?? 1_000, 1),
    stream: options.stream ?? true,
    snapshot: options.snapshot,
    fetch: options.fetch,
    timing: { ...DEFAULT_TIMING, ...options.timing },
  };
}

function checkKey(given: string | undefined): string {
  // Keys read from files and shells often bring a newline along.
  const key = given?.trim();
  if (!key) {
    throw new UsageError(
      "No API key: pass { apiKey } or set XR2_API_KEY. Keys are made in the dashboard under API keys.",
    );
  }
  // Never repeat the key itself: errors end up in logs.
  if (!/^[\x21-\x7e]+$/.test(key)) throw new UsageError("The API key holds characters that no key has");
  return key;
}

function checkUrl(given: string): string {
  let url: URL;
  try {
    url = new URL(given.trim());
  } catch {
    throw new UsageError("The url is no address; it should look like http://localhost:8000");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new UsageError("The url must begin with http:// or https://");
  }
  if (url.username || url.password) throw new UsageError("The url must not hold a name or password");
  const path = url.pathname.replace(/\/+$/, "").replace(/\/api\/v1$/, "");
  return url.origin + path;
}

function checkNumber(name: string, value: number, least: number): number {
  if (!Number.isFinite(value) || value < least) throw new UsageError(`${name} must be a number of at least ${least}`);
  return value;
}
