import { expect, test } from 'vitest';
import type { ClientInstance } from '~/api/types';
import { filterClients, parseClientsSearch } from './filter';

const client = (instance: string, more: Partial<ClientInstance> = {}): ClientInstance => ({
  instance,
  sdk: 'python/0.1.0',
  key: { id: 'k', name: 'Billing' },
  revision: 7,
  current: true,
  silent: false,
  last_seen: '2026-01-31T12:00:00Z',
  first_seen: '2026-01-31T12:00:00Z',
  serving: [{ prompt: 'p', slug: 'welcome', label: 'production', version: 2, since: null }],
  stream: true,
  ...more,
});

test('clients are found by every word of their names, keys, prompts and labels', () => {
  const all = [client('a'), client('b', { key: null, sdk: 'rust/1', serving: [] }), client('c', { current: false })];
  const names = (q: string | undefined, which?: 'behind') => filterClients(all, { q, which }).map((one) => one.instance);
  expect(names(undefined)).toEqual(['a', 'b', 'c']);
  expect(names('WELCOME billing')).toEqual(['a', 'c']);
  expect(names('rust')).toEqual(['b']);
  expect(names('rust welcome')).toEqual([]);
  expect(names(undefined, 'behind')).toEqual(['c']);
});

test('the address is read for what makes sense', () => {
  expect(parseClientsSearch({ q: 7, which: 'behind' })).toEqual({ q: '7', which: 'behind' });
  expect(parseClientsSearch({ q: ' ', which: 'x' })).toEqual({});
});
