import { useMe } from '~/api/account';
import type { Member } from '~/api/types';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { usePeople } from './actions';

/** Asks before somebody is put out of the workspace, or goes. */
export function LeaveDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const { user: me, workspace } = useMe();
  const { remove } = usePeople();
  const { id, name } = member.user;
  const isMe = me?.id === id;
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={isMe ? `Leave “${workspace?.name}”?` : `Remove ${name}?`}
      confirm={isMe ? 'Leave' : 'Remove'}
      onConfirm={() => remove(member)}
    >
      {isMe
        ? 'You can come back only when somebody invites you. What you wrote stays here. API keys that you made stop working.'
        : `${name} is signed out of this workspace at once. What they wrote stays. API keys that they made stop working; you are told which.`}
    </ConfirmDialog>
  );
}
