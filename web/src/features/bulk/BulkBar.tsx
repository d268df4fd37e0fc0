import { Button, CloseButton, Menu } from '@mantine/core';
import {
  IconArchive,
  IconArchiveOff,
  IconArrowUp,
  IconCategory,
  IconCopy,
  IconDots,
  IconFolder,
  IconFolderMinus,
  IconHash,
  IconTag,
  IconTagOff,
  IconTrash,
} from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import type { BulkAction, Folder } from '~/api/types';
import type { Selection } from '~/features/prompts/use-selection';
import { mostTicked } from '~/features/prompts/use-selection';
import { notifyError } from '~/ui/notify';
import { useShortcut } from '~/ui/shortcuts';
import bar from './BulkBar.module.css';
import type { Ask } from './BulkDialog';
import { BulkReport } from './BulkReport';
import { useBulk } from './use-bulk';

const BulkDialog = lazy(() => import('./BulkDialog'));

interface Props {
  selection: Selection;
  archive: boolean;
  /** The folder whose prompts are listed. */
  folder: Folder | undefined;
  /** How many prompts the question has in all. */
  total: number;
  onTickAll: () => Promise<void>;
}

/** What can be done to all ticked prompts at once. */
export function BulkBar({ selection, archive, folder, total, onTickAll }: Props) {
  const bulk = useBulk();
  const [ask, setAsk] = useState<Ask | null>(null);
  const [ticking, setTicking] = useState(false);
  const { selected, clear, keep } = selection;
  useShortcut({ keys: 'escape', description: 'Untick all', group: 'Prompt list' }, clear, selected.length > 0);

  async function run(action: BulkAction, folderName?: string) {
    const refused = await bulk.run(action, selected, folderName);
    // Those that were refused stay ticked, to try something else with them.
    keep(refused);
  }

  async function tickAll() {
    setTicking(true);
    await onTickAll().catch((error: unknown) => notifyError(error));
    setTicking(false);
  }

  const report = <BulkReport bulk={bulk} />;
  if (selected.length === 0) return report;
  const mayEdit = selected.every((prompt) => prompt.can.edit);
  const mayDelete = selected.every((prompt) => prompt.can.delete);
  const mayPublish = selected.every((prompt) => prompt.can.publish);
  const all = Math.min(total, mostTicked);
  const button = { variant: 'default', size: 'xs', disabled: bulk.busy } as const;
  return (
    <>
      <section className={bar.bar} aria-label="Ticked prompts" aria-busy={bulk.busy}>
        <span className={bar.count} aria-live="polite">
          {selected.length.toLocaleString()} ticked
        </span>
        {selected.length < all && (
          <Button variant="subtle" size="xs" loading={ticking} onClick={tickAll}>
            {all < total ? `Tick the first ${all.toLocaleString()}` : `Tick all ${all.toLocaleString()}`}
          </Button>
        )}
        {mayEdit && (
          <>
            <Button {...button} leftSection={<IconHash size={14} aria-hidden />} onClick={() => setAsk('tags')}>
              Tag
            </Button>
            <Button {...button} leftSection={<IconFolder size={14} aria-hidden />} onClick={() => setAsk('folder')}>
              Folder
            </Button>
            <Button
              {...button}
              leftSection={archive ? <IconArchiveOff size={14} aria-hidden /> : <IconArchive size={14} aria-hidden />}
              onClick={() => run({ action: archive ? 'unarchive' : 'archive' })}
            >
              {archive ? 'Take out of the archive' : 'Archive'}
            </Button>
          </>
        )}
        {mayDelete && (
          <Button {...button} leftSection={<IconTrash size={14} aria-hidden />} onClick={() => run({ action: 'delete' })}>
            Move to bin
          </Button>
        )}
        {mayEdit && (
          <Menu position="top-end" width={230}>
            <Menu.Target>
              <Button {...button} leftSection={<IconDots size={14} aria-hidden />}>
                More
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconCategory size={16} aria-hidden />} onClick={() => setAsk('category')}>
                Set the category
              </Menu.Item>
              {folder && (
                <Menu.Item
                  leftSection={<IconFolderMinus size={16} aria-hidden />}
                  onClick={() => run({ action: 'remove_from_folder', folder: folder.id }, folder.name)}
                >
                  Take out of “{folder.name}”
                </Menu.Item>
              )}
              <Menu.Item leftSection={<IconCopy size={16} aria-hidden />} onClick={() => run({ action: 'duplicate' })}>
                Duplicate
              </Menu.Item>
              {mayPublish && (
                <>
                  <Menu.Divider />
                  <Menu.Item
                    leftSection={<IconArrowUp size={16} aria-hidden />}
                    onClick={() => setAsk('publish')}
                  >
                    Publish the newest version
                  </Menu.Item>
                  <Menu.Item leftSection={<IconTag size={16} aria-hidden />} onClick={() => setAsk('label')}>
                    Set a label
                  </Menu.Item>
                  <Menu.Item leftSection={<IconTagOff size={16} aria-hidden />} onClick={() => setAsk('unlabel')}>
                    Remove a label
                  </Menu.Item>
                </>
              )}
            </Menu.Dropdown>
          </Menu>
        )}
        <CloseButton aria-label="Untick all" onClick={clear} />
      </section>
      <Suspense>
        {ask && (
          <BulkDialog
            ask={ask}
            prompts={selected}
            from={folder}
            onClose={() => setAsk(null)}
            onRun={(action, name) => {
              setAsk(null);
              void run(action, name);
            }}
          />
        )}
      </Suspense>
      {report}
    </>
  );
}
