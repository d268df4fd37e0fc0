/** What a bundle is worth. */
export type Verdict = "taken" | "late" | "behind" | "set-back";

/**
 * Knows up to which revision memory is complete. The stream tells everything after one
 * revision, a bundle holds everything up to one; memory is live while the two meet. Several
 * frames may belong to one revision, so it counts only once something after it was heard.
 */
export class Progress {
  #revision: number | undefined;
  /** The open stream tells everything after this one; undefined: there is no stream. */
  #from: number | undefined;
  /** What the greeting said. */
  #head: number | undefined;
  /** The server that streams is cut off from its database. */
  #isStale = false;
  #seen = -1;
  #settled = -1;
  /** Something was lost at this time: only a bundle asked for later makes good for it. */
  #lostAt: number | undefined;
  #olderSince: number | undefined;
  #belowSince: number | undefined;

  /** Memory holds everything up to this revision; undefined: it does not hold everything. */
  get revision(): number | undefined {
    return this.#revision;
  }

  /** Whether the open stream keeps memory current. */
  get live(): boolean {
    return this.#isMet && !this.#isStale;
  }

  /** Whether the open stream is of a server that does not hear of every change. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Whether what the open stream tells follows upon what memory holds. */
  get #isMet(): boolean {
    return (
      this.#from !== undefined &&
      this.#revision !== undefined &&
      this.#revision >= this.#from &&
      this.#lostAt === undefined
    );
  }

  /** The revision a bundle must be of to meet the stream. */
  get needed(): number | undefined {
    const behind = this.#from !== undefined && (this.#revision ?? -1) < this.#from;
    return behind && !this.#isStale ? this.#from : undefined;
  }

  /** After which revision a stream should go on, so that nothing is missed. */
  get resumeFrom(): number | undefined {
    return this.#lostAt === undefined ? this.#revision : undefined;
  }

  /**
   * The stream greets. A server that is behind us lags, or was set back: a bundle will tell. One
   * that is cut off has not heard of what we have, and nothing follows from that.
   */
  hello(head: number | undefined, resumedFrom: number | undefined, isStale: boolean, now: number): void {
    this.#head = head;
    this.#isStale = isStale;
    this.#from = resumedFrom ?? head;
    if (head !== undefined && this.#revision !== undefined && head < this.#revision) {
      this.#from = head;
      if (!isStale) this.#lostAt = now;
    }
    this.#seen = this.#settled = this.#from ?? -1;
  }

  /** A frame of this revision came. */
  see(revision: number): void {
    if (revision <= this.#seen) return;
    this.#settle(this.#seen);
    this.#seen = revision;
  }

  /** Everything up to this revision was said. */
  mark(revision: number): void {
    this.#seen = Math.max(this.#seen, revision);
    this.#settle(this.#seen);
  }

  /** Nothing more is to be said for now. */
  heartbeat(): void {
    this.#settle(this.#seen);
    // The server did not go on where it was asked to, as when something on the way ate the request for it.
    const skipped = this.#isMet && this.#head !== undefined && this.#seen < this.#head;
    if (skipped) this.#from = this.#head;
  }

  /** Something was lost; the stream goes on after `revision`. One that is cut off may miss what others told us. */
  lost(revision: number | undefined, now: number): void {
    const isHere = this.#isStale && revision !== undefined && (this.resumeFrom ?? -1) >= revision;
    if (!isHere) this.#lostAt = now;
    if (revision === undefined || this.#from === undefined) return;
    this.#from = revision;
    this.#seen = this.#settled = revision;
  }

  down(): void {
    this.#from = undefined;
    this.#head = undefined;
    this.#isStale = false;
  }

  /** Everything up to `revision` was read from disk. */
  restore(revision: number): void {
    this.#revision = revision;
  }

  /**
   * A bundle came. A lower revision than ours is a late answer; if it stays lower for longer
   * than `grace`, the server was set back to a backup, and is right. One that says itself that
   * it may be out of date (`isStale`) is behind, for however long, and proves nothing.
   */
  bundle(revision: number, isStale: boolean, startedAt: number, now: number, grace: number): Verdict {
    if (isStale) this.#olderSince = this.#belowSince = undefined;
    if (this.#revision !== undefined && revision < this.#revision) {
      if (isStale) return "behind";
      if (this.live) return "late";
      this.#olderSince ??= now;
      if (now - this.#olderSince <= grace) return "late";
      this.#take(revision, startedAt);
      return "set-back";
    }
    if (!isStale) this.#meet(revision, now, grace);
    this.#take(revision, startedAt);
    return "taken";
  }

  forget(): void {
    this.#revision = undefined;
    this.#olderSince = undefined;
  }

  /** A stream that speaks of revisions no bundle reaches for longer than `grace` is not to be waited for. */
  #meet(revision: number, now: number, grace: number): void {
    const below = this.#from !== undefined && revision < this.#from;
    this.#belowSince = below ? (this.#belowSince ?? now) : undefined;
    if (this.#belowSince === undefined || now - this.#belowSince <= grace) return;
    this.#from = this.#seen = this.#settled = revision;
    this.#belowSince = undefined;
  }

  #take(revision: number, startedAt: number): void {
    this.#olderSince = undefined;
    this.#revision = revision;
    if (this.#lostAt !== undefined && startedAt >= this.#lostAt) this.#lostAt = undefined;
    if (this.#isMet) this.#revision = Math.max(revision, this.#settled);
  }

  #settle(revision: number): void {
    this.#settled = Math.max(this.#settled, revision);
    if (this.#isMet) this.#revision = Math.max(this.#revision ?? -1, revision);
  }
}
