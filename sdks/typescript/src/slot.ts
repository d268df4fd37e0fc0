import type { PromptData, Warning } from "./types.js";

/** What is asked for. */
export interface Query {
  readonly slug: string;
  /** Set unless `version` is. */
  readonly label: string | undefined;
  readonly version: number | undefined;
  readonly userId: string | undefined;
  readonly optimizedFor: string | undefined;
}

/** A version is never served for a label: they are different keys even when equal in content. */
export function keyOf(query: Query): string {
  const { slug, label, version, userId, optimizedFor } = query;
  return JSON.stringify([slug, label ?? null, version ?? null, userId ?? null, optimizedFor ?? null]);
}

/** The last good answer to a query. */
export interface Copy {
  readonly data: PromptData;
  readonly warnings: readonly Warning[];
  readonly etag: string | undefined;
  /** Where this copy was read from before it was held in memory. */
  readonly from: "api" | "disk";
  /** The server chooses anew each time (an A/B test is running): good for emergencies only. */
  readonly noStore: boolean;
}

/**
 * One query's place in memory: the copy, and what is known of its freshness. Times are
 * those of performance.now().
 */
export class Slot {
  copy: Copy | undefined;
  /** Workspace revision at which the copy was current. */
  revision: number | undefined;
  /** Until when the copy is known to have been current. */
  goodUntil = -Infinity;
  /** The open stream answers for the copy. */
  confirmed = false;
  /** The last request failed in a way that may pass. */
  failure: unknown;
  /** Not to be asked again before this time, after a failure. */
  retryAt = -Infinity;
  /** When the server was last asked. */
  askedAt = -Infinity;
  /** The request under way. */
  flight: Promise<void> | undefined;
  /** A copy must be of this revision, or have been asked for after that time, to be current. */
  #neededRevision: number | undefined;
  #neededAt = -Infinity;
  #olderSince: number | undefined;

  constructor(
    readonly key: string,
    readonly query: Query,
  ) {}

  /** Whether a change of this prompt touches the query. */
  isTouchedBy(change: {
    slug: string;
    promptId?: string | undefined;
    label?: string | undefined;
    version?: number | null | undefined;
  }): boolean {
    const data = this.copy?.data;
    const samePrompt =
      this.query.slug === change.slug ||
      data?.slug === change.slug ||
      (change.promptId !== undefined && (data?.id === change.promptId || this.query.slug === change.promptId));
    if (!samePrompt) return false;
    if (this.query.label === undefined || change.label === undefined || change.version === null) return true;
    return this.query.label === change.label;
  }

  /** From now on only a copy of this revision, or one asked for later, is current. */
  require(revision: number | undefined, now: number): void {
    if (this.confirmed) this.goodUntil = now;
    this.confirmed = false;
    this.#neededAt = now;
    if (revision !== undefined) this.#neededRevision = Math.max(revision, this.#neededRevision ?? 0);
    // The server is there to say so: what failed before is worth another try.
    this.failure = undefined;
    this.retryAt = -Infinity;
  }

  /** Forgets a demand that a server which was set back cannot meet. */
  forgetNeededRevision(): void {
    this.#neededRevision = undefined;
  }

  /**
   * The revision a node must have reached to answer; goes into the request. A demand older
   * than `grace` is met by every node there is, or by none, after a restore from a backup.
   */
  neededRevision(grace: number): number | undefined {
    return performance.now() - this.#neededAt <= grace ? this.#neededRevision : undefined;
  }

  /** Whether a demand came up after the server was last asked. */
  get isToBeAsked(): boolean {
    return this.#neededAt > this.askedAt;
  }

  /**
   * Whether an answer is later than the copy, and so may replace it. A lower revision is a
   * late answer; if it stays lower for longer than `grace`, the server was restored from a
   * backup, and is right. One that says itself that it may be out of date (`isStale`) never is.
   */
  admits(revision: number | undefined, isStale: boolean, now: number, grace: number): boolean {
    const older = revision !== undefined && this.revision !== undefined && revision < this.revision;
    if (!older || this.copy === undefined) {
      this.#olderSince = undefined;
      return true;
    }
    if (isStale) {
      this.#olderSince = undefined;
      return false;
    }
    this.#olderSince ??= now;
    if (now - this.#olderSince <= grace) return false;
    this.#olderSince = undefined;
    this.#neededRevision = undefined;
    return true;
  }

  /** Notes that the copy is what the server has, as of a request begun at `startedAt`. */
  verified(revision: number | undefined, startedAt: number): void {
    this.revision = revision;
    this.goodUntil = Math.max(this.goodUntil, startedAt);
    this.failure = undefined;
    this.retryAt = -Infinity;
  }

  /** Whether the copy meets every demand so far. */
  meetsDemand(startedAt: number): boolean {
    if (this.revision === undefined || this.#neededRevision === undefined) return startedAt >= this.#neededAt;
    return this.revision >= this.#neededRevision;
  }

  /** Forgets the copy: the prompt is gone, or no longer ours to see. */
  empty(): void {
    this.copy = undefined;
    this.revision = undefined;
    this.confirmed = false;
    this.goodUntil = -Infinity;
    this.failure = undefined;
    this.retryAt = -Infinity;
  }
}
