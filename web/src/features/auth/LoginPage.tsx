import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Navigate, useRouter, useSearch } from '@tanstack/react-router';
import { type FormEvent, useRef, useState } from 'react';
import { authStatusQuery } from '~/api/account';
import { ApiError } from '~/api/client';
import { AuthLayout } from './AuthLayout';
import layout from './AuthLayout.module.css';
import { FormProblem } from '~/ui/FormProblem';
import { signIn } from './session';

export function LoginPage() {
  const { next } = useSearch({ from: '/login' });
  const router = useRouter();
  const { data: status } = useQuery(authStatusQuery);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const password = useRef<HTMLInputElement>(null);

  if (status?.setup_required) return <Navigate to="/setup" replace />;

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    setBusy(true);
    setProblem(null);
    try {
      await signIn(String(data.get('email')).trim(), String(data.get('password')));
      router.history.push(next ?? '/');
    } catch (error) {
      setProblem(error);
      setBusy(false);
      password.current?.select();
    }
  }

  return (
    <AuthLayout
      title="Sign in"
      lead={status?.demo ? 'This server holds a demo. Its sign-in was printed where it was first started.' : undefined}
      foot={
        status?.registration === 'open' ? (
          <>
            No account yet? <Link to="/register" search={next ? { next } : {}}>Make one</Link>
          </>
        ) : (
          status && 'Accounts on this server are made by invitation.'
        )
      }
    >
      <form className={layout.form} onSubmit={submit}>
        <TextInput label="Email" name="email" type="email" autoComplete="username" required autoFocus withAsterisk={false} />
        <PasswordInput
          ref={password}
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
        />
        <FormProblem error={problem} words={signInWords} />
        <Button type="submit" loading={busy} fullWidth>
          Sign in
        </Button>
      </form>
    </AuthLayout>
  );
}

function signInWords(error: unknown): string | null {
  if (error instanceof ApiError && error.code === 'INVALID_CREDENTIALS') {
    return 'This email and password do not go together. Check both; capital letters count.';
  }
  return null;
}
