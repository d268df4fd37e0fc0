import { parseRetryAfter } from "./headers.js";

/** An open answer whose body is read as it comes. */
export interface StreamAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Seconds, if the server named any. */
  readonly retryAfter: number | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** False: it begins now, wherever it was asked to go on. */
  readonly isResumed?: boolean;
}

/** Opens a long-lived GET. `signal` ends it at any time. */
export type OpenStream = (
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<StreamAnswer>;

/** Where text can be kept; see `SnapshotStore`. */
export interface TextStore {
  read(): Promise<string | null> | string | null;
  write(text: string): Promise<void> | void;
  /**
   * Optional, for what several processes write to: reads and writes in one step, so that
   * nobody else writes in between. `change` gets what is there and gives what is to be there;
   * null leaves it as it is.
   */
  update?(change: (text: string | null) => Promise<string | null>): Promise<void>;
}

/** What differs between Node and other places. */
export interface Platform {
  /** An environment variable, where there are such. */
  env(name: string): string | undefined;
  /** Sent as User-Agent where a program may set it; browsers keep their own. */
  readonly userAgent: string | undefined;
  /** A stream that does not keep the program alive; undefined: use fetch. */
  readonly openStream: OpenStream | undefined;
  /** A file as a store; undefined where there are no files. */
  readonly fileStore: ((path: string) => TextStore) | undefined;
  /** Calls back once, when the program has nothing left to do or the page goes away. */
  onEnd(callback: () => Promise<void>): void;
}

/** Where nothing is known but what the web has everywhere: browsers, workers, edge runtimes. */
let current: Platform = {
  env: (name) => (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[name],
  userAgent: undefined,
  openStream: undefined,
  fileStore: undefined,
  onEnd(callback) {
    if (typeof document === "undefined") return;
    globalThis.addEventListener("pagehide", () => void callback());
  },
};

/** Set once, by the entry module of the platform. */
export function setPlatform(platform: Platform): void {
  current = platform;
}

export function platform(): Platform {
  return current;
}

/** Lets the program exit although the timer is pending (Node; browsers have no such notion). */
export function unref(timer: ReturnType<typeof setTimeout>): void {
  if (typeof timer === "object" && "unref" in timer) timer.unref();
}

/** Opens a stream with fetch: browsers, workers, and Node when a fetch of one's own is given. */
export function openWithFetch(fetcher: typeof fetch): OpenStream {
  return async (url, headers, signal) => {
    const answer = await fetcher(url, { headers, signal, cache: "no-store", credentials: "omit" });
    return {
      status: answer.status,
      contentType: answer.headers.get("content-type") ?? "",
      retryAfter: parseRetryAfter(answer.headers.get("retry-after")),
      chunks: readChunks(answer.body),
    };
  };
}

async function* readChunks(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (!body) return;
  const reader = body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    // An aborted body rejects its cancellation; there is nobody left to tell.
    await reader.cancel().catch(() => undefined);
  }
}
