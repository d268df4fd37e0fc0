import { ActionIcon, Menu } from '@mantine/core';
import { IconDots, IconFilter, IconPencil, IconTrash, IconUsers } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useLocation } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { keys } from '~/api/keys';
import type { View } from '~/api/types';
import classes from '~/features/folders/folders.module.css';
import { sameSearch } from '~/features/prompts/filters';
import { notifyError, notifyUndo } from '~/ui/notify';
import { deleteView, makeView, useViews } from './queries';
import { fromViewQuery } from './query';

const ViewDialog = lazy(() => import('./ViewDialog'));

/** The views in the sidebar. Nothing stands here until somebody keeps one. */
export function ViewLinks({ onNavigate }: { onNavigate?: () => void }) {
  const views = useViews();
  const queryClient = useQueryClient();
  const [edited, setEdited] = useState<View | null>(null);

  async function remove(view: View) {
    try {
      await deleteView(view.id);
      await queryClient.invalidateQueries({ queryKey: keys.views });
    } catch (error) {
      return notifyError(error, `The view “${view.name}” was not deleted`);
    }
    notifyUndo({
      message: `The view “${view.name}” is deleted.`,
      undo: async () => {
        await makeView({ name: view.name, query: view.query, shared: view.shared });
        await queryClient.invalidateQueries({ queryKey: keys.views });
      },
    });
  }

  if (views.length === 0) return null;
  return (
    <div>
      <div className={classes.head}>
        <h2 className={classes.heading}>Views</h2>
      </div>
      <ul className={classes.list}>
        {views.map((view) => (
          <ViewLink
            key={view.id}
            view={view}
            onEdit={() => setEdited(view)}
            onRemove={() => void remove(view)}
            onNavigate={onNavigate}
          />
        ))}
      </ul>
      <Suspense>{edited && <ViewDialog view={edited} onClose={() => setEdited(null)} />}</Suspense>
    </div>
  );
}

interface LinkProps {
  view: View;
  onEdit: () => void;
  onRemove: () => void;
  onNavigate?: () => void;
}

function ViewLink({ view, onEdit, onRemove, onNavigate }: LinkProps) {
  const search = fromViewQuery(view.query);
  const active = useLocation({ select: (location) => location.pathname === '/prompts' && sameSearch(location.search, search) });
  const Icon = view.shared ? IconUsers : IconFilter;
  return (
    <li className={classes.place} data-active={active || undefined}>
      <Link
        to="/prompts"
        search={search}
        className={classes.link}
        activeOptions={{ exact: true, includeSearch: true }}
        title={view.shared ? `${view.name}, shared by ${view.created_by.name}` : view.name}
        onClick={onNavigate}
      >
        <Icon size={16} stroke={1.5} aria-hidden />
        <span className={classes.name}>{view.name}</span>
      </Link>
      {view.can_edit && (
        <Menu width={180} position="bottom-start">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" size="sm" className={classes.menu} aria-label={`Actions for the view ${view.name}`}>
              <IconDots size={16} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={onEdit}>
              Rename or share
            </Menu.Item>
            <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={onRemove}>
              Delete view
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </li>
  );
}
