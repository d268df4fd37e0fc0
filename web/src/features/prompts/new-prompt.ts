import type { MessageRole, PromptInput, PromptType } from '~/api/types';

export interface NewMessage {
  key: string;
  role: MessageRole;
  content: string;
}

/** What is filled in on the page for a new prompt. */
export interface Fields {
  title: string;
  type: PromptType;
  content: string;
  messages: NewMessage[];
  description: string;
  category: string;
  tags: string[];
}

let lastKey = 0;

export function newMessage(role: MessageRole, content = ''): NewMessage {
  lastKey += 1;
  return { key: `m${lastKey}-${Date.now()}`, role, content };
}

export const emptyFields: Fields = {
  title: '',
  type: 'text',
  content: '',
  messages: [],
  description: '',
  category: '',
  tags: [],
};

/** True when leaving would lose something. */
export function hasWork(fields: Fields): boolean {
  return [fields.title, fields.content, fields.description, ...fields.messages.map((message) => message.content)].some(
    (text) => text.trim() !== '',
  );
}

/** Changes the kind and takes the text along: it becomes the user's message, and back. */
export function switchType(fields: Fields, type: PromptType): Fields {
  if (type === fields.type) return fields;
  if (type === 'chat') {
    const written = fields.messages.some((message) => message.content.trim() !== '');
    const messages = written ? fields.messages : [newMessage('system'), newMessage('user', fields.content)];
    return { ...fields, type, messages };
  }
  const texts = fields.messages.map((message) => message.content.trim()).filter(Boolean);
  return { ...fields, type, content: fields.content.trim() ? fields.content : texts.join('\n\n') };
}

/** What is missing before the server needs to be asked. */
export function localErrors(fields: Fields, slug: string, slugProblem: string | null): Record<string, string> {
  const errors: Record<string, string> = {};
  if (fields.title.trim() === '') errors.title = 'Give it a title, so that people recognise it in the list.';
  else if (slug === '') errors.slug = 'Write a slug: none could be made from this title.';
  if (slugProblem) errors.slug = slugProblem;
  if (fields.type === 'text' && fields.content.trim() === '') errors.content = 'Write the text of the prompt.';
  if (fields.type === 'chat' && fields.messages.every((message) => message.content.trim() === '')) {
    errors.messages = 'Write at least one message.';
  }
  return errors;
}

/** The request that makes it. Messages left empty are not sent. */
export function bodyOf(fields: Fields, slug: string, publish: boolean): PromptInput {
  const written = fields.messages.filter((message) => message.content.trim() !== '');
  return {
    title: fields.title.trim(),
    slug,
    type: fields.type,
    ...(fields.type === 'text'
      ? { content: fields.content }
      : { messages: written.map(({ role, content }) => ({ role, content })) }),
    ...(fields.description.trim() && { description: fields.description.trim() }),
    ...(fields.category.trim() && { category: fields.category.trim() }),
    ...(fields.tags.length > 0 && { tags: fields.tags }),
    publish,
  };
}
