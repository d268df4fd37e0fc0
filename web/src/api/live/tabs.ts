/** How long the tab that leads may take to say that it is there. */
const PATIENCE = 4_000;
const ASK_EVERY = 20_000;

/** What tabs tell each other. */
type Word<M> =
  /** From the tab that leads to all others. */
  | { kind: 'said'; message: M }
  /** Is the tab that leads awake? */
  | { kind: 'ask' }
  /** It is, and this is where it stands. */
  | { kind: 'here'; message: M; connected: boolean; hidden: boolean };

/** What the tab that leads does for all. */
export interface Lead<M> {
  stop: () => void;
  /** Whether it hears anything at this moment. */
  isConnected: () => boolean;
  /** What a tab should know that comes later. */
  greeting: () => M;
}

type Begin<M> = (say: (message: M) => void) => Lead<M>;

/**
 * One tab works for all tabs of this browser: browsers allow only six connections to a plain-http host.
 * Whoever holds a lock leads; when its tab goes, the next in line does. A tab that is put to sleep gives the
 * lock back, and one that sleeps without a word loses it to the first tab somebody looks at; so does a hidden one
 * whose connection is down, as browsers slow down what hidden tabs do. Where tabs cannot
 * find each other (pages that are neither https nor localhost) each works for itself.
 */
export function shareAmongTabs<M>(
  name: string,
  begin: Begin<M>,
  hear: (message: M) => void,
  page: Document = document,
): () => void {
  if (!navigator.locks || typeof BroadcastChannel === 'undefined') return begin(hear).stop;
  const tab = new Tab(name, begin, hear, page);
  tab.wake();
  const sleep = () => tab.sleep();
  const wake = () => tab.wake();
  const look = () => page.visibilityState === 'visible' && tab.ask();
  const timer = window.setInterval(look, ASK_EVERY);
  const events: [EventTarget, string, () => void][] = [
    [window, 'pagehide', sleep],
    [window, 'pageshow', wake],
    [page, 'freeze', sleep],
    [page, 'resume', wake],
    [page, 'visibilitychange', look],
  ];
  for (const [target, event, listener] of events) target.addEventListener(event, listener);
  return () => {
    window.clearInterval(timer);
    for (const [target, event, listener] of events) target.removeEventListener(event, listener);
    tab.sleep();
  };
}

class Tab<M> {
  #channel: BroadcastChannel | null = null;
  /** Ends the waiting for the lock. */
  #queue: AbortController | null = null;
  #lead: Lead<M> | null = null;
  #abdicate: (() => void) | null = null;
  #unanswered: number | undefined;

  constructor(
    readonly name: string,
    readonly begin: Begin<M>,
    readonly hear: (message: M) => void,
    readonly page: Document,
  ) {}

  wake(): void {
    if (this.#channel) return;
    this.#channel = new BroadcastChannel(this.name);
    this.#channel.onmessage = ({ data }: MessageEvent<Word<M>>) => this.#take(data);
    this.#wait();
    this.ask();
  }

  sleep(): void {
    window.clearTimeout(this.#unanswered);
    this.#unanswered = undefined;
    this.#queue?.abort();
    this.#queue = null;
    this.#step(null);
    this.#channel?.close();
    this.#channel = null;
  }

  /** Makes sure that somebody leads. */
  ask(): void {
    if (!this.#channel || this.#lead || this.#unanswered !== undefined) return;
    this.#say({ kind: 'ask' });
    this.#unanswered = window.setTimeout(() => {
      this.#unanswered = undefined;
      if (this.#channel && !this.#lead) this.#seize();
    }, PATIENCE);
  }

  #take(word: Word<M>): void {
    if (word.kind === 'ask') {
      if (this.#lead) this.#answer(this.#lead);
      return;
    }
    window.clearTimeout(this.#unanswered);
    this.#unanswered = undefined;
    // Two lead for a moment, when one of them slept and does not know yet that it lost the lock.
    if (this.#lead) return;
    this.hear(word.message);
    if (word.kind === 'here' && !word.connected && word.hidden && !this.page.hidden) this.#seize();
  }

  #answer(lead: Lead<M>): void {
    this.#say({ kind: 'here', message: lead.greeting(), connected: lead.isConnected(), hidden: this.page.hidden });
  }

  #say(word: Word<M>): void {
    this.#channel?.postMessage(word);
  }

  /** Stands in line. */
  #wait(): void {
    const queue = new AbortController();
    this.#queue = queue;
    navigator.locks
      .request(this.name, { signal: queue.signal }, () => this.#reign())
      .catch(() => this.#dethroned(queue));
  }

  /** Takes the lock from a tab that does not answer. */
  #seize(): void {
    this.#queue?.abort();
    const queue = new AbortController();
    this.#queue = queue;
    navigator.locks.request(this.name, { steal: true }, () => this.#reign()).catch(() => this.#dethroned(queue));
  }

  #reign(): Promise<void> | undefined {
    if (!this.#channel) return undefined;
    window.clearTimeout(this.#unanswered);
    this.#unanswered = undefined;
    const lead = this.begin((message) => {
      this.hear(message);
      this.#say({ kind: 'said', message });
    });
    this.#step(lead);
    return new Promise((resolve) => (this.#abdicate = resolve));
  }

  /** Another tab has taken the lock while this one slept: back into the line. */
  #dethroned(queue: AbortController): void {
    if (queue !== this.#queue) return;
    this.#step(null);
    if (this.#channel) this.#wait();
  }

  #step(lead: Lead<M> | null): void {
    this.#lead?.stop();
    this.#abdicate?.();
    this.#abdicate = null;
    this.#lead = lead;
  }
}
