import { queryOptions } from '@tanstack/react-query';
import { api, path } from './client';
import { keys } from './keys';
import type { Invitation, InvitationView, Member } from './types';

/** The members of a workspace, in the order in which they came. */
export function membersQuery(workspace: string) {
  return queryOptions({
    queryKey: keys.members(workspace),
    queryFn: async ({ signal }) => (await api.list<Member>(path`/workspaces/${workspace}/members`, { signal })).items,
  });
}

/** Who was invited and has not come yet. */
export function invitationsQuery(workspace: string) {
  return queryOptions({
    queryKey: keys.invitations(workspace),
    queryFn: async ({ signal }) =>
      (await api.list<Invitation>(path`/workspaces/${workspace}/invitations`, { signal })).items,
  });
}

/** An invitation, for whoever holds its link. */
export function invitationQuery(token: string) {
  return queryOptions({
    queryKey: keys.invitation(token),
    queryFn: ({ signal }) => api.get<InvitationView>(path`/invitations/${token}`, { signal }),
    retry: false,
  });
}
