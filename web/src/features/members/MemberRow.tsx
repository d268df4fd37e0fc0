import { ActionIcon, Menu, NativeSelect } from '@mantine/core';
import { IconAdjustments, IconCrown, IconDots, IconUserMinus } from '@tabler/icons-react';
import { useState } from 'react';
import { useMe, useRight } from '~/api/account';
import type { Member, Role } from '~/api/types';
import { Avatar } from '~/ui/Avatar';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { notifyError } from '~/ui/notify';
import { RelativeTime } from '~/ui/RelativeTime';
import { rowsClasses } from '~/ui/Rows';
import { usePeople } from './actions';
import classes from './Members.module.css';
import { fineRights, roleLabel, rolesUpTo } from './words';

interface Props {
  member: Member;
  /** Somebody has to own the workspace. */
  isLastOwner: boolean;
  onRights: () => void;
  onRemove: () => void;
}

/** One person: who, as what, since when, and what can be changed about it. */
export function MemberRow({ member, isLastOwner, onRights, onRemove }: Props) {
  const { user: me, workspace } = useMe();
  const maySetMembers = useRight('members');
  const people = usePeople();
  const [busy, setBusy] = useState(false);
  const [handing, setHanding] = useState(false);
  const { user, role } = member;
  const own = workspace?.role ?? 'viewer';
  const isMe = me?.id === user.id;
  const mayChange = maySetMembers && !isLastOwner && (role !== 'owner' || own === 'owner');

  async function setRole(next: Role) {
    setBusy(true);
    try {
      await people.change(member, { role: next });
    } catch (error) {
      notifyError(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <li className={rowsClasses.row}>
      <Avatar name={user.name || user.email} url={user.avatar_url} size={32} />
      <div className={rowsClasses.words}>
        <span className={rowsClasses.title}>
          {user.name}
          {isMe && <span className={classes.you}>you</span>}
        </span>
        <span className={rowsClasses.quiet}>
          {user.email} · joined <RelativeTime time={member.joined_at} />
          {member.last_seen_at && (
            <>
              {' · here '}
              <RelativeTime time={member.last_seen_at} />
            </>
          )}
        </span>
        <Exceptions member={member} />
      </div>
      <div className={classes.actions}>
        {mayChange ? (
          <NativeSelect
            className={classes.role}
            size="xs"
            aria-label={`Role of ${user.name}`}
            value={role}
            disabled={busy}
            onChange={(event) => void setRole(event.currentTarget.value as Role)}
            data={rolesUpTo(own).map(({ value, label }) => ({ value, label }))}
          />
        ) : (
          <span className={classes.plainRole} title={isLastOwner ? 'The only owner stays one. Make somebody else owner first.' : undefined}>
            {roleLabel(role)}
          </span>
        )}
        {(mayChange || (isMe && !isLastOwner) || (own === 'owner' && !isMe)) && (
          <Menu width={230}>
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`More about ${user.name}`}>
                <IconDots size={18} aria-hidden />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              {mayChange && !isMe && role !== 'owner' && (
                <Menu.Item leftSection={<IconAdjustments size={16} aria-hidden />} onClick={onRights}>
                  Allow or forbid…
                </Menu.Item>
              )}
              {own === 'owner' && !isMe && role !== 'owner' && (
                <Menu.Item leftSection={<IconCrown size={16} aria-hidden />} onClick={() => setHanding(true)}>
                  Hand the workspace over…
                </Menu.Item>
              )}
              {(mayChange || isMe) && !isLastOwner && (
                <Menu.Item color="red" leftSection={<IconUserMinus size={16} aria-hidden />} onClick={onRemove}>
                  {isMe ? 'Leave this workspace…' : 'Remove…'}
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        )}
      </div>
      <ConfirmDialog
        opened={handing}
        onClose={() => setHanding(false)}
        title={`Hand the workspace over to ${user.name}?`}
        confirm="Hand it over"
        onConfirm={() => people.handOver(member)}
      >
        {user.name} becomes the owner, and you an admin. Only the new owner can give it back.
      </ConfirmDialog>
    </li>
  );
}

/** What differs from the role, in one line. */
function Exceptions({ member: { permissions } }: { member: Member }) {
  const named = (allowed: boolean) =>
    fineRights.filter(({ right }) => permissions[right] === allowed).map(({ label }) => label.toLowerCase());
  const more = named(true);
  const less = named(false);
  if (more.length + less.length === 0) return null;
  return (
    <span className={rowsClasses.quiet}>
      {more.length > 0 && `Also: ${more.join(', ')}`}
      {more.length > 0 && less.length > 0 && ' · '}
      {less.length > 0 && `Not: ${less.join(', ')}`}
    </span>
  );
}
