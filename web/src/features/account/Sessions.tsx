import { Button } from '@mantine/core';
import { IconDeviceDesktop, IconDeviceMobile, IconTerminal2 } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { Session } from '~/api/types';
import { ErrorState } from '~/ui/ErrorState';
import { notifyDone, notifyError } from '~/ui/notify';
import { RelativeTime } from '~/ui/RelativeTime';
import { Rows, RowsSkeleton, rowsClasses } from '~/ui/Rows';
import { describeAgent } from './agent';
import { Section } from './Section';
import classes from './Section.module.css';

const icons = { computer: IconDeviceDesktop, phone: IconDeviceMobile, program: IconTerminal2 };

/** Where this account is signed in, each one to be ended. */
export function Sessions() {
  const queryClient = useQueryClient();
  const query = useQuery({
    queryKey: keys.sessions,
    queryFn: async ({ signal }) => (await api.list<Session>('/auth/sessions', { signal })).items,
  });
  const others = query.data?.filter((session) => !session.current).length ?? 0;

  async function end(session: Session) {
    const before = query.data;
    queryClient.setQueryData<Session[]>(keys.sessions, (list) => list?.filter((other) => other.id !== session.id));
    try {
      await api.del(path`/auth/sessions/${session.id}`);
      notifyDone('That browser is signed out.');
    } catch (error) {
      queryClient.setQueryData(keys.sessions, before);
      notifyError(error);
    }
  }

  async function endOthers() {
    try {
      const { revoked } = await api.del<{ revoked: number }>('/auth/sessions');
      notifyDone(revoked === 1 ? 'One other browser is signed out.' : `${revoked} other browsers are signed out.`);
    } catch (error) {
      notifyError(error);
    }
    await queryClient.invalidateQueries({ queryKey: keys.sessions });
  }

  return (
    <Section title="Sessions" description="Where you are signed in. End what you do not know, then change your password.">
      {query.isPending && <RowsSkeleton rows={2} />}
      {query.isError && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && (
        <Rows label="Sessions">
          {query.data.map((session) => (
            <SessionRow key={session.id} session={session} onEnd={() => void end(session)} />
          ))}
        </Rows>
      )}
      {others > 0 && (
        <div className={classes.buttons}>
          <Button variant="default" onClick={endOthers}>
            Sign out everywhere else
          </Button>
        </div>
      )}
    </Section>
  );
}

function SessionRow({ session, onEnd }: { session: Session; onEnd: () => void }) {
  const agent = describeAgent(session.user_agent);
  const Icon = icons[agent.kind];
  return (
    <li className={rowsClasses.row}>
      <Icon size={20} stroke={1.5} aria-hidden />
      <div className={rowsClasses.words}>
        <span className={rowsClasses.title}>{agent.name}</span>
        <span className={rowsClasses.quiet}>
          {session.address && `${session.address} · `}
          {session.current ? (
            'this browser'
          ) : (
            <>
              last used <RelativeTime time={session.last_used_at} />
            </>
          )}
          {' · signed in '}
          <RelativeTime time={session.created_at} />
        </span>
      </div>
      {!session.current && (
        <Button variant="subtle" color="red" size="xs" onClick={onEnd} aria-label={`End the session: ${agent.name}`}>
          End
        </Button>
      )}
    </li>
  );
}
