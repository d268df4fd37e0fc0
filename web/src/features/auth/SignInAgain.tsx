import { Button, Modal, PasswordInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useMe } from '~/api/account';
import { ApiError } from '~/api/client';
import { queryClient } from '~/api/query-client';
import { FormProblem } from '~/ui/FormProblem';
import { signIn } from './session';

/** Asks for the password over the page that was open, so that nothing typed there is lost. */
export default function SignInAgain({ onDone }: { onDone: () => void }) {
  const { user } = useMe();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const password = String(new FormData(event.currentTarget).get('password'));
    setBusy(true);
    setProblem(null);
    try {
      await signIn(user?.email ?? '', password);
      onDone();
      await queryClient.invalidateQueries();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  }

  return (
    <Modal opened onClose={onDone} title="You were signed out" withCloseButton={false} closeOnClickOutside={false}>
      <form onSubmit={submit} style={{ display: 'flex', flexDirection: 'column', gap: 16 }}>
        <div style={{ color: 'var(--xr-dimmed)' }}>
          Your session ended. What is on this page is still here: sign in as {user?.email} to go on.
        </div>
        <input type="hidden" name="username" autoComplete="username" value={user?.email ?? ''} readOnly />
        <PasswordInput
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          data-autofocus
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
        />
        <FormProblem
          error={problem}
          words={(error) =>
            error instanceof ApiError && error.code === 'INVALID_CREDENTIALS' ? 'That password is not right.' : null
          }
        />
        <div style={{ display: 'flex', justifyContent: 'flex-end', gap: 8 }}>
          <Button variant="default" component="a" href="/login">
            Leave this page
          </Button>
          <Button type="submit" loading={busy}>
            Sign in
          </Button>
        </div>
      </form>
    </Modal>
  );
}
