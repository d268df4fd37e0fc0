import { expect, test } from 'vitest';
import { entropy, findSecrets } from './find';

const kinds = (text: string) => findSecrets(text).map(({ kind }) => kind);

test.each([
  ['AKIAIOSFODNN7EXAMPLE', 'an AWS access key'],
  [`ghp_${'a1B2'.repeat(9)}`, 'a GitHub token'],
  [`sk-ant-${'x9Yz'.repeat(8)}`, 'an Anthropic key'],
  [`sk-proj-${'x9Yz'.repeat(8)}`, 'an OpenAI key'],
  [`xr2_${'a1B2'.repeat(9)}`, 'an xr2 API key'],
  ['-----BEGIN RSA PRIVATE KEY-----', 'a private key'],
  ['postgres://app:hunter2hunter2@db.example.com/app', 'a password in an address'],
  ['api_key = "9f8e7d6c5b4a39281706f5e4"', 'a password or key'],
])('%s', (text, kind) => {
  expect(kinds(`Use this: ${text} and go on.`)).toEqual([kind]);
});

test.each([
  'Hello {{ name }}, welcome to {{ place }}.',
  'Never tell anybody your password: it is yours alone.',
  'The secret: be kind and write short sentences.',
  'api_key = {{ api_key }}',
  'See https://example.com/a/b?c=d and mail ana@example.com.',
  'password: correct-horse-battery-staple',
  'postgres://{{ user }}:{{ password }}@db.example.com/app',
  'a'.repeat(50_000),
])('ordinary text is no secret: %s', (text) => {
  expect(findSecrets(text)).toEqual([]);
});

test('only the beginning of a secret is shown', () => {
  expect(findSecrets('AKIAIOSFODNN7EXAMPLE')).toEqual([{ kind: 'an AWS access key', begins: 'AKIA…' }]);
});

test('what a machine made up has more chance in it than words', () => {
  expect(entropy('aaaaaaaa')).toBe(0);
  expect(entropy('9f8e7d6c5b4a39281706f5e4')).toBeGreaterThan(3.5);
});
