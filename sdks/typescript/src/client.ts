import { AuthError, UsageError, Xr2Error } from "./errors.js";
import { PromptRequest } from "./fluent.js";
import { acquire, release, type Hub, type Obtained } from "./hub.js";
import type { Entry } from "./mirror.js";
import { resolveOptions, type Settings, type Xr2Options } from "./options.js";
import { fallbackData, Prompt, type RenderOnServer, type RenderOptions, type ServerRendering } from "./prompt.js";
import type { Query } from "./slot.js";
import type { Fallback, PromptData, Values, Warning } from "./types.js";
import { deepFreeze, toJson } from "./values.js";
import { watchPrompt } from "./watch.js";

/** Which prompt, for whom, and how long to wait for it. */
export interface GetOptions {
  /** Label to follow. Default `production`. Not together with `version`. */
  label?: string;
  /** A fixed version. */
  version?: number;
  /** Your user's id, so that a running A/B test always gives this user the same variant. */
  userId?: string;
  /** The model the prompt is meant for, as in `gpt-4`. */
  optimizedFor?: string;
  /** What to use when the prompt cannot be had: a text (simple syntax) or messages. */
  fallback?: Fallback;
  /** Time for everything, retries included. Default: the client's. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** Options of `getMany`. */
export interface GetManyOptions extends Omit<GetOptions, "version" | "fallback"> {
  /** Fallbacks by slug. */
  fallbacks?: Readonly<Record<string, Fallback>>;
}

/** So many prompts of `getMany` are asked for at a time. */
const PARALLEL = 8;
const DEFAULT_LABEL = "production";
const NO_OPTIONS: GetOptions = {};
const NO_WARNINGS: readonly Warning[] = [];

/**
 * Fetches prompts and keeps them current. Clients with the same settings share their memory
 * and the one connection on which the server tells what changed.
 */
export class Xr2 {
  readonly #settings: Settings;
  /** What was handed out of memory, and can be handed out again: a prompt never changes. */
  readonly #prompts = new WeakMap<Entry, Prompt>();
  #hub: Hub | undefined;
  #closed = false;

  constructor(options: Xr2Options = {}) {
    this.#settings = resolveOptions(options);
  }

  /** Address of the server. */
  get url(): string {
    return this.#settings.url;
  }

  /** Whether the server is telling us about changes at this moment. */
  get streaming(): boolean {
    return !this.#closed && (this.#hub?.streaming ?? false);
  }

  /**
   * The prompt, from memory when it is known to be current, else from the server.
   *
   * @throws NotFoundError, AuthError, ConnectionError, TimeoutError …, unless there is a fallback.
   */
  get(slug: string, options: GetOptions = NO_OPTIONS): Promise<Prompt> {
    const prompt = this.#atHand(slug, options);
    return prompt === undefined ? this.#obtain(slug, options) : Promise.resolve(prompt);
  }

  /** `get` and `render` in one go. */
  async render(slug: string, values: Values = {}, options: GetOptions = {}): Promise<Prompt> {
    const prompt = await this.get(slug, options);
    return prompt.render(values, renderOptions(options));
  }

  /**
   * Several prompts at once, by slug.
   *
   * @throws the error, when one is not to be had; when several are, one that lists them all.
   */
  async getMany(slugs: readonly string[], options: GetManyOptions = {}): Promise<Record<string, Prompt>> {
    const { fallbacks = {}, ...rest } = options;
    const found = new Map<string, Prompt>();
    const failed = new Map<string, Xr2Error>();
    const waiting = [...new Set(slugs)];
    const work = async (): Promise<void> => {
      for (let slug = waiting.shift(); slug !== undefined; slug = waiting.shift()) {
        const fallback = Object.hasOwn(fallbacks, slug) ? fallbacks[slug] : undefined;
        try {
          found.set(slug, await this.get(slug, fallback === undefined ? rest : { ...rest, fallback }));
        } catch (error) {
          if (!(error instanceof Xr2Error)) throw error;
          failed.set(slug, error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL, waiting.length) }, work));
    if (failed.size > 0) throw combine(failed);
    return Object.fromEntries(slugs.map((slug) => [slug, found.get(slug)!]));
  }

  /**
   * The prompt now, and again whenever it changes:
   * `for await (const prompt of client.watch("welcome-message")) …`. Keeps the program alive
   * until the loop is left, the signal is aborted or the client is closed.
   */
  watch(slug: string, options: GetOptions = {}): AsyncGenerator<Prompt, void, void> {
    return watchPrompt(
      () => this.get(slug, options),
      (observer) => this.#theHub().observe(observer),
      () => this.#closed,
      options.signal,
    );
  }

  /**
   * The fluent form: `await client.getPrompt("welcome-message").withVariables({ name: "Ada" })
   * .optimizedFor("gpt-4").fallback("welcome-generic")`. Nothing is asked before it is awaited.
   */
  getPrompt(slug: string): PromptRequest {
    return new PromptRequest(this, { slug });
  }

  /**
   * Ends the stream, reports what was read and writes the snapshot, unless another client
   * goes on with them. Not needed for a program to exit.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#hub) await release(this.#hub);
  }

  /** Shown by console.log; never the key. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `Xr2 { url: '${this.url}', streaming: ${this.streaming} }`;
  }

  #theHub(): Hub {
    this.#hub ??= acquire(this.#settings);
    return this.#hub;
  }

  #checkUsable(signal: AbortSignal | undefined): void {
    if (this.#closed) throw new UsageError("The client is closed");
    signal?.throwIfAborted();
  }

  /** The prompt, if nothing has to be waited for. */
  #atHand(slug: string, { label, version, optimizedFor, signal }: GetOptions): Prompt | undefined {
    if (this.#hub === undefined || this.#closed || version !== undefined || signal?.aborted) return undefined;
    const entry = this.#hub.current(slug, label ?? DEFAULT_LABEL);
    if (entry === undefined) return undefined;
    if (optimizedFor !== undefined) return this.#promptOf(inMemory(entry), optimizedFor);
    let prompt = this.#prompts.get(entry);
    if (prompt === undefined) this.#prompts.set(entry, (prompt = this.#promptOf(inMemory(entry), undefined)));
    return prompt;
  }

  async #obtain(slug: string, options: GetOptions): Promise<Prompt> {
    const query = toQuery(slug, options);
    this.#checkUsable(options.signal);
    try {
      const obtained = await this.#theHub().get(query, {
        timeoutMs: options.timeoutMs ?? this.#settings.timeoutMs,
        signal: options.signal,
        hasFallback: options.fallback !== undefined,
      });
      return this.#promptOf(obtained, query.optimizedFor);
    } catch (error) {
      const canFallBack = options.fallback !== undefined && error instanceof Xr2Error && !(error instanceof UsageError);
      if (!canFallBack) throw error;
      return this.#fallbackPrompt(slug, options.label ?? null, options.fallback!, error);
    }
  }

  #promptOf({ data, source, stale, warnings }: Obtained, model: string | undefined): Prompt {
    return new Prompt(data, { source, stale, model, warnings, renderOnServer: this.#renderOnServer });
  }

  #fallbackPrompt(slug: string, label: string | null, fallback: Fallback, error: Xr2Error): Prompt {
    const why = { code: "FALLBACK_USED", message: `The fallback stands in for "${slug}": ${error.message}` };
    const data = deepFreeze(fallbackData(slug, label, structuredClone(fallback)));
    return new Prompt(data, { source: "fallback", stale: true, warnings: [why], renderOnServer: this.#renderOnServer });
  }

  readonly #renderOnServer: RenderOnServer = async (template, values, options) => {
    this.#checkUsable(options.signal);
    const { version, label } = template;
    try {
      return await this.#sendRender(template, { variables: values, version: version ?? undefined }, options);
    } catch (error) {
      // A key confined to labels may see a version only while one of them points at it.
      const labelMoved = error instanceof AuthError && error.status === 403 && label !== null;
      if (!labelMoved) throw error;
      return this.#sendRender(template, { variables: values, label }, options);
    }
  };

  async #sendRender(
    template: PromptData,
    body: Record<string, unknown>,
    options: RenderOptions,
  ): Promise<ServerRendering> {
    const answer = await this.#theHub().transport.send({
      method: "POST",
      // By id, so that a prompt renamed meanwhile is found.
      path: `/prompts/${encodeURIComponent(template.id || template.slug)}/render`,
      body: toJson(body),
      what: `Cannot render "${template.slug}"`,
      slug: template.slug,
      timeoutMs: options.timeoutMs ?? this.#settings.timeoutMs,
      signal: options.signal,
    });
    const { data, meta } = answer.body as { data: PromptData; meta?: { warnings?: readonly Warning[] } };
    return { data: deepFreeze(data), warnings: meta?.warnings ?? [] };
  }
}

/** Makes a client: `xr2({ apiKey, url })`. */
export function xr2(options: Xr2Options = {}): Xr2 {
  return new Xr2(options);
}

function inMemory(entry: Entry): Obtained {
  return { data: entry.frozen, source: "stream", stale: false, warnings: NO_WARNINGS };
}

function toQuery(slug: string, options: GetOptions): Query {
  if (typeof slug !== "string" || slug.trim() === "") throw new UsageError("The slug must be a text that is not empty");
  const { label, version, userId, optimizedFor } = options;
  if (label !== undefined && version !== undefined) {
    throw new UsageError("Give a label or a version, not both: a label moves, a version does not");
  }
  if (version !== undefined && !(Number.isSafeInteger(version) && version > 0)) {
    throw new UsageError("The version must be a positive whole number");
  }
  return {
    slug,
    label: version === undefined ? (label ?? DEFAULT_LABEL) : undefined,
    version,
    // An empty id is no user.
    userId: userId || undefined,
    optimizedFor,
  };
}

function renderOptions(options: GetOptions): RenderOptions {
  return {
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
}

function combine(failed: ReadonlyMap<string, Xr2Error>): Xr2Error {
  const [first, ...others] = failed.values();
  if (first && others.length === 0) return first;
  const errors = [...failed].map(([slug, { code, message }]) => ({ slug, code, message }));
  return new Xr2Error(`Cannot get ${failed.size} prompts: ${errors.map(({ message }) => message).join("; ")}`, {
    code: first?.code,
    details: { errors },
    cause: first,
  });
}
