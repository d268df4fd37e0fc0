import type { GetOptions, Xr2 } from "./client.js";
import { UsageError, Xr2Error, InvalidVariablesError } from "./errors.js";
import type { Prompt } from "./prompt.js";
import type { Values } from "./types.js";

interface Plan extends GetOptions {
  readonly slug: string;
  readonly values?: Values;
  /** Slug of the prompt to take instead. */
  readonly instead?: string;
}

/**
 * A prompt asked for in words. Each word gives a new request; the server is asked once, when
 * the request is awaited.
 */
export class PromptRequest implements Promise<Prompt> {
  readonly [Symbol.toStringTag] = "PromptRequest";
  readonly #client: Xr2;
  readonly #plan: Plan;
  #answer: Promise<Prompt> | undefined;

  constructor(client: Xr2, plan: Plan) {
    this.#client = client;
    this.#plan = plan;
  }

  /** Renders with these values; further calls add to them. */
  withVariables(values: Values): PromptRequest {
    return this.#with({ values: { ...this.#plan.values, ...values } });
  }

  /** Follows another label than `production`. */
  withLabel(label: string): PromptRequest {
    return this.#with({ label });
  }

  /** Takes a fixed version. */
  withVersion(version: number): PromptRequest {
    return this.#with({ version });
  }

  /** For A/B tests: whom the prompt is for. */
  forUser(userId: string): PromptRequest {
    return this.#with({ userId });
  }

  /** The model the prompt is meant for. */
  optimizedFor(model: string): PromptRequest {
    return this.#with({ optimizedFor: model });
  }

  /** Another prompt to take when this one is not to be had. (`client.get` takes a text instead.) */
  fallback(slug: string): PromptRequest {
    return this.#with({ instead: slug });
  }

  /** Time for everything, in milliseconds. */
  timeout(timeoutMs: number): PromptRequest {
    return this.#with({ timeoutMs });
  }

  then<A = Prompt, B = never>(
    onFulfilled?: ((prompt: Prompt) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#run().then(onFulfilled, onRejected);
  }

  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<Prompt | B> {
    return this.#run().catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<Prompt> {
    return this.#run().finally(onFinally);
  }

  #with(more: Partial<Plan>): PromptRequest {
    return new PromptRequest(this.#client, { ...this.#plan, ...more });
  }

  #run(): Promise<Prompt> {
    this.#answer ??= this.#ask();
    return this.#answer;
  }

  async #ask(): Promise<Prompt> {
    const { slug, instead, values, ...options } = this.#plan;
    try {
      return await this.#get(slug, values, options);
    } catch (error) {
      // Wrong values are the caller's to mend; another prompt would only hide them.
      const mayFallBack =
        error instanceof Xr2Error && !(error instanceof UsageError) && !(error instanceof InvalidVariablesError);
      if (instead === undefined || !mayFallBack) throw error;
      const { version: _, ...rest } = options;
      return this.#get(instead, values, rest);
    }
  }

  #get(slug: string, values: Values | undefined, options: GetOptions): Promise<Prompt> {
    return values === undefined ? this.#client.get(slug, options) : this.#client.render(slug, values, options);
  }
}
