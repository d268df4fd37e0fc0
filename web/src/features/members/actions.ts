import { useQueryClient } from '@tanstack/react-query';
import { meQuery, useMe } from '~/api/account';
import { api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { AffectedKey, Invitation, Invited, Member, Permissions, Role } from '~/api/types';
import { notifyDone, notifyNote } from '~/ui/notify';

interface Changed {
  affected_keys: AffectedKey[];
}

/** Says which programs feel it when somebody may do less. */
function noteKeys(name: string, affected: AffectedKey[]): void {
  const named = (effect: AffectedKey['effect']) =>
    affected.filter((key) => key.effect === effect).map((key) => `“${key.name}”`).join(', ');
  const [stopped, reduced] = [named('stopped'), named('reduced')];
  if (stopped) notifyNote(`API keys that ${name} made are refused now: ${stopped}. Give their programs new ones.`);
  if (reduced) notifyNote(`API keys that ${name} made may do less now: ${reduced}. Check their programs.`);
}

/** Everything that can be done with members and invitations of the open workspace. */
export function usePeople() {
  const queryClient = useQueryClient();
  const { user, workspace } = useMe();
  const ws = workspace?.id ?? '';
  const refresh = async () => {
    await Promise.all([
      queryClient.invalidateQueries({ queryKey: keys.members(ws) }),
      queryClient.invalidateQueries({ queryKey: keys.invitations(ws) }),
    ]);
  };

  async function change(member: Member, next: { role?: Role; permissions?: Permissions }) {
    const { id, name } = member.user;
    const answer = await api.put<Changed>(path`/workspaces/${ws}/members/${id}`, next);
    await refresh();
    if (id === user?.id) await queryClient.invalidateQueries({ queryKey: meQuery.queryKey });
    noteKeys(name, answer.affected_keys);
  }

  async function remove(member: Member) {
    const { id, name } = member.user;
    const answer = await api.del<Changed>(path`/workspaces/${ws}/members/${id}`);
    if (id === user?.id) {
      // What is on the screen belongs to a workspace that is not theirs any more.
      window.location.assign('/');
      return;
    }
    await refresh();
    notifyDone(`${name} is no longer a member.`);
    noteKeys(name, answer.affected_keys);
  }

  async function handOver(member: Member) {
    await api.post(path`/workspaces/${ws}/transfer`, { user: member.user.id });
    await Promise.all([refresh(), queryClient.invalidateQueries({ queryKey: meQuery.queryKey })]);
    notifyDone(`${member.user.name} owns the workspace now.`);
  }

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

  return { change, remove, handOver, invite, resend, revoke, refresh };
}
