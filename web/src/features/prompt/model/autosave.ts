/**
 * Saves a value soon after it was changed, one request at a time, and never forgets the newest.
 * It knows nothing of React or of the network: both are given to it.
 */
export type SavePhase =
  | { phase: 'clean' }
  | { phase: 'dirty' }
  | { phase: 'saving' }
  | { phase: 'saved'; at: number }
  | { phase: 'failed'; message: string; retrying: boolean }
  | { phase: 'conflict'; theirs: unknown };

export type SaveOutcome =
  { ok: true } | { ok: false; conflict: unknown } | { ok: false; message: string; retry: boolean };

export interface AutosaveOptions<T> {
  /** Sends the value. Must not throw: every way it can end is an outcome. */
  save: (value: T) => Promise<SaveOutcome>;
  /** Keeps a copy on this device until the value is safe on the server; null removes it. */
  backup?: (value: T | null) => void;
  delay?: number;
  retryDelays?: number[];
  now?: () => number;
}

export class Autosave<T> {
  private value: T | undefined;
  private waiting = false;
  private running: Promise<void> | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private failures = 0;
  private current: SavePhase = { phase: 'clean' };
  private readonly listeners = new Set<() => void>();

  constructor(private readonly options: AutosaveOptions<T>) {}

  get state(): SavePhase {
    return this.current;
  }

  /** True while something typed is not on the server. */
  get unsaved(): boolean {
    return this.waiting || this.running !== null;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Tells of a change; the save follows when typing pauses. */
  change(value: T): void {
    this.value = value;
    this.waiting = true;
    this.options.backup?.(value);
    if (this.current.phase === 'conflict') return;
    this.failures = 0;
    if (!this.running) this.become({ phase: 'dirty' });
    this.schedule(this.options.delay ?? 1500);
  }

  /** Saves at once what is waiting. True when everything is on the server afterwards. */
  async flush(): Promise<boolean> {
    this.unschedule();
    if (this.running) await this.running;
    if (this.waiting && this.current.phase !== 'conflict') await this.run();
    return !this.unsaved && this.current.phase !== 'conflict';
  }

  /** Goes on after a conflict: with a value to save, or with nothing left to save. */
  resolve(value: T | null): void {
    this.unschedule();
    this.failures = 0;
    this.waiting = value !== null;
    this.value = value ?? undefined;
    this.options.backup?.(value);
    this.become(value === null ? { phase: 'clean' } : { phase: 'dirty' });
    if (value !== null) this.schedule(0);
  }

  /** Forgets what is waiting, for instance because it was published or thrown away. */
  reset(): void {
    this.unschedule();
    this.waiting = false;
    this.value = undefined;
    this.failures = 0;
    this.options.backup?.(null);
    this.become({ phase: 'clean' });
  }

  /** Stops the clock; what is waiting stays in the backup. */
  dispose(): void {
    this.unschedule();
    this.listeners.clear();
  }

  private schedule(delay: number): void {
    this.unschedule();
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.run();
    }, delay);
  }

  private unschedule(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private run(): Promise<void> {
    // A change during a save is picked up by the loop of the save under way.
    this.running ??= this.loop().finally(() => {
      this.running = null;
      this.emit();
    });
    return this.running;
  }

  private async loop(): Promise<void> {
    while (this.waiting) {
      const value = this.value as T;
      this.waiting = false;
      this.become({ phase: 'saving' });
      const outcome = await this.options.save(value);
      if (!outcome.ok) {
        // A newer value may have come meanwhile: it is waiting either way.
        this.waiting = true;
        this.fail(outcome);
        return;
      }
      this.failures = 0;
      this.unschedule();
      if (!this.waiting) {
        this.options.backup?.(null);
        this.become({ phase: 'saved', at: (this.options.now ?? Date.now)() });
      }
    }
  }

  private fail(outcome: Exclude<SaveOutcome, { ok: true }>): void {
    if ('conflict' in outcome) {
      this.unschedule();
      this.become({ phase: 'conflict', theirs: outcome.conflict });
      return;
    }
    const delays = this.options.retryDelays ?? [2_000, 5_000, 15_000, 30_000];
    this.become({ phase: 'failed', message: outcome.message, retrying: outcome.retry });
    if (outcome.retry) this.schedule(delays[Math.min(this.failures, delays.length - 1)]!);
    this.failures += 1;
  }

  private become(state: SavePhase): void {
    this.current = state;
    this.emit();
  }

  private emit(): void {
    for (const listener of this.listeners) listener();
  }
}
