import { UsageError } from "./errors.js";
import { platform } from "./platform.js";
import type { SnapshotStore } from "./snapshot.js";
import type { Warning } from "./types.js";

/** Options of a client. */
export interface Xr2Options {
  /** API key (`xr2_…`). Default in Node: the environment variable `XR2_API_KEY`. */
  apiKey?: string;
  /** Address of the server. Default: `XR2_URL` in Node, else `http://localhost:8000`. */
  url?: string;
  /** Time one call may take in all, retries included, in milliseconds. Default 5,000. */
  timeoutMs?: number;
  /**
   * How many prompts are kept in memory, per label. Default 10,000. Where a label delivers
   * more than that, prompts are fetched one by one and the least recently used ones go first.
   */
  cacheSize?: number;
  /**
   * Keep everything a label delivers in memory, and listen for changes. Default true. When
   * false, prompts are fetched one by one as they are asked for.
   */
  stream?: boolean;
  /** Keep only these prompts in memory and listen for these; others are fetched one by one. */
  slugs?: readonly string[];
  /** Keep only prompts with one of these tags in memory; others are fetched one by one. */
  tags?: readonly string[];
  /** Where to keep what was fetched for the next start; see `fileSnapshot` in Node. */
  snapshot?: SnapshotStore;
  /** Tell the server which prompts were read, and which version is in use here. Default true. */
  telemetry?: boolean;
  /** Name of this process in the server's list of clients. Default: a random one. */
  instance?: string;
  /** Hears of what went wrong on the side, such as a damaged snapshot. Default: console.warn. */
  onWarning?: (warning: Warning) => void;
  /** A fetch of your own, for proxies or tests. Then the stream goes through it, too. */
  fetch?: typeof fetch;
  /** Fine adjustments, mostly for tests. */
  timing?: Partial<Timing>;
}

/** The client's clocks, in milliseconds. */
export interface Timing {
  /** Without a stream, how old an entry may be before the server is asked again. */
  maxAge: number;
  /** Without a stream, how often the bundle is asked for while nobody reads, give or take a quarter. */
  pollEvery: number;
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
  /** A stream that is silent for longer is dead. Default: three of the server's heartbeats. */
  streamSilence: number | undefined;
  /** First and longest pause before the stream is opened again. */
  streamRetry: number;
  streamRetryMax: number;
  /** How long a first call waits for everything before it asks for its prompt alone. */
  bundleWait: number;
  /** With a stream, after how long the bundle is compared all the same. */
  bundleTrust: number;
  /** When everything has to be fetched again, clients spread over so much time. */
  resyncJitter: number;
  /** How often reads are reported, and how often an idle client says that it is there. */
  telemetryEvery: number;
  telemetryIdle: number;
  /** The least time between two reports, and the most a report of a new revision is put off. */
  telemetryGap: number;
}

const DEFAULT_TIMING: Timing = {
  maxAge: 1_000,
  pollEvery: 5_000,
  staleWait: 1_000,
  retryAfterFailure: 1_000,
  retryDelay: 100,
  maxRetryAfter: 2_000,
  olderGrace: 10_000,
  streamTrust: 60_000,
  streamSilence: undefined,
  streamRetry: 500,
  streamRetryMax: 30_000,
  bundleWait: 500,
  bundleTrust: 600_000,
  resyncJitter: 1_000,
  telemetryEvery: 10_000,
  telemetryIdle: 30_000,
  telemetryGap: 1_000,
};

/** Options after defaults and checks. */
export interface Settings {
  readonly apiKey: string;
  readonly url: string;
  readonly timeoutMs: number;
  readonly cacheSize: number;
  readonly stream: boolean;
  readonly slugs: readonly string[];
  readonly tags: readonly string[];
  readonly snapshot: SnapshotStore | undefined;
  readonly telemetry: boolean;
  readonly instance: string | undefined;
  readonly onWarning: ((warning: Warning) => void) | undefined;
  readonly fetch: typeof fetch | undefined;
  readonly timing: Timing;
}

/** Fills in defaults and refuses what cannot work, with a sentence that says what to do. */
export function resolveOptions(options: Xr2Options): Settings {
  return {
    apiKey: checkKey(options.apiKey ?? platform().env("XR2_API_KEY")),
    url: checkUrl(options.url ?? (platform().env("XR2_URL") || "http://localhost:8000")),
    timeoutMs: checkNumber("timeoutMs", options.timeoutMs ?? 5_000, 1),
    cacheSize: checkNumber("cacheSize", options.cacheSize ?? 10_000, 1),
    stream: options.stream ?? true,
    slugs: checkList("slugs", options.slugs),
    tags: checkList("tags", options.tags),
    snapshot: options.snapshot,
    telemetry: options.telemetry ?? true,
    instance: checkInstance(options.instance),
    onWarning: options.onWarning,
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

/** Lists go into an address, with commas between their items. */
function checkList(name: string, given: readonly string[] = []): readonly string[] {
  const fits = given.every((item) => typeof item === "string" && item !== "" && !item.includes(","));
  if (!fits) throw new UsageError(`${name} must be a list of texts without commas`);
  return [...new Set(given)].sort();
}

function checkInstance(given: string | undefined): string | undefined {
  if (given === undefined || (given !== "" && given.length <= 100)) return given;
  throw new UsageError("instance must be a text of 1 to 100 characters");
}

function checkNumber(name: string, value: number, least: number): number {
  if (!Number.isFinite(value) || value < least) throw new UsageError(`${name} must be a number of at least ${least}`);
  return value;
}
