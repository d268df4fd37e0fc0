import { expect, test } from 'vitest';
import type { Folder } from '~/api/types';
import { ancestorsOf, insideOf, mayMoveInto, visibleRows } from './tree';

function folder(path: string, prompts = 0): Folder {
  const names = path.split('/');
  return {
    id: path,
    name: names.at(-1)!,
    parent_folder_id: names.length > 1 ? names.slice(0, -1).join('/') : null,
    path: names,
    prompts,
    created_at: '',
    updated_at: '',
  };
}

const folders = ['b', 'a', 'a/2', 'a/10', 'a/2/x'].map((path) => folder(path, 1));

test('shows what is open, in the order of names, with the prompts of all below', () => {
  const shown = (open: string[]) => visibleRows(folders, new Set(open)).map((row) => `${row.level} ${row.folder.id}`);
  expect(shown([])).toEqual(['1 a', '1 b']);
  expect(shown(['a'])).toEqual(['1 a', '2 a/2', '2 a/10', '1 b']);
  // What is open inside a closed one stays hidden.
  expect(shown(['a/2'])).toEqual(['1 a', '1 b']);
  const [first] = visibleRows(folders, new Set());
  expect(first).toMatchObject({ hasChildren: true, isOpen: false, place: 1, siblings: 2, prompts: 4 });
});

test('knows what is inside and above', () => {
  expect([...insideOf(folders, 'a')].sort()).toEqual(['a/10', 'a/2', 'a/2/x']);
  expect(ancestorsOf(folders, 'a/2/x')).toEqual(['a', 'a/2']);
});

test('lets nothing move into itself, below itself, or too deep', () => {
  expect(mayMoveInto(folders, 'a', 'b')).toBe(true);
  expect(mayMoveInto(folders, 'a', 'a')).toBe(false);
  expect(mayMoveInto(folders, 'a', 'a/2/x')).toBe(false);
  expect(mayMoveInto(folders, 'a/2', null)).toBe(true);
  // It stands there already.
  expect(mayMoveInto(folders, 'a/2', 'a')).toBe(false);
  const deep = Array.from({ length: 9 }, (_, index) => folder(Array.from({ length: index + 1 }, () => 'd').join('/')));
  const ninth = deep.at(-1)!.id;
  expect(mayMoveInto([...folders, ...deep], 'b', ninth)).toBe(true);
  expect(mayMoveInto([...folders, ...deep], 'a', ninth)).toBe(false);
});

test('shows folders whose parent is unknown at the top rather than not at all', () => {
  const lost = { ...folder('x/y'), parent_folder_id: 'gone' };
  expect(visibleRows([lost], new Set()).map((row) => row.folder.id)).toEqual(['x/y']);
});
