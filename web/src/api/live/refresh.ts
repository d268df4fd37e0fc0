import type { QueryClient } from '@tanstack/react-query';
import { keys } from '../keys';

/** Something that happened changes what is on the screen this often at most. */
const EVERY = 250;

/**
 * Makes what is on the screen current after something happened. What happens in quick succession is looked at
 * together; while nobody looks it is only marked, and asked for when somebody does.
 */
export class Refresh {
  readonly #queryClient: QueryClient;
  readonly #isHidden: () => boolean;
  readonly #slugs = new Set<string>();
  #everything = false;
  #isMarked = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(queryClient: QueryClient, isHidden: () => boolean) {
    this.#queryClient = queryClient;
    this.#isHidden = isHidden;
  }

  /** Something of this prompt changed. */
  prompt(slug: string): void {
    this.#slugs.add(slug);
    this.#flushSoon();
  }

  /** More has happened than is told. */
  all(): void {
    this.#everything = true;
    this.#flushSoon();
  }

  /** The page may be looked at now: asks for what was only marked. */
  look(): void {
    if (!this.#isMarked || this.#isHidden()) return;
    this.#isMarked = false;
    const predicate = ({ state }: { state: { isInvalidated: boolean } }) => state.isInvalidated;
    void this.#queryClient.refetchQueries({ type: 'active', predicate }, { cancelRefetch: false });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The first at once, what follows together. */
  #flushSoon(): void {
    if (this.#timer !== undefined) return;
    this.#flush();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#everything || this.#slugs.size > 0) this.#flushSoon();
    }, EVERY);
  }

  #flush(): void {
    const hidden = this.#isHidden();
    this.#isMarked ||= hidden;
    const refetchType = hidden ? 'none' : 'active';
    const prompts = this.#everything ? [['prompt']] : [...this.#slugs].map((slug) => keys.prompt(slug));
    for (const queryKey of [keys.promptLists, keys.clients, ...prompts]) {
      void this.#queryClient.invalidateQueries({ queryKey, refetchType });
    }
    this.#everything = false;
    this.#slugs.clear();
  }
}
