import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';
import { api } from './client';
import { keys } from './keys';
import type { AuthStatus, Label, Me, Role, Workspace } from './types';

export const authStatusQuery = queryOptions({
  queryKey: keys.authStatus,
  queryFn: ({ signal }) => api.get<AuthStatus>('/auth/status', { signal }),
  staleTime: 60_000,
});

/** Who is signed in. Fails with 401 for nobody. */
export const meQuery = queryOptions({
  queryKey: keys.me,
  queryFn: ({ signal }) => api.get<Me>('/auth/me', { signal }),
  staleTime: 5 * 60_000,
});

/** The labels of the workspace. */
export const labelsQuery = queryOptions({
  queryKey: keys.labels,
  queryFn: async ({ signal }) => (await api.list<Label>('/labels', { query: { limit: 100 }, signal })).items,
  staleTime: 60_000,
});

const chosenWorkspace = 'xr2-workspace';

/** The workspace to open: the one used last in this browser if it is still the caller's, else the first. */
export function pickWorkspace(workspaces: Workspace[]): Workspace | null {
  let remembered: string | null = null;
  try {
    remembered = localStorage.getItem(chosenWorkspace);
  } catch {
    // Storage may be blocked; the first workspace is a fine answer.
  }
  return workspaces.find((workspace) => workspace.id === remembered) ?? workspaces[0] ?? null;
}

export function rememberWorkspace(id: string): void {
  try {
    localStorage.setItem(chosenWorkspace, id);
  } catch {
    // Not remembering is harmless.
  }
}

/** The person who is signed in and the workspace that is open. Only for pages inside the shell. */
export function useMe() {
  const { data } = useSuspenseQuery(meQuery);
  return { me: data, user: data.user, workspace: pickWorkspace(data.workspaces) };
}

const ranks: Record<Role, number> = { viewer: 0, editor: 1, admin: 2, owner: 3 };

/** True when the caller's role in the open workspace is this one or a higher one. */
export function useRole(atLeast: Role): boolean {
  const { workspace } = useMe();
  return workspace !== null && ranks[workspace.role] >= ranks[atLeast];
}

/** True when the caller may do this in the open workspace, by role or by what was allowed them beside it. */
export function useRight(right: 'keys' | 'members' | 'admin' | 'own'): boolean {
  const { workspace } = useMe();
  return workspace?.rights.includes(right) ?? false;
}
