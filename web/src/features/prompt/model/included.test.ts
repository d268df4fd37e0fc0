import { expect, it } from 'vitest';
import type { PreviewVariable, PromptBody } from '~/api/types';
import { fromSnippets, usedBySnippets, usedHere } from './included';

const body = (content: string, more: Partial<PromptBody> = {}): PromptBody => ({
  type: 'text',
  syntax: 'jinja',
  content,
  variables: [],
  config: {},
  ...more,
});
const variable = (name: string, more: Partial<PreviewVariable> = {}): PreviewVariable => ({
  name,
  type: 'string',
  required: false,
  discovered: false,
  used: true,
  ...more,
});

it('names what the text uses, without the places for messages', () => {
  const chat = body('', {
    type: 'chat',
    messages: [
      { type: 'placeholder', name: 'history' },
      { role: 'user', content: '{{ question }} {{ history }} {{ question }}' },
    ],
  });
  expect(usedHere(chat)).toEqual(['question']);
});

it('takes from the answer only what comes with snippets', () => {
  const compiled = [variable('company'), variable('name', { discovered: true }), variable('idle', { used: false })];
  expect(fromSnippets(body('{% include "voice" %} {{ name }}'), compiled).map((v) => v.name)).toEqual(['company']);
  expect(fromSnippets(body('{{ name }}'), compiled)).toEqual([]);
});

it('knows that a snippet uses what is described here', () => {
  const own = body('{% include "voice" %}', { variables: [{ name: 'company', type: 'string', required: false }] });
  expect(usedBySnippets(own, [variable('company')])).toHaveLength(1);
  expect(fromSnippets(own, [variable('company')])).toEqual([]);
});
