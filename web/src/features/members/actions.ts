import { useQueryClient } from '@tanstack/react-query';
import { useMe } from '~/api/account';
import { api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { Invitation, Invited, Role } from '~/api/types';
import { notifyDone } from '~/ui/notify';

/** Everything that can be done with invitations of the open workspace. */
export function usePeople() {
  const queryClient = useQueryClient();
  const { workspace } = useMe();
  const ws = workspace?.id ?? '';
  const refresh = async () => {
    await Promise.all([
      queryClient.invalidateQueries({ queryKey: keys.members(ws) }),
      queryClient.invalidateQueries({ queryKey: keys.invitations(ws) }),
    ]);
  };

  async function invite(email: string, role: Role): Promise<Invited> {
    return api.post<Invited>(path`/workspaces/${ws}/members`, { email, role });
  }

  async function resend(invitation: Invitation): Promise<Invited> {
    const answer = await api.post<Invited>(path`/workspaces/${ws}/invitations/${invitation.id}/resend`);
    await refresh();
    return answer;
  }

  async function revoke(invitation: Invitation) {
    await api.del(path`/workspaces/${ws}/invitations/${invitation.id}`);
    await refresh();
    notifyDone(`The invitation of ${invitation.email} is taken back. Its link works no more.`);
  }

  return { invite, resend, revoke, refresh };
}
