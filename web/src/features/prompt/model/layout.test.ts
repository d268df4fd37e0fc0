import { describe, expect, it } from 'vitest';
import type { MessageOrPlaceholder, PromptBody } from '~/api/types';
import { layOut, readBack } from './layout';

const chat = (messages: MessageOrPlaceholder[]): PromptBody => ({
  type: 'chat',
  syntax: 'simple',
  messages,
  variables: [],
  config: {},
});

describe('a chat as one text', () => {
  it('comes back as it was, blank lines and all', () => {
    const body = chat([
      { role: 'system', content: 'Be kind.\n\nBe brief.' },
      { type: 'placeholder', name: 'history', required: true },
      { role: 'user', content: '' },
      { role: 'assistant', content: 'ends with a line\n' },
    ]);
    const text = layOut(body)!;
    expect(text.split('\n')[0]).toBe('[system]');
    expect(readBack(text, body)).toEqual(body);
  });

  it('is not offered for what is no text', () => {
    expect(layOut(chat([{ role: 'user', content: [{ type: 'image', url: 'x' }] }]))).toBeNull();
  });

  it('refuses words that belong to nobody', () => {
    expect(readBack('hello\n[user]\nhi', chat([]))).toBeNull();
  });
});

it('leaves a text alone', () => {
  const body: PromptBody = { type: 'text', syntax: 'simple', content: '[user]', variables: [], config: {} };
  expect(layOut(body)).toBe('[user]');
  expect(readBack('new', body)).toEqual({ ...body, content: 'new' });
});
