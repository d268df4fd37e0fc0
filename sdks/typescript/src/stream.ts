import type { Timing } from "./options.js";
import type { OpenStream } from "./platform.js";
import { SseDecoder, type ServerSentEvent } from "./sse.js";
import { backgroundTimer } from "./transport.js";
import type { PromptData } from "./types.js";

/** That something about a prompt changed; what it is now has to be asked for. */
export interface ChangeEvent {
  readonly slug: string;
  readonly promptId: string | undefined;
  readonly label: string | undefined;
  /** null: the label is gone, or the prompt was deleted or renamed away. */
  readonly version: number | null | undefined;
  readonly revision: number | undefined;
}

/** What the stream says, one thing after the other. */
export type Frame =
  /**
   * Connected. `resumedFrom`: the revision after which it was asked to go on. `isStale`: the
   * server is cut off from its database and does not hear of every change.
   */
  | {
      readonly kind: "hello";
      readonly revision: number | undefined;
      readonly resumedFrom: number | undefined;
      readonly isStale: boolean;
    }
  /** The label delivers this from now on. */
  | { readonly kind: "put"; readonly revision: number; readonly prompt: PromptData }
  /** The label delivers this no longer. */
  | {
      readonly kind: "delete";
      readonly revision: number;
      readonly id: string | undefined;
      readonly slug: string;
      readonly label: string | undefined;
    }
  /** Everything up to this revision was said. */
  | { readonly kind: "mark"; readonly revision: number }
  /** A sign of life, which comes when there is nothing to say. */
  | { readonly kind: "heartbeat" }
  | { readonly kind: "changed"; readonly change: ChangeEvent }
  /** Something was lost, or cannot be understood: everything must be looked at again. */
  | { readonly kind: "resync"; readonly revision: number | undefined }
  /** Something changed that is not delivered, as a stream of all labels tells. */
  | { readonly kind: "edited"; readonly revision: number | undefined }
  /** A word of a later server. */
  | { readonly kind: "unknown"; readonly revision: number | undefined };

/** Who listens. */
export interface StreamListener {
  frame(frame: Frame): void;
  /** The stream is gone; the last sign of life came at `lastSign` (performance.now()). */
  down(lastSign: number): void;
  /** The key may not listen. */
  refused(): void;
  /** After which revision to go on when the stream is opened. */
  resumeFrom(): number | undefined;
}

/** Where and how a stream is opened. */
export interface StreamAddress {
  readonly open: OpenStream;
  readonly url: string;
  readonly headers: () => Record<string, string>;
  /** Called when no stream will be opened any more. */
  readonly close?: () => void;
}

/** How long a stream must have lived to count as working when it breaks, in first pauses. */
const GOOD_LIFE = 10;
/** The server's heartbeat unless it says otherwise, and the longest that is believed, in seconds. */
const HEARTBEAT = 15;
const MAX_HEARTBEAT = 300;

/** Keeps one event stream open: opens it again after it breaks, and gives up on a silent one. */
export class ChangeStream {
  readonly #address: StreamAddress;
  readonly #timing: Timing;
  readonly #listener: StreamListener;
  #controller: AbortController | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #healthySince: number | undefined;
  #lastSign = 0;
  #heartbeat = HEARTBEAT;
  #serverRetry: number | undefined;
  /** The server asked for so much patience. */
  #retryAfter = 0;
  #state: "idle" | "running" | "closed" = "idle";

  constructor(address: StreamAddress, timing: Timing, listener: StreamListener) {
    this.#address = address;
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

  /** Ends the open stream; after the usual pause another one is opened. */
  reopen(): void {
    this.#controller?.abort();
  }

  close(): void {
    this.#state = "closed";
    clearTimeout(this.#pause);
    this.#controller?.abort();
    this.#address.close?.();
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
      const resumedFrom = this.#listener.resumeFrom();
      const headers: Record<string, string> = { ...this.#address.headers(), Accept: "text/event-stream" };
      if (resumedFrom !== undefined) headers["Last-Event-ID"] = String(resumedFrom);
      const answer = await this.#address.open(this.#address.url, headers, controller.signal);
      if (answer.status !== 200 || !answer.contentType.startsWith("text/event-stream")) {
        this.#retryAfter = (answer.retryAfter ?? 0) * 1_000;
        if (answer.status === 401 || answer.status === 403) this.#listener.refused();
        return answer.status >= 400 && answer.status < 500;
      }
      const goesOnFrom = answer.isResumed === false ? undefined : resumedFrom;
      const decoder = new SseDecoder();
      for await (const bytes of answer.chunks) {
        if (this.#state !== "running") return false;
        this.#lastSign = performance.now();
        for (const event of decoder.push(bytes)) this.#dispatch(event, goesOnFrom);
        clearTimeout(deadline);
        deadline = this.#deadline(controller);
      }
      return false;
    } finally {
      clearTimeout(deadline);
    }
  }

  #deadline(controller: AbortController): ReturnType<typeof setTimeout> {
    const silence = this.#timing.streamSilence ?? 3_000 * this.#heartbeat;
    return backgroundTimer(() => controller.abort(), silence);
  }

  #dispatch(event: ServerSentEvent, resumedFrom: number | undefined): void {
    if (event.retry !== undefined) this.#serverRetry = event.retry;
    if (event.event === undefined) return this.#listener.frame({ kind: "heartbeat" });
    const data = parseData(event.data);
    const revision = asInteger(data["revision"]) ?? asInteger(event.id);
    if (event.event !== "hello") return this.#listener.frame(readFrame(event.event, data, revision));
    this.#healthySince ??= performance.now();
    const heartbeat = data["heartbeat"];
    if (typeof heartbeat === "number" && heartbeat > 0) this.#heartbeat = Math.min(heartbeat, MAX_HEARTBEAT);
    this.#listener.frame({ kind: "hello", revision, resumedFrom, isStale: data["stale"] === true });
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
    const most = refused ? streamRetryMax : Math.min(streamRetryMax, first * 2 ** Math.min(20, this.#failures));
    const asked = Math.min(this.#retryAfter, 10 * streamRetryMax);
    this.#retryAfter = 0;
    // Full jitter, lest a thousand clients come back in the same instant; refused ones keep their distance.
    const pause = asked + (refused ? most * (0.5 + Math.random() / 2) : most * Math.random());
    this.#pause = backgroundTimer(() => void this.#connect(), pause);
  }
}

/** What cannot be understood must not pass unnoticed: it is as good as something lost. */
function readFrame(event: string, data: Record<string, unknown>, revision: number | undefined): Frame {
  const { slug } = data;
  switch (event) {
    case "put":
      if (revision === undefined || !isPrompt(data["prompt"])) break;
      return { kind: "put", revision, prompt: data["prompt"] };
    case "delete":
      if (revision === undefined || typeof slug !== "string") break;
      return { kind: "delete", revision, id: asString(data["id"]), slug, label: asString(data["label"]) };
    case "mark":
      if (revision === undefined) break;
      return { kind: "mark", revision };
    case "changed":
      if (typeof slug !== "string") break;
      return { kind: "changed", change: readChange(slug, data, revision) };
    case "edited":
      return { kind: "edited", revision };
    case "resync":
      break;
    default:
      return { kind: "unknown", revision };
  }
  return { kind: "resync", revision };
}

function readChange(slug: string, data: Record<string, unknown>, revision: number | undefined): ChangeEvent {
  return {
    slug,
    promptId: asString(data["prompt_id"]),
    label: asString(data["label"]),
    version: data["version"] === null ? null : asInteger(data["version"]),
    revision,
  };
}

/** Whether this is a prompt that can be handed out: a name, and a text or messages. */
export function isPrompt(value: unknown): value is PromptData {
  if (value === null || typeof value !== "object") return false;
  const { id, slug, content, messages } = value as Record<string, unknown>;
  const named = typeof id === "string" && id !== "" && typeof slug === "string" && slug !== "";
  return named && (typeof content === "string" || Array.isArray(messages));
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
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}
