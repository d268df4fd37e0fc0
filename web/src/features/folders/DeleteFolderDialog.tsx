import { Button, Modal, Radio, Stack } from '@mantine/core';
import { useState } from 'react';
import type { Folder } from '~/api/types';
import { notifyDone, notifyError } from '~/ui/notify';
import classes from './folders.module.css';
import { deleteFolder } from './queries';

interface Props {
  folder: Folder;
  /** How many folders stand inside, at any depth. */
  inside: number;
  onClose: () => void;
  onDone: () => Promise<unknown>;
}

/** Says what stays and what goes with a folder. Prompts never go. */
export default function DeleteFolderDialog({ folder, inside, onClose, onDone }: Props) {
  const [keep, setKeep] = useState(true);
  const [busy, setBusy] = useState(false);
  const folders = inside === 1 ? 'The folder inside' : `The ${inside} folders inside`;

  async function go() {
    setBusy(true);
    try {
      await deleteFolder(folder.id, inside > 0 && !keep);
      await onDone();
      notifyDone(`The folder “${folder.name}” is deleted. Its prompts are where all prompts are.`);
      onClose();
    } catch (error) {
      notifyError(error, `The folder “${folder.name}” was not deleted`);
      setBusy(false);
    }
  }

  return (
    <Modal opened onClose={onClose} title={`Delete the folder “${folder.name}”?`}>
      <div className={classes.form}>
        <div>
          No prompt is deleted: {folder.prompts === 1 ? 'the one in it' : 'those in it'} only
          {folder.prompts === 1 ? ' leaves' : ' leave'} the folder, and clients notice nothing.
        </div>
        {inside > 0 && (
          <Radio.Group label={folders} value={keep ? 'keep' : 'delete'} onChange={(value) => setKeep(value === 'keep')}>
            <Stack gap="xs" mt="xs">
              <Radio value="keep" label={inside === 1 ? 'stays, and moves up' : 'stay, and move up'} />
              <Radio value="delete" label={inside === 1 ? 'is deleted as well' : 'are deleted as well'} />
            </Stack>
          </Radio.Group>
        )}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button color="red" onClick={go} loading={busy}>
            Delete folder
          </Button>
        </div>
      </div>
    </Modal>
  );
}
