/** One server-sent event. */
export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
  readonly retry: number | undefined;
}

/** A line longer than this is no stream of ours. */
const MAX_LINE = 1 << 20;

/**
 * Decodes a stream of bytes, cut anywhere, into events, as the HTML standard says: a byte
 * order mark is dropped, lines end with CR, LF or CRLF, lines that begin with a colon are comments.
 */
export class SseDecoder {
  readonly #utf8 = new TextDecoder("utf-8");
  #buffer = "";
  #skipLineFeed = false;
  #event = "";
  #data: string[] = [];
  #id: string | undefined;
  #retry: number | undefined;

  /** Takes the next bytes and returns the events they completed. */
  push(bytes: Uint8Array): ServerSentEvent[] {
    this.#buffer += this.#utf8.decode(bytes, { stream: true });
    const events: ServerSentEvent[] = [];
    for (let line = this.#nextLine(); line !== undefined; line = this.#nextLine()) {
      const event = this.#takeLine(line);
      if (event) events.push(event);
    }
    if (this.#buffer.length > MAX_LINE) throw new Error("The event stream sent a line without end");
    return events;
  }

  #nextLine(): string | undefined {
    // The LF of a CRLF may come in a later chunk than its CR, which has ended the line already.
    if (this.#skipLineFeed && this.#buffer.length > 0) {
      this.#skipLineFeed = false;
      if (this.#buffer.startsWith("\n")) this.#buffer = this.#buffer.slice(1);
    }
    const end = this.#buffer.search(/[\r\n]/);
    if (end < 0) return undefined;
    const line = this.#buffer.slice(0, end);
    this.#skipLineFeed = this.#buffer[end] === "\r";
    this.#buffer = this.#buffer.slice(end + 1);
    return line;
  }

  #takeLine(line: string): ServerSentEvent | undefined {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const rest = colon < 0 ? "" : line.slice(colon + 1);
    const value = rest.startsWith(" ") ? rest.slice(1) : rest;
    if (field === "event") this.#event = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.#retry = Number(value);
    return undefined;
  }

  #dispatch(): ServerSentEvent | undefined {
    const event = this.#event;
    const data = this.#data;
    this.#event = "";
    this.#data = [];
    if (data.length === 0) return undefined;
    return { event: event || "message", data: data.join("\n"), id: this.#id, retry: this.#retry };
  }
}
