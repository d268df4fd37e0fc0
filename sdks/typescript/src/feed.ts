import { fetchBundle, type BundleAnswer, type Selection } from "./bundle.js";
import { ApiError, AuthError, cutOff, isRevoked, isTemporary, ServerError } from "./errors.js";
import { Mirror, type Entry, type MirroredPrompt } from "./mirror.js";
import type { Settings } from "./options.js";
import { Progress } from "./progress.js";
import type { SharedStream, Subscriber } from "./shared-stream.js";
import { Soonest } from "./soonest.js";
import type { ChangeEvent, Frame } from "./stream.js";
import { within, type Transport } from "./transport.js";
import type { Source, Warning } from "./types.js";

/** Whoever holds prompts that were fetched one by one hears what the stream says of them. */
export interface SinglesListener {
  hello(label: string, revision: number | undefined): void;
  resync(label: string, revision: number | undefined): void;
  /** `eager`: somebody relies on it being asked for at once. */
  changed(change: ChangeEvent, eager: boolean): void;
  down(label: string, lastSign: number): void;
}

/** What a feed works with. */
export interface FeedContext {
  readonly selection: Selection;
  readonly settings: Settings;
  readonly transport: Transport;
  readonly stream: Pick<SharedStream, "subscribe" | "inTouch">;
  readonly singles: SinglesListener;
  /** What is held changed, or what is known of it. */
  onChange(isOther: boolean): void;
  /** Memory holds a later revision than before. */
  onApplied(): void;
  /** The server knows the key no longer: nothing that was fetched with it may be kept. */
  onRevoked(error: unknown): void;
  warn(warning: Warning): void;
}

/** What a feed leaves for the next start. */
export interface FeedState {
  readonly revision: number;
  readonly etag: string | undefined;
  readonly prompts: readonly MirroredPrompt[];
  /** The server was set back from this revision to a backup, and has not reached it again. */
  readonly setBackFrom?: number;
}

/** A prompt found in memory. */
export interface Found {
  readonly entry: Entry;
  readonly source: Source;
  readonly stale: boolean;
}

/** How long a caller can wait. */
export interface Waiting {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A copy is renewed when it has lived so much of the time it may, so that readers need not wait for it. */
const RENEWAL = 0.8;
/** Pauses after failures grow to so many times the first. */
const MAX_BACKOFF = 8;

/**
 * Everything one label delivers, in memory: one bundle, kept current by the stream. Where
 * streams are blocked the bundle is asked for again, by ETag, as it is read, and now and then
 * when nobody reads. Servers that know no bundles get the old way: then prompts are fetched
 * one by one (`isSingle`).
 */
export class Feed implements Subscriber {
  readonly #context: FeedContext;
  readonly #mirror = new Mirror();
  readonly #progress = new Progress();
  #live = false;
  #mode: "unknown" | "bundle" | "single" = "unknown";
  #isStarted = false;
  readonly #ended = new AbortController();
  #connectedAt: number | undefined;
  /** Everything up to here was held when the stream greeted: other labels may need it said again. */
  #heldAtHello = -1;
  #setBackFrom: number | undefined;
  /** What is held was read from disk, and no server has said yet that it is current. */
  #isFromDisk = false;
  #etag: { readonly tag: string; readonly revision: number } | undefined;
  /** Until when memory is known to have been current (performance.now(), like all times here). */
  #goodUntil = -Infinity;
  #askedAt = -Infinity;
  /** When an answer last said so. */
  #checkedAt = -Infinity;
  #flight: Promise<void> | undefined;
  /** The request under way has taken longer than readers wait. */
  #isSlow = false;
  #failure: unknown;
  #failures = 0;
  #retryAt = -Infinity;
  #denied: { readonly error: unknown; readonly at: number } | undefined;
  readonly #next = new Soonest(() => {
    if (this.#isToBeAsked) this.#refresh().catch(() => undefined);
  });

  constructor(context: FeedContext) {
    this.#context = context;
  }

  /** Prompts have to be fetched one by one. */
  get isSingle(): boolean {
    return this.#mode === "single";
  }

  /** Memory holds everything up to this workspace revision. */
  get revision(): number | undefined {
    return this.#progress.revision;
  }

  /** Whether the stream keeps memory current at this moment. */
  get live(): boolean {
    return this.#live;
  }

  get label(): string {
    return this.#context.selection.label;
  }

  /** The prompt, if it is in memory and known to be current. */
  current(name: string): Entry | undefined {
    return this.#live ? this.#mirror.find(name) : undefined;
  }

  entries(): IterableIterator<Entry> {
    return this.#mirror.entries();
  }

  /** What to keep for the next start; undefined when not everything is held. */
  state(): FeedState | undefined {
    const { revision } = this.#progress;
    if (revision === undefined) return undefined;
    const etag = this.#etag?.revision === revision ? this.#etag.tag : undefined;
    const prompts = [...this.#mirror.entries()].map(({ data }) => data);
    const setBackFrom = this.#setBackFrom;
    if (setBackFrom === undefined || setBackFrom <= revision) return { revision, etag, prompts };
    return { revision, etag, prompts, setBackFrom };
  }

  /** Fetches the bundle and opens the stream, once. `state` is what an earlier run left. */
  start(state: FeedState | undefined): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    if (state) this.#restore(state);
    // The stream goes on where the bundle ends. When that is long in coming, the stream goes first.
    const { bundleWait } = this.#context.settings.timing;
    const begin = (): void => {
      if (!this.#closed) this.#context.stream.subscribe(this.label, this);
    };
    void within(this.#refresh(), bundleWait, begin).then(begin, begin);
  }

  #restore(state: FeedState): void {
    this.#mirror.replace(state.prompts, state.revision, true);
    this.#progress.restore(state.revision);
    this.#setBackFrom = state.setBackFrom;
    this.#etag = state.etag === undefined ? undefined : { tag: state.etag, revision: state.revision };
    this.#isFromDisk = true;
  }

  close(): void {
    this.#ended.abort();
    this.#live = false;
    this.#next.cancel();
  }

  /**
   * The prompt as fresh as can be had. undefined: it has to be fetched by itself, as it is
   * not in the bundle, or there is none.
   */
  async obtain(name: string, waiting: Waiting): Promise<Found | undefined> {
    if (this.isSingle) return undefined;
    if (this.#live) return this.#found(name, false);
    const { maxAge } = this.#context.settings.timing;
    const now = performance.now();
    if (this.#denied && now - this.#denied.at <= maxAge) throw this.#denied.error;
    const isHeld = this.#progress.revision !== undefined;
    const age = now - this.#goodUntil;
    if (isHeld && age <= maxAge) {
      if (age > maxAge * RENEWAL) this.#refreshInBackground();
      return this.#found(name, false);
    }
    if (this.#isSlow || this.#isAway(now)) {
      this.#refreshInBackground();
      return isHeld ? this.#found(name, true) : undefined;
    }
    return this.#askAndWait(name, waiting);
  }

  async #askAndWait(name: string, { timeoutMs, signal }: Waiting): Promise<Found | undefined> {
    const { staleWait, bundleWait } = this.#context.settings.timing;
    const wait = this.#progress.revision === undefined ? bundleWait : staleWait;
    const onTimeout = (): void => {
      this.#isSlow = this.#flight !== undefined;
    };
    const startedAt = performance.now();
    try {
      await within(this.#refresh(), Math.min(timeoutMs, wait), onTimeout, signal);
    } catch (error) {
      if (!isTemporary(error)) throw error;
    }
    if (this.isSingle || this.#progress.revision === undefined) return undefined;
    if (this.#live || this.#checkedAt < startedAt) return this.#found(name, !this.#live);
    const entry = this.#mirror.find(name);
    return entry && { entry, source: "api", stale: false };
  }

  #found(name: string, stale: boolean): Found | undefined {
    const entry = this.#mirror.find(name);
    const source = this.#live ? "stream" : this.#isFromDisk ? "disk" : "cache";
    return entry && { entry, source, stale };
  }

  /** Whether the server failed just now, so that waiting for it once more would be in vain. */
  #isAway(now: number): boolean {
    return this.#failure !== undefined && now < this.#retryAt + this.#context.settings.timing.retryAfterFailure;
  }

  #refreshInBackground(): void {
    if (performance.now() < this.#retryAt) return;
    // The failure is noted; whoever reads next learns of it.
    this.#refresh().catch(() => undefined);
  }

  /** Asks for the bundle; everybody who wants it at the same time shares one request. */
  #refresh(): Promise<void> {
    this.#flight ??= this.#load().finally(() => {
      this.#flight = undefined;
      this.#isSlow = false;
      this.#askLater(0);
    });
    return this.#flight;
  }

  async #load(): Promise<void> {
    const { settings, transport, selection } = this.#context;
    const startedAt = (this.#askedAt = performance.now());
    // A tag of before the last event says nothing about what is held now.
    const etag = this.#etag?.revision === this.#progress.revision ? this.#etag?.tag : undefined;
    const { needed: minRevision } = this.#progress;
    const { cacheSize: limit, timeoutMs } = settings;
    const { signal } = this.#ended;
    try {
      const answer = await fetchBundle(transport, { selection, etag, minRevision, limit, timeoutMs, signal });
      // The key was revoked while the answer was on its way.
      if (this.#denied && startedAt < this.#denied.at) throw this.#denied.error;
      if (!this.#closed) this.#accept(answer, startedAt);
    } catch (error) {
      if (!this.#closed) this.#failed(error);
      throw error;
    }
  }

  #accept(answer: BundleAnswer, startedAt: number): void {
    if (answer.kind === "unsupported") return this.#goSingle();
    if (answer.kind === "too-large") return this.#tooLarge(answer.total);
    this.#mode = "bundle";
    const before = this.#progress.revision;
    const revision = answer.revision ?? this.#etag?.revision;
    if (revision === undefined) throw new ServerError("The bundle has no revision", { code: "UNEXPECTED_ANSWER" });
    const { olderGrace } = this.#context.settings.timing;
    const verdict = this.#progress.bundle(revision, answer.isStale, startedAt, performance.now(), olderGrace);
    if (verdict === "behind") throw cutOff(`Cannot get the prompts of "${this.label}"`);
    this.#failure = this.#denied = undefined;
    this.#failures = 0;
    this.#retryAt = -Infinity;
    if (verdict === "late") return;
    if (verdict === "set-back") this.#setBackFrom = Math.max(before ?? -1, this.#setBackFrom ?? -1);
    this.#isFromDisk = false;
    this.#goodUntil = Math.max(this.#goodUntil, startedAt);
    this.#checkedAt = performance.now();
    if (answer.kind === "bundle") {
      this.#mirror.replace(answer.prompts, revision, verdict === "set-back");
      this.#etag = answer.etag === undefined ? undefined : { tag: answer.etag, revision };
    } else if (this.#etag) {
      this.#etag = { tag: this.#etag.tag, revision };
    }
    this.#look();
    this.#context.onChange(answer.kind === "bundle");
    if (this.#progress.revision !== before) this.#context.onApplied();
    if (!answer.isStale) this.#context.stream.inTouch();
  }

  #tooLarge(total: number): void {
    const { settings, warn, selection } = this.#context;
    const message =
      `"${selection.label}" delivers ${total} prompts, more than the cacheSize of ${settings.cacheSize}: ` +
      "they are fetched one by one. Name the `slugs` or `tags` you need.";
    warn({ code: "BUNDLE_TOO_LARGE", message });
    this.#goSingle();
  }

  /** From now on prompts are fetched one by one, and the stream says when to do so again. */
  #goSingle(): void {
    this.#mode = "single";
    this.#forget();
    this.#context.onChange(true);
  }

  #failed(error: unknown): void {
    const now = performance.now();
    if (isRevoked(error)) return this.#context.onRevoked(error);
    if (error instanceof AuthError) {
      this.deny(error);
      return this.#context.onChange(true);
    }
    const { retryAfterFailure } = this.#context.settings.timing;
    const asked = error instanceof ApiError ? Math.min((error.retryAfter ?? 0) * 1_000, 30_000) : 0;
    const pause = retryAfterFailure * Math.min(2 ** this.#failures, MAX_BACKOFF);
    this.#failure = error;
    this.#failures += 1;
    this.#retryAt = now + Math.max(asked, pause * (0.5 + Math.random()));
  }

  /** Forgets everything: the key may not have it. */
  deny(error: unknown): void {
    this.#denied = { error, at: performance.now() };
    this.#forget();
  }

  #forget(): void {
    this.#mirror.clear();
    this.#progress.forget();
    this.#etag = undefined;
    this.#isFromDisk = false;
    this.#heldAtHello = -1;
    this.#look();
  }

  /** Whether nothing but a bundle can tell what is new. */
  get #isToBeAsked(): boolean {
    return !this.#progress.live && !this.isSingle && !this.#denied && !this.#closed;
  }

  /**
   * Fetches the bundle, soon, if the open stream alone cannot make memory whole; now and then, if
   * there is none, or only one that does not hear of every change.
   */
  #askLater(jitter: number): void {
    if (!this.#isToBeAsked || this.#flight !== undefined) return;
    const now = performance.now();
    const { retryAfterFailure, pollEvery } = this.#context.settings.timing;
    const isStreaming = this.#connectedAt !== undefined && !this.#progress.isStale;
    if (isStreaming && jitter > 0) return this.#next.within(jitter * Math.random());
    // Answers that changed nothing, as from a node that lags, are not asked for in a row.
    const wait = isStreaming ? this.#askedAt + retryAfterFailure - now : pollEvery * (0.75 + Math.random() / 2);
    this.#next.within(Math.max(0, this.#retryAt - now, wait));
  }

  /** Takes note of whether memory is live now. */
  #look(): void {
    const was = this.#live;
    this.#live = this.#mode === "bundle" && this.#progress.live && !this.#closed;
    if (was && !this.#live) this.#goodUntil = Math.max(this.#goodUntil, performance.now());
    if (!this.#live) return;
    this.#isFromDisk = false;
    this.#next.cancel();
  }

  get #closed(): boolean {
    return this.#ended.signal.aborted;
  }

  // What the stream says.

  resumeFrom(): number | undefined {
    return this.isSingle ? undefined : this.#progress.resumeFrom;
  }

  frame(frame: Frame): void {
    const before = this.#progress.revision;
    this.#take(frame);
    const was = this.#live;
    this.#look();
    if (this.#live !== was) this.#context.onChange(false);
    if (this.#progress.revision !== before || this.#live !== was) this.#context.onApplied();
  }

  #take(frame: Frame): void {
    switch (frame.kind) {
      case "hello":
        return this.#greet(frame);
      case "put":
        this.#progress.see(frame.revision);
        return this.#put(frame.prompt, frame.revision);
      case "delete":
        this.#progress.see(frame.revision);
        return this.#remove(frame);
      case "mark":
        return this.#progress.mark(frame.revision);
      case "heartbeat":
        this.#progress.heartbeat();
        return this.#reconcile();
      case "changed":
        // Told once for all labels, by the stream itself.
        return;
      case "edited":
        if (frame.revision !== undefined) this.#progress.see(frame.revision);
        return;
      case "resync":
        return this.#lost(frame.revision);
      default:
        // Words of a later server are for later clients; but the old way rests on knowing all that happened.
        if (this.isSingle && !this.#progress.isStale) this.#context.singles.resync(this.label, frame.revision);
        else if (frame.revision !== undefined) this.#progress.see(frame.revision);
    }
  }

  #put(prompt: MirroredPrompt, revision: number): void {
    if (this.isSingle || !this.#isNews(prompt, revision)) return;
    if (this.#mirror.put(prompt, revision)) this.#context.onChange(true);
  }

  #remove(frame: Extract<Frame, { kind: "delete" }>): void {
    if (!this.#isNews(frame, frame.revision)) return;
    if (this.#mirror.remove(frame.id, frame.slug, frame.revision)) this.#context.onChange(true);
  }

  /** The stream tells of other labels, too, and goes on from where the last of them is. */
  #isNews({ label }: { readonly label?: string | null | undefined }, revision: number): boolean {
    const isMine = label === undefined || label === null || label === this.label;
    return isMine && revision > this.#heldAtHello;
  }

  #greet({ revision, resumedFrom, isStale }: Extract<Frame, { kind: "hello" }>): void {
    const now = performance.now();
    this.#connectedAt = now;
    // The server is there to say so: what failed before is worth another try.
    this.#failure = this.#denied = undefined;
    this.#retryAt = -Infinity;
    const { revision: held = -1 } = this.#progress;
    const isBehindUs = revision !== undefined && revision < held;
    const repeats = resumedFrom !== undefined && resumedFrom < held && !isBehindUs;
    // One that is cut off tells only later what others told before.
    const isLate = isStale && this.#progress.resumeFrom !== undefined;
    this.#heldAtHello = repeats || isLate ? held : -1;
    this.#progress.hello(revision, resumedFrom, isStale, now);
    if (!isStale) this.#context.singles.hello(this.label, revision);
    const { streamTrust, resyncJitter } = this.#context.settings.timing;
    // Perhaps it is a later server by now.
    if (this.isSingle && now - this.#askedAt > streamTrust) this.#refreshInBackground();
    // All clients are greeted at once when a server comes back.
    this.#askLater(this.#progress.revision === undefined ? 0 : resyncJitter);
  }

  #lost(revision: number | undefined): void {
    const now = performance.now();
    this.#progress.lost(revision, now);
    if (!this.#progress.isStale) this.#context.singles.resync(this.label, revision);
    this.#askLater(this.#context.settings.timing.resyncJitter);
  }

  /** Should an event ever be lost without a trace, its text is late by minutes and not for good. */
  #reconcile(): void {
    const { bundleTrust } = this.#context.settings.timing;
    if (!this.#progress.live) return this.#askLater(this.#context.settings.timing.resyncJitter);
    if (performance.now() - this.#askedAt > bundleTrust * (0.75 + Math.random() / 2)) this.#refreshInBackground();
  }

  down(lastSign: number): void {
    const wasLive = this.#live;
    this.#connectedAt = undefined;
    this.#progress.down();
    this.#look();
    // It was current as long as the stream was heard.
    if (wasLive) this.#goodUntil = lastSign;
    this.#context.singles.down(this.label, lastSign);
    this.#context.onChange(false);
    if (wasLive) this.#context.onApplied();
    this.#askLater(0);
  }

  refused(): void {
    if (this.isSingle || this.#denied) return;
    // The bundle's answer says why, and whether that is for good.
    this.#refresh().catch(() => undefined);
  }
}
