import { meQuery } from '~/api/account';
import { api } from '~/api/client';
import { keys } from '~/api/keys';
import { queryClient } from '~/api/query-client';
import type { Me, User, Workspace } from '~/api/types';

interface SignedIn {
  user: User;
  workspaces: Workspace[];
}

export interface Registration {
  name: string;
  email: string;
  password: string;
  setup_token?: string;
}

function remember(user: User, workspaces: Workspace[]): void {
  const me: Me = { kind: 'session', user, workspaces };
  queryClient.setQueryData(meQuery.queryKey, me);
  void queryClient.invalidateQueries({ queryKey: keys.authStatus });
}

/** Signs in. The session lives in a cookie that scripts cannot read. */
export async function signIn(email: string, password: string): Promise<User> {
  const { user, workspaces } = await api.post<SignedIn>('/auth/login', { email, password });
  remember(user, workspaces);
  return user;
}

/** Makes an account and signs in with it. */
export async function register(registration: Registration): Promise<void> {
  const { user, workspace } = await api.post<{ user: User; workspace: Workspace }>('/auth/register', registration);
  remember(user, [workspace]);
}

/** Ends this session. The page is loaded afresh, so that nothing of the account stays in memory. */
export async function signOut(): Promise<void> {
  await api.post('/auth/logout');
  window.location.assign('/login');
}
