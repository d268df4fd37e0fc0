import { useInfiniteQuery } from '@tanstack/react-query';
import { Skeleton } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import { EmptyState, ErrorState } from '~/ui';
import { usePrompt } from '../PromptContext';
import { movesQuery, versionsQuery } from '../queries';
import classes from './History.module.css';
import { LabelsPanel } from './LabelsPanel';
import { Timeline } from './Timeline';
import { VersionPane } from './VersionPane';

/** Everything that was ever written and made live, and the way back to it. */
export function HistoryTab() {
  const { slug, details } = usePrompt();
  const search = useSearch({ from: '/app/prompts/$slug/history' });
  const versions = useInfiniteQuery(versionsQuery(slug));
  const moves = useInfiniteQuery(movesQuery(slug));

  if (versions.error && !versions.data)
    return <ErrorState error={versions.error} onRetry={() => void versions.refetch()} />;
  if (!versions.data) return <Loading />;
  const all = versions.data.pages.flatMap((page) => page.items);
  if (all.length === 0) {
    return (
      <EmptyState title="No versions yet">
        Each publish makes a version that never changes. You can always compare them and go back.
      </EmptyState>
    );
  }
  const shown = search.version ?? details.live?.version ?? all[0]!.number;
  return (
    <div className={classes.tab}>
      <div className={classes.left}>
        <LabelsPanel versions={all} />
        <Timeline
          versions={all}
          moves={moves.data?.pages.flatMap((page) => page.items) ?? []}
          more={{ versions: versions.hasNextPage, moves: moves.hasNextPage }}
          onMore={() => {
            void versions.fetchNextPage();
            void moves.fetchNextPage();
          }}
          loading={versions.isFetchingNextPage || moves.isFetchingNextPage}
          shown={shown}
        />
      </div>
      <VersionPane key={shown} number={shown} versions={all} search={search} />
    </div>
  );
}

function Loading() {
  return (
    <div className={classes.tab} aria-busy="true">
      <div className={classes.left}>
        {Array.from({ length: 5 }, (_, i) => (
          <Skeleton key={i} height={54} mb={8} />
        ))}
      </div>
      <Skeleton height={300} />
    </div>
  );
}
