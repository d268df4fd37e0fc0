import { expect, it } from 'vitest';
import { keepBackup, readBackup } from './backup';

function memory(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const map = new Map<string, string>();
  return {
    getItem: (k) => map.get(k) ?? null,
    setItem: (k, v) => void map.set(k, v),
    removeItem: (k) => void map.delete(k),
  };
}

const backup = {
  body: { type: 'text' as const, syntax: 'simple' as const, content: 'x', variables: [], config: {} },
  base_version: 2,
  at: 1,
};

it('keeps one copy for each prompt of each workspace', () => {
  const store = memory();
  keepBackup('w', 'p', backup, store);
  expect(readBackup('w', 'p', store)).toEqual(backup);
  expect(readBackup('v', 'p', store)).toBeNull();
  keepBackup('w', 'p', null, store);
  expect(readBackup('w', 'p', store)).toBeNull();
});

it('survives a full store and a broken copy', () => {
  const full = {
    ...memory(),
    setItem: () => {
      throw new Error('full');
    },
  };
  expect(() => keepBackup('w', 'p', backup, full)).not.toThrow();
  expect(readBackup('w', 'p', { ...memory(), getItem: () => '{"at":' })).toBeNull();
});
