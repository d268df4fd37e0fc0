import { useQuery } from '@tanstack/react-query';
import { IconCircleCheckFilled } from '@tabler/icons-react';
import { useState } from 'react';
import { promptDetailsQuery } from '~/api/prompts';
import { RelativeTime } from '~/ui';
import { usePrompt } from '../PromptContext';
import classes from './UseTab.module.css';

const OFTEN = 2_000;
/** Who has not called in this time has gone to do something else first. */
const SOON = 120_000;
const SELDOM = 15_000;

/** Waits for a call and says when it has come. */
export function CallWatch() {
  const { slug, details } = usePrompt();
  const [atFirst] = useState(details.last_fetched_at);
  const [since] = useState(Date.now);
  const { data } = useQuery({
    ...promptDetailsQuery(slug),
    refetchInterval: ({ state }) => {
      const last = state.data?.last_fetched_at ?? null;
      if (last !== null && last !== atFirst) return false;
      return Date.now() - since < SOON ? OFTEN : SELDOM;
    },
    select: (prompt) => prompt.last_fetched_at,
  });
  const last = data ?? null;
  const received = last !== null && last !== atFirst;

  return (
    <p className={classes.watch} role="status" data-received={received || undefined}>
      {received ? <IconCircleCheckFilled size={16} aria-hidden /> : <span className={classes.pulse} aria-hidden />}
      {received ? (
        <span>
          Received: a call came in <RelativeTime time={last} />
        </span>
      ) : atFirst ? (
        <span>
          Waiting for the next call… the last one was <RelativeTime time={atFirst} />
        </span>
      ) : (
        <span>Waiting for your first call…</span>
      )}
    </p>
  );
}
