/** A message of an event stream; a comment comes as an event without a name. */
export interface StreamMessage {
  event: string | null;
  id: string | null;
  data: string;
}

/** Reads an event stream as it arrives, cut wherever the network cuts it. */
export class StreamReader {
  #rest = '';
  #event: string | null = null;
  #id: string | null = null;
  #data: string[] = [];

  /** The messages that are complete with this piece. */
  read(piece: string): StreamMessage[] {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?=[^\n])/);
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#line(line) ?? []);
  }

  #line(line: string): StreamMessage | null {
    if (line === '') return this.#complete();
    if (line.startsWith(':')) return { event: null, id: null, data: line.slice(1).trim() };
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name === 'event') this.#event = value;
    else if (name === 'id') this.#id = value;
    else if (name === 'data') this.#data.push(value);
    return null;
  }

  #complete(): StreamMessage | null {
    const message = { event: this.#event, id: this.#id, data: this.#data.join('\n') };
    this.#event = this.#id = null;
    this.#data = [];
    return message.event === null ? null : message;
  }
}
