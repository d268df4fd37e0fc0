import { ActionIcon, Tooltip } from '@mantine/core';
import { IconClockEdit, IconFolderPlus, IconStar } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from '@tanstack/react-router';
import { useRef } from 'react';
import { useRole } from '~/api/account';
import { BulkReport } from '~/features/bulk/BulkReport';
import { type ListSearch, sameSearch } from '~/features/prompts/filters';
import { ViewLinks } from '~/features/views/ViewLinks';
import { useDragged } from './dragging';
import { FolderTree } from './FolderTree';
import classes from './folders.module.css';
import { foldersQuery } from './queries';
import { useFolderActions } from './use-folder-actions';
import { top, useFolderDrop } from './use-folder-drop';
import { useOpenFolders } from './use-open-folders';

/** Below "Prompts" in the sidebar: what one comes back to, the views, and the tree of folders. */
export default function PromptPlaces({ onNavigate }: { onNavigate?: () => void }) {
  const mayWrite = useRole('editor');
  const scroller = useRef<HTMLDivElement>(null);
  const { data: folders = [], isSuccess } = useQuery(foldersQuery);
  const search = useLocation({ select: ({ pathname, search: found }) => (pathname === '/prompts' ? found : undefined) });
  const shown = (search as ListSearch | undefined)?.folder;
  const openFolders = useOpenFolders();
  const open = (id: string | null) => void (id !== null && id !== top && openFolders.set([id], true));
  const actions = useFolderActions(folders, shown, (made) => open(made.parent_folder_id));
  const drop = useFolderDrop(folders, shown, open);
  const carried = useDragged();

  return (
    <div className={classes.places} ref={scroller}>
      <ul className={classes.list}>
        <Place search={{ favourite: true }} label="Favourites" icon={<IconStar size={16} stroke={1.5} aria-hidden />} onNavigate={onNavigate} />
        <Place search={{ recent: true }} label="Recently edited by me" icon={<IconClockEdit size={16} stroke={1.5} aria-hidden />} onNavigate={onNavigate} />
      </ul>
      <ViewLinks onNavigate={onNavigate} />
      {(folders.length > 0 || mayWrite) && (
        <div>
          <div
            className={`${classes.head} ${classes.top}`}
            data-target={drop.target === top || undefined}
            {...(carried?.kind === 'folder' && drop.propsFor(top))}
          >
            <h2 className={classes.heading}>Folders</h2>
            {mayWrite && (
              <Tooltip label="New folder">
                <ActionIcon variant="subtle" color="gray" size="sm" aria-label="New folder" onClick={() => actions.make(null)}>
                  <IconFolderPlus size={16} aria-hidden />
                </ActionIcon>
              </Tooltip>
            )}
          </div>
          {folders.length > 0 && (
            <FolderTree
              folders={folders}
              shown={shown}
              scroller={scroller}
              openFolders={openFolders}
              drop={drop}
              actions={mayWrite ? actions : null}
              onNavigate={onNavigate}
            />
          )}
          {isSuccess && folders.length === 0 && <p className={classes.hint}>Sort prompts into folders; one may stand in several.</p>}
        </div>
      )}
      {actions.dialogs}
      <BulkReport bulk={drop.bulk} />
    </div>
  );
}

interface PlaceProps {
  search: ListSearch;
  label: string;
  icon: React.ReactNode;
  onNavigate?: () => void;
}

function Place({ search, label, icon, onNavigate }: PlaceProps) {
  const found = useLocation({ select: (location) => location.pathname === '/prompts' && sameSearch(location.search, search) });
  return (
    <li className={classes.place} data-active={found || undefined}>
      <Link
        to="/prompts"
        search={search}
        className={classes.link}
        activeOptions={{ exact: true, includeSearch: true }}
        onClick={onNavigate}
      >
        {icon}
        <span className={classes.name}>{label}</span>
      </Link>
    </li>
  );
}
