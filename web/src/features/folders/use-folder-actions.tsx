import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import type { Folder } from '~/api/types';
import { notifyError, notifyUndo } from '~/ui/notify';
import { deleteFolder, makeFolder, refreshFolders } from './queries';
import { insideOf } from './tree';

const FolderDialog = lazy(() => import('./FolderDialog'));
const DeleteFolderDialog = lazy(() => import('./DeleteFolderDialog'));

type Open = { dialog: 'make'; parent: string | null } | { dialog: 'edit' | 'remove'; folder: Folder } | null;

/** What can be done to folders, with the dialogs for it. */
export function useFolderActions(folders: Folder[], shown: string | undefined, onMade: (folder: Folder) => void) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);

  async function removed(folder: Folder) {
    await refreshFolders(queryClient);
    if (shown === folder.id) await navigate({ to: '/prompts', search: {}, replace: true });
  }

  /** An empty folder goes at once and comes back as easily; of others one is told first what stays. */
  async function remove(folder: Folder) {
    if (folder.prompts > 0 || insideOf(folders, folder.id).size > 0) return setOpen({ dialog: 'remove', folder });
    try {
      await deleteFolder(folder.id, false);
    } catch (error) {
      return notifyError(error, `The folder “${folder.name}” was not deleted`);
    }
    await removed(folder);
    notifyUndo({
      message: `The folder “${folder.name}” is deleted.`,
      undo: async () => {
        await makeFolder(folder.name, folder.parent_folder_id);
        await refreshFolders(queryClient);
      },
    });
  }

  const dialogs = (
    <Suspense>
      {open?.dialog === 'make' && <FolderDialog parent={open.parent} onClose={close} onDone={onMade} />}
      {open?.dialog === 'edit' && <FolderDialog folder={open.folder} onClose={close} />}
      {open?.dialog === 'remove' && (
        <DeleteFolderDialog
          folder={open.folder}
          inside={insideOf(folders, open.folder.id).size}
          onClose={close}
          onDone={() => removed(open.folder)}
        />
      )}
    </Suspense>
  );

  return {
    make: (parent: string | null) => setOpen({ dialog: 'make', parent }),
    edit: (folder: Folder) => setOpen({ dialog: 'edit', folder }),
    remove: (folder: Folder) => void remove(folder),
    dialogs,
  };
}

export type FolderActions = Omit<ReturnType<typeof useFolderActions>, 'dialogs'>;
