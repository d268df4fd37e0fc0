import { describe, expect, test } from 'vitest';
import { emptyKey, expiresAt, keyErrors, keyRequest } from './new-key';
import { curlLine, maskedKey, scopeWords } from './words';

const now = new Date('2026-11-21T12:00:00Z');
const named = { ...emptyKey, name: ' Website ' };

describe('a new key', () => {
  test('asks for as little as possible', () => {
    expect(keyRequest(named, now)).toEqual({ name: 'Website', kind: 'secret', scopes: ['deliver'] });
  });

  test('carries every limit that was set', () => {
    const fields = {
      ...named,
      level: 'write' as const,
      extras: ['publish' as const],
      labels: ['staging'],
      addresses: ['10.0.0.0/8'],
      expiry: '30',
      rate: '600',
    };
    expect(keyRequest(fields, now)).toEqual({
      name: 'Website',
      kind: 'secret',
      scopes: ['write', 'publish'],
      labels: ['staging'],
      allowed_ips: ['10.0.0.0/8'],
      expires_at: '2026-12-21T12:00:00.000Z',
      rate_limit_per_minute: 600,
    });
  });

  test('that is publishable only delivers, whatever was ticked before', () => {
    const fields = { ...named, kind: 'publishable' as const, level: 'write' as const, origins: ['https://a.example'] };
    expect(keyRequest(fields, now)).toMatchObject({ scopes: ['deliver'], allowed_origins: ['https://a.example'] });
  });

  test('names what is wrong by field', () => {
    expect(Object.keys(keyErrors(emptyKey, now))).toEqual(['name']);
    expect(keyErrors({ ...named, kind: 'publishable' }, now).allowed_origins).toBeDefined();
    expect(keyErrors({ ...named, kind: 'publishable', origins: ['example.com/x'] }, now).allowed_origins).toMatch(
      'example.com/x',
    );
    expect(keyErrors({ ...named, expiry: 'date', date: '' }, now).expires_at).toBeDefined();
    expect(keyErrors({ ...named, expiry: 'date', date: '2020-01-01' }, now).expires_at).toBeDefined();
    expect(keyErrors({ ...named, rate: '0' }, now).rate_limit_per_minute).toBeDefined();
    expect(keyErrors({ ...named, rate: '10' }, now)).toEqual({});
  });

  test('lives through the whole of its last day', () => {
    const end = new Date(expiresAt({ expiry: 'date', date: '2026-12-24' }, now)!);
    expect([end.getDate(), end.getHours(), end.getMinutes()]).toEqual([24, 23, 59]);
  });
});

describe('words about keys', () => {
  test('name the widest level and the extras', () => {
    expect(scopeWords(['deliver'])).toBe('Fetches prompts');
    expect(scopeWords(['deliver', 'read', 'write', 'publish'])).toBe('Edits, publishes');
    expect(scopeWords(['admin'])).toBe('Administers');
  });

  test('show a key without showing it', () => {
    expect(maskedKey({ prefix: 'xr2_Ab12Qw9e', last4: '9f3c' })).toBe('xr2_Ab12Qw9e…9f3c');
    expect(curlLine('http://localhost:8000', 'xr2_k', 'welcome')).toBe(
      'curl -H "Authorization: Bearer xr2_k" "http://localhost:8000/api/v1/prompts/welcome"',
    );
  });
});
