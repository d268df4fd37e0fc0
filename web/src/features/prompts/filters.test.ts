import { describe, expect, test } from 'vitest';
import { isFiltered, noFilters, parseListSearch, sameSearch, tagsOf, toFilters } from './filters';

describe('the list in the address', () => {
  test('leaves out what is usual or makes no sense', () => {
    expect(parseListSearch({})).toEqual({});
    expect(Object.keys(parseListSearch({}))).toContain('sort');
    expect(parseListSearch({ q: '  ', tag: 7, sort: 'nonsense', archived: 'maybe', x: 1 })).toEqual({ tag: '7' });
  });

  test('reads everything it knows', () => {
    expect(parseListSearch({ q: 'mail', tag: 'x', category: 'Support', archived: true, sort: 'title' })).toEqual({
      q: 'mail',
      tag: 'x',
      category: 'Support',
      archived: true,
      sort: 'title',
    });
    expect(parseListSearch({ unused: 'true', sort: 'last_fetched_at' })).toEqual({ unused: true, sort: 'last_fetched_at' });
    expect(toFilters({ unused: true })).toMatchObject({ unused_days: 30 });
    expect(parseListSearch({ archived: 'true' })).toEqual({ archived: true });
  });

  test('becomes the query of the API', () => {
    expect(toFilters({ q: 'mail', archived: true })).toEqual({ search: 'mail', archived: 'true', limit: 100 });
    expect(toFilters({})).toEqual({ sort: '-updated_at', limit: 100 });
    expect(toFilters({ recent: true })).toEqual({ recent: true, limit: 100 });
    expect(toFilters({ state: 'unpublished', flat: true, folder: 'f', sort: 'title' })).toEqual({
      live: false,
      folder: 'f',
      subfolders: false,
      sort: 'title',
      limit: 100,
    });
    // Always a whole day, so that the same question is asked all day long.
    expect(toFilters({ changed: 'day' }).updated_after).toBe(new Date(new Date().setHours(0, 0, 0, 0)).toISOString());
  });

  test('takes one tag or several', () => {
    expect(parseListSearch({ tag: ['a', ' ', 'b', 'a'] }).tag).toEqual(['a', 'b']);
    expect(parseListSearch({ tag: ['a'] }).tag).toBe('a');
    expect(tagsOf({ tag: 'a' })).toEqual(['a']);
    expect(toFilters({ tag: ['a', 'b'] }).tag).toEqual(['a', 'b']);
  });

  test('leaves out what has no meaning alone', () => {
    expect(parseListSearch({ flat: true }).flat).toBeUndefined();
    expect(parseListSearch({ flat: true, folder: 'none' }).flat).toBeUndefined();
    expect(parseListSearch({ flat: true, folder: 'x' }).flat).toBe(true);
    expect(parseListSearch({ state: 'odd', changed: 'year', kind: 'video' })).toEqual({});
  });

  test('knows the same question in another order of words', () => {
    expect(sameSearch({ q: 'a', tag: undefined, kind: 'text' }, { kind: 'text', q: 'a' })).toBe(true);
    expect(sameSearch({ q: 'a' }, {})).toBe(false);
  });

  test('tells a filtered list from the whole one', () => {
    expect(isFiltered({})).toBe(false);
    expect(isFiltered({ sort: 'title' })).toBe(false);
    expect(isFiltered({ q: 'a' })).toBe(true);
    expect(isFiltered({ archived: true })).toBe(true);
    expect(isFiltered({ unused: true })).toBe(true);
    expect(isFiltered({ q: 'a', folder: 'f', ...noFilters() })).toBe(false);
  });
});
