import { backgroundTimer } from "./transport.js";

/** Does one thing in a while, once: at the earliest of the times it was asked to. */
export class Soonest {
  readonly #run: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at = Infinity;

  constructor(run: () => void) {
    this.#run = run;
  }

  /** Not later than in so many milliseconds. */
  within(ms: number): void {
    const at = performance.now() + ms;
    if (at >= this.#at) return;
    this.cancel();
    this.#at = at;
    this.#timer = backgroundTimer(() => {
      this.cancel();
      this.#run();
    }, ms);
  }

  /** Not at all. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#at = Infinity;
  }
}
