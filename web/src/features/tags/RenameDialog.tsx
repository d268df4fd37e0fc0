import { Button, Modal, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError } from '~/api/client';
import type { Facet } from '~/api/types';
import { refreshPrompts } from '~/features/bulk/use-bulk';
import { FormProblem } from '~/ui/FormProblem';
import { notifyDone, notifyUndo } from '~/ui/notify';
import { type Kind, kinds, renameWord } from './queries';
import classes from './TagsPage.module.css';

interface Props {
  kind: Kind;
  word: Facet;
  all: Facet[];
  onClose: () => void;
}

/** Gives a tag or category another name in all prompts, or the name of another one, which makes one of both. */
export default function RenameDialog({ kind, word, all, onClose }: Props) {
  const queryClient = useQueryClient();
  const [name, setName] = useState(word.name);
  const [error, setError] = useState<string | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const { one } = kinds[kind];

  const called = name.trim();
  const other = called === word.name ? undefined : all.find((candidate) => candidate.name === called);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setProblem(null);
    if (called === '') return setError('Give it a name.');
    if (called === word.name) return onClose();
    setError(null);
    setBusy(true);
    try {
      await renameWord(kind, word.name, called);
      await refreshPrompts(queryClient);
      if (other) notifyDone(`“${word.name}” and “${called}” are one ${one} now.`);
      else {
        notifyUndo({
          message: `The ${one} “${word.name}” is called “${called}” now.`,
          undo: async () => {
            await renameWord(kind, called, word.name);
            await refreshPrompts(queryClient);
          },
        });
      }
      onClose();
    } catch (refused) {
      const words = refused instanceof ApiError ? refused.fieldErrors().name : undefined;
      if (words) setError(words);
      else setProblem(refused);
      setBusy(false);
    }
  }

  return (
    <Modal opened onClose={onClose} title={`Rename the ${one} “${word.name}”`}>
      <form onSubmit={submit} className={classes.form} noValidate>
        <TextInput
          label="Name"
          name="name"
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={error}
          autoComplete="off"
        />
        {other && (
          <p className={classes.note} role="status">
            “{other.name}” exists already, on {other.prompts === 1 ? '1 prompt' : `${other.prompts.toLocaleString()} prompts`}. Both
            become one, and that cannot be taken apart again.
          </p>
        )}
        <FormProblem error={problem} />
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            {other ? 'Make one of both' : 'Rename'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
