import { needsServer } from "./contract.js";
import { UsageError } from "./errors.js";
import { toAnthropic } from "./providers/anthropic.js";
import { toGoogle } from "./providers/google.js";
import { toOpenAI } from "./providers/openai.js";
import { discover, isPlaceholder, renderLocally, type Rendered } from "./render.js";
import { annotate } from "./tracing.js";
import type {
  ABTest,
  Fallback,
  Include,
  Message,
  PromptData,
  ProviderRequest,
  Source,
  Syntax,
  Values,
  Variable,
  Warning,
} from "./types.js";

/** Options of the provider methods. */
export interface ProviderOptions {
  /** Beats the model of `optimizedFor`, which beats the one of the config. */
  model?: string;
}

/** Options of a render. */
export interface RenderOptions {
  /** Time for the server to render a jinja prompt. Default: the client's `timeoutMs`. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** What a rendering on the server gives back. */
export interface ServerRendering {
  readonly data: PromptData;
  readonly warnings: readonly Warning[];
}

/** Renders a prompt on the server. */
export type RenderOnServer = (template: PromptData, values: Values, options: RenderOptions) => Promise<ServerRendering>;

/** How a prompt came to be. */
export interface Origin {
  readonly source: Source;
  readonly stale: boolean;
  readonly warnings: readonly Warning[];
  /** The template, when the data is a rendering of it. */
  readonly template?: PromptData;
  /** The model that `optimizedFor` named. */
  readonly model?: string | undefined;
  readonly renderOnServer: RenderOnServer;
}

const NONE: readonly never[] = Object.freeze([]);
const NO_CONFIG: Readonly<Record<string, unknown>> = Object.freeze({});

/** A prompt as it was delivered, or a rendering of it. Never changes. */
export class Prompt {
  /** Server's id; empty for a fallback. */
  readonly id: string;
  /** The prompt's present slug, which may differ from a former one it was asked for by. */
  readonly slug: string;
  readonly title: string;
  readonly type: "text" | "chat";
  readonly syntax: Syntax;
  /** The text of a text prompt; null for a chat prompt. */
  readonly content: string | null;
  /** The messages of a chat prompt; null for a text prompt. */
  readonly messages: readonly Message[] | null;
  /** Whether values have been put in, or there was nothing to put in. */
  readonly rendered: boolean;
  /** The contract: which values the prompt takes. */
  readonly variables: readonly Variable[];
  /** Model settings that were published with the text. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Version number; null for a fallback. */
  readonly version: number | null;
  /** The label it was delivered by; null when a version was asked for. */
  readonly label: string | null;
  /** The variant of a running A/B test; null when there is none. */
  readonly variant: string | null;
  readonly abTest: ABTest | null;
  readonly tags: readonly string[];
  readonly includes: readonly Include[];
  readonly source: Source;
  /** True when the server could not be asked and this is the last good copy. */
  readonly stale: boolean;
  /** Optional variables that had neither value nor default. */
  readonly missing: readonly string[];
  /** Such as values that no variable takes, with the name probably meant. */
  readonly warnings: readonly Warning[];
  /** When the version was made, RFC 3339; null for a fallback. */
  readonly updatedAt: string | null;

  readonly #data: PromptData;
  readonly #origin: Origin;
  /** What was rendered here; it stands in the place of the data's texts. */
  readonly #filled: Rendered | undefined;

  /** Prompts are made by the client. */
  constructor(data: PromptData, origin: Origin, filled?: Rendered) {
    this.#data = data;
    this.#origin = origin;
    this.#filled = filled;
    this.id = data.id;
    this.slug = data.slug;
    this.title = data.title ?? data.slug;
    this.type = data.type;
    this.syntax = data.syntax;
    this.content = (filled ?? data).content ?? null;
    this.messages = (filled ?? data).messages ?? null;
    this.rendered = filled !== undefined || (data.rendered ?? false);
    this.variables = data.variables ?? NONE;
    this.config = data.config ?? NO_CONFIG;
    this.version = data.version ?? null;
    this.label = data.label ?? null;
    this.variant = data.ab_test?.variant ?? null;
    this.abTest = data.ab_test ?? null;
    this.tags = data.tags ?? NONE;
    this.includes = data.includes ?? NONE;
    this.source = origin.source;
    this.stale = origin.stale;
    this.missing = (filled ?? data).missing ?? NONE;
    this.warnings = (filled ?? origin).warnings;
    this.updatedAt = data.updated_at ?? null;
  }

  /**
   * Puts values in and returns the result as a new prompt. Simple prompts are rendered here,
   * jinja prompts by the server, pinned to this very version. Rendering a rendered prompt
   * starts again from its template.
   *
   * @throws MissingVariablesError, InvalidVariablesError: every problem is listed.
   */
  async render(values: Values = {}, options: RenderOptions = {}): Promise<Prompt> {
    if (!this.#rendersOnServer()) return this.renderSync(values);
    checkShape(values);
    const template = this.#template;
    annotate(template);
    const { data, warnings } = await this.#origin.renderOnServer(template, values, options);
    const rendering = { ...data, label: template.label, version: data.version ?? template.version };
    return new Prompt(rendering, { ...this.#origin, warnings, template });
  }

  /** `render` without waiting, for the syntaxes `simple` and `none`. */
  renderSync(values: Values = {}): Prompt {
    checkShape(values);
    const template = this.#template;
    if (this.#rendersOnServer()) {
      throw new UsageError(`"${this.slug}" can only be rendered by the server: use \`await prompt.render(values)\``);
    }
    const filled = renderLocally(template, values);
    annotate(template);
    // What was missing when the server rendered it is missing still.
    const left = template.rendered ? { ...filled, missing: template.missing ?? NONE } : filled;
    return new Prompt(template, this.#origin, left);
  }

  /** The body of an OpenAI chat completion. `warnings` on it names what could not be carried over. */
  toOpenAI(options: ProviderOptions = {}): ProviderRequest {
    return toOpenAI(this.#ready(), options.model ?? this.#origin.model);
  }

  /** The body of an Anthropic message. `warnings` on it names what could not be carried over. */
  toAnthropic(options: ProviderOptions = {}): ProviderRequest {
    return toAnthropic(this.#ready(), options.model ?? this.#origin.model);
  }

  /** The body of a Google generateContent call. `warnings` on it names what could not be carried over. */
  toGoogle(options: ProviderOptions = {}): ProviderRequest {
    return toGoogle(this.#ready(), options.model ?? this.#origin.model);
  }

  /** The text; of a chat prompt a transcript, for logs and reading. */
  toString(): string {
    if (this.content !== null) return this.content;
    const lines = (this.messages ?? []).map((message) => {
      if (isPlaceholder(message)) return `[${message.name}]`;
      const { role, content } = message;
      const text =
        typeof content === "string"
          ? content
          : (content ?? []).map((part) => (part.type === "text" ? part.text : `[${part.type}]`)).join("");
      return `${role}: ${text}`;
    });
    return lines.join("\n\n");
  }

  get #template(): PromptData {
    return this.#origin.template ?? this.#data;
  }

  #rendersOnServer(): boolean {
    const { rendered, syntax, variables } = this.#template;
    return !rendered && (syntax === "jinja" || needsServer(variables ?? []));
  }

  /** What goes to a provider: never a template. What has no required variables renders by itself. */
  #ready(): PromptData {
    if (this.#filled) {
      const { content, messages, missing } = this.#filled;
      const texts = messages === undefined ? { content: content ?? "" } : { messages };
      return { ...this.#data, ...texts, missing, rendered: true };
    }
    if (this.rendered) return this.#data;
    if (this.#rendersOnServer()) {
      throw new UsageError(`"${this.slug}" is not rendered yet: call \`await prompt.render(values)\` first`);
    }
    return this.renderSync({}).#ready();
  }
}

function checkShape(values: unknown): void {
  const isPlain = values !== null && typeof values === "object" && !Array.isArray(values) && !(values instanceof Map);
  if (!isPlain) throw new UsageError('Values are given by name, as in render({ name: "Ada" })');
}

/** Makes the prompt that a fallback stands for. Its text is a template of the simple syntax. */
export function fallbackData(slug: string, label: string | null, fallback: Fallback): PromptData {
  const filling =
    typeof fallback === "string"
      ? { type: "text" as const, content: fallback }
      : { type: "chat" as const, messages: fallback };
  const variables = discover(filling).map((name) => ({
    name,
    type: "any" as const,
    required: false,
    discovered: true,
  }));
  return { id: "", slug, syntax: "simple", version: null, label, variables, config: {}, ...filling };
}
