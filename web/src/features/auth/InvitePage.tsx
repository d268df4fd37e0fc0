import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useRef, useState } from 'react';
import { meQuery, rememberWorkspace } from '~/api/account';
import { ApiError, api, path } from '~/api/client';
import { invitationQuery } from '~/api/people';
import type { InvitationView, Workspace } from '~/api/types';
import { roleLabel } from '~/features/members/words';
import { ErrorState } from '~/ui/ErrorState';
import { FormProblem } from '~/ui/FormProblem';
import { useSubmit } from '~/ui/use-submit';
import { AuthLayout } from './AuthLayout';
import layout from './AuthLayout.module.css';
import { linkToken } from './link-token';
import { passwordProblem } from './password';

/** Where the link of an invitation leads. */
export function InvitePage() {
  const [token] = useState(() => keptToken(linkToken(window.location)));
  const invitation = useQuery({ ...invitationQuery(token ?? ''), enabled: token !== null });
  // Nobody signed in is the usual case, not a failure.
  const me = useQuery({ ...meQuery, retry: false });

  if (token === null) return <Spent />;
  if (invitation.isError) return <Refused error={invitation.error} onRetry={() => void invitation.refetch()} />;
  if (invitation.isPending || me.isPending) return <AuthLayout title="An invitation" lead="One moment…" />;
  const view = invitation.data;
  const email = me.data?.user?.email;
  return (
    <AuthLayout
      title={`Join “${view.workspace.name}”`}
      lead={`${view.invited_by} invites you to work there as ${article(roleLabel(view.role).toLowerCase())}.`}
    >
      {email && sameAddress(email, view.email) && <Accept token={token} view={view} />}
      {email && !sameAddress(email, view.email) && <SomebodyElse email={email} view={view} />}
      {!email && view.account_exists && <SignInFirst view={view} />}
      {!email && !view.account_exists && view.registration !== 'closed' && <NewAccount token={token} view={view} />}
      {!email && !view.account_exists && view.registration === 'closed' && (
        <p className={layout.lead}>
          There is no account for {view.email}, and none can be made on this server. Ask whoever runs it for one, then open
          this link again.
        </p>
      )}
    </AuthLayout>
  );
}

const kept = 'xr2-invitation';

/** Keeps the token for the way through the sign-in: in this tab, where no address and no log shows it. */
function keptToken(token: string | null): string | null {
  try {
    if (token) sessionStorage.setItem(kept, token);
    return token ?? sessionStorage.getItem(kept);
  } catch {
    return token;
  }
}

function forget(): void {
  try {
    sessionStorage.removeItem(kept);
  } catch {
    // It works once anyhow.
  }
}

const article = (word: string) => `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
const sameAddress = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

function Refused({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  if (!(error instanceof ApiError) || ![404, 409, 410].includes(error.status)) {
    return (
      <AuthLayout title="An invitation">
        <ErrorState error={error} onRetry={onRetry} />
      </AuthLayout>
    );
  }
  return <Spent />;
}

function Spent() {
  return (
    <AuthLayout
      title="This invitation works no more"
      lead="It was used already, was taken back, or is too old. Ask whoever sent it for a new one."
      foot={<Link to="/login">To the sign-in</Link>}
    />
  );
}

interface Props {
  token: string;
  view: InvitationView;
}

/** What accepting answers. */
interface Accepted {
  workspace: Workspace;
}

/** Accepts, and opens the workspace that one has come into. */
function useAccept(token: string) {
  const queryClient = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const submit = useSubmit(form);
  const accept = (account?: { name: string; password: string }) =>
    submit.run(async () => {
      const { workspace } = await api.post<Accepted>(path`/invitations/${token}/accept`, account ?? {});
      forget();
      rememberWorkspace(workspace.id);
      queryClient.removeQueries({ queryKey: meQuery.queryKey });
      // Everything on the screen changes with the workspace, so begin anew.
      window.location.assign('/');
    }, ['name', 'password']);
  return { form, accept, ...submit };
}

function Accept({ token, view }: Props) {
  const { busy, problem, accept } = useAccept(token);
  return (
    <div className={layout.form}>
      <FormProblem error={problem} words={acceptWords} />
      <Button fullWidth loading={busy} onClick={() => void accept()} autoFocus>
        Join as {view.email}
      </Button>
    </div>
  );
}

function NewAccount({ token, view }: Props) {
  const { form, busy, errors, problem, fail, accept } = useAccept(token);
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');

  function submit(event: FormEvent) {
    event.preventDefault();
    const wrong: Record<string, string> = {};
    if (name.trim() === '') wrong.name = 'Your colleagues see this name beside what you publish.';
    const weak = passwordProblem(password, view.email);
    if (weak) wrong.password = weak;
    if (Object.keys(wrong).length > 0) return fail(wrong);
    void accept({ name: name.trim(), password });
  }

  return (
    <form ref={form} className={layout.form} onSubmit={submit} noValidate>
      <TextInput label="Email" value={view.email} readOnly variant="filled" autoComplete="username" />
      <TextInput label="Your name" name="name" autoComplete="name" autoFocus value={name} onChange={(event) => setName(event.currentTarget.value)} error={errors.name} />
      <PasswordInput
        label="Password"
        name="password"
        description="10 characters or more. Three or four random words are easy to remember and hard to guess."
        autoComplete="new-password"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        error={errors.password}
        visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
      />
      <FormProblem error={problem} words={acceptWords} />
      <Button type="submit" loading={busy} fullWidth>
        Make account and join
      </Button>
    </form>
  );
}

function SignInFirst({ view }: { view: InvitationView }) {
  return (
    <div className={layout.form}>
      <div>There is an account for {view.email}. Sign in with it, and you come back here.</div>
      <Button component="a" href="/login?next=%2Faccept-invitation" fullWidth>
        Sign in to join
      </Button>
    </div>
  );
}

function SomebodyElse({ email, view }: { email: string; view: InvitationView }) {
  const { busy, problem, run } = useSubmit();
  const leave = () =>
    run(async () => {
      await api.post('/auth/logout');
      window.location.reload();
    }, []);
  return (
    <div className={layout.form}>
      <div>
        This invitation is for {view.email}, and you are signed in as {email}. Invitations cannot be passed on: sign out
        and come in as {view.email}, or ask for one to your own address.
      </div>
      <FormProblem error={problem} />
      <Button variant="default" loading={busy} onClick={() => void leave()} fullWidth>
        Sign out
      </Button>
      <Button component={Link} to="/" variant="subtle" fullWidth>
        Stay signed in as {email}
      </Button>
    </div>
  );
}

function acceptWords(error: unknown): string | null {
  if (!(error instanceof ApiError)) return null;
  if (error.status === 404 || error.status === 409) return `${error.message} Ask whoever invited you for a new invitation.`;
  return error.status === 403 ? error.message : null;
}
