import { UsageError } from "./errors.js";
import type { Settings } from "./options.js";
import { platform, type TextStore } from "./platform.js";
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

/** One prompt of a snapshot. */
export interface SnapshotEntry {
  readonly query: Query;
  readonly data: PromptData;
  readonly warnings: readonly Warning[];
  readonly etag?: string;
  readonly revision?: number;
  readonly noStore: boolean;
}

const FORMAT = 1;
const WRITE_PAUSE = 1_000;

/** Reads and writes the snapshot. Faults of the store never disturb the program. */
export class Snapshot {
  readonly #store: SnapshotStore;
  readonly #scope: string;
  #slots: (() => Iterable<Slot>) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(store: SnapshotStore, settings: Pick<Settings, "url" | "apiKey">) {
    this.#store = store;
    this.#scope = `${settings.url}#${fingerprint(settings.apiKey)}`;
  }

  async load(): Promise<SnapshotEntry[]> {
    try {
      const text = await this.#store.read();
      const saved = JSON.parse(text ?? "null") as { format: number; scope: string; entries: SnapshotEntry[] } | null;
      // Another server's or another key's prompts are none of ours.
      return saved?.format === FORMAT && saved.scope === this.#scope ? saved.entries : [];
    } catch {
      return [];
    }
  }

  /** Writes at once, then at most once a second. */
  saveSoon(slots: () => Iterable<Slot>): void {
    this.#slots = slots;
    if (this.#timer !== undefined) return;
    this.#write();
    this.#timer = backgroundTimer(() => {
      this.#timer = undefined;
      if (this.#slots) this.saveSoon(this.#slots);
    }, WRITE_PAUSE);
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#slots) this.#write();
    await this.#writing;
  }

  #write(): void {
    const slots = this.#slots;
    if (!slots) return;
    this.#slots = undefined;
    this.#writing = this.#writing
      .then(() =>
        this.#store.write(JSON.stringify({ format: FORMAT, scope: this.#scope, entries: entriesOf(slots()) })),
      )
      .catch(() => undefined);
  }
}

function entriesOf(slots: Iterable<Slot>): SnapshotEntry[] {
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

/** Tells two keys apart without giving either away: 32 bits of a key's 256. */
function fingerprint(key: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193) >>> 0;
  return hash.toString(16);
}
