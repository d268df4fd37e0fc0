import { StreamReader, type StreamMessage } from './sse';

/** Until the server says how often it lets hear from itself. */
const HEARTBEAT = 15;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/** How far a stream has been read. Only whole revisions count: the next connection begins behind them. */
export class Position {
  #reading: string | null = null;

  constructor(public done: string | null = null) {}

  /** Takes note of a message, and tells whether everything before it is complete now. */
  read({ event, id }: StreamMessage): void {
    if (event === null) this.done = this.#reading ?? this.done;
    else if (id === null) return;
    else if (event === 'mark' || event === 'hello' || event === 'resync') this.done = id;
    else if (this.#reading !== null && this.#reading !== id) this.done = this.#reading;
    if (id !== null) this.#reading = id;
  }
}

/**
 * Keeps a stream of events open until it is told to stop. What came while the connection was down is asked
 * for again; a connection on which nothing is heard for three heartbeats is taken for dead.
 */
export function keepStream(url: string, position: Position, hear: (message: StreamMessage) => void): () => void {
  const stop = new AbortController();
  void run();
  return () => stop.abort();

  async function run(): Promise<void> {
    let failures = 0;
    while (!stop.signal.aborted) {
      const heardSomething = await connect().catch(() => false);
      failures = heardSomething ? 0 : failures + 1;
      const longest = Math.min(FIRST_PAUSE * 2 ** failures, LONGEST_PAUSE);
      await pause(longest * (0.5 + Math.random() / 2), stop.signal);
    }
  }

  /** One connection, from its opening to its end; whether anything was heard on it. */
  async function connect(): Promise<boolean> {
    const connection = new AbortController();
    const end = () => connection.abort();
    stop.signal.addEventListener('abort', end);
    let patience = HEARTBEAT;
    let timer = 0;
    const wait = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(end, patience * 3_000);
    };
    let heard = false;
    try {
      wait();
      for await (const piece of pieces(await request(connection.signal))) {
        wait();
        for (const message of piece) {
          if (message.event === 'hello') patience = heartbeatOf(message) ?? patience;
          heard ||= message.event === 'hello';
          position.read(message);
          hear(message);
        }
      }
      return heard;
    } catch {
      return heard;
    } finally {
      window.clearTimeout(timer);
      stop.signal.removeEventListener('abort', end);
      end();
    }
  }

  function request(signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { accept: 'text/event-stream' };
    if (position.done !== null) headers['last-event-id'] = position.done;
    return fetch(url, { headers, signal, credentials: 'same-origin', cache: 'no-store' });
  }
}

async function* pieces(response: Response): AsyncGenerator<StreamMessage[]> {
  const type = response.headers.get('content-type') ?? '';
  if (!response.ok || !response.body || !type.startsWith('text/event-stream')) {
    await response.body?.cancel();
    throw new Error(`No stream: ${response.status}`);
  }
  const messages = new StreamReader();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield messages.read(value);
  }
}

function heartbeatOf({ data }: StreamMessage): number | null {
  const { heartbeat } = JSON.parse(data) as { heartbeat?: number };
  return typeof heartbeat === 'number' && heartbeat > 0 ? heartbeat : null;
}

/** Waits; not longer than until the network or the reader is back. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      window.clearTimeout(timer);
      window.removeEventListener('online', over);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = window.setTimeout(over, ms);
    window.addEventListener('online', over);
    signal.addEventListener('abort', over);
    if (signal.aborted) over();
  });
}
