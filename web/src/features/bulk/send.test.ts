import { expect, test } from 'vitest';
import { foldersAfter } from './send';

test('knows which folders a prompt stands in after it was put into one', () => {
  expect(foldersAfter({ action: 'add_to_folder', folder: 'b' }, ['a'])).toEqual(['a', 'b']);
  expect(foldersAfter({ action: 'add_to_folder', folder: 'a' }, ['a'])).toEqual(['a']);
  expect(foldersAfter({ action: 'move_to_folder', folder: 'b' }, ['a', 'b'])).toEqual(['b']);
  expect(foldersAfter({ action: 'remove_from_folder', folder: 'a' }, ['a', 'b'])).toEqual(['b']);
});
