import { useVirtualizer } from '@tanstack/react-virtual';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import type { Folder } from '~/api/types';
import { FolderItem } from './FolderItem';
import classes from './folders.module.css';
import { ancestorsOf, visibleRows } from './tree';
import type { FolderActions } from './use-folder-actions';
import type { FolderDrop } from './use-folder-drop';
import type { OpenFolders } from './use-open-folders';

interface Props {
  folders: Folder[];
  /** The folder whose prompts are listed just now. */
  shown: string | undefined;
  /** What scrolls around the tree. */
  scroller: RefObject<HTMLDivElement | null>;
  openFolders: OpenFolders;
  drop: FolderDrop;
  actions: FolderActions | null;
  onNavigate?: () => void;
}

/** Up to here all rows are in the page. */
const virtualFrom = 100;

/** The folders as a tree: arrows walk through it, Enter opens one, F2 renames or moves it. */
export function FolderTree({ folders, shown, scroller, openFolders, drop, actions, onNavigate }: Props) {
  const navigate = useNavigate();
  const tree = useRef<HTMLDivElement>(null);
  const { open, set } = openFolders;
  const [current, setCurrent] = useState<string | null>(null);
  const rows = useMemo(() => visibleRows(folders, open), [folders, open]);

  // The folder one looks at is never hidden in a closed one.
  useEffect(() => {
    if (shown) set(ancestorsOf(folders, shown), true);
  }, [shown, folders, set]);

  const virtualizer = useVirtualizer({
    count: rows.length,
    enabled: rows.length > virtualFrom,
    getScrollElement: () => scroller.current,
    estimateSize: () => (matchMedia('(pointer: coarse)').matches ? 45 : 29),
    scrollMargin: tree.current?.offsetTop ?? 0,
    overscan: 10,
    getItemKey: (index) => rows[index]?.folder.id ?? index,
  });

  const found = rows.findIndex((row) => row.folder.id === (current ?? shown));
  const at = found === -1 ? 0 : found;

  function go(index: number) {
    const row = rows[Math.max(0, Math.min(index, rows.length - 1))];
    if (!row) return;
    setCurrent(row.folder.id);
    if (rows.length > virtualFrom) virtualizer.scrollToIndex(rows.indexOf(row));
    // A row that was outside of what is drawn is there only after the next frame.
    requestAnimationFrame(() => tree.current?.querySelector<HTMLElement>(`[data-folder="${row.folder.id}"]`)?.focus());
  }

  function onKeyDown(event: KeyboardEvent) {
    const row = rows[at];
    // Inside a row's menu, keys are the menu's.
    if (!row || (event.target as HTMLElement).getAttribute('role') !== 'treeitem') return;
    const { folder } = row;
    const keys: Record<string, () => void> = {
      ArrowDown: () => go(at + 1),
      ArrowUp: () => go(at - 1),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      ArrowRight: () => (row.hasChildren && !row.isOpen ? set([folder.id], true) : row.hasChildren && go(at + 1)),
      ArrowLeft: () =>
        row.isOpen ? set([folder.id], false) : go(rows.findIndex((other) => other.folder.id === folder.parent_folder_id)),
      Enter: () => {
        void navigate({ to: '/prompts', search: { folder: folder.id } });
        onNavigate?.();
      },
      ...(actions && {
        F2: () => actions.edit(folder),
        Delete: () => actions.remove(folder),
      }),
    };
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }

  const item = (index: number, style?: React.CSSProperties) => {
    const row = rows[index]!;
    return (
      <FolderItem
        key={row.folder.id}
        row={row}
        style={style}
        isShown={row.folder.id === shown}
        isTarget={drop.target === row.folder.id}
        tabIndex={index === at ? 0 : -1}
        actions={actions}
        dropProps={drop.propsFor(row.folder.id)}
        onFocus={() => setCurrent(row.folder.id)}
        onTwist={() => set([row.folder.id], !row.isOpen)}
        onNavigate={onNavigate}
      />
    );
  };

  if (rows.length > virtualFrom) {
    return (
      <div
        ref={tree}
        role="tree"
        aria-label="Folders"
        className={classes.virtual}
        style={{ height: virtualizer.getTotalSize() }}
        onKeyDown={onKeyDown}
      >
        {virtualizer
          .getVirtualItems()
          .map((slot) => item(slot.index, { transform: `translateY(${slot.start - virtualizer.options.scrollMargin}px)` }))}
      </div>
    );
  }
  return (
    <div ref={tree} role="tree" aria-label="Folders" className={classes.list} onKeyDown={onKeyDown}>
      {rows.map((_, index) => item(index))}
    </div>
  );
}
