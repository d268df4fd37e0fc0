import { Text } from '@codemirror/state';
import { expect, it } from 'vitest';
import { offsetOf, toDiagnostics } from './problems';

const doc = Text.of(['Hello 👋 {{ name }}', '{% if x %}']);

it('counts characters, not halves of them', () => {
  expect(offsetOf(doc, 1, 9)).toBe('Hello 👋 '.length);
  expect(offsetOf(doc, 2, 4)).toBe(doc.line(2).from + 3);
});

it('stays inside the text whatever it is told', () => {
  expect(offsetOf(doc, 99, 99)).toBe(doc.length);
  const [mark] = toDiagnostics(doc, [{ message: 'unexpected end', line: 2, column: 11 }]);
  expect(mark).toMatchObject({ to: doc.length, severity: 'error' });
});

it('covers the word when no end is given', () => {
  const [mark] = toDiagnostics(doc, [{ message: 'x', line: 2, column: 4 }]);
  expect([mark!.from, mark!.to]).toEqual([doc.line(2).from + 3, doc.line(2).from + 5]);
});
