import { ActionIcon, Menu } from '@mantine/core';
import { IconArchive, IconArchiveOff, IconArrowBackUp, IconCopyPlus, IconDots, IconShare2, IconTrash } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { useRole } from '~/api/account';
import { notifyError } from '~/ui';
import { usePromptActions } from '../actions';
import { usePrompt } from '../PromptContext';
import { BinDialog } from '../settings/BinDialog';

const PreviewLinksDialog = lazy(() => import('~/features/preview-links/PreviewLinksDialog'));

/** What one does rarely. */
export function MoreMenu() {
  const { details, session, readOnly } = usePrompt();
  const actions = usePromptActions();
  const mayWrite = useRole('editor');
  const [sharing, setSharing] = useState(false);
  const [binning, setBinning] = useState(false);

  const run = (action: () => Promise<unknown>) => () => void action().catch((error: unknown) => notifyError(error));
  const hasDraft = readOnly === null && (session.hasDraft || session.autosave.unsaved) && details.version !== null;

  return (
    <>
      <Menu width={240}>
        <Menu.Target>
          <ActionIcon variant="default" size={34} aria-label="More actions">
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconArrowBackUp size={16} aria-hidden />}
            disabled={!hasDraft}
            onClick={run(actions.discardDraft)}
          >
            Throw the draft away
          </Menu.Item>
          <Menu.Item
            leftSection={<IconCopyPlus size={16} aria-hidden />}
            disabled={!mayWrite}
            onClick={run(actions.duplicate)}
          >
            Duplicate
          </Menu.Item>
          <Menu.Item leftSection={<IconShare2 size={16} aria-hidden />} disabled={!mayWrite} onClick={() => setSharing(true)}>
            Share a preview…
          </Menu.Item>
          {details.archived ? (
            <Menu.Item
              leftSection={<IconArchiveOff size={16} aria-hidden />}
              disabled={!mayWrite}
              onClick={run(() => actions.setArchived(false))}
            >
              Unarchive
            </Menu.Item>
          ) : (
            <Menu.Item
              leftSection={<IconArchive size={16} aria-hidden />}
              disabled={!mayWrite}
              onClick={run(actions.archive)}
            >
              Archive
            </Menu.Item>
          )}
          <Menu.Divider />
          <Menu.Item
            leftSection={<IconTrash size={16} aria-hidden />}
            color="red"
            disabled={!details.can.delete}
            onClick={() => setBinning(true)}
          >
            Move to the bin
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Suspense>{sharing && <PreviewLinksDialog onClose={() => setSharing(false)} />}</Suspense>
      <BinDialog opened={binning} onClose={() => setBinning(false)} />
    </>
  );
}
