import type { MessageOrPlaceholder, MessageRole, PromptBody } from '~/api/types';
import { isPlaceholder } from './body';

/**
 * A prompt as one text, for comparing and merging by hand: a chat is laid out with a line `[role]`
 * before each message. Null when it holds something that is no text, such as an image.
 */
export function layOut(body: PromptBody): string | null {
  if (body.type === 'text') return body.content ?? '';
  const blocks: string[] = [];
  for (const message of body.messages ?? []) {
    if (isPlaceholder(message)) blocks.push(`[place for messages: ${message.name}]`);
    else if (typeof message.content !== 'string' || message.tool_calls || message.tool_call_id || message.name)
      return null;
    else blocks.push(`[${message.role}]\n${message.content}`);
  }
  return blocks.join('\n\n');
}

const HEAD = /^\[(system|developer|user|assistant|tool|place for messages: ([A-Za-z_]\w*))\]$/;

/** Reads such a text back. Text before the first heading has no role, and is an error. */
export function readBack(text: string, body: PromptBody): PromptBody | null {
  if (body.type === 'text') return { ...body, content: text };
  const messages: MessageOrPlaceholder[] = [];
  let lines: string[] | null = null;
  const finish = () => {
    const last = messages.at(-1);
    if (last && !isPlaceholder(last) && lines) last.content = lines.join('\n').replace(/\n$/, '');
  };
  for (const line of text.split('\n')) {
    const head = HEAD.exec(line);
    if (head) {
      finish();
      lines = [];
      messages.push(head[2] ? placeholder(head[2], body) : { role: head[1] as MessageRole, content: '' });
    } else if (lines) {
      lines.push(line);
    } else if (line.trim() !== '') {
      return null;
    }
  }
  finishLast(messages, lines);
  return { ...body, messages };
}

function placeholder(name: string, body: PromptBody): MessageOrPlaceholder {
  const known = body.messages?.find((m) => isPlaceholder(m) && m.name === name);
  return known ?? { type: 'placeholder', name, required: false };
}

/** The last message has no blank line after it that belongs to the layout. */
function finishLast(messages: MessageOrPlaceholder[], lines: string[] | null): void {
  const last = messages.at(-1);
  if (last && !isPlaceholder(last) && lines) last.content = lines.join('\n');
}
