import type { SinglesListener } from "./feed.js";
import type { Timing } from "./options.js";
import { ChangeStream, type ChangeEvent, type Frame, type StreamAddress, type StreamListener } from "./stream.js";

/** One label's share in the stream. */
export interface Subscriber extends StreamListener {
  /** Its prompts are fetched one by one, so a change is to be asked for at once. */
  readonly isSingle: boolean;
}

/** Where the stream is: of one label, or of all when there is none. */
export type AddressOf = (label: string | undefined) => StreamAddress;

/**
 * The one stream of a process. It tells of one label as long as only one is in use, and is
 * opened again for all of them when a second comes up; what it says goes to the labels it
 * concerns.
 */
export class SharedStream {
  readonly #addressOf: AddressOf;
  readonly #timing: Timing;
  readonly #singles: Pick<SinglesListener, "changed">;
  readonly #subscribers = new Map<string, Subscriber>();
  #stream: ChangeStream | undefined;
  /** The only label the stream tells of; undefined: all. */
  #label: string | undefined;
  /** The last revision heard of on the open stream. */
  #seen: number | undefined;
  #isStale = false;
  #isClosed = false;

  constructor(addressOf: AddressOf, timing: Timing, singles: Pick<SinglesListener, "changed">) {
    this.#addressOf = addressOf;
    this.#timing = timing;
    this.#singles = singles;
  }

  /** True from the server's greeting until the stream breaks. */
  get healthy(): boolean {
    return this.#stream?.healthy ?? false;
  }

  /** Whether the open stream is of a server that is cut off from its database and does not hear of every change. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** An answer came from a server that is in touch with its database: where the one that streams is not, it is left. */
  inTouch(): void {
    if (this.#isStale) this.#stream?.reopen();
  }

  /** From now on the stream tells of this label, too. */
  subscribe(label: string, subscriber: Subscriber): void {
    if (this.#isClosed) return;
    this.#subscribers.set(label, subscriber);
    if (this.#stream === undefined) return this.#open(label);
    if (this.#label !== undefined && this.#label !== label) return this.#widen();
    // What comes from here on is told; what was before has to come with a bundle.
    const hello = { kind: "hello", revision: this.#seen, resumedFrom: undefined, isStale: this.#isStale } as const;
    if (this.healthy) subscriber.frame(hello);
  }

  close(): void {
    this.#isClosed = true;
    this.#stream?.close();
  }

  #open(label: string | undefined): void {
    this.#label = label;
    this.#seen = undefined;
    // A stream that was replaced has nothing to say any more, though it may take a moment to end.
    const whileCurrent = (tell: () => void): void => {
      if (this.#stream === stream) tell();
    };
    const stream: ChangeStream = new ChangeStream(this.#addressOf(label), this.#timing, {
      frame: (frame) => whileCurrent(() => this.#take(frame)),
      down: (lastSign) => whileCurrent(() => this.#down(lastSign)),
      refused: () => whileCurrent(() => this.#refused()),
      resumeFrom: () => this.#resumeFrom(),
    });
    this.#stream = stream;
    stream.start();
  }

  /** Goes on with a stream of all labels, from where every label has everything. */
  #widen(): void {
    const wasHealthy = this.healthy;
    this.#stream?.close();
    this.#stream = undefined;
    if (wasHealthy) this.#down(performance.now());
    this.#open(undefined);
  }

  #take(frame: Frame): void {
    if (frame.kind === "changed") return this.#changed(frame.change);
    this.#note(frame);
    for (const subscriber of this.#subscribers.values()) subscriber.frame(frame);
  }

  #note(frame: Frame): void {
    if (frame.kind === "heartbeat" || frame.kind === "changed") return;
    const { revision } = frame;
    if (frame.kind === "hello") {
      this.#seen = frame.resumedFrom ?? revision;
      this.#isStale = frame.isStale;
    } else if (revision !== undefined) {
      this.#seen = Math.max(this.#seen ?? 0, revision);
    }
  }

  /** Whoever holds prompts one by one holds those of all labels: it is told once. */
  #changed(change: ChangeEvent): void {
    const { label } = change;
    if (change.revision !== undefined) this.#seen = Math.max(this.#seen ?? 0, change.revision);
    const concerned = label === undefined ? [...this.#subscribers.values()] : [this.#subscribers.get(label)];
    this.#singles.changed(change, concerned.some((subscriber) => subscriber?.isSingle === true));
  }

  #down(lastSign: number): void {
    this.#isStale = false;
    for (const subscriber of this.#subscribers.values()) subscriber.down(lastSign);
  }

  #refused(): void {
    for (const subscriber of this.#subscribers.values()) subscriber.refused();
  }

  /** Up to where no label lacks anything. One that holds nothing whole gets a bundle anyway. */
  #resumeFrom(): number | undefined {
    const known = [...this.#subscribers.values()].flatMap((subscriber) => subscriber.resumeFrom() ?? []);
    return known.length > 0 ? Math.min(...known) : undefined;
  }
}
