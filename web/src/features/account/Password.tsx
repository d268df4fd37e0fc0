import { Button, PasswordInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { useMe } from '~/api/account';
import { ApiError, api } from '~/api/client';
import { keys } from '~/api/keys';
import { passwordProblem } from '~/features/auth/password';
import { FormProblem } from '~/ui/FormProblem';
import { notifyDone } from '~/ui/notify';
import { Section } from './Section';
import classes from './Section.module.css';

const toggle = { 'aria-label': 'Show or hide the password' };

export function Password() {
  const queryClient = useQueryClient();
  const { user } = useMe();
  const form = useRef<HTMLFormElement>(null);
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  function fail(wrong: Record<string, string>) {
    setErrors(wrong);
    const first = Object.keys(wrong)[0];
    window.setTimeout(() => form.current?.querySelector<HTMLElement>(`[name="${first}"]`)?.focus());
  }

  async function submit(event: FormEvent) {
    event.preventDefault();
    setErrors({});
    setProblem(null);
    if (current === '') return fail({ current_password: 'Your present password is needed to change it.' });
    const wrong = passwordProblem(next, user?.email ?? '');
    if (wrong) return fail({ new_password: wrong });
    setBusy(true);
    try {
      await api.post('/auth/password', { current_password: current, new_password: next });
      setCurrent('');
      setNext('');
      void queryClient.invalidateQueries({ queryKey: keys.sessions });
      notifyDone('Your password is changed. Your other sessions are signed out.');
    } catch (error) {
      if (error instanceof ApiError && error.code === 'INVALID_CREDENTIALS') {
        fail({ current_password: 'That is not your present password.' });
      } else if (error instanceof ApiError && Object.keys(error.fieldErrors()).length > 0) {
        fail(error.fieldErrors());
      } else {
        setProblem(error);
      }
    } finally {
      setBusy(false);
    }
  }

  return (
    <Section title="Password" description="Changing it signs out every other browser.">
      <form ref={form} className={classes.form} onSubmit={submit} noValidate>
        <input type="text" name="username" autoComplete="username" value={user?.email ?? ''} readOnly hidden />
        <PasswordInput
          label="Present password"
          name="current_password"
          autoComplete="current-password"
          value={current}
          onChange={(event) => setCurrent(event.currentTarget.value)}
          error={errors.current_password}
          visibilityToggleButtonProps={toggle}
        />
        <PasswordInput
          label="New password"
          name="new_password"
          description="10 characters or more."
          autoComplete="new-password"
          value={next}
          onChange={(event) => setNext(event.currentTarget.value)}
          error={errors.new_password}
          visibilityToggleButtonProps={toggle}
        />
        <FormProblem error={problem} />
        <div className={classes.buttons}>
          <Button type="submit" loading={busy} disabled={current === '' && next === ''}>
            Change password
          </Button>
        </div>
      </form>
    </Section>
  );
}
