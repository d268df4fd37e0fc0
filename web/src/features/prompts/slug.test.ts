import { describe, expect, test } from 'vitest';
import { longestSlug, slugify, slugProblem } from './slug';

describe('slugify', () => {
  test.each([
    ['Welcome message', 'welcome-message'],
    ['  Welcome,   Anaïs! ', 'welcome-anais'],
    ["Don't panic", 'dont-panic'],
    ['Große Straße & Øre', 'grosse-strasse-ore'],
    ['v2.0 (draft)', 'v2-0-draft'],
    ['snake_case stays', 'snake_case-stays'],
    ['_leading', 'leading'],
    ['日本語', ''],
    ['New', 'new-prompt'],
    ['', ''],
  ])('%s → %s', (title, slug) => {
    expect(slugify(title)).toBe(slug);
  });

  test('keeps to the longest slug and does not end in a hyphen', () => {
    const slug = slugify(`${'a'.repeat(longestSlug - 1)} ${'b'.repeat(10)}`);
    expect(slug).toBe('a'.repeat(longestSlug - 1));
  });

  test('gives only slugs that are allowed', () => {
    for (const title of ['Search', 'Hello World', '42', 'A/B: "test"', 'x'.repeat(500)]) {
      expect(slugProblem(slugify(title))).toBeNull();
    }
  });
});

describe('slugProblem', () => {
  test.each(['a', '0', 'welcome-message', 'a_b-c', 'x'.repeat(100)])('allows %s', (slug) => {
    expect(slugProblem(slug)).toBeNull();
  });

  test.each([
    '', 'A', 'with space', '-a', '_a', 'ä', 'a/b', 'x'.repeat(101), 'search', 'new',
    '0190f1c2-7d2a-7b3c-8d4e-5f60718293a4',
  ])('refuses %s with words', (slug) => {
    expect(slugProblem(slug)).toMatch(/\w+/);
  });
});
