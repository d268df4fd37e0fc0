import { Button, Modal, TextInput } from '@mantine/core';
import { type FormEvent, useRef, useState } from 'react';
import { rememberWorkspace } from '~/api/account';
import { api } from '~/api/client';
import type { Workspace } from '~/api/types';
import { FormProblem } from '~/ui/FormProblem';
import { useSubmit } from '~/ui/use-submit';
import classes from './Workspace.module.css';

/** Makes a workspace, and opens it. */
export default function NewWorkspaceDialog({ onClose }: { onClose: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const [name, setName] = useState('');
  const { busy, errors, problem, run, fail } = useSubmit(form);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (name.trim() === '') return fail({ name: 'Give it the name of your team, product or customer.' });
    void run(async () => {
      const made = await api.post<Workspace>('/workspaces', { name: name.trim() });
      rememberWorkspace(made.id);
      window.location.assign('/');
    }, ['name']);
  }

  return (
    <Modal opened onClose={onClose} title="New workspace">
      <form ref={form} className={classes.form} onSubmit={submit} noValidate>
        <p className={classes.quiet}>
          A workspace has its own prompts, members and API keys. Nothing of it is seen from another one.
        </p>
        <TextInput
          label="Name"
          name="name"
          placeholder="Customer support"
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={errors.name}
          autoComplete="off"
        />
        <FormProblem error={problem} />
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            Make workspace
          </Button>
        </div>
      </form>
    </Modal>
  );
}
