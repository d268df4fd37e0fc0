import type { PromptData } from "../types.js";
import type { Json, Warnings } from "./shared.js";

/** Keys that are for xr2, not for a provider. */
const OWN = new Set(["model", "provider", "integration"]);

/** What is left of a config while a request is built from it. */
export class Settings {
  readonly #left: Map<string, unknown>;

  constructor(config: PromptData["config"]) {
    const entries = Object.entries(config ?? {});
    this.#left = new Map(entries.filter(([name, value]) => !OWN.has(name) && value !== null && value !== undefined));
  }

  /** The first of several names of a setting that is there; all of them are used up. */
  take(...names: readonly string[]): unknown {
    const found = names.find((name) => this.#left.has(name));
    const value = found === undefined ? undefined : this.#left.get(found);
    for (const name of names) this.#left.delete(name);
    return value;
  }

  /** Puts a setting under the provider's name for it. */
  carry(body: Json, names: readonly string[], to: string): void {
    const value = this.take(...names);
    if (value !== undefined) body[to] = value;
  }

  /** The stop sequences as a list, however they were written. */
  takeStop(): unknown[] | undefined {
    const value = this.take("stop", "stop_sequences", "stopSequences");
    if (value === undefined) return undefined;
    return Array.isArray(value) ? value : [value];
  }

  /** Tells which of these settings the provider has nothing like. */
  leaveOut(names: readonly string[], warnings: Warnings): void {
    for (const name of names) if (this.take(name) !== undefined) warnings.leftOut(name);
  }

  /** What nobody named. */
  rest(): Json {
    return Object.fromEntries(this.#left);
  }
}
