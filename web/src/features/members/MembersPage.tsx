import { Button } from '@mantine/core';
import { IconUserPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { useMe, useRight } from '~/api/account';
import { membersQuery } from '~/api/people';
import type { Member } from '~/api/types';
import { ErrorState } from '~/ui/ErrorState';
import { Help } from '~/ui/Help';
import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { Rows, RowsSkeleton } from '~/ui/Rows';
import { useShortcut } from '~/ui/shortcuts';
import { Invitations } from './Invitations';
import { LeaveDialog } from './LeaveDialog';
import classes from './Members.module.css';
import { MemberRow } from './MemberRow';
import { roles } from './words';

const InviteDialog = lazy(() => import('./InviteDialog'));
const RightsDialog = lazy(() => import('./RightsDialog'));

type Open = { dialog: 'invite' } | { dialog: 'rights' | 'remove'; member: Member } | null;

/** Who works in this workspace, and who is asked to. */
export function MembersPage() {
  const { workspace } = useMe();
  const mayInvite = useRight('members');
  const id = workspace?.id ?? '';
  const query = useQuery({ ...membersQuery(id), enabled: workspace !== null });
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  useShortcut({ keys: 'n', description: 'Invite somebody' }, () => setOpen({ dialog: 'invite' }), mayInvite);
  const owners = query.data?.filter(({ role }) => role === 'owner').length ?? 0;

  return (
    <Page width="reading">
      <PageHeader
        title="Members"
        description={`Who works in “${workspace?.name ?? ''}”, and what each of them may do.`}
        help={
          <Help question="What may the roles do?">
            <dl className={classes.roles}>
              {roles.map(({ value, label, text }) => (
                <div key={value}>
                  <dt>{label}</dt>
                  <dd>{text}</dd>
                </div>
              ))}
            </dl>
          </Help>
        }
        actions={
          mayInvite && (
            <Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => setOpen({ dialog: 'invite' })}>
              Invite people
            </Button>
          )
        }
      />
      {query.isPending && <RowsSkeleton rows={3} />}
      {query.isError && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && (
        <Rows label="Members">
          {query.data.map((member) => (
            <MemberRow
              key={member.user.id}
              member={member}
              isLastOwner={member.role === 'owner' && owners === 1}
              onRights={() => setOpen({ dialog: 'rights', member })}
              onRemove={() => setOpen({ dialog: 'remove', member })}
            />
          ))}
        </Rows>
      )}
      {mayInvite && workspace && <Invitations workspace={workspace.id} />}
      <Suspense>
        {open?.dialog === 'invite' && <InviteDialog onClose={close} />}
        {open?.dialog === 'rights' && <RightsDialog member={open.member} onClose={close} />}
      </Suspense>
      {open?.dialog === 'remove' && <LeaveDialog member={open.member} onClose={close} />}
    </Page>
  );
}
