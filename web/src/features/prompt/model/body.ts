import type {
  MessageOrPlaceholder,
  MessagePart,
  MessagePlaceholder,
  MessageRole,
  ModelConfig,
  PromptBody,
  Syntax,
  Variable,
} from '~/api/types';

/** A message with a key that stays the same while it is edited and moved. */
export interface EditMessage {
  key: string;
  message: MessageOrPlaceholder;
}

/** A declared variable with a key that survives renaming. */
export interface EditVariable {
  key: string;
  variable: Variable;
}

/** What the edit page holds: the body of a prompt, with stable keys for its lists. */
export interface EditBody {
  type: 'text' | 'chat';
  syntax: Syntax;
  content: string;
  messages: EditMessage[];
  variables: EditVariable[];
  config: ModelConfig;
}

let nextKey = 0;
export function newKey(): string {
  nextKey += 1;
  return `k${nextKey}`;
}

export function toEdit(
  body: Pick<PromptBody, 'type' | 'syntax' | 'content' | 'messages' | 'variables' | 'config'>,
): EditBody {
  return {
    type: body.type,
    syntax: body.syntax,
    content: body.content ?? '',
    messages: (body.messages ?? []).map((message) => ({ key: newKey(), message })),
    variables: body.variables.filter((v) => !isDiscovered(v)).map((variable) => ({ key: newKey(), variable })),
    config: body.config ?? {},
  };
}

/** Contracts come back merged; what was only discovered is not declared. */
function isDiscovered(variable: Variable & { discovered?: boolean }): boolean {
  return variable.discovered === true;
}

/** The body as the API takes it. */
export function fromEdit(edit: EditBody): PromptBody {
  const common = {
    type: edit.type,
    syntax: edit.syntax,
    variables: edit.variables.map((v) => clean(v.variable)).filter((v) => v.name !== ''),
    config: edit.config,
  };
  return edit.type === 'chat'
    ? { ...common, messages: edit.messages.map((m) => m.message) }
    : { ...common, content: edit.content };
}

/** Leaves out what is not set, so that equal contracts are equal as JSON. */
function clean(variable: Variable): Variable {
  const entries = Object.entries(variable).filter(([key, value]) => {
    if (key === 'discovered' || key === 'used') return false;
    return (
      value !== undefined &&
      value !== null &&
      value !== '' &&
      !(Array.isArray(value) && value.length === 0 && key === 'enum')
    );
  });
  return Object.fromEntries(entries) as unknown as Variable;
}

/** Equal in everything that makes a version. Order counts in messages and variables, not in object keys. */
export function sameBody(a: PromptBody, b: PromptBody): boolean {
  return canonical(pick(a)) === canonical(pick(b));
}

function pick(body: PromptBody) {
  return {
    type: body.type,
    syntax: body.syntax,
    text: body.type === 'chat' ? (body.messages ?? []) : (body.content ?? ''),
    variables: body.variables.filter((v) => !isDiscovered(v)).map(clean),
    config: body.config ?? {},
  };
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    v && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([x], [y]) => (x < y ? -1 : x > y ? 1 : 0)))
      : v,
  );
}

export function isPlaceholder(message: MessageOrPlaceholder): message is MessagePlaceholder {
  return 'type' in message && message.type === 'placeholder';
}

/** Names of the places where the caller's messages go. */
export function placeholdersOf(body: Pick<PromptBody, 'type' | 'messages'>): string[] {
  if (body.type !== 'chat') return [];
  return (body.messages ?? []).flatMap((message) => (isPlaceholder(message) ? [message.name] : []));
}

/** The text parts of a message as one list, whatever its form. */
export function partsOf(message: MessageOrPlaceholder): MessagePart[] {
  if (isPlaceholder(message)) return [];
  return typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
}

/** All template texts of a body, for discovery. */
export function textsOf(edit: EditBody): string[] {
  if (edit.type === 'text') return [edit.content];
  return edit.messages.flatMap(({ message }) => partsOf(message).flatMap((p) => (p.type === 'text' ? [p.text] : [])));
}

export function newMessage(role: MessageRole): EditMessage {
  return { key: newKey(), message: { role, content: '' } };
}

/** The role one would most likely add next. */
export function nextRole(messages: EditMessage[]): MessageRole {
  const last = messages.at(-1)?.message;
  if (!last) return 'system';
  if (isPlaceholder(last)) return 'user';
  return last.role === 'user' ? 'assistant' : 'user';
}

/** Changes between text and chat, keeping the words. */
export function withType(edit: EditBody, type: 'text' | 'chat'): EditBody {
  if (type === edit.type) return edit;
  if (type === 'chat') {
    const messages =
      edit.messages.length > 0
        ? edit.messages
        : [{ key: newKey(), message: { role: 'user' as const, content: edit.content } }];
    return { ...edit, type, messages };
  }
  const content = edit.content !== '' ? edit.content : textsOf(edit).join('\n\n');
  return { ...edit, type, content };
}

export function bodyOfVersion(version: PromptBody): PromptBody {
  return {
    type: version.type,
    syntax: version.syntax,
    content: version.content ?? null,
    messages: version.messages ?? null,
    variables: version.variables,
    config: version.config,
  };
}
