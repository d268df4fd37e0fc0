import { describe, expect, test } from 'vitest';
import { combinationOf } from './shortcuts';

const press = (key: string, held: Partial<Record<'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey', boolean>> = {}) =>
  combinationOf({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held });

describe('combinationOf', () => {
  test.each([
    [press('k', { ctrlKey: true }), 'mod+k'],
    [press('K', { ctrlKey: true, shiftKey: true }), 'mod+shift+k'],
    [press('Enter', { ctrlKey: true }), 'mod+enter'],
    [press('?', { shiftKey: true }), '?'],
    [press('/'), '/'],
    [press('J', { shiftKey: true }), 'shift+j'],
    [press(' '), 'space'],
    [press('Escape'), 'escape'],
  ])('%s', (found, expected) => {
    expect(found).toBe(expected);
  });
});
