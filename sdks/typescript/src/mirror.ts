import { Reads } from "./reads.js";
import type { PromptData } from "./types.js";
import { deepFreeze } from "./values.js";

/** A prompt in the server's own words: its present slug, and those it had before. */
export type MirroredPrompt = PromptData & { readonly former_slugs?: readonly string[] };

/** One prompt as a label delivers it. */
export class Entry {
  readonly data: MirroredPrompt;
  /** The workspace revision at which it was so. */
  readonly revision: number;
  readonly reads: Reads;
  /** Since when this version is held here (Date.now()). */
  readonly since: number;
  /** Whether the program asked for it. */
  used: boolean;
  #frozen = false;

  constructor(data: MirroredPrompt, revision: number, before: Entry | undefined) {
    this.data = data;
    this.revision = revision;
    this.used = before?.used ?? false;
    const same = before?.reads.isOf(data);
    this.reads = same ? before!.reads : new Reads(data);
    this.since = same ? before!.since : Date.now();
  }

  /** The data, safe to hand out. */
  get frozen(): MirroredPrompt {
    if (!this.#frozen) deepFreeze(this.data);
    this.#frozen = true;
    return this.data;
  }

  get names(): string[] {
    return [this.data.slug, this.data.id, ...(this.data.former_slugs ?? [])];
  }
}

/** So many deletions are remembered; a bundle older than any of them is rare. */
const MAX_GONE = 10_000;

/**
 * What one label delivers, all of it, in memory. Changes may come in any order, from the
 * stream and from bundles: of each prompt the highest revision wins.
 */
export class Mirror {
  readonly #byId = new Map<string, Entry>();
  readonly #byName = new Map<string, Entry>();
  /** Deleted prompts by id, and when: a bundle of before must not bring them back. */
  readonly #gone = new Map<string, number>();

  get size(): number {
    return this.#byId.size;
  }

  /** By slug, former slug or id. */
  find(name: string): Entry | undefined {
    return this.#byName.get(name);
  }

  entries(): IterableIterator<Entry> {
    return this.#byId.values();
  }

  /** Takes a prompt as of a revision; false when something newer is known. */
  put(data: MirroredPrompt, revision: number): boolean {
    const before = this.#byId.get(data.id);
    if (before && before.revision > revision) return false;
    if ((this.#gone.get(data.id) ?? -1) > revision) return false;
    this.#gone.delete(data.id);
    this.#set(new Entry(data, revision, before));
    return true;
  }

  /** Notes that the label delivers this no longer, as of a revision; false when something newer is known. */
  remove(id: string | undefined, slug: string, revision: number): boolean {
    const entry = (id === undefined ? undefined : this.#byId.get(id)) ?? this.#byName.get(slug);
    if (id !== undefined) this.#noteGone(id, revision);
    if (!entry || (id !== undefined && entry.data.id !== id)) return false;
    // Renamed in the same breath: the old name went, the prompt did not.
    const renamed = entry.revision === revision && entry.data.slug !== slug;
    if (renamed || entry.revision > revision) return false;
    this.#drop(entry);
    return true;
  }

  /**
   * Takes everything there is as of a revision. With `force` it replaces what is newer, too:
   * the server was set back.
   */
  replace(prompts: readonly MirroredPrompt[], revision: number, force: boolean): void {
    const listed = new Set(prompts.map(({ id }) => id));
    for (const entry of [...this.#byId.values()]) {
      if (!listed.has(entry.data.id) && (force || entry.revision <= revision)) this.#drop(entry);
    }
    for (const [id, at] of this.#gone) if (force || at <= revision) this.#gone.delete(id);
    for (const data of prompts) {
      if (force) this.#set(new Entry(data, revision, this.#byId.get(data.id)));
      else this.put(data, revision);
    }
  }

  clear(): void {
    this.#byId.clear();
    this.#byName.clear();
    this.#gone.clear();
  }

  #set(entry: Entry): void {
    const before = this.#byId.get(entry.data.id);
    if (before) this.#drop(before);
    this.#byId.set(entry.data.id, entry);
    for (const name of entry.names) {
      // A name in use beats the same name of former days.
      const other = this.#byName.get(name);
      const isTaken = other !== undefined && other.data.slug === name && entry.data.slug !== name;
      if (!isTaken) this.#byName.set(name, entry);
    }
  }

  #drop(entry: Entry): void {
    this.#byId.delete(entry.data.id);
    for (const name of entry.names) if (this.#byName.get(name) === entry) this.#byName.delete(name);
  }

  #noteGone(id: string, revision: number): void {
    this.#gone.set(id, Math.max(revision, this.#gone.get(id) ?? 0));
    if (this.#gone.size <= MAX_GONE) return;
    const [oldest] = this.#gone.keys();
    if (oldest !== undefined) this.#gone.delete(oldest);
  }
}
