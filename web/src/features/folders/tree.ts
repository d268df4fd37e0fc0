import type { Folder } from '~/api/types';

/** As many folders may stand inside each other. */
export const maxDepth = 10;

/** A folder as a row of the tree that is open just now. */
export interface TreeRow {
  folder: Folder;
  /** 1 for those at the top. */
  level: number;
  hasChildren: boolean;
  isOpen: boolean;
  /** 1-based place among its siblings. */
  place: number;
  siblings: number;
  /** Prompts in it and in all folders inside. One that stands in two of them counts twice. */
  prompts: number;
}

type Children = Map<string | null, Folder[]>;

const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** The folders by the one they stand in, sorted by name. One whose parent is missing stands at the top. */
export function childrenOf(folders: Folder[]): Children {
  const known = new Set(folders.map((folder) => folder.id));
  const children: Children = new Map();
  for (const folder of folders) {
    const parent = folder.parent_folder_id !== null && known.has(folder.parent_folder_id) ? folder.parent_folder_id : null;
    const siblings = children.get(parent);
    if (siblings) siblings.push(folder);
    else children.set(parent, [folder]);
  }
  for (const siblings of children.values()) siblings.sort((a, b) => byName.compare(a.name, b.name));
  return children;
}

/** The rows to show: those at the top, and what is in the open ones. */
export function visibleRows(folders: Folder[], open: ReadonlySet<string>): TreeRow[] {
  const children = childrenOf(folders);
  const rows: TreeRow[] = [];
  function walk(parent: string | null, level: number, shown: boolean): number {
    const siblings = children.get(parent) ?? [];
    let sum = 0;
    siblings.forEach((folder, index) => {
      const hasChildren = children.has(folder.id);
      const isOpen = hasChildren && open.has(folder.id);
      const row = { folder, level, hasChildren, isOpen, place: index + 1, siblings: siblings.length, prompts: folder.prompts };
      if (shown) rows.push(row);
      row.prompts += walk(folder.id, level + 1, shown && isOpen);
      sum += row.prompts;
    });
    return sum;
  }
  walk(null, 1, true);
  return rows;
}

/** All folders inside this one, at any depth. */
export function insideOf(folders: Folder[], id: string): Set<string> {
  const children = childrenOf(folders);
  const inside = new Set<string>();
  const waiting = [id];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const child of children.get(next) ?? []) {
      if (inside.has(child.id)) continue;
      inside.add(child.id);
      waiting.push(child.id);
    }
  }
  return inside;
}

/** The folders on the way down to this one, without itself. */
export function ancestorsOf(folders: Folder[], id: string): string[] {
  const byId = new Map(folders.map((folder) => [folder.id, folder]));
  const above: string[] = [];
  for (let at = byId.get(id)?.parent_folder_id; at != null && !above.includes(at); at = byId.get(at)?.parent_folder_id) {
    above.unshift(at);
  }
  return above;
}

/** How many folders stand below each other here, this one included. */
function heightOf(folders: Folder[], id: string): number {
  const depth = folders.find((folder) => folder.id === id)?.path.length ?? 1;
  const inside = insideOf(folders, id);
  return folders.reduce((most, folder) => (inside.has(folder.id) ? Math.max(most, folder.path.length - depth + 1) : most), 1);
}

/** Whether a folder may be put into another one, or to the top (`null`). */
export function mayMoveInto(folders: Folder[], id: string, target: string | null): boolean {
  const folder = folders.find((candidate) => candidate.id === id);
  if (!folder || folder.parent_folder_id === target || id === target) return false;
  if (target === null) return true;
  const parent = folders.find((candidate) => candidate.id === target);
  if (!parent || insideOf(folders, id).has(target)) return false;
  return parent.path.length + heightOf(folders, id) <= maxDepth;
}

/** "Support / Mails". */
export function pathWords(folder: Folder): string {
  return folder.path.join(' / ');
}
