/**
 * Values for a prompt's variables, by name: whatever JSON can hold, and `bigint` for integers
 * beyond 2^53. A placeholder takes an array of messages.
 */
export type Values = Readonly<Record<string, unknown>>;

/** How a prompt's text is to be read. */
export type Syntax = "simple" | "jinja" | "none";

/** The type of a variable in a prompt's contract. */
export type VariableType = "string" | "number" | "integer" | "boolean" | "array" | "object" | "any";

/** One variable of a prompt's contract. */
export interface Variable {
  readonly name: string;
  readonly type: VariableType;
  readonly required?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly min?: number;
  readonly max?: number;
  readonly min_length?: number;
  readonly max_length?: number;
  readonly pattern?: string;
  /** Type of an array's items. */
  readonly items?: VariableType;
  readonly description?: string;
  readonly sample?: unknown;
  /** Nobody declared it, it was found in the template: its values are not checked. */
  readonly discovered?: boolean;
}

export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

export interface ImagePart {
  readonly type: "image";
  readonly url?: string;
  readonly data?: string;
  readonly media_type?: string;
}

export type MessagePart = TextPart | ImagePart;

export type Role = "system" | "developer" | "user" | "assistant" | "tool";

/** A chat message. */
export interface ChatMessage {
  readonly role: Role;
  /** null in an assistant's message that only calls tools. */
  readonly content: string | readonly MessagePart[] | null;
  readonly name?: string;
  readonly tool_calls?: readonly unknown[];
  readonly tool_call_id?: string;
}

/** Stands in a chat template for messages given at render time, such as the conversation so far. */
export interface PlaceholderMessage {
  readonly type: "placeholder";
  readonly name: string;
  readonly required?: boolean;
}

/** A message of a chat prompt; placeholders are gone once the prompt is rendered. */
export type Message = ChatMessage | PlaceholderMessage;

/** Something worth knowing that did not stop the work. */
export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly variable?: string;
  readonly nearest?: string;
}

/** A snippet that went into a prompt. */
export interface Include {
  readonly slug: string;
  readonly version: number;
}

/** The A/B test a prompt was chosen by. */
export interface ABTest {
  readonly id: string;
  readonly name?: string;
  readonly variant: string;
  readonly assignment_id?: string;
}

/**
 * Where a prompt came from:
 * - `api`: asked of the server during this call
 * - `stream`: from memory, kept current by the open stream
 * - `cache`: from memory, less than a second old, or the last good copy (then `stale` is true)
 * - `disk`: from the snapshot of an earlier run; the server could not be reached yet
 * - `fallback`: the fallback given in the call
 */
export type Source = "api" | "stream" | "cache" | "disk" | "fallback";

/** A prompt to go on with when the real one cannot be had: a text, or chat messages. */
export type Fallback = string | readonly Message[];

/**
 * The body of a provider's request. What could not be carried over stands in `warnings`, and
 * `model` is there for Google too, who wants it in the address; neither is enumerable where
 * the provider's body has no such field, so it is not sent.
 */
export type ProviderRequest = Record<string, unknown> & {
  readonly warnings: readonly Warning[];
  readonly model: string | undefined;
};

/** A delivered prompt as the server sends it. Fields we do not know are left alone. */
export interface PromptData {
  readonly id: string;
  readonly slug: string;
  readonly title?: string;
  readonly type: "text" | "chat";
  readonly syntax: Syntax;
  readonly content?: string;
  readonly messages?: readonly Message[];
  readonly rendered?: boolean;
  readonly missing?: readonly string[];
  readonly includes?: readonly Include[];
  readonly version: number | null;
  readonly label: string | null;
  readonly variables?: readonly Variable[];
  readonly config?: Readonly<Record<string, unknown>> | null;
  readonly tags?: readonly string[];
  readonly ab_test?: ABTest | null;
  readonly updated_at?: string | null;
}
