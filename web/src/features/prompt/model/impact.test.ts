import { describe, expect, it } from 'vitest';
import type { Variable } from '~/api/types';
import { breaksCallers, callerImpact } from './impact';

const variable = (name: string, more: Partial<Variable> = {}): Variable => ({
  name,
  type: 'string',
  required: false,
  ...more,
});
const contract = (variables: Variable[], more = {}) => ({
  type: 'text' as const,
  syntax: 'simple' as const,
  variables,
  ...more,
});
const texts = (before: Variable[], after: Variable[]) =>
  callerImpact(contract(before), contract(after)).map((n) => `${n.tone}: ${n.text}`);

describe('callerImpact', () => {
  it('says nothing when nothing changes for callers', () => {
    expect(
      texts([variable('a', { description: 'old' })], [variable('a', { description: 'new', sample: 'x' })]),
    ).toEqual([]);
  });

  it('calms about a removed variable', () => {
    expect(texts([variable('tone')], [])).toEqual([
      'info: tone is no longer used. Callers who still send it are told so; nothing breaks.',
    ]);
  });

  it('warns of a new required one, but not when it has a default', () => {
    expect(texts([], [variable('count', { type: 'integer', required: true })])).toEqual([
      'breaking: Callers must now send count (whole number). Calls without it will be refused.',
    ]);
    expect(texts([], [variable('count', { type: 'integer', required: true, default: 3 })])).toEqual([
      'notice: count is new. Callers who do not send it get “3”.',
    ]);
  });

  it('says what a missing optional looks like in each syntax', () => {
    expect(texts([], [variable('a')])[0]).toContain('see {{a}} in the text');
    expect(
      callerImpact(contract([]), contract([variable('a')], { syntax: 'jinja' }))
        .map((n) => n.text)
        .join(),
    ).toContain('stays empty');
  });

  it('does not warn of what the text does not use', () => {
    const after = contract([variable('a')], { unused: ['a'] });
    expect(callerImpact(contract([]), after)).toMatchObject([{ tone: 'info' }]);
  });

  it('knows types that widen', () => {
    expect(texts([variable('n', { type: 'integer' })], [variable('n', { type: 'number' })])[0]).toMatch(/^info/);
    expect(texts([variable('n', { type: 'number' })], [variable('n', { type: 'integer' })])[0]).toBe(
      'breaking: n must now be a whole number; it was a number. Other values will be refused.',
    );
  });

  it('sees choices that are gone and limits that tighten', () => {
    expect(texts([variable('t', { enum: ['a', 'b'] })], [variable('t', { enum: ['b', 'c'] })])).toEqual([
      'breaking: t no longer takes a.',
    ]);
    expect(texts([variable('t')], [variable('t', { enum: ['b', 'c'] })])).toEqual([
      'breaking: t now takes only b and c.',
    ]);
    expect(texts([variable('n', { max: 10 })], [variable('n', { max: 5, min: 1 })])).toEqual([
      'breaking: n is checked more strictly: at least 1, at most 5.',
    ]);
    expect(texts([variable('n', { max: 5 })], [variable('n', { max: 10 })])).toEqual([]);
  });

  it('puts what breaks first', () => {
    const notices = callerImpact(
      contract([variable('old'), variable('x')]),
      contract([variable('new'), variable('x', { required: true })]),
    );
    expect(notices.map((n) => n.tone)).toEqual(['breaking', 'notice', 'info']);
    expect(breaksCallers(notices)).toBe(true);
  });

  it('says what a change of form means', () => {
    expect(callerImpact(contract([]), contract([], { type: 'chat' }))[0]!.tone).toBe('breaking');
  });

  it('names what must be sent on the first publish', () => {
    const first = callerImpact(
      null,
      contract([variable('a', { required: true }), variable('b'), variable('c', { required: true })]),
    );
    expect(first).toEqual([
      { tone: 'info', text: 'Callers must send a and c.' },
      { tone: 'info', text: 'Callers may send b. What they leave out is seen in the text, such as {{b}}.' },
    ]);
  });

  it('names what may be sent on the first publish, unless the text does not use it', () => {
    const texts = (more: object) =>
      callerImpact(null, contract([variable('a', { default: 'x' }), variable('b')], more)).map((n) => n.text);
    expect(texts({ unused: ['b'] })).toEqual(['Callers may send a.']);
    expect(texts({ syntax: 'jinja' })).toEqual(['Callers may send a and b. What they leave out stays empty.']);
    expect(texts({ unused: ['a', 'b'] })).toEqual([]);
  });
});
