import { Skeleton } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { UsagePoint, WorkspaceUsage } from '~/api/types';
import { ErrorState } from '~/ui/ErrorState';
import { shortDate } from '~/ui/time';
import classes from './Home.module.css';
import { changeWords, compareWeeks, share } from './weeks';

/** Calls and errors of the last seven days, against the seven before. */
export function Numbers({ query }: { query: UseQueryResult<WorkspaceUsage> }) {
  if (query.isPending) return <Skeleton height={104} mb="lg" />;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const weeks = compareWeeks(query.data.time_series);
  return (
    <section className={classes.numbers} aria-label="The last seven days">
      <div className={classes.figure}>
        <h2>Calls in seven days</h2>
        <div className={classes.big}>{weeks.requests.toLocaleString()}</div>
        <div className={classes.quiet}>{changeWords(weeks.requests, weeks.before.requests) ?? 'no program has called yet'}</div>
      </div>
      <div className={classes.figure}>
        <h2>Calls that failed</h2>
        <div className={classes.big}>{weeks.errors.toLocaleString()}</div>
        <div className={classes.quiet}>
          {share(weeks.errors, weeks.requests)} of all
          {weeks.before.requests > 0 && `, ${share(weeks.before.errors, weeks.before.requests)} in the week before`}
        </div>
      </div>
      <div className={classes.figure}>
        <h2>Day by day</h2>
        <Bars days={weeks.days} />
      </div>
    </section>
  );
}

const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'narrow', timeZone: 'UTC' });

/** A bar for each day, from zero; its number on hover, and for who does not see it. */
function Bars({ days }: { days: UsagePoint[] }) {
  const most = Math.max(1, ...days.map(({ requests }) => requests));
  return (
    <ul className={classes.bars}>
      {days.map(({ at, requests, errors }) => {
        const words = `${shortDate(at)}: ${requests.toLocaleString()} calls, ${errors.toLocaleString()} failed`;
        return (
          <li key={at} className={classes.bar} title={words}>
            <span className={classes.fill} data-none={requests === 0 || undefined} style={{ height: `${(requests / most) * 100}%` }} aria-hidden />
            <span className={classes.day} aria-hidden>
              {weekday.format(new Date(at))}
            </span>
            <span className={classes.hidden}>{words}</span>
          </li>
        );
      })}
    </ul>
  );
}
