import { Button, PasswordInput, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { ApiError } from '~/api/client';
import { FormProblem } from '~/ui/FormProblem';
import layout from './AuthLayout.module.css';
import { passwordProblem } from './password';
import { register } from './session';

interface Props {
  submit: string;
  setupToken?: string;
  onDone: () => void;
}

type Errors = Partial<Record<'name' | 'email' | 'password', string>>;

/** The fields of a new account; used for signing up and for setting the server up. */
export function AccountForm({ submit, setupToken, onDone }: Props) {
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<Errors>({});
  const [problem, setProblem] = useState<unknown>(null);
  const [password, setPassword] = useState('');

  async function onSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const name = String(data.get('name')).trim();
    const email = String(data.get('email')).trim();
    const wrong = passwordProblem(password, email);
    setErrors(wrong ? { password: wrong } : {});
    setProblem(null);
    if (wrong) return focusFirst(form, ['password']);

    setBusy(true);
    try {
      await register({ name, email, password, setup_token: setupToken });
      onDone();
    } catch (error) {
      setBusy(false);
      const fields = fieldErrors(error);
      setErrors(fields);
      if (Object.keys(fields).length === 0) setProblem(error);
      focusFirst(form, Object.keys(fields));
    }
  }

  return (
    <form className={layout.form} onSubmit={onSubmit}>
      <TextInput label="Your name" name="name" autoComplete="name" required withAsterisk={false} error={errors.name} autoFocus />
      <TextInput label="Email" name="email" type="email" autoComplete="username" required withAsterisk={false} error={errors.email} />
      <PasswordInput
        label="Password"
        description="10 characters or more. Three or four random words are easy to remember and hard to guess."
        name="password"
        autoComplete="new-password"
        required
        withAsterisk={false}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        error={errors.password}
        visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
      />
      <FormProblem error={problem} words={words} />
      <Button type="submit" loading={busy} fullWidth>
        {submit}
      </Button>
    </form>
  );
}

function fieldErrors(error: unknown): Errors {
  if (!(error instanceof ApiError)) return {};
  if (error.status === 409) return { email: 'There is an account with this email already. Sign in instead.' };
  const { name, email, password } = error.fieldErrors();
  return Object.fromEntries(Object.entries({ name, email, password }).filter(([, text]) => text));
}

function words(error: unknown): string | null {
  if (!(error instanceof ApiError)) return null;
  if (error.status === 403) return `${error.message} Ask whoever runs this server.`;
  return null;
}

function focusFirst(form: HTMLFormElement, fields: string[]): void {
  const first = fields[0];
  if (first) form.querySelector<HTMLElement>(`[name="${first}"]`)?.focus();
}
