import { Skeleton } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId } from 'react';
import type { List } from '~/api/client';
import type { Prompt, WorkspaceUsage } from '~/api/types';
import { ErrorState } from '~/ui/ErrorState';
import { StatusPill } from '~/ui/Pill';
import { RelativeTime } from '~/ui/RelativeTime';
import classes from './Home.module.css';

interface Props {
  title: string;
  query: UseQueryResult<List<Prompt>>;
  keep?: (prompt: Prompt) => boolean;
  shown: number;
  /** What stands there when there is none; absent: the list is not shown then. */
  empty?: string;
}

/** A few prompts under a heading. */
export function ShortList({ title, query, keep = () => true, shown, empty }: Props) {
  const id = useId();
  const prompts = query.data?.items.filter(keep).slice(0, shown);
  if (!empty && !prompts?.length) return null;
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className={classes.heading}>
        {title}
      </h2>
      {query.isPending && <Skeleton height={160} />}
      {query.isError && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
      {prompts?.length === 0 && <p className={classes.empty}>{empty}</p>}
      {prompts && prompts.length > 0 && (
        <ul className={classes.list}>
          {prompts.map((prompt) => (
            <li key={prompt.id} className={classes.item}>
              <Link to="/prompts/$slug" params={{ slug: prompt.slug }} className={classes.row}>
                <span className={classes.words}>
                  <span className={classes.title}>{prompt.title}</span>
                  <span className={classes.quiet}>
                    {prompt.updated_by.name}, <RelativeTime time={prompt.updated_at} />
                  </span>
                </span>
                <State prompt={prompt} />
              </Link>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function State({ prompt }: { prompt: Prompt }) {
  if (prompt.has_draft) return <StatusPill status="draft" />;
  return prompt.live ? <StatusPill status="live">Live v{prompt.live.version}</StatusPill> : <StatusPill status="unpublished" />;
}

/** The prompts that programs ask for most. */
export function MostUsed({ usage, shown }: { usage: WorkspaceUsage | undefined; shown: number }) {
  const id = useId();
  const used = usage?.prompts.filter(({ slug, total_requests }) => slug && total_requests > 0).slice(0, shown) ?? [];
  if (used.length === 0) return null;
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className={classes.heading}>
        Used most in 30 days
      </h2>
      <ul className={classes.list}>
        {used.map((prompt) => (
          <li key={prompt.prompt_id} className={classes.item}>
            <Link to="/prompts/$slug" params={{ slug: prompt.slug! }} className={classes.row}>
              <span className={classes.words}>
                <span className={classes.title}>{prompt.title ?? prompt.slug}</span>
                {prompt.total_errors > 0 && (
                  <span className={classes.quiet}>{prompt.total_errors.toLocaleString()} failed</span>
                )}
              </span>
              <span className={`${classes.quiet} ${classes.number}`}>{prompt.total_requests.toLocaleString()} calls</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
