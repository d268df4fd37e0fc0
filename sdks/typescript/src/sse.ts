/** One server-sent event, or a comment: servers send those as signs of life. */
export interface ServerSentEvent {
  /** undefined: a comment. */
  readonly event: string | undefined;
  readonly data: string;
  readonly id: string | undefined;
  readonly retry: number | undefined;
}

/** An event longer than this is none of ours. A prompt may be a megabyte, and six times that in JSON. */
const MAX_EVENT = 16 << 20;

const LINE_END = /[\r\n]/g;

/**
 * Decodes a stream of bytes, cut anywhere, into events, as the HTML standard says: a byte
 * order mark is dropped, lines end with CR, LF or CRLF, lines that begin with a colon are comments;
 * these are handed on in their place, too.
 */
export class SseDecoder {
  readonly #utf8 = new TextDecoder("utf-8");
  #buffer = "";
  #skipLineFeed = false;
  #event = "";
  #data: string[] = [];
  #size = 0;
  /** So much of the buffer is known to hold no end of line. */
  #searched = 0;
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
    if (this.#buffer.length + this.#size > MAX_EVENT) throw new Error("The event stream sent an event without end");
    return events;
  }

  #nextLine(): string | undefined {
    // The LF of a CRLF may come in a later chunk than its CR, which has ended the line already.
    if (this.#skipLineFeed && this.#buffer.length > 0) {
      this.#skipLineFeed = false;
      if (this.#buffer.startsWith("\n")) this.#buffer = this.#buffer.slice(1);
    }
    LINE_END.lastIndex = this.#searched;
    const end = LINE_END.exec(this.#buffer)?.index;
    this.#searched = end === undefined ? this.#buffer.length : 0;
    if (end === undefined) return undefined;
    const line = this.#buffer.slice(0, end);
    this.#skipLineFeed = this.#buffer[end] === "\r";
    this.#buffer = this.#buffer.slice(end + 1);
    return line;
  }

  #takeLine(line: string): ServerSentEvent | undefined {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return { event: undefined, data: line.slice(1), id: undefined, retry: undefined };
    const field = colon < 0 ? line : line.slice(0, colon);
    const rest = colon < 0 ? "" : line.slice(colon + 1);
    const value = rest.startsWith(" ") ? rest.slice(1) : rest;
    if (field === "event") this.#event = value;
    else if (field === "data") this.#take(value);
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.#retry = Number(value);
    return undefined;
  }

  #take(data: string): void {
    this.#data.push(data);
    this.#size += data.length + 1;
  }

  #dispatch(): ServerSentEvent | undefined {
    const event = this.#event;
    const data = this.#data;
    this.#event = "";
    this.#data = [];
    this.#size = 0;
    if (data.length === 0) return undefined;
    return { event: event || "message", data: data.join("\n"), id: this.#id, retry: this.#retry };
  }
}
