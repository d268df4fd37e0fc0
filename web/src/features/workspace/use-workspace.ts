import { useQueryClient } from '@tanstack/react-query';
import { meQuery, useMe } from '~/api/account';
import { api, path } from '~/api/client';
import type { Workspace, WorkspaceSettings } from '~/api/types';

/** What can be changed about the open workspace; every change is seen in the sidebar at once. */
export function useWorkspaceChanges() {
  const queryClient = useQueryClient();
  const { workspace } = useMe();
  const ws = workspace?.id ?? '';
  const refresh = () => queryClient.invalidateQueries({ queryKey: meQuery.queryKey });

  async function done(answer: Promise<unknown>) {
    await answer;
    await refresh();
  }

  return {
    change: (next: { name?: string; slug?: string; settings?: Partial<WorkspaceSettings> }) =>
      done(api.put<Workspace>(path`/workspaces/${ws}`, next)),
  };
}
