import { ActionIcon, Menu } from '@mantine/core';
import { IconChevronRight, IconDots, IconFolder, IconFolderOpen, IconFolderPlus, IconPencil, IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { CSSProperties } from 'react';
import { setDragged, showCount } from './dragging';
import classes from './folders.module.css';
import type { TreeRow } from './tree';
import type { FolderActions } from './use-folder-actions';
import type { DropProps } from './use-folder-drop';

interface Props {
  row: TreeRow;
  style?: CSSProperties;
  isShown: boolean;
  isTarget: boolean;
  tabIndex: 0 | -1;
  /** Absent for who may not change folders. */
  actions: FolderActions | null;
  dropProps: DropProps;
  onFocus: () => void;
  onTwist: () => void;
  onNavigate?: () => void;
}

/** A folder in the tree. */
export function FolderItem({ row, style, isShown, isTarget, tabIndex, actions, dropProps, onFocus, onTwist, onNavigate }: Props) {
  const { folder, level, hasChildren, isOpen, prompts } = row;
  const Icon = isShown || isOpen ? IconFolderOpen : IconFolder;
  return (
    <div
      role="treeitem"
      aria-label={`${folder.name}, ${prompts === 1 ? '1 prompt' : `${prompts} prompts`}`}
      aria-level={level}
      aria-setsize={row.siblings}
      aria-posinset={row.place}
      aria-expanded={hasChildren ? isOpen : undefined}
      aria-selected={isShown}
      tabIndex={tabIndex}
      className={classes.item}
      style={{ ...style, paddingLeft: 4 + (level - 1) * 14 }}
      data-folder={folder.id}
      data-target={isTarget || undefined}
      draggable={actions !== null}
      onFocus={onFocus}
      onDragStart={(event) => {
        event.stopPropagation();
        event.dataTransfer.effectAllowed = 'move';
        event.dataTransfer.setData('text/plain', folder.name);
        showCount(event, folder.name);
        setDragged({ kind: 'folder', id: folder.id });
      }}
      onDragEnd={() => setDragged(null)}
      {...(actions && dropProps)}
    >
      {hasChildren ? (
        <span className={classes.twist} data-open={isOpen || undefined} onClick={onTwist}>
          <IconChevronRight size={14} aria-hidden />
        </span>
      ) : (
        <span className={classes.twist} />
      )}
      <Link
        to="/prompts"
        search={{ folder: folder.id }}
        className={classes.link}
        activeOptions={{ exact: true, includeSearch: true }}
        tabIndex={-1}
        draggable={false}
        onClick={onNavigate}
        title={folder.name}
      >
        <Icon size={16} stroke={1.5} aria-hidden />
        <span className={classes.name}>{folder.name}</span>
      </Link>
      {prompts > 0 && (
        <span className={classes.count} aria-hidden>
          {prompts.toLocaleString()}
        </span>
      )}
      {actions && <FolderMenu row={row} actions={actions} />}
    </div>
  );
}

function FolderMenu({ row: { folder }, actions }: { row: TreeRow; actions: FolderActions }) {
  return (
    <Menu width={200} position="bottom-start">
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="sm"
          tabIndex={-1}
          className={classes.menu}
          aria-label={`Actions for the folder ${folder.name}`}
        >
          <IconDots size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconFolderPlus size={16} aria-hidden />} onClick={() => actions.make(folder.id)}>
          New folder inside
        </Menu.Item>
        <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => actions.edit(folder)}>
          Rename or move
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => actions.remove(folder)}>
          Delete folder
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
