import { Button, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { meQuery, useMe } from '~/api/account';
import { ApiError, api } from '~/api/client';
import type { User } from '~/api/types';
import { FormProblem } from '~/ui/FormProblem';
import { notifyDone } from '~/ui/notify';
import { UnsavedDialog } from '~/ui/UnsavedDialog';
import { Section } from './Section';
import classes from './Section.module.css';

/** Who you are to your colleagues. */
export function Profile() {
  const queryClient = useQueryClient();
  const { user } = useMe();
  const [name, setName] = useState(user?.name ?? '');
  const [error, setError] = useState<string | undefined>();
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const changed = name.trim() !== (user?.name ?? '');

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (name.trim() === '') return setError('Your colleagues see this name beside what you publish.');
    setError(undefined);
    setProblem(null);
    setBusy(true);
    try {
      const answer = await api.put<{ user: User }>('/auth/me', { name: name.trim() });
      queryClient.setQueryData(meQuery.queryKey, (me) => me && { ...me, user: answer.user });
      setName(answer.user.name);
      notifyDone('Your name is changed.');
    } catch (caught) {
      const wrong = caught instanceof ApiError ? caught.fieldErrors().name : undefined;
      setError(wrong);
      if (!wrong) setProblem(caught);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Section title="Profile" description="Your colleagues see your name beside everything you publish.">
      <form className={classes.form} onSubmit={submit} noValidate>
        <TextInput
          label="Name"
          name="name"
          autoComplete="name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={error}
        />
        <TextInput label="Email" value={user?.email ?? ''} readOnly variant="filled" />
        <FormProblem error={problem} />
        <div className={classes.buttons}>
          <Button type="submit" loading={busy} disabled={!changed}>
            Save name
          </Button>
        </div>
      </form>
      <UnsavedDialog unsaved={changed && !busy} message="The name you typed is not saved." />
    </Section>
  );
}
