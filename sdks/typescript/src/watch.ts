import type { Prompt } from "./prompt.js";

/** How often a watched prompt is looked at when no change is announced: the polling rule. */
const TICK = 1_000;

/** Yields the prompt, and again whenever what `get` gives is another text. */
export async function* watchPrompt(
  get: () => Promise<Prompt>,
  observe: (observer: () => void) => () => void,
  isClosed: () => boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<Prompt, void, void> {
  const bell = new Bell();
  const stopObserving = observe(() => bell.ring());
  const ring = (): void => bell.ring();
  signal?.addEventListener("abort", ring);
  try {
    let last: string | undefined;
    while (!isClosed() && !signal?.aborted) {
      const prompt = await get().catch((error: unknown) => {
        // Ended while it was waiting: that is no error of the loop.
        if (isClosed() || signal?.aborted) return undefined;
        throw error;
      });
      if (!prompt) return;
      const seen = fingerprint(prompt);
      if (seen !== last) {
        last = seen;
        yield prompt;
      }
      await bell.wait(TICK);
    }
  } finally {
    signal?.removeEventListener("abort", ring);
    stopObserving();
  }
}

/** What a watcher cares for. Whether a copy is stale, or where it came from, is not a change. */
function fingerprint({ version, label, content, messages, config, variant, updatedAt }: Prompt): string {
  return JSON.stringify([version, label, content, messages, config, variant, updatedAt]);
}

/** Wakes one sleeper early; a ring while nobody sleeps ends the next sleep at once. */
class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  async wait(ms: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        // Counts as work on purpose: a program that watches is not done.
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = undefined;
    this.#rung = false;
  }
}
