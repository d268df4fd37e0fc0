import type { OpenStream, StreamAnswer } from "./platform.js";
import { SseDecoder, type ServerSentEvent } from "./sse.js";

/** What tabs tell each other. */
type Message =
  /** A tab wants to hear what the leader hears. */
  | { readonly kind: "join"; readonly from: string }
  /** An event of the stream, in the words of the stream; `to` one tab only, or to all. */
  | { readonly kind: "event"; readonly text: string; readonly isHello: boolean; readonly to: string | undefined }
  /** The leader's stream broke. */
  | { readonly kind: "down" };

/** Whether tabs can find each other here: browsers, on https and localhost. */
export function canShare(): boolean {
  return typeof document !== "undefined" && typeof BroadcastChannel === "function" && navigator.locks !== undefined;
}

/**
 * One stream for all tabs of a browser that listen to the same: whoever holds a lock leads,
 * opens the stream and hands on every event; when its tab goes, the next in line leads. To a
 * follower the leader's word is a stream like any other, except that it cannot be resumed.
 */
export class TabStream {
  readonly #open: OpenStream;
  readonly #name: Promise<string>;
  readonly #self = crypto.randomUUID();
  readonly #ended = new AbortController();
  #channel: BroadcastChannel | undefined;
  #isLeading = false;
  #isQueued = false;
  #abdicate: (() => void) | undefined;
  /** The last greeting and revision the leader heard; undefined while its stream is down. */
  #hello: Record<string, unknown> | undefined;
  #lastId: string | undefined;
  /** The stream of a follower: what it takes, and how it ends. */
  #inbox: Inbox | undefined;

  constructor(open: OpenStream, name: Promise<string>) {
    this.#open = open;
    this.#name = name;
  }

  /** Opens the stream: the server's for the leader, the leader's for all others. */
  readonly open: OpenStream = async (url, headers, signal) => {
    await this.#join();
    return this.#isLeading ? this.#lead(url, headers, signal) : this.#follow(signal);
  };

  close(): void {
    this.#ended.abort();
    this.#abdicate?.();
    this.#inbox?.end();
    this.#channel?.close();
  }

  /** Leads if nobody does, else waits in line on the side. */
  async #join(): Promise<void> {
    if (this.#isQueued || this.#isLeading) return;
    const name = await this.#name;
    this.#channel ??= this.#listen(name);
    await new Promise<void>((resolve) => {
      const take = (lock: Lock | null): Promise<void> | undefined => {
        const reign = lock ? this.#reign() : undefined;
        resolve();
        return reign;
      };
      navigator.locks.request(name, { ifAvailable: true }, take).catch(() => resolve());
    });
    if (this.#isLeading || this.#isQueued) return;
    this.#isQueued = true;
    navigator.locks.request(name, { signal: this.#ended.signal }, () => this.#reign()).catch(() => undefined);
  }

  /** Leads until this tab's client is closed; the browser takes the lock back when the tab goes. */
  #reign(): Promise<void> | undefined {
    if (this.#ended.signal.aborted) return undefined;
    this.#isLeading = true;
    // Whoever followed opens the stream anew, and then it is the server's.
    this.#inbox?.end();
    return new Promise((resolve) => (this.#abdicate = resolve));
  }

  #listen(name: string): BroadcastChannel {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }: MessageEvent<Message>) => this.#hear(data);
    return channel;
  }

  #hear(message: Message): void {
    if (message.kind === "join") this.#welcome(message.from);
    else if (message.kind === "down") this.#inbox?.end();
    else if (message.to === undefined || message.to === this.#self) this.#inbox?.take(message.text, message.isHello);
  }

  #say(message: Message): void {
    if (!this.#ended.signal.aborted) this.#channel?.postMessage(message);
  }

  /** Greets a tab as the server would at this moment. */
  #welcome(to: string): void {
    if (this.#hello === undefined) return;
    const data = JSON.stringify({ ...this.#hello, revision: Number(this.#lastId) });
    this.#say({ kind: "event", text: encode({ event: "hello", id: this.#lastId, data }), isHello: true, to });
  }

  async #lead(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<StreamAnswer> {
    const answer = await this.#open(url, headers, signal);
    return answer.status === 200 ? { ...answer, chunks: this.#relay(answer.chunks) } : answer;
  }

  async *#relay(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const decoder = new SseDecoder();
    try {
      for await (const bytes of chunks) {
        for (const event of decoder.push(bytes)) this.#handOn(event);
        yield bytes;
      }
    } finally {
      this.#hello = undefined;
      this.#say({ kind: "down" });
    }
  }

  #handOn(event: ServerSentEvent): void {
    const isHello = event.event === "hello";
    if (isHello) this.#hello = readHello(event.data);
    if (event.id !== undefined && event.id !== "") this.#lastId = event.id;
    this.#say({ kind: "event", text: encode(event), isHello, to: undefined });
  }

  #follow(signal: AbortSignal): StreamAnswer {
    const inbox = (this.#inbox = new Inbox());
    signal.addEventListener("abort", () => inbox.end());
    this.#say({ kind: "join", from: this.#self });
    return {
      status: 200,
      contentType: "text/event-stream",
      retryAfter: undefined,
      isResumed: false,
      chunks: inbox.chunks(),
    };
  }
}

/** What came and was not read yet. Nothing counts before a greeting. */
class Inbox {
  #texts: string[] = [];
  #isGreeted = false;
  #hasEnded = false;
  #wake: (() => void) | undefined;

  take(text: string, isHello: boolean): void {
    this.#isGreeted ||= isHello;
    if (!this.#isGreeted || this.#hasEnded) return;
    this.#texts.push(text);
    this.#wake?.();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const utf8 = new TextEncoder();
    while (!this.#hasEnded) {
      const texts = this.#texts.splice(0);
      if (texts.length > 0) yield utf8.encode(texts.join(""));
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** What the server said in greeting; a follower is told the same but for the revision. */
function readHello(text: string): Record<string, unknown> {
  try {
    const hello: unknown = JSON.parse(text);
    return hello !== null && typeof hello === "object" ? (hello as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function encode({ event, id, data }: Pick<ServerSentEvent, "event" | "id" | "data">): string {
  if (event === undefined) return `:${data}\n\n`;
  const lines = data.split("\n").map((line) => `data: ${line}\n`);
  return `event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}${lines.join("")}\n`;
}
