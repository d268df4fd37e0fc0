import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { authStatusQuery } from '~/api/account';
import { AccountForm } from '~/features/auth/AccountForm';
import { AuthLayout } from '~/features/auth/AuthLayout';
import { setupToken } from './token';

/** The first page of a new server: makes the account that runs it. */
export function SetupPage() {
  const navigate = useNavigate();
  const { data: status } = useQuery(authStatusQuery);
  // The token stands behind the #, which browsers never send, so it reaches no log on the way.
  const [token] = useState(() => setupToken(window.location.hash));

  if (status && !status.setup_required) {
    return (
      <AuthLayout title="This server is set up" lead="The set-up link has done its work. Sign in with your account.">
        <Button component={Link} to="/login" fullWidth mt="md">
          Sign in
        </Button>
      </AuthLayout>
    );
  }
  if (!token) {
    return (
      <AuthLayout
        title="Almost there"
        lead="This server is new and waits for its first account. Open the set-up link that it printed where it was started: look for a line with /setup#token=… in its output."
      />
    );
  }
  return (
    <AuthLayout
      title="Set up xr2"
      lead="Make the first account. It becomes the operator: the one who looks after this server."
    >
      <AccountForm submit="Set up" setupToken={token} onDone={() => void navigate({ to: '/' })} />
    </AuthLayout>
  );
}
