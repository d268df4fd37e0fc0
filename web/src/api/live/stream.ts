import { StreamReader, type StreamMessage } from './sse';

/** Until the server says how often it lets hear from itself. */
const HEARTBEAT = 15;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;
/** Where there is nothing to hear, and the most that a server is left alone. */
const REFUSED_PAUSE = 5 * 60_000;

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

/** How a connection ended. */
export interface Outcome {
  /** The server greeted. */
  greeted: boolean;
  /** What it answered instead of a stream, and how long it asked to be left alone. */
  status?: number;
  retryAfter?: number;
}

/** How long to wait before the next connection, after so many failures in a row. */
export function pauseAfter({ status, retryAfter = 0 }: Outcome, failures: number, random = Math.random()): number {
  // Nobody is signed in any more, or not to this: that does not pass by itself.
  if (status === 401 || status === 403) return REFUSED_PAUSE;
  const longest = Math.min(FIRST_PAUSE * 2 ** failures, LONGEST_PAUSE);
  return Math.min(retryAfter, REFUSED_PAUSE) + longest * (0.5 + random / 2);
}

/** A stream that is kept open. */
export interface KeptStream {
  stop: () => void;
  /** Whether the server has greeted on the connection there is. */
  isConnected: () => boolean;
}

/**
 * Keeps a stream of events open until it is told to stop. What came while the connection was down is asked
 * for again; a connection on which nothing is heard for three heartbeats is taken for dead.
 */
export function keepStream(url: string, position: Position, hear: (message: StreamMessage) => void): KeptStream {
  const stop = new AbortController();
  let isConnected = false;
  void run();
  return { stop: () => stop.abort(), isConnected: () => isConnected };

  async function run(): Promise<void> {
    let failures = 0;
    while (!stop.signal.aborted) {
      const outcome = await connect();
      failures = outcome.greeted ? 0 : failures + 1;
      await pause(pauseAfter(outcome, failures), stop.signal);
    }
  }

  /** One connection, from its opening to its end. */
  async function connect(): Promise<Outcome> {
    const connection = new AbortController();
    const end = () => connection.abort();
    stop.signal.addEventListener('abort', end);
    let patience = HEARTBEAT;
    let timer = 0;
    const wait = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(end, patience * 3_000);
    };
    const outcome: Outcome = { greeted: false };
    try {
      wait();
      const answer = await request(connection.signal);
      if (!isStream(answer)) return await refusal(answer);
      for await (const piece of pieces(answer)) {
        wait();
        for (const message of piece) {
          if (message.event === 'hello') patience = heartbeatOf(message) ?? patience;
          if (message.event === 'hello') outcome.greeted = isConnected = true;
          position.read(message);
          hear(message);
        }
      }
      return outcome;
    } catch {
      return outcome;
    } finally {
      isConnected = false;
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

function isStream({ ok, body, headers }: Response): boolean {
  return ok && body !== null && (headers.get('content-type') ?? '').startsWith('text/event-stream');
}

async function refusal(answer: Response): Promise<Outcome> {
  await answer.body?.cancel();
  return { greeted: false, status: answer.status, retryAfter: retryAfterOf(answer.headers.get('retry-after')) };
}

/** Milliseconds; the header holds seconds or a date. */
export function retryAfterOf(header: string | null, now = Date.now()): number {
  if (header === null || header.trim() === '') return 0;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

async function* pieces({ body }: Response): AsyncGenerator<StreamMessage[]> {
  if (!body) return;
  const messages = new StreamReader();
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
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
