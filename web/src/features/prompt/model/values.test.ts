import { describe, expect, it } from 'vitest';
import { formatValue, parseValue, sampleValues } from './values';

describe('parseValue', () => {
  it.each([
    ['integer', '3', 3],
    ['number', '2.5', 2.5],
    ['boolean', 'true', true],
    ['array', '["a"]', ['a']],
    ['object', '{"a":1}', { a: 1 }],
    ['any', 'plain', 'plain'],
    ['any', '3', 3],
    ['string', '3', '3'],
    ['number', ' ', undefined],
    ['string', '', undefined],
  ] as const)('%s %s', (type, text, value) => expect(parseValue(type, text)).toEqual({ ok: true, value }));

  it.each([
    ['integer', '2.5'],
    ['number', 'x'],
    ['array', '{}'],
    ['object', '[]'],
    ['object', '{'],
    ['boolean', 'maybe'],
  ] as const)('%s refuses %s in words', (type, text) =>
    expect(parseValue(type, text)).toMatchObject({ ok: false, message: expect.any(String) }),
  );
});

it('round-trips through its field', () => {
  for (const value of ['a', 3, true, [1, 'b'], { a: null }]) {
    const type = Array.isArray(value)
      ? 'array'
      : typeof value === 'object'
        ? 'object'
        : typeof value === 'string'
          ? 'string'
          : 'any';
    expect(parseValue(type, formatValue(value))).toEqual({ ok: true, value });
  }
});

it('takes the sample before the default and leaves out what has neither', () => {
  const base = { type: 'string', required: false } as const;
  expect(
    sampleValues([
      { ...base, name: 'a', sample: 1, default: 2 },
      { ...base, name: 'b', default: false },
      { ...base, name: 'c' },
    ]),
  ).toEqual({ a: 1, b: false });
});
