import { describe, expect, test } from 'vitest';
import { bodyOf, emptyFields, hasWork, localErrors, newMessage, switchType } from './new-prompt';

const written = { ...emptyFields, title: ' Greeting ', content: 'Hello {{ name }}' };

describe('a new prompt', () => {
  test('has work once something is written', () => {
    expect(hasWork(emptyFields)).toBe(false);
    expect(hasWork({ ...emptyFields, title: ' ' })).toBe(false);
    expect(hasWork(written)).toBe(true);
    expect(hasWork({ ...emptyFields, messages: [newMessage('user', 'Hi')] })).toBe(true);
  });

  test('takes its text along when the kind changes, and back', () => {
    const chat = switchType(written, 'chat');
    expect(chat.messages.map(({ role, content }) => [role, content])).toEqual([
      ['system', ''],
      ['user', 'Hello {{ name }}'],
    ]);
    expect(switchType({ ...chat, content: '' }, 'text').content).toBe('Hello {{ name }}');
    expect(switchType(chat, 'chat')).toBe(chat);
  });

  test('keeps messages that were written when the kind goes to and fro', () => {
    const chat = { ...switchType(written, 'chat'), messages: [newMessage('assistant', 'Mine')] };
    const back = switchType(switchType(chat, 'text'), 'chat');
    expect(back.messages.map((message) => message.content)).toEqual(['Mine']);
  });

  test('says what is missing', () => {
    expect(Object.keys(localErrors(emptyFields, '', null))).toEqual(['title', 'content']);
    expect(localErrors(written, '', null).slug).toMatch(/slug/i);
    expect(localErrors(written, 'greeting', null)).toEqual({});
    expect(localErrors(written, 'greeting', 'taken').slug).toBe('taken');
    expect(localErrors({ ...written, type: 'chat' }, 'greeting', null).messages).toBeDefined();
  });

  test('becomes a request without what was left empty', () => {
    expect(bodyOf(written, 'greeting', false)).toEqual({
      title: 'Greeting',
      slug: 'greeting',
      type: 'text',
      content: 'Hello {{ name }}',
      publish: false,
    });
    const chat = { ...switchType(written, 'chat'), tags: ['a'], category: ' Support ' };
    expect(bodyOf(chat, 'greeting', true)).toEqual({
      title: 'Greeting',
      slug: 'greeting',
      type: 'chat',
      messages: [{ role: 'user', content: 'Hello {{ name }}' }],
      category: 'Support',
      tags: ['a'],
      publish: true,
    });
  });
});
