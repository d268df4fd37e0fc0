import { Button } from '@mantine/core';
import { IconCircle, IconCircleCheckFilled, IconCircleDot } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useState } from 'react';
import { authStatusQuery, meQuery, useMe, useRole } from '~/api/account';
import { api } from '~/api/client';
import { shortListQuery } from '~/api/home';
import type { Prompt, User } from '~/api/types';
import { apiKeysQuery } from '~/features/api-keys/queries';
import { curlLine } from '~/features/api-keys/words';
import { CopyButton } from '~/ui/CopyButton';
import { notifyError } from '~/ui/notify';
import classes from './Home.module.css';
import { isComplete, type StepName, type StepState, stepsOf } from './steps';

const NewKeyDialog = lazy(() => import('~/features/api-keys/NewKeyDialog'));

const OFTEN = 2_000;
const SEEN = 20;
const seen = shortListQuery({ sort: '-updated_at', limit: SEEN });

const icons = { done: IconCircleCheckFilled, now: IconCircleDot, later: IconCircle };
const stateWords = { done: 'done', now: 'next', later: 'later' };

/** The way from nothing to a program that gets its prompt; goes once it was walked or put away. */
export function Beginning() {
  const { user } = useMe();
  const isAdmin = useRole('admin');
  const mayWrite = useRole('editor');
  const put = usePutAway();
  const hidden = !mayWrite || user?.preferences.beginning === 'done';
  const prompts = useQuery({
    ...seen,
    enabled: !hidden,
    // The first call shall be seen as it comes.
    refetchInterval: ({ state }) => (state.data?.items.some((prompt) => prompt.live) ? OFTEN : false),
  });
  const keys = useQuery({ ...apiKeysQuery, enabled: isAdmin && !hidden });
  // Somebody who watches it happen is told; somebody who comes when all is done is not bothered.
  const [making, setMaking] = useState(false);
  const [watched, setWatched] = useState(false);

  if (hidden || !prompts.data || (isAdmin && !keys.data)) return null;
  const steps = stepsOf({ prompts: prompts.data.items, keys: isAdmin ? (keys.data ?? []) : null });
  const complete = isComplete(steps);
  if (!complete && !watched) setWatched(true);
  if (complete && !watched) return null;

  const all = prompts.data.items;
  const bodies: Record<StepName, ReactNode> = {
    write: <Write />,
    publish: <Publish prompt={all[0]} />,
    key: <Key isAdmin={isAdmin} onMake={() => setMaking(true)} />,
    call: <Call prompt={all.find((prompt) => prompt.live)} />,
  };
  return (
    <section className={classes.beginning} aria-labelledby="beginning">
      <div className={classes.beginningHead}>
        <h2 id="beginning">{complete ? 'Your first call came in' : 'From here to your first call'}</h2>
        <span className={classes.quiet} role="status">
          {complete
            ? 'From now on, whatever you publish is there with the next call.'
            : `${steps.filter(({ state }) => state === 'done').length} of ${steps.length} steps done`}
        </span>
        <Button variant="subtle" color="gray" size="xs" onClick={() => void put()}>
          {complete ? 'Close' : 'Put this away'}
        </Button>
      </div>
      <ol className={classes.steps}>
        {steps.map(({ name, state }) => (
          <StepRow key={name} title={titles[name]} state={state}>
            {bodies[name]}
          </StepRow>
        ))}
      </ol>
      {/* Not within its step: that is done, and folds, in the moment in which the key is shown. */}
      <Suspense>{making && <NewKeyDialog onClose={() => setMaking(false)} />}</Suspense>
    </section>
  );
}

const titles: Record<StepName, string> = {
  write: 'Write a prompt',
  publish: 'Publish it',
  key: 'Make an API key for your program',
  call: 'Let your program fetch it',
};

function StepRow({ title, state, children }: { title: string; state: StepState; children: ReactNode }) {
  const Icon = icons[state];
  return (
    <li className={classes.step} data-state={state}>
      <Icon size={18} aria-hidden />
      <h3>
        {title}
        <span className={classes.hidden}> ({stateWords[state]})</span>
      </h3>
      {state === 'now' && <div className={classes.stepBody}>{children}</div>}
    </li>
  );
}

/** Remembers with the account that the beginning is over. */
function usePutAway() {
  const queryClient = useQueryClient();
  const { user } = useMe();
  return async () => {
    try {
      const preferences = { ...user?.preferences, beginning: 'done' };
      const answer = await api.put<{ user: User }>('/auth/me', { preferences });
      queryClient.setQueryData(meQuery.queryKey, (me) => me && { ...me, user: answer.user });
    } catch (error) {
      notifyError(error);
    }
  };
}

function Write() {
  return (
    <>
      <p>
        A text with places to fill in, such as <code>{'{{ name }}'}</code>. Everything you type is kept as a draft; nothing
        is live before you publish it.
      </p>
      <div className={classes.stepButtons}>
        <Button component={Link} to="/prompts/new" size="xs">
          Write your first prompt
        </Button>
      </div>
    </>
  );
}

function Publish({ prompt }: { prompt: Prompt | undefined }) {
  if (!prompt) return null;
  return (
    <>
      <p>
        Publishing makes a version that never changes, and gives it to your programs. You can go back to an earlier one
        at any time.
      </p>
      <div className={classes.stepButtons}>
        <Button size="xs" renderRoot={(props) => <Link to="/prompts/$slug" params={{ slug: prompt.slug }} {...props} />}>
          Open “{prompt.title}”
        </Button>
      </div>
    </>
  );
}

function Key({ isAdmin, onMake }: { isAdmin: boolean; onMake: () => void }) {
  if (!isAdmin) return <p>Admins make API keys: ask one for a key that fetches prompts.</p>;
  return (
    <>
      <p>Your program shows it to fetch prompts. It is shown to you once, so copy it then.</p>
      <div className={classes.stepButtons}>
        <Button size="xs" onClick={onMake}>
          Make an API key
        </Button>
      </div>
    </>
  );
}

function Call({ prompt }: { prompt: Prompt | undefined }) {
  const { data: status } = useQuery(authStatusQuery);
  if (!prompt) return null;
  const line = curlLine(status?.public_url ?? window.location.origin, 'YOUR_KEY', prompt.slug);
  return (
    <>
      <p>Try it in a terminal, with your key in place of YOUR_KEY:</p>
      <div className={classes.line}>
        <code>{line}</code>
        <CopyButton value={line} label="Copy line" withText size="xs" />
      </div>
      <p>
        <Link to="/prompts/$slug/use" params={{ slug: prompt.slug }}>
          The same in Python and TypeScript
        </Link>
      </p>
      <div className={classes.watch} role="status">
        <span className={classes.pulse} aria-hidden />
        Waiting for your first call…
      </div>
    </>
  );
}
