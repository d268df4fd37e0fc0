import { queryOf } from "./bundle.js";
import { NotFoundError } from "./errors.js";
import { Feed, type FeedState } from "./feed.js";
import { Lru } from "./lru.js";
import type { Entry } from "./mirror.js";
import type { Settings } from "./options.js";
import { openWithFetch, platform } from "./platform.js";
import { Reads } from "./reads.js";
import { Repository, type Delivery, type Patience } from "./repository.js";
import { nameFor } from "./seal.js";
import { SharedStream } from "./shared-stream.js";
import type { Query } from "./slot.js";
import { Snapshot, type SnapshotContent, type SnapshotStore } from "./snapshot.js";
import type { StreamAddress } from "./stream.js";
import { canShare, TabStream } from "./tabs.js";
import { MAX_SERVING, Telemetry, type Serving } from "./telemetry.js";
import { annotate } from "./tracing.js";
import { Transport } from "./transport.js";
import type { PromptData, Source, Warning } from "./types.js";

/** A prompt handed out, with what is known of it. */
export interface Obtained {
  readonly data: PromptData;
  readonly warnings: readonly Warning[];
  readonly source: Source;
  readonly stale: boolean;
}

/** A 404, and the revision it was given at: as long as nothing happens, it stands. */
interface Absence {
  readonly error: NotFoundError;
  readonly revision: number;
  readonly at: number;
}

const MAX_ABSENCES = 1_000;

/**
 * What clients with the same settings share in a process: one bundle for each label, one stream
 * for all of them, the prompts that were fetched one by one, the snapshot, and the telemetry.
 */
export class Hub {
  readonly settings: Settings;
  readonly transport: Transport;
  readonly telemetry: Telemetry;
  readonly #repository: Repository;
  readonly #stream: SharedStream;
  readonly #feeds = new Map<string, Feed>();
  readonly #snapshot: Snapshot | undefined;
  readonly #observers = new Set<() => void>();
  readonly #reads = new WeakMap<PromptData, Reads>();
  readonly #absences = new Lru<string, Absence>(MAX_ABSENCES);
  #restored: Promise<void> | undefined;
  /** What the snapshot holds of whole labels. Those that nobody asked for yet are handed on. */
  #pending = new Map<string, FeedState>();

  constructor(settings: Settings) {
    this.settings = settings;
    this.transport = new Transport(settings);
    this.#repository = new Repository(
      settings,
      this.transport,
      (isOther) => this.#changed(isOther),
      this.#revoked,
      () => this.#stream.inTouch(),
    );
    this.#stream = new SharedStream((label) => this.#address(label), settings.timing, this.#repository);
    this.telemetry = new Telemetry(settings, this.transport, {
      revision: () => this.#revision(),
      serving: () => this.#serving(),
      streaming: () => this.streaming,
    });
    if (settings.snapshot) {
      this.#snapshot = new Snapshot(settings.snapshot, settings, () => this.#content(), this.#warn);
    }
  }

  /** Whether a stream is open, of a server that hears of every change. */
  get streaming(): boolean {
    return this.#stream.healthy && !this.#stream.isStale;
  }

  /** The prompt, if it is in memory and kept current by the stream. Counts as a read. */
  current(name: string, label: string): Entry | undefined {
    const startedAt = performance.now();
    const entry = this.#feeds.get(label)?.current(name);
    // While an A/B test runs, the server says who gets which variant.
    if (entry === undefined || entry.data.ab_test) return undefined;
    this.#read(entry, startedAt);
    return entry;
  }

  /** The prompt, as fresh as can be had. Throws what the server or the network said. */
  async get(query: Query, patience: Patience): Promise<Obtained> {
    const startedAt = performance.now();
    await this.#restore();
    const feed = query.label !== undefined && this.settings.stream ? this.#feed(query.label) : undefined;
    if (feed === undefined) return this.#single(query, patience);
    feed.start(this.#pending.get(this.#feedKey(feed.label)));
    const found = await feed.obtain(query.slug, patience);
    if (!found || found.entry.data.ab_test) return this.#singleUnlessAbsent(feed, query, patience);
    this.#read(found.entry, startedAt);
    return { data: found.entry.frozen, warnings: [], source: found.source, stale: found.stale };
  }

  /** Calls back whenever a prompt changed or went, or may have. Returns the way to stop. */
  observe(observer: () => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  async close(): Promise<void> {
    for (const feed of this.#feeds.values()) feed.close();
    this.#stream.close();
    this.#repository.close();
    this.#notify();
    await Promise.all([this.telemetry.close(), this.#snapshot?.flush()]);
  }

  /** Asks for a prompt by itself, unless the server said there is none and nothing happened since. */
  async #singleUnlessAbsent(feed: Feed, query: Query, patience: Patience): Promise<Obtained> {
    const key = JSON.stringify([query.label, query.slug]);
    const { revision } = feed;
    const absence = this.#absences.peek(key);
    const { streamTrust } = this.settings.timing;
    const stands = feed.live && absence?.revision === revision && performance.now() - absence!.at < streamTrust;
    if (absence && stands) throw absence.error;
    try {
      return await this.#single(query, patience);
    } catch (error) {
      if (error instanceof NotFoundError && feed.live && revision !== undefined) {
        this.#absences.set(key, { error, revision, at: performance.now() });
      }
      throw error;
    }
  }

  async #single(query: Query, patience: Patience): Promise<Obtained> {
    const startedAt = performance.now();
    const delivery = await this.#repository.get(query, patience);
    this.#readSingle(delivery, startedAt);
    const { copy, source, stale } = delivery;
    return { data: copy.data, warnings: copy.warnings, source, stale };
  }

  #read(entry: Entry, startedAt: number): void {
    // The server hears soon who has come to use what: a publish is counted by that.
    if (!entry.used) this.telemetry.applied();
    entry.used = true;
    this.telemetry.count(entry.reads, startedAt);
    annotate(entry.data);
  }

  #readSingle({ copy, isRecorded }: Delivery, startedAt: number): void {
    let reads = this.#reads.get(copy.data);
    if (!reads) this.#reads.set(copy.data, (reads = new Reads(copy.data)));
    if (!isRecorded) this.telemetry.count(reads, startedAt);
    annotate(copy.data);
  }

  #feed(label: string): Feed {
    let feed = this.#feeds.get(label);
    if (!feed) this.#feeds.set(label, (feed = this.#makeFeed(label)));
    return feed;
  }

  #makeFeed(label: string): Feed {
    const { slugs, tags } = this.settings;
    return new Feed({
      selection: { label, slugs, tags },
      settings: this.settings,
      transport: this.transport,
      stream: this.#stream,
      singles: this.#repository,
      onChange: (isOther) => this.#changed(isOther),
      onApplied: () => this.telemetry.applied(),
      onRevoked: this.#revoked,
      warn: this.#warn,
    });
  }

  #address(label: string | undefined): StreamAddress {
    const { slugs, tags } = this.settings;
    const open = (this.settings.fetch ? undefined : platform().openStream) ?? openWithFetch(this.transport.fetch);
    const url = this.transport.url("/stream", queryOf({ label, slugs, tags }));
    const headers = (): Record<string, string> => this.transport.headers();
    if (!canShare()) return { open, url, headers };
    const tabs = new TabStream(open, nameFor("xr2-stream", this.settings.apiKey, url));
    return { open: tabs.open, url, headers, close: () => tabs.close() };
  }

  /** What this process is sure to have applied: the least of its labels' revisions. */
  #revision(): number | undefined {
    const known = [...this.#feeds.values()].flatMap(({ revision }) => (revision === undefined ? [] : [revision]));
    return known.length > 0 ? Math.min(...known) : undefined;
  }

  #serving(): Serving[] {
    const serving: Serving[] = [];
    for (const feed of this.#feeds.values()) {
      for (const { used, data, since } of feed.entries()) {
        if (!used) continue;
        if (serving.length >= MAX_SERVING) return serving;
        const { slug, label, version } = data;
        serving.push({ prompt: slug, label, version, since: new Date(since).toISOString() });
      }
    }
    return serving;
  }

  #feedKey(label: string): string {
    return JSON.stringify([label, this.settings.slugs, this.settings.tags]);
  }

  #restore(): Promise<void> {
    this.#restored ??= this.#load();
    return this.#restored;
  }

  async #load(): Promise<void> {
    const content = await this.#snapshot?.load();
    if (!content) return;
    this.#repository.restore(content.singles);
    this.#pending = new Map(Object.entries(content.feeds));
  }

  #content(): SnapshotContent {
    const feeds = Object.fromEntries(this.#pending);
    for (const feed of this.#feeds.values()) {
      const state = feed.state();
      const key = this.#feedKey(feed.label);
      if (state) feeds[key] = state;
      else delete feeds[key];
    }
    return { feeds, singles: this.#repository.state() };
  }

  #changed(isOther: boolean): void {
    this.#notify();
    if (isOther) this.#snapshot?.saveSoon();
  }

  /** The server knows the key no longer: nothing is kept of what it was good for, in memory or on disk. */
  readonly #revoked = (error: unknown): void => {
    for (const feed of this.#feeds.values()) feed.deny(error);
    this.#repository.clear();
    this.#pending.clear();
    this.#absences.clear();
    this.#snapshot?.wipe();
    this.#notify();
  };

  #notify(): void {
    for (const observe of this.#observers) observe();
  }

  readonly #warn = (warning: Warning): void => {
    const { onWarning } = this.settings;
    if (onWarning) onWarning(warning);
    else console.warn(`xr2: ${warning.message}`);
  };
}

/** A hub and how many clients use it. */
interface Shared {
  readonly hub: Hub;
  users: number;
}

const shared = new Map<string, Shared>();
const numbers = new WeakMap<object, number>();
let objects = 0;
let isWatchingTheEnd = false;
/** A program that has nothing left to do is kept for so long at most. */
const LAST_WORDS = 1_000;

/** The hub for these settings; `release` it when done. */
export function acquire(settings: Settings): Hub {
  const key = keyOf(settings);
  const found = shared.get(key);
  if (found) {
    found.users += 1;
    return found.hub;
  }
  const hub = new Hub(settings);
  if (!isWatchingTheEnd) platform().onEnd(flushAll);
  isWatchingTheEnd = true;
  shared.set(key, { hub, users: 1 });
  return hub;
}

/** Gives a hub back; the last one to do so closes it. */
export async function release(hub: Hub): Promise<void> {
  const key = keyOf(hub.settings);
  const found = shared.get(key);
  if (found?.hub !== hub) return;
  found.users -= 1;
  if (found.users > 0) return;
  shared.delete(key);
  await hub.close();
}

/** Sends what the program read before it ends by itself. */
async function flushAll(): Promise<void> {
  await Promise.all([...shared.values()].map(({ hub }) => hub.telemetry.flush(LAST_WORDS)));
}

/** Equal for settings that can share. How long a call waits is each client's own. */
function keyOf({ timeoutMs: _, fetch, snapshot, onWarning, ...rest }: Settings): string {
  return JSON.stringify([rest, numberOf(fetch), numberOf(snapshot), numberOf(onWarning)]);
}

function numberOf(object: SnapshotStore | ((...args: never[]) => unknown) | undefined): number {
  if (object === undefined) return 0;
  let number = numbers.get(object);
  if (number === undefined) numbers.set(object, (number = objects += 1));
  return number;
}
