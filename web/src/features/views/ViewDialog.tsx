import { Button, Modal, Switch, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useMe } from '~/api/account';
import { ApiError } from '~/api/client';
import { keys } from '~/api/keys';
import type { View } from '~/api/types';
import classes from '~/features/folders/folders.module.css';
import { changedWords } from '~/features/prompts/chips';
import type { ListSearch } from '~/features/prompts/filters';
import { FormProblem } from '~/ui/FormProblem';
import { notifyDone } from '~/ui/notify';
import { changeView, makeView, useViews } from './queries';
import { toViewQuery } from './query';

interface Props {
  /** The view to rename or share; absent for a new one. */
  view?: View;
  /** The filters that a new one keeps. */
  search?: ListSearch;
  onClose: () => void;
}

/** Gives the filters a name, so that they are one click away. */
export default function ViewDialog({ view, search = {}, onClose }: Props) {
  const queryClient = useQueryClient();
  const { user } = useMe();
  const views = useViews();
  const [name, setName] = useState(view?.name ?? '');
  const [shared, setShared] = useState(view?.shared ?? false);
  const [error, setError] = useState<string | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  const called = name.trim();
  /** One's own view of the same name: it is changed rather than made twice. */
  const same = view ? undefined : views.find((other) => other.name === called && other.created_by.id === user?.id);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setProblem(null);
    if (called === '') return setError('Give it a name.');
    setError(null);
    setBusy(true);
    try {
      if (view) await changeView(view.id, { name: called, shared });
      else if (same) await changeView(same.id, { query: toViewQuery(search), shared });
      else await makeView({ name: called, query: toViewQuery(search), shared });
      await queryClient.invalidateQueries({ queryKey: keys.views });
      if (!view) notifyDone(`“${called}” stands in the sidebar now.`);
      onClose();
    } catch (refused) {
      const words = refused instanceof ApiError ? refused.fieldErrors().name : undefined;
      if (words) setError(words);
      else setProblem(refused);
      setBusy(false);
    }
  }

  return (
    <Modal opened onClose={onClose} title={view ? `Edit the view “${view.name}”` : 'Keep these filters as a view'}>
      <form onSubmit={submit} className={classes.form} noValidate>
        <TextInput
          label="Name"
          name="name"
          placeholder="Waiting to go live"
          maxLength={100}
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={error}
          description={same && 'You have a view of this name: it will show these filters from now on.'}
          autoComplete="off"
        />
        <Switch
          label="Everybody in the workspace sees it"
          checked={shared}
          onChange={(event) => setShared(event.currentTarget.checked)}
        />
        {search.changed && <div className={classes.note}>“{changedWords[search.changed]}” is not kept: a view stays the same every day.</div>}
        <FormProblem error={problem} />
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            {view ? 'Keep changes' : 'Keep view'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
