import { expect, it } from 'vitest';
import { configSummary, FIELDS, parseConfig, writeField } from './config';

const field = (key: string) => FIELDS.find((f) => f.key === key)!;

it('writes and takes away single settings, and leaves the others alone', () => {
  const config = { seed: 1, model: 'a' };
  expect(writeField(field('model'), 'b', config)).toEqual({ ok: true, value: { seed: 1, model: 'b' } });
  expect(writeField(field('model'), ' ', config)).toEqual({ ok: true, value: { seed: 1 } });
  expect(writeField(field('stop'), 'END, ###,', {})).toEqual({ ok: true, value: { stop: ['END', '###'] } });
  expect(writeField(field('temperature'), '0,7', {})).toEqual({ ok: true, value: { temperature: 0.7 } });
});

it('says in words what is wrong', () => {
  expect(writeField(field('temperature'), '3', {})).toEqual({ ok: false, message: 'At most 2' });
  expect(writeField(field('max_tokens'), '1.5', {})).toEqual({ ok: false, message: 'A whole number' });
  expect(parseConfig('[1]')).toMatchObject({ ok: false });
  expect(parseConfig('{')).toMatchObject({ ok: false });
  expect(parseConfig('')).toEqual({ ok: true, value: {} });
});

it('sums up', () => {
  expect(configSummary({})).toBe('none');
  expect(configSummary({ model: 'm', temperature: 0, seed: 1, top_k: 2 })).toBe('m · temperature 0 · 2 more');
});
