import { ApiError, AuthError, isTemporary, NotFoundError, ServerError, TimeoutError } from "./errors.js";
import { Lru } from "./lru.js";
import type { Settings } from "./options.js";
import { keyOf, Slot, type Copy, type Query } from "./slot.js";
import { Snapshot } from "./snapshot.js";
import type { ChangeEvent, StreamListener } from "./stream.js";
import { within, type ApiAnswer, type Transport } from "./transport.js";
import type { PromptData, Source, Warning } from "./types.js";
import { deepFreeze } from "./values.js";

/** A copy handed out, with what is known of it. */
export interface Delivery {
  readonly copy: Copy;
  readonly source: Source;
  readonly stale: boolean;
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

/**
 * Holds the prompts in memory and keeps them current. With an open stream the server tells
 * what changed; without it nothing is handed out that is older than a second unless the
 * server cannot be reached.
 */
export class Repository implements StreamListener {
  readonly #settings: Settings;
  readonly #transport: Transport;
  readonly #slots: Lru<string, Slot>;
  readonly #snapshot: Snapshot | undefined;
  readonly #observers = new Set<() => void>();
  #loading: Promise<void> | undefined;
  #connected = false;
  /** What a copy must be of to have missed nothing before the stream opened. */
  #greeted: { readonly revision: number | undefined; readonly at: number } | undefined;
  #highestRevision = -1;

  constructor(settings: Settings, transport: Transport) {
    this.#settings = settings;
    this.#transport = transport;
    this.#slots = new Lru(settings.cacheSize);
    this.#snapshot = settings.snapshot && new Snapshot(settings.snapshot, settings);
  }

  /** The prompt, as fresh as the rules above demand. Throws what the server or the network said. */
  async get(query: Query, patience: Patience): Promise<Delivery> {
    await this.#load();
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
    if (slot.copy && slot.query.version !== undefined) {
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
    return (slot.failure !== undefined && slot.askedAt > since) || (!this.#connected && this.#transport.lostAt > since);
  }

  /** What can be handed out without asking. */
  #atHand(slot: Slot): Delivery | undefined {
    const { copy } = slot;
    if (!copy || copy.noStore) return undefined;
    const now = performance.now();
    if (this.#connected && slot.confirmed) {
      // Should an event ever be lost, its text is late by a minute and not for good.
      if (now - slot.askedAt > this.#settings.timing.streamTrust) this.#refreshInBackground(slot, now);
      return { copy, source: "stream", stale: false };
    }
    if (now - slot.goodUntil > this.#settings.timing.maxAge) return undefined;
    // Young enough to be handed out, but something is known to have happened: find out at once.
    if (slot.isToBeAsked) this.#refreshInBackground(slot, now);
    return held(copy, false);
  }

  async #askAndWait(slot: Slot, patience: Patience): Promise<Delivery> {
    const lastGood = slot.copy;
    const flight = this.#refresh(slot, patience.timeoutMs).then((): Delivery => {
      if (!slot.copy) throw new ServerError(`Cannot get "${slot.query.slug}": no answer could be used`);
      return { copy: slot.copy, source: "api", stale: false };
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
    if (revision !== undefined) this.#highestRevision = Math.max(this.#highestRevision, revision);
    if (!slot.admits(revision, now, this.#settings.timing.olderGrace)) return;
    const before = slot.copy;
    if (answer.status !== 304) slot.copy = readCopy(answer, slot.query.slug);
    else if (before?.from === "disk") slot.copy = { ...before, from: "api" };
    slot.verified(revision, startedAt);
    slot.confirmed = this.#connected && slot.meetsDemand(startedAt);
    if (slot.copy?.data === before?.data) return;
    this.#changed();
  }

  #refused(slot: Slot, error: unknown): void {
    if (error instanceof NotFoundError || error instanceof AuthError) {
      const held = slot.copy !== undefined;
      slot.empty();
      if (this.#slots.peek(slot.key) === slot) this.#slots.delete(slot.key);
      if (held) this.#changed();
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
      if (this.#greeted) slot.require(this.#greeted.revision, this.#greeted.at);
      this.#slots.set(key, slot);
    }
    return slot;
  }

  #load(): Promise<void> {
    this.#loading ??= this.#loadSnapshot();
    return this.#loading;
  }

  async #loadSnapshot(): Promise<void> {
    for (const entry of (await this.#snapshot?.load()) ?? []) {
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

  #changed(): void {
    this.#notify();
    this.#snapshot?.saveSoon(() => this.#slots.values());
  }

  /** Calls back whenever a copy changed or went, or may have. Returns the way to stop. */
  observe(observer: () => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  #notify(): void {
    for (const observe of this.#observers) observe();
  }

  async close(): Promise<void> {
    this.#connected = false;
    this.#notify();
    await this.#snapshot?.flush();
  }

  // What the stream says.

  hello(revision: number | undefined): void {
    const now = performance.now();
    this.#connected = true;
    this.#lookAgain(revision, now);
  }

  resync(revision: number | undefined): void {
    this.#lookAgain(revision, performance.now());
  }

  changed(change: ChangeEvent): void {
    const now = performance.now();
    if (change.revision !== undefined) this.#highestRevision = Math.max(this.#highestRevision, change.revision);
    for (const slot of [...this.#slots.values()]) {
      if (!slot.isTouchedBy(change)) continue;
      const known = change.revision !== undefined && slot.revision !== undefined && slot.revision >= change.revision;
      if (known) continue;
      slot.require(change.revision, now);
      this.#refreshInBackground(slot, now);
    }
  }

  down(lastSign: number): void {
    this.#connected = false;
    for (const slot of this.#slots.values()) {
      if (slot.confirmed) slot.goodUntil = Math.max(slot.goodUntil, lastSign);
      slot.confirmed = false;
    }
  }

  /** Everything that may have missed a change is asked for again when it is next wanted. */
  #lookAgain(revision: number | undefined, now: number): void {
    // A revision below one we have seen: another node that lags, or a server set back to a backup.
    const setBack = revision !== undefined && revision < this.#highestRevision;
    if (revision !== undefined) this.#highestRevision = Math.max(this.#highestRevision, revision);
    this.#greeted = { revision, at: now };
    for (const slot of this.#slots.values()) {
      const current =
        !setBack && slot.copy && revision !== undefined && slot.revision !== undefined && slot.revision >= revision;
      if (current) {
        slot.confirmed = true;
        continue;
      }
      if (setBack) slot.forgetNeededRevision();
      slot.require(revision, now);
    }
    this.#notify();
  }
}

function held(copy: Copy, stale: boolean): Delivery {
  return { copy, source: copy.from === "disk" ? "disk" : "cache", stale };
}

function revisionOf(headers: Headers): number | undefined {
  const text = headers.get("x-xr2-revision");
  const revision = text === null || text === "" ? NaN : Number(text);
  return Number.isInteger(revision) ? revision : undefined;
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
