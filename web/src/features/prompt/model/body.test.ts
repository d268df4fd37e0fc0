import { expect, it } from 'vitest';
import type { PromptBody } from '~/api/types';
import { fromEdit, sameBody, textsOf, toEdit, withType } from './body';

const text: PromptBody = {
  type: 'text',
  syntax: 'simple',
  content: 'Hi {{a}}',
  variables: [{ name: 'a', type: 'string', required: true }],
  config: { model: 'm', temperature: 1 },
};

it('comes back as it was', () => {
  expect(sameBody(fromEdit(toEdit(text)), text)).toBe(true);
});

it('does not mind the order of settings or what is not set', () => {
  const other: PromptBody = {
    ...text,
    config: { temperature: 1, model: 'm' },
    variables: [{ name: 'a', required: true, type: 'string', description: '', enum: [] }],
  };
  expect(sameBody(text, other)).toBe(true);
  expect(sameBody(text, { ...text, content: 'Hi' })).toBe(false);
});

it('leaves out what the server only discovered', () => {
  const merged = {
    ...text,
    variables: [...text.variables, { name: 'b', type: 'string' as const, required: false, discovered: true }],
  };
  expect(toEdit(merged).variables).toHaveLength(1);
  expect(sameBody(text, merged)).toBe(true);
});

it('keeps the words when the form changes', () => {
  const chat = withType(toEdit(text), 'chat');
  expect(textsOf(chat)).toEqual(['Hi {{a}}']);
  expect(withType({ ...chat, content: '' }, 'text').content).toBe('Hi {{a}}');
});
