import { expect, test } from 'vitest';
import { emailsIn } from './emails';
import { roleAllows, rolesUpTo } from './words';

test('nobody gives a role above their own', () => {
  expect(rolesUpTo('admin').map(({ value }) => value)).toEqual(['viewer', 'editor', 'admin']);
  expect(rolesUpTo('owner')).toHaveLength(4);
  expect(rolesUpTo(null)).toEqual([]);
});

test('a role allows what it allows from another one on', () => {
  expect(roleAllows('editor', 'editor')).toBe(true);
  expect(roleAllows('editor', 'admin')).toBe(false);
});

test('addresses are found in whatever is pasted', () => {
  expect(emailsIn('Ana <ana@example.com>; bo@example.com\n ANA@example.com, nobody')).toEqual({
    emails: ['ana@example.com', 'bo@example.com'],
    rest: ['nobody'],
  });
  expect(emailsIn('  ')).toEqual({ emails: [], rest: [] });
});
