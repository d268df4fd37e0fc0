import { Button, Modal } from '@mantine/core';
import { IconMail } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { invitationsQuery } from '~/api/people';
import type { Invitation } from '~/api/types';
import { ErrorState } from '~/ui/ErrorState';
import { notifyDone, notifyError } from '~/ui/notify';
import { RelativeTime } from '~/ui/RelativeTime';
import { Rows, rowsClasses } from '~/ui/Rows';
import { usePeople } from './actions';
import { LinkBox } from './LinkBox';
import classes from './Members.module.css';
import { roleLabel } from './words';

/** Who was asked and has not come yet; nothing where there is nobody. */
export function Invitations({ workspace }: { workspace: string }) {
  const query = useQuery(invitationsQuery(workspace));
  const [link, setLink] = useState<{ email: string; link: string } | null>(null);
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data?.length) return null;
  return (
    <section aria-labelledby="invitations">
      <h2 id="invitations" className={classes.heading}>
        Invited
      </h2>
      <Rows label="Invitations">
        {query.data.map((invitation) => (
          <InvitationRow key={invitation.id} invitation={invitation} onLink={(text) => setLink({ email: invitation.email, link: text })} />
        ))}
      </Rows>
      <Modal opened={link !== null} onClose={() => setLink(null)} title={`A new link for ${link?.email ?? ''}`}>
        <p className={classes.quiet}>
          This server sends no e-mail, so hand it over yourself. The link that was made before works no more.
        </p>
        {link && <LinkBox link={link.link} />}
      </Modal>
    </section>
  );
}

function InvitationRow({ invitation, onLink }: { invitation: Invitation; onLink: (link: string) => void }) {
  const { resend, revoke } = usePeople();
  const [busy, setBusy] = useState(false);

  async function act(action: () => Promise<unknown>) {
    setBusy(true);
    try {
      await action();
    } catch (error) {
      notifyError(error);
    } finally {
      setBusy(false);
    }
  }

  async function again() {
    const { link } = await resend(invitation);
    if (link) onLink(link);
    else notifyDone(`Another e-mail to ${invitation.email} is on its way.`);
  }

  return (
    <li className={rowsClasses.row}>
      <IconMail size={20} stroke={1.5} aria-hidden />
      <div className={rowsClasses.words}>
        <span className={rowsClasses.title}>{invitation.email}</span>
        <span className={rowsClasses.quiet}>
          {roleLabel(invitation.role)} · invited <RelativeTime time={invitation.sent_at} /> by{' '}
          {invitation.invited_by.name} · {invitation.expired ? 'ended' : 'ends'} <RelativeTime time={invitation.expires_at} />
        </span>
      </div>
      <div className={rowsClasses.actions}>
        <Button variant="default" size="xs" disabled={busy} onClick={() => void act(again)} aria-label={`Send again to ${invitation.email}`}>
          Send again
        </Button>
        <Button
          variant="subtle"
          color="red"
          size="xs"
          disabled={busy}
          onClick={() => void act(() => revoke(invitation))}
          aria-label={`Take back the invitation of ${invitation.email}`}
        >
          Take back
        </Button>
      </div>
    </li>
  );
}
