import { ApiError, AuthError, cutOff, isRevoked, isTemporary, NotFoundError, ServerError, TimeoutError } from "./errors.js";
import type { SinglesListener } from "./feed.js";
import { revisionOf, saysStale } from "./headers.js";
import { Lru } from "./lru.js";
import type { Settings } from "./options.js";
import { keyOf, Slot, type Copy, type Query } from "./slot.js";
import { entriesOf, type SnapshotEntry } from "./snapshot.js";
import type { ChangeEvent } from "./stream.js";
import { within, type ApiAnswer, type Transport } from "./transport.js";
import type { PromptData, Source, Warning } from "./types.js";
import { deepFreeze } from "./values.js";

/** A copy handed out, with what is known of it. */
export interface Delivery {
  readonly copy: Copy;
  readonly source: Source;
  readonly stale: boolean;
  /** The server knows of this read, since it was asked for it. */
  readonly isRecorded: boolean;
}

/** A failure is recent for so many pauses. */
const RECENT = 10;

/** How one caller wants to wait. */
export interface Patience {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** The caller has something to go on with: do not make it wait for a server that is known to be away. */
  readonly hasFallback: boolean;
}

/** What is known of one label's stream. */
interface StreamState {
  readonly connected: boolean;
  /** What a copy must be of to have missed nothing before the stream opened. */
  readonly revision: number | undefined;
  readonly at: number;
}

/**
 * Holds the prompts that are fetched one by one, and keeps them current: fixed versions,
 * users of a running A/B test, and everything where there is no bundle. With an open stream
 * the server tells what changed; without it nothing is handed out that is older than a
 * second unless the server cannot be reached.
 */
export class Repository implements SinglesListener {
  readonly #settings: Settings;
  readonly #transport: Transport;
  readonly #slots: Lru<string, Slot>;
  readonly #onChange: (isOther: boolean) => void;
  readonly #onRevoked: (error: unknown) => void;
  readonly #onInTouch: () => void;
  readonly #streams = new Map<string, StreamState>();
  #highestRevision = -1;

  /**
   * `onChange` hears whenever a copy changed or went, or may have; `onRevoked`, that the key is no
   * good any more; `onInTouch`, of answers from servers that hear of every change.
   */
  constructor(
    settings: Settings,
    transport: Transport,
    onChange: (isOther: boolean) => void,
    onRevoked: (error: unknown) => void,
    onInTouch: () => void,
  ) {
    this.#settings = settings;
    this.#transport = transport;
    this.#onChange = onChange;
    this.#onRevoked = onRevoked;
    this.#onInTouch = onInTouch;
    this.#slots = new Lru(settings.cacheSize);
  }

  /** The prompt, as fresh as the rules above demand. Throws what the server or the network said. */
  async get(query: Query, patience: Patience): Promise<Delivery> {
    if (query.userId === undefined) return this.#obtain(this.#slot(query), patience);
    return this.#getForUser(query, patience);
  }

  /**
   * Users differ only while an A/B test runs. The answer without a user says whether one
   * does (it may not be stored then); as long as none does, one copy serves everybody.
   */
  async #getForUser(query: Query, patience: Patience): Promise<Delivery> {
    const common = this.#slot({ ...query, userId: undefined });
    if (!common.copy?.noStore) {
      const delivery = await this.#obtain(common, patience);
      if (!delivery.copy.noStore) return delivery;
    }
    const delivery = await this.#obtain(this.#slot(query), patience);
    if (!delivery.copy.data.ab_test) this.#slots.delete(common.key);
    return delivery;
  }

  async #obtain(slot: Slot, patience: Patience): Promise<Delivery> {
    const atHand = this.#atHand(slot);
    if (atHand) return atHand;
    const now = performance.now();
    // What an earlier run left is not handed out before the server was asked whether the key still may have it.
    if (slot.copy && slot.copy.from !== "disk" && slot.query.version !== undefined) {
      // A version's content never changes; whether it is still there is found out on the side.
      this.#refreshInBackground(slot, now);
      return held(slot.copy, slot.failure !== undefined);
    }
    // It failed just now: as long as it is not to be asked again, the last good copy is as good as it gets.
    const isResting = slot.failure !== undefined && now < slot.retryAt;
    if (slot.copy && (isResting || this.#isAway(slot, now))) {
      this.#refreshInBackground(slot, now);
      return held(slot.copy, true);
    }
    if (slot.failure !== undefined && !slot.copy && (isResting || patience.hasFallback)) {
      this.#refreshInBackground(slot, now);
      throw slot.failure;
    }
    return this.#askAndWait(slot, patience);
  }

  /** Whether the server failed just now, so that waiting for it once more would be in vain. */
  #isAway(slot: Slot, now: number): boolean {
    const since = now - RECENT * this.#settings.timing.retryAfterFailure;
    const hasFailed = slot.failure !== undefined && slot.askedAt > since;
    return hasFailed || (!this.#isConnected(slot) && this.#transport.lostAt > since);
  }

  /** What can be handed out without asking. */
  #atHand(slot: Slot): Delivery | undefined {
    const { copy } = slot;
    if (!copy || copy.noStore) return undefined;
    const now = performance.now();
    if (slot.confirmed && this.#isConnected(slot)) {
      // Should an event ever be lost, its text is late by a minute and not for good.
      if (now - slot.askedAt > this.#settings.timing.streamTrust) this.#refreshInBackground(slot, now);
      return { copy, source: "stream", stale: false, isRecorded: false };
    }
    if (now - slot.goodUntil > this.#settings.timing.maxAge) return undefined;
    // Young enough to be handed out, but something is known to have happened: find out at once.
    if (slot.isToBeAsked) this.#refreshInBackground(slot, now);
    return held(copy, false);
  }

  async #askAndWait(slot: Slot, patience: Patience): Promise<Delivery> {
    const lastGood = slot.copy;
    const isRecorded = slot.flight === undefined;
    const flight = this.#refresh(slot, patience.timeoutMs).then((): Delivery => {
      if (!slot.copy) throw new ServerError(`Cannot get "${slot.query.slug}": no answer could be used`);
      return { copy: slot.copy, source: "api", stale: false, isRecorded };
    });
    const wait = lastGood ? Math.min(patience.timeoutMs, this.#settings.timing.staleWait) : patience.timeoutMs;
    const onTimeout = (): Delivery => {
      if (lastGood) return held(lastGood, true);
      throw new TimeoutError(`Cannot get "${slot.query.slug}": no answer within ${wait} ms`);
    };
    try {
      return await within(flight, wait, onTimeout, patience.signal);
    } catch (error) {
      if (lastGood && isTemporary(error)) return held(lastGood, true);
      throw error;
    }
  }

  #refreshInBackground(slot: Slot, now: number): void {
    if (now < slot.retryAt) return;
    // The failure is noted in the slot; whoever asks next learns of it.
    this.#refresh(slot, this.#settings.timeoutMs).catch(() => undefined);
  }

  /** Asks the server; everybody who wants the same at the same time shares one request. */
  #refresh(slot: Slot, timeoutMs: number): Promise<void> {
    slot.flight ??= this.#fly(slot, timeoutMs).finally(() => {
      slot.flight = undefined;
    });
    return slot.flight;
  }

  async #fly(slot: Slot, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + Math.max(timeoutMs, this.#settings.timeoutMs);
    for (;;) {
      const startedAt = (slot.askedAt = performance.now());
      try {
        this.#accept(slot, await this.#ask(slot, deadline - startedAt), startedAt);
      } catch (error) {
        this.#refused(slot, error);
        throw error;
      }
      // A change came in while we asked: the answer may be of before it.
      const overtaken = slot.isToBeAsked && !slot.meetsDemand(startedAt);
      if (!overtaken || performance.now() >= deadline) return;
    }
  }

  #ask(slot: Slot, timeoutMs: number): Promise<ApiAnswer> {
    const { slug, label, version, userId, optimizedFor } = slot.query;
    const headers: Record<string, string> = {};
    if (slot.copy?.etag) headers["If-None-Match"] = slot.copy.etag;
    const needed = slot.neededRevision(this.#settings.timing.olderGrace);
    if (needed !== undefined) headers["X-XR2-Min-Revision"] = String(needed);
    return this.#transport.send({
      method: "GET",
      path: `/prompts/${encodeURIComponent(slug)}`,
      query: { label, version: version?.toString(), user_id: userId, optimized_for: optimizedFor },
      headers,
      what: `Cannot get "${slug}"`,
      slug,
      timeoutMs: Math.max(1, timeoutMs),
    });
  }

  #accept(slot: Slot, answer: ApiAnswer, startedAt: number): void {
    const now = performance.now();
    const revision = revisionOf(answer.headers);
    const isStale = saysStale(answer.headers);
    if (revision !== undefined) this.#highestRevision = Math.max(this.#highestRevision, revision);
    if (!slot.admits(revision, isStale, now, this.#settings.timing.olderGrace)) {
      if (isStale) throw cutOff(`Cannot get "${slot.query.slug}"`);
      return;
    }
    if (!isStale) this.#onInTouch();
    const before = slot.copy;
    if (answer.status !== 304) slot.copy = readCopy(answer, slot.query.slug);
    else if (before?.from === "disk") slot.copy = { ...before, from: "api" };
    slot.verified(revision, startedAt);
    slot.confirmed = !isStale && this.#isConnected(slot) && slot.meetsDemand(startedAt);
    if (slot.copy?.data === before?.data) return;
    this.#onChange(true);
  }

  #refused(slot: Slot, error: unknown): void {
    if (isRevoked(error)) {
      slot.empty();
      return this.#onRevoked(error);
    }
    if (error instanceof NotFoundError || error instanceof AuthError) {
      const held = slot.copy !== undefined;
      slot.empty();
      if (this.#slots.peek(slot.key) === slot) this.#slots.delete(slot.key);
      if (held) this.#onChange(true);
      return;
    }
    if (!isTemporary(error)) return;
    const { retryAfterFailure } = this.#settings.timing;
    const asked = error instanceof ApiError ? (error.retryAfter ?? 0) * 1_000 : 0;
    slot.failure = error;
    slot.retryAt =
      performance.now() + Math.max(retryAfterFailure * (0.75 + Math.random() / 2), Math.min(asked, 30_000));
  }

  #slot(query: Query): Slot {
    const key = keyOf(query);
    let slot = this.#slots.get(key);
    if (!slot) {
      slot = new Slot(key, query);
      const greeted = this.#streamOf(slot);
      if (greeted) slot.require(greeted.revision, greeted.at);
      this.#slots.set(key, slot);
    }
    return slot;
  }

  /** A fixed version is answered for by any stream, a label by its own. */
  #streamOf({ query }: Slot): StreamState | undefined {
    if (query.label !== undefined) return this.#streams.get(query.label);
    for (const state of this.#streams.values()) if (state.connected) return state;
    return undefined;
  }

  #isConnected(slot: Slot): boolean {
    return this.#streamOf(slot)?.connected ?? false;
  }

  /** Takes what an earlier run left. */
  restore(entries: readonly SnapshotEntry[]): void {
    for (const entry of entries) {
      const slot = this.#slot(entry.query);
      slot.copy = deepFreeze({
        data: entry.data,
        warnings: entry.warnings,
        etag: entry.etag,
        from: "disk",
        noStore: entry.noStore,
      });
      slot.revision = entry.revision;
    }
  }

  /** What to keep for the next start. */
  state(): SnapshotEntry[] {
    return entriesOf(this.#slots.values());
  }

  /** Forgets all copies: the key is no good any more. */
  clear(): void {
    for (const slot of this.#slots.values()) slot.empty();
    this.#slots.clear();
  }

  close(): void {
    this.#streams.clear();
  }

  // What the stream says.

  hello(label: string, revision: number | undefined): void {
    this.#lookAgain(label, revision);
  }

  resync(label: string, revision: number | undefined): void {
    this.#lookAgain(label, revision);
  }

  changed(change: ChangeEvent, eager: boolean): void {
    const now = performance.now();
    if (change.revision !== undefined) this.#highestRevision = Math.max(this.#highestRevision, change.revision);
    for (const slot of [...this.#slots.values()]) {
      if (!slot.isTouchedBy(change)) continue;
      const known = change.revision !== undefined && slot.revision !== undefined && slot.revision >= change.revision;
      if (known) continue;
      slot.require(change.revision, now);
      if (eager) this.#refreshInBackground(slot, now);
    }
  }

  down(label: string, lastSign: number): void {
    const before = this.#streams.get(label);
    if (before) this.#streams.set(label, { ...before, connected: false });
    for (const slot of this.#slots.values()) {
      if (!concerns(label, slot)) continue;
      if (slot.confirmed) slot.goodUntil = Math.max(slot.goodUntil, lastSign);
      slot.confirmed = false;
    }
  }

  /** Everything that may have missed a change is asked for again when it is next wanted. */
  #lookAgain(label: string, revision: number | undefined): void {
    const now = performance.now();
    // A revision below one we have seen: another node that lags, or a server set back to a backup.
    const setBack = revision !== undefined && revision < this.#highestRevision;
    if (revision !== undefined) this.#highestRevision = Math.max(this.#highestRevision, revision);
    this.#streams.set(label, { connected: true, revision, at: now });
    for (const slot of this.#slots.values()) {
      if (!concerns(label, slot)) continue;
      const current =
        !setBack && slot.copy && revision !== undefined && slot.revision !== undefined && slot.revision >= revision;
      if (current) {
        slot.confirmed = true;
        continue;
      }
      if (setBack) slot.forgetNeededRevision();
      slot.require(revision, now);
    }
    this.#onChange(false);
  }
}

function concerns(label: string, { query }: Slot): boolean {
  return query.label === undefined || query.label === label;
}

function held(copy: Copy, stale: boolean): Delivery {
  return { copy, source: copy.from === "disk" ? "disk" : "cache", stale, isRecorded: false };
}

function readCopy(answer: ApiAnswer, slug: string): Copy {
  const body = answer.body as { data: PromptData; meta?: { warnings?: readonly Warning[] } };
  const { data } = body;
  const readable = typeof data.content === "string" || Array.isArray(data.messages);
  if (!readable) {
    throw new ServerError(`Cannot get "${slug}": the answer holds neither content nor messages`, {
      code: "UNEXPECTED_ANSWER",
      status: answer.status,
      requestId: answer.headers.get("x-request-id") ?? undefined,
    });
  }
  const noStore = /\bno-store\b/.test(answer.headers.get("cache-control") ?? "");
  return deepFreeze({
    data,
    warnings: body.meta?.warnings ?? [],
    etag: answer.headers.get("etag") ?? undefined,
    from: "api" as const,
    noStore,
  });
}
