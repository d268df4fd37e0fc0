import { Button, Modal, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError } from '~/api/client';
import type { Folder } from '~/api/types';
import { FormProblem } from '~/ui/FormProblem';
import { FolderSelect } from './FolderSelect';
import classes from './folders.module.css';
import { changeFolder, makeFolder, refreshFolders, useFolders } from './queries';
import { mayMoveInto } from './tree';

interface Props {
  /** The folder to rename or move; absent for a new one. */
  folder?: Folder;
  /** Where a new one goes first. */
  parent?: string | null;
  onClose: () => void;
  onDone?: (folder: Folder) => void;
}

/** Makes a folder, or changes what it is called and where it stands. */
export default function FolderDialog({ folder, parent = null, onClose, onDone }: Props) {
  const queryClient = useQueryClient();
  const folders = useFolders();
  const [name, setName] = useState(folder?.name ?? '');
  const [inside, setInside] = useState(folder ? folder.parent_folder_id : parent);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const called = name.trim();
    setProblem(null);
    if (called === '') return setErrors({ name: 'Give it a name.' });
    setErrors({});
    setBusy(true);
    try {
      const saved = folder
        ? await changeFolder(folder.id, {
            ...(called !== folder.name && { name: called }),
            ...(inside !== folder.parent_folder_id && { parent_folder_id: inside }),
          })
        : await makeFolder(called, inside);
      await refreshFolders(queryClient);
      onDone?.(saved);
      onClose();
    } catch (error) {
      const refused = error instanceof ApiError ? error.fieldErrors() : {};
      if (error instanceof ApiError && error.status === 409) refused.name = error.message;
      setErrors(refused);
      if (Object.keys(refused).length === 0) setProblem(error);
      setBusy(false);
    }
  }

  const targets = folder
    ? folders.filter(({ id }) => id === folder.parent_folder_id || mayMoveInto(folders, folder.id, id))
    : folders;
  return (
    <Modal opened onClose={onClose} title={folder ? `Rename or move “${folder.name}”` : 'New folder'}>
      <form onSubmit={submit} className={classes.form} noValidate>
        <TextInput
          label="Name"
          name="name"
          placeholder="Support"
          maxLength={100}
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={errors.name}
          autoComplete="off"
        />
        <FolderSelect
          label="Inside"
          placeholder="At the top"
          folders={targets}
          value={inside}
          onChange={setInside}
          error={errors.parent_folder_id}
        />
        <FormProblem error={problem} />
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            {folder ? 'Keep changes' : 'Make folder'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
