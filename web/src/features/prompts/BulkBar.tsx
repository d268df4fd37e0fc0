import { Button, CloseButton } from '@mantine/core';
import { IconArchive, IconArchiveOff, IconTrash } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '~/api/keys';
import type { Prompt } from '~/api/types';
import { notifyError, notifyNote, notifyUndo } from '~/ui/notify';
import { useShortcut } from '~/ui/shortcuts';
import classes from './BulkBar.module.css';
import { archiveOne, binOne, forEach, inUseWords, outcomeWords, restoreOne, unarchiveOne } from './bulk';
import { removeFromLists } from './list-cache';
import type { Selection } from './use-selection';

interface Action {
  act: (prompt: Prompt) => Promise<unknown>;
  undo: (prompt: Prompt) => Promise<unknown>;
  /** What the prompts are after it: "in the bin". */
  what: string;
}

const actions = {
  bin: { act: binOne, undo: restoreOne, what: 'in the bin' },
  archive: { act: archiveOne, undo: unarchiveOne, what: 'archived' },
  unarchive: { act: unarchiveOne, undo: archiveOne, what: 'back in the list' },
} satisfies Record<string, Action>;

/** What can be done to all ticked prompts at once. */
export function BulkBar({ selection, archive }: { selection: Selection; archive: boolean }) {
  const queryClient = useQueryClient();
  const [busy, setBusy] = useState(false);
  const { selected, clear } = selection;
  useShortcut({ keys: 'escape', description: 'Untick all', group: 'Prompt list' }, clear, selected.length > 0);

  const refresh = () => queryClient.invalidateQueries({ queryKey: keys.promptLists });

  async function run({ act, undo, what }: Action) {
    setBusy(true);
    const prompts = selected;
    for (const prompt of prompts) removeFromLists(queryClient, prompt.id);
    clear();
    const { done, inUse, failed } = await forEach(prompts, act);
    await refresh();
    setBusy(false);
    if (done.length > 0) {
      notifyUndo({
        message: outcomeWords(done, what),
        undo: async () => {
          const back = await forEach(done, undo);
          await refresh();
          if (back.failed[0]) throw back.failed[0].error;
        },
      });
    }
    if (inUse.length > 0) notifyNote(inUseWords(inUse));
    if (failed[0]) notifyError(failed[0].error, `${failed.length} of ${prompts.length} stayed as they were`);
  }

  if (selected.length === 0) return null;
  const mayEdit = selected.every((prompt) => prompt.can.edit);
  const mayDelete = selected.every((prompt) => prompt.can.delete);
  return (
    <section className={classes.bar} aria-label="Ticked prompts">
      <span className={classes.count} aria-live="polite">
        {selected.length} ticked
      </span>
      {mayEdit && (
        <Button
          variant="default"
          size="xs"
          disabled={busy}
          leftSection={archive ? <IconArchiveOff size={14} aria-hidden /> : <IconArchive size={14} aria-hidden />}
          onClick={() => run(archive ? actions.unarchive : actions.archive)}
        >
          {archive ? 'Take out of the archive' : 'Archive'}
        </Button>
      )}
      {mayDelete && (
        <Button
          variant="default"
          size="xs"
          disabled={busy}
          leftSection={<IconTrash size={14} aria-hidden />}
          onClick={() => run(actions.bin)}
        >
          Move to bin
        </Button>
      )}
      <CloseButton aria-label="Untick all" onClick={clear} />
    </section>
  );
}
