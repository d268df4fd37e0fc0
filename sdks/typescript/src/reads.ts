import type { PromptData } from "./types.js";

/** How often one version of a prompt was read from memory, by one label, as one variant. */
export class Reads {
  count = 0;
  /** Milliseconds they took together. */
  spent = 0;
  readonly prompt: string;
  readonly version: number | null;
  readonly label: string | null;
  readonly variant: string | null;

  constructor(data: PromptData) {
    this.prompt = data.slug;
    this.version = data.version;
    this.label = data.label;
    this.variant = data.ab_test?.variant ?? null;
  }

  /** Whether these are reads of that. */
  isOf(data: PromptData): boolean {
    return (
      this.prompt === data.slug &&
      this.version === data.version &&
      this.label === data.label &&
      this.variant === (data.ab_test?.variant ?? null)
    );
  }
}
