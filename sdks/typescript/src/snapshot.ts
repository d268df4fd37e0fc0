import { UsageError } from "./errors.js";
import type { FeedState } from "./feed.js";
import type { Settings } from "./options.js";
import { platform, type TextStore } from "./platform.js";
import { seal, unseal } from "./seal.js";
import type { Query, Slot } from "./slot.js";
import { merge, namesOf } from "./snapshot-merge.js";
import { backgroundTimer } from "./transport.js";
import type { PromptData, Warning } from "./types.js";

/**
 * Somewhere to keep the prompts between two runs, so that a program starts although the
 * server is away. `fileSnapshot(path)` is one for Node; in a browser two lines around
 * localStorage do.
 */
export type SnapshotStore = TextStore;

/** A snapshot in a file that only this user may read (Node). */
export function fileSnapshot(path: string): SnapshotStore {
  const { fileStore } = platform();
  if (!fileStore) throw new UsageError("There are no files here: give a SnapshotStore of your own");
  return fileStore(path);
}

/** A prompt that was fetched by itself. */
export interface SnapshotEntry {
  readonly query: Query;
  readonly data: PromptData;
  readonly warnings: readonly Warning[];
  readonly etag?: string;
  readonly revision?: number;
  readonly noStore: boolean;
}

/** What a run leaves for the next one. */
export interface SnapshotContent {
  /** Whole labels, by label and selection. */
  readonly feeds: Readonly<Record<string, FeedState>>;
  readonly singles: readonly SnapshotEntry[];
}

const EMPTY: SnapshotContent = { feeds: {}, singles: [] };
/** Least time between two writes; with much to write, so many times as long as a write takes. */
const WRITE_PAUSE = 1_000;
const WRITE_SHARE = 20;

/** Reads and writes the snapshot. Faults of the store never disturb the program. */
export class Snapshot {
  readonly #store: SnapshotStore;
  readonly #key: string;
  readonly #scope: string;
  readonly #content: () => SnapshotContent;
  readonly #warn: (warning: Warning) => void;
  /** What this process has read or written; see `merge`. */
  #known: ReadonlySet<string> = new Set();
  #isDue = false;
  #pause = WRITE_PAUSE;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    store: SnapshotStore,
    settings: Pick<Settings, "url" | "apiKey">,
    content: () => SnapshotContent,
    warn: (warning: Warning) => void,
  ) {
    this.#store = store;
    this.#key = settings.apiKey;
    this.#scope = settings.url;
    this.#content = content;
    this.#warn = warn;
  }

  async load(): Promise<SnapshotContent> {
    try {
      const text = await this.#store.read();
      if (text === null || text === undefined || text === "") return EMPTY;
      const content = await unseal(text, this.#key, this.#scope);
      if (typeof content === "string") {
        this.#ignored(content);
        return EMPTY;
      }
      this.#known = namesOf(content as SnapshotContent);
      return content as SnapshotContent;
    } catch (error) {
      this.#ignored(`it cannot be read (${error instanceof Error ? error.message : "unknown reason"})`);
      return EMPTY;
    }
  }

  #ignored(why: string): void {
    this.#warn({ code: "SNAPSHOT_IGNORED", message: `The snapshot is ignored: ${why}` });
  }

  /** Writes at once, then at most once in a while. */
  saveSoon(): void {
    this.#isDue = true;
    if (this.#timer !== undefined) return;
    this.#write();
    this.#timer = backgroundTimer(() => {
      this.#timer = undefined;
      if (this.#isDue) this.saveSoon();
    }, this.#pause);
  }

  /** Replaces everything that was ever written with what there is now, at once. */
  wipe(): void {
    this.#write(true);
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isDue) this.#write();
    await this.#writing;
  }

  #write(isWipe = false): void {
    this.#isDue = false;
    this.#writing = this.#writing
      .then(async () => {
        const startedAt = performance.now();
        await this.#update((text) => this.#next(text, isWipe));
        this.#pause = Math.max(WRITE_PAUSE, WRITE_SHARE * (performance.now() - startedAt));
      })
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : "unknown reason";
        this.#warn({ code: "SNAPSHOT_NOT_WRITTEN", message: `The snapshot cannot be written: ${why}` });
      });
  }

  /** The text to write: what is held here, and of another process's what is later. */
  async #next(text: string | null, isWipe: boolean): Promise<string> {
    const ours = this.#content();
    const theirs = text && !isWipe ? await unseal(text, this.#key, this.#scope).catch(() => EMPTY) : EMPTY;
    // What cannot be trusted is replaced.
    const merged = typeof theirs === "string" ? ours : merge(ours, theirs as SnapshotContent, this.#known);
    this.#known = namesOf(ours);
    return seal(merged, this.#key, this.#scope);
  }

  /** Writes what `next` makes of what is there; nothing, when that is the same. */
  async #update(next: (text: string | null) => Promise<string>): Promise<void> {
    const store = this.#store;
    const change = async (text: string | null): Promise<string | null> => {
      const made = await next(text);
      return made === text ? null : made;
    };
    if (store.update) return store.update(change);
    const made = await change(await readIfPossible(store));
    if (made !== null) await store.write(made);
  }
}

/** What cannot be read can still be replaced. */
async function readIfPossible(store: SnapshotStore): Promise<string | null> {
  try {
    return (await store.read()) ?? null;
  } catch {
    return null;
  }
}

/** What to keep of prompts that were fetched by themselves. */
export function entriesOf(slots: Iterable<Slot>): SnapshotEntry[] {
  const entries: SnapshotEntry[] = [];
  for (const { copy, query, revision } of slots) {
    if (!copy) continue;
    entries.push({
      query,
      data: copy.data,
      warnings: copy.warnings,
      noStore: copy.noStore,
      ...(copy.etag === undefined ? {} : { etag: copy.etag }),
      ...(revision === undefined ? {} : { revision }),
    });
  }
  return entries;
}
