import { expect, test } from 'vitest';
import { emailsIn } from './emails';
import { rolesUpTo } from './words';

test('nobody gives a role above their own', () => {
  expect(rolesUpTo('admin').map(({ value }) => value)).toEqual(['viewer', 'editor', 'admin']);
  expect(rolesUpTo('owner')).toHaveLength(4);
  expect(rolesUpTo(null)).toEqual([]);
});

test('addresses are found in whatever is pasted', () => {
  expect(emailsIn('Ana <ana@example.com>; bo@example.com\n ANA@example.com, nobody')).toEqual({
    emails: ['ana@example.com', 'bo@example.com'],
    rest: ['nobody'],
  });
  expect(emailsIn('  ')).toEqual({ emails: [], rest: [] });
});
