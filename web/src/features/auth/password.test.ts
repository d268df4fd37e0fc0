import { expect, test } from 'vitest';
import { passwordProblem } from './password';

test('says how many characters are missing', () => {
  expect(passwordProblem('abcdefghi', 'a@b.co')).toMatch('1 more character,');
  expect(passwordProblem('abc', 'a@b.co')).toMatch('7 more characters');
});

test('counts what a person would count', () => {
  expect(passwordProblem('🔑'.repeat(10), 'a@b.co')).toBeNull();
  expect(passwordProblem('🔑'.repeat(9), 'a@b.co')).not.toBeNull();
});

test('refuses the email and what is endless', () => {
  expect(passwordProblem('Ana@Example.com', 'ana@example.com')).toMatch('email');
  expect(passwordProblem('x'.repeat(257), 'a@b.co')).toMatch('256');
});
