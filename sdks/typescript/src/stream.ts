import type { Timing } from "./options.js";
import type { OpenStream } from "./platform.js";
import { SseDecoder, type ServerSentEvent } from "./sse.js";
import { backgroundTimer } from "./transport.js";

/** A change, as the server tells it. */
export interface ChangeEvent {
  readonly slug: string;
  readonly promptId: string | undefined;
  readonly label: string | undefined;
  /** null: the label is gone, or the prompt was deleted or renamed away. */
  readonly version: number | null | undefined;
  readonly revision: number | undefined;
}

/** Who listens. */
export interface StreamListener {
  /** Connected: from here on no change is missed. */
  hello(revision: number | undefined): void;
  changed(change: ChangeEvent): void;
  /** Something was lost, or said in words we do not know: everything must be looked at again. */
  resync(revision: number | undefined): void;
  /** The stream is gone; the last sign of life came at `lastSign` (performance.now()). */
  down(lastSign: number): void;
}

/** How long a stream must have lived to count as working when it breaks, in first pauses. */
const GOOD_LIFE = 10;

/** Keeps one event stream open: opens it again after it breaks, and gives up on a silent one. */
export class ChangeStream {
  readonly #open: OpenStream;
  readonly #url: string;
  readonly #headers: () => Record<string, string>;
  readonly #timing: Timing;
  readonly #listener: StreamListener;
  #controller: AbortController | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #healthySince: number | undefined;
  #lastSign = 0;
  #serverRetry: number | undefined;
  #state: "idle" | "running" | "closed" = "idle";

  constructor(
    open: OpenStream,
    url: string,
    headers: () => Record<string, string>,
    timing: Timing,
    listener: StreamListener,
  ) {
    this.#open = open;
    this.#url = url;
    this.#headers = headers;
    this.#timing = timing;
    this.#listener = listener;
  }

  /** True from the server's greeting until the stream breaks. */
  get healthy(): boolean {
    return this.#healthySince !== undefined;
  }

  /** Opens the stream, if it is not open yet. */
  start(): void {
    if (this.#state !== "idle") return;
    this.#state = "running";
    void this.#connect();
  }

  close(): void {
    this.#state = "closed";
    clearTimeout(this.#pause);
    this.#controller?.abort();
  }

  async #connect(): Promise<void> {
    const controller = new AbortController();
    this.#controller = controller;
    let refused = false;
    try {
      refused = await this.#listen(controller);
    } catch {
      // Whatever broke it, the answer is the same: open it again.
    } finally {
      controller.abort();
    }
    this.#wentDown();
    if (this.#state === "running") this.#connectLater(refused);
  }

  /** Reads until the stream ends. True when the server will not have us: then there is no hurry. */
  async #listen(controller: AbortController): Promise<boolean> {
    let deadline = this.#deadline(controller);
    try {
      const headers = { ...this.#headers(), Accept: "text/event-stream" };
      const answer = await this.#open(this.#url, headers, controller.signal);
      if (answer.status !== 200 || !answer.contentType.startsWith("text/event-stream")) {
        return answer.status >= 400 && answer.status < 500;
      }
      const decoder = new SseDecoder();
      for await (const bytes of answer.chunks) {
        clearTimeout(deadline);
        deadline = this.#deadline(controller);
        this.#lastSign = performance.now();
        for (const event of decoder.push(bytes)) this.#dispatch(event);
      }
      return false;
    } finally {
      clearTimeout(deadline);
    }
  }

  #deadline(controller: AbortController): ReturnType<typeof setTimeout> {
    return backgroundTimer(() => controller.abort(), this.#timing.streamSilence);
  }

  #dispatch(event: ServerSentEvent): void {
    if (event.retry !== undefined) this.#serverRetry = event.retry;
    const data = parseData(event.data);
    const revision = asInteger(data["revision"]) ?? asInteger(event.id);
    if (event.event === "hello") {
      this.#healthySince ??= performance.now();
      this.#listener.hello(revision);
    } else if (event.event === "changed" && typeof data["slug"] === "string") {
      this.#listener.changed({
        slug: data["slug"],
        promptId: asString(data["prompt_id"]),
        label: asString(data["label"]),
        version: data["version"] === null ? null : asInteger(data["version"]),
        revision,
      });
    } else {
      // `resync`, or a word of a later server: looking again at everything is always right.
      this.#listener.resync(revision);
    }
  }

  #wentDown(): void {
    const livedLong =
      this.#healthySince !== undefined && performance.now() - this.#healthySince > GOOD_LIFE * this.#timing.streamRetry;
    this.#failures = livedLong ? 0 : this.#failures + 1;
    if (this.#healthySince === undefined) return;
    this.#healthySince = undefined;
    this.#listener.down(this.#lastSign);
  }

  #connectLater(refused: boolean): void {
    const { streamRetry, streamRetryMax } = this.#timing;
    const first = Math.min(this.#serverRetry ?? streamRetry, streamRetryMax);
    const most = refused ? streamRetryMax : Math.min(streamRetryMax, first * 2 ** Math.max(0, this.#failures - 1));
    // Jitter, lest a thousand clients come back in the same instant.
    this.#pause = backgroundTimer(() => void this.#connect(), most * (0.5 + Math.random() / 2));
  }
}

function parseData(text: string): Record<string, unknown> {
  try {
    const data: unknown = JSON.parse(text);
    return data !== null && typeof data === "object" ? (data as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function asString(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function asInteger(value: unknown): number | undefined {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) ? number : undefined;
}
