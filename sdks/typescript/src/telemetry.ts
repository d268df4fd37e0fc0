import { ApiError, AuthError, isTemporary } from "./errors.js";
import { isUnsupported } from "./bundle.js";
import type { Settings } from "./options.js";
import type { Reads } from "./reads.js";
import { backgroundTimer, type Transport } from "./transport.js";
import { VERSION } from "./version.js";

/** A prompt in use here, and since when. */
export interface Serving {
  readonly prompt: string;
  readonly label: string | null;
  readonly version: number | null;
  /** RFC 3339. */
  readonly since: string;
}

/** Reads of one version, added up. */
interface ReadEvent {
  readonly id: string;
  readonly type: "delivery";
  readonly prompt: string;
  readonly version: number | null;
  readonly label: string | null;
  readonly variant: string | null;
  readonly at: string;
  readonly count: number;
  /** Microseconds a read took on the average. */
  readonly latency_us: number;
}

/** What the server is told of this process. */
export interface TelemetrySource {
  revision(): number | undefined;
  serving(): Serving[];
  /** Whether a stream keeps memory current; polling does otherwise. */
  streaming(): boolean;
}

/** Most that a request may carry, and most that waits for a server that is away. */
const MAX_EVENTS = 1_000;
const MAX_WAITING = 10_000;
export const MAX_SERVING = 1_000;
/** Browsers let so much outlive its page. */
const MAX_KEEPALIVE = 60_000;
const TIMEOUT = 5_000;
/** How long not to bother a server that takes no reports. */
const UNSUPPORTED_PAUSE = 600_000;

/**
 * Tells the server what was read from memory, and which revision is applied here. Counting
 * is an addition and happens with every read; sending happens on the side, and nothing here
 * ever fails or delays a read. While the server is away what is to be told stays bounded.
 */
export class Telemetry {
  readonly #settings: Settings;
  readonly #transport: Transport;
  readonly #source: TelemetrySource;
  readonly #instance: string;
  /** Ids of events begin with this, also where an instance keeps its name over restarts. */
  readonly #run = randomId();
  /** Counters that are not zero. */
  #counted: Reads[] = [];
  /** Taken from the counters; kept, ids and all, until the server has them: it counts each id once. */
  #waiting: ReadEvent[] = [];
  #dropped = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | undefined;
  #sentAt = -Infinity;
  #restUntil = -Infinity;
  #serial = 0;
  #closed = false;

  constructor(settings: Settings, transport: Transport, source: TelemetrySource) {
    this.#settings = settings;
    this.#transport = transport;
    this.#source = source;
    this.#instance = settings.instance ?? this.#run;
  }

  /** Reads that were lost because the server was away for too long. */
  get dropped(): number {
    return this.#dropped;
  }

  /** One read from memory, begun at this `performance.now()`. */
  count(reads: Reads, startedAt: number): void {
    reads.spent += performance.now() - startedAt;
    reads.count += 1;
    if (reads.count === 1) this.#note(reads);
  }

  #note(reads: Reads): void {
    if (this.#settings.telemetry && this.#counted.length < MAX_WAITING) {
      this.#counted.push(reads);
      this.#wait();
      return;
    }
    reads.count = reads.spent = 0;
    if (this.#settings.telemetry) this.#dropped += 1;
  }

  /** A new revision is in memory: the server hears of it soon. */
  applied(): void {
    if (this.#closed || !this.#settings.telemetry || this.#soon !== undefined) return;
    const { telemetryGap: gap } = this.#settings.timing;
    // A publish reaches all clients at once; their answers need not come at once.
    const pause = Math.max(this.#sentAt + gap - performance.now(), (gap / 4) * Math.random());
    this.#soon = backgroundTimer(() => {
      this.#soon = undefined;
      void this.#sendAnew();
      this.#wait();
    }, pause);
  }

  /** A report under way may be of before. */
  async #sendAnew(): Promise<void> {
    await this.#sending;
    await this.#send(false);
  }

  /** Sends what is left, and nothing from then on. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#soon);
    await this.flush(TIMEOUT);
  }

  /** Sends now, as when the program is about to end. */
  async flush(timeoutMs: number): Promise<void> {
    await this.#sending;
    if (this.#hasEvents) await this.#send(true, timeoutMs);
  }

  get #hasEvents(): boolean {
    return this.#counted.length > 0 || this.#waiting.length > 0;
  }

  #wait(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = backgroundTimer(() => {
      this.#timer = undefined;
      this.#tick();
      this.#wait();
    }, this.#settings.timing.telemetryEvery);
  }

  #tick(): void {
    const now = performance.now();
    if (this.#hasEvents) void this.#send(true);
    else if (now - this.#sentAt >= this.#settings.timing.telemetryIdle) void this.#send(false);
  }

  /** One request at a time; never rejects. */
  #send(withEvents: boolean, timeoutMs = TIMEOUT): Promise<void> {
    if (!this.#settings.telemetry || performance.now() < this.#restUntil) return Promise.resolve();
    this.#sending ??= this.#deliver(withEvents, timeoutMs).finally(() => (this.#sending = undefined));
    return this.#sending;
  }

  async #deliver(withEvents: boolean, timeoutMs: number): Promise<void> {
    if (withEvents) this.#take();
    do {
      const events = withEvents ? this.#waiting.slice(0, MAX_EVENTS) : [];
      this.#sentAt = performance.now();
      try {
        await this.#post(events, timeoutMs);
      } catch (error) {
        if (!this.#isHopeless(error)) return;
      }
      this.#waiting.splice(0, events.length);
    } while (withEvents && this.#waiting.length > 0);
  }

  /** Makes events of the counters, and sets them back. */
  #take(): void {
    const at = new Date().toISOString();
    for (const reads of this.#counted) {
      const { prompt, version, label, variant, count, spent } = reads;
      reads.count = reads.spent = 0;
      const id = `${this.#run}-${(this.#serial += 1)}`;
      const latency_us = average(spent, count);
      this.#waiting.push({ id, type: "delivery", prompt, version, label, variant, at, count, latency_us });
    }
    this.#counted = [];
    const lost = this.#waiting.splice(0, Math.max(0, this.#waiting.length - MAX_WAITING));
    for (const { count } of lost) this.#dropped += count;
  }

  async #post(events: readonly ReadEvent[], timeoutMs: number): Promise<void> {
    const serving = this.#source.serving();
    const body = JSON.stringify({
      instance: this.#instance,
      sdk: `typescript/${VERSION}`,
      revision: this.#source.revision(),
      stream: this.#source.streaming(),
      serving,
      events,
    });
    await this.#transport.send({
      method: "POST",
      path: "/telemetry",
      body,
      what: "Cannot report",
      slug: "",
      timeoutMs: Math.min(timeoutMs, this.#settings.timeoutMs),
      retries: 0,
      keepalive: body.length <= MAX_KEEPALIVE,
    });
  }

  /** Whether sending the same again would be in vain. Else it is kept, and the server left alone for a while. */
  #isHopeless(error: unknown): boolean {
    if (isUnsupported(error)) this.#restUntil = performance.now() + UNSUPPORTED_PAUSE;
    else if (error instanceof ApiError) this.#restUntil = performance.now() + (error.retryAfter ?? 0) * 1_000;
    const kept = isTemporary(error) || error instanceof AuthError || isUnsupported(error);
    return !kept;
  }
}

/** Microseconds of one of so many reads, to the nanosecond. */
function average(milliseconds: number, count: number): number {
  return Math.round((milliseconds * 1e6) / count) / 1e3;
}

/** A name that no other process has. Not a secret. */
function randomId(): string {
  const { crypto } = globalThis;
  // Pages that are neither https nor localhost have no randomUUID.
  if (typeof crypto?.randomUUID === "function") return crypto.randomUUID();
  return Array.from({ length: 4 }, () => Math.random().toString(36).slice(2, 10)).join("-");
}
