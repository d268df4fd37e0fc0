import { UsageError } from "./errors.js";
import type { FeedState } from "./feed.js";
import type { Settings } from "./options.js";
import { platform, type TextStore } from "./platform.js";
import { seal, unseal } from "./seal.js";
import type { Query, Slot } from "./slot.js";
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

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isDue) this.#write();
    await this.#writing;
  }

  #write(): void {
    this.#isDue = false;
    this.#writing = this.#writing
      .then(async () => {
        const startedAt = performance.now();
        await this.#store.write(await seal(this.#content(), this.#key, this.#scope));
        this.#pause = Math.max(WRITE_PAUSE, WRITE_SHARE * (performance.now() - startedAt));
      })
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : "unknown reason";
        this.#warn({ code: "SNAPSHOT_NOT_WRITTEN", message: `The snapshot cannot be written: ${why}` });
      });
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
