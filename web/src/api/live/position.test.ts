import { expect, test } from 'vitest';
import { Position } from './stream';

test('only revisions that are complete are behind us', () => {
  const position = new Position();
  const after = (event: string | null, id: string | null) => {
    position.read({ event, id, data: '' });
    return position.done;
  };
  expect(after('hello', '4')).toBe('4');
  expect(after('changed', '5')).toBe('4');
  expect(after('put', '5')).toBe('4');
  expect(after('changed', '6')).toBe('5');
  expect(after(null, null)).toBe('6');
  expect(after('changed', '8')).toBe('6');
  expect(after('mark', '8')).toBe('8');
  expect(after('resync', '20')).toBe('20');
});
