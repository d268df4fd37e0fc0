import { Button, NativeSelect, Switch } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useRole } from '~/api/account';
import { EmptyState } from '~/ui/EmptyState';
import { ErrorState } from '~/ui/ErrorState';
import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { RowsSkeleton } from '~/ui/Rows';
import classes from './Activity.module.css';
import { Feed } from './Feed';
import type { ActivitySearch } from './filter';
import { activityQuery } from './queries';
import { groups } from './words';

/** Who did what, and when. */
export function ActivityPage() {
  const search = useSearch({ from: '/app/activity' });
  const navigate = useNavigate({ from: '/activity' });
  const isAdmin = useRole('admin');
  const query = useInfiniteQuery(activityQuery({ type: search.type, actor: search.mine ? 'me' : undefined, prompt: search.prompt }));
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  const change = (next: Partial<ActivitySearch>) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });

  return (
    <Page width="reading">
      <PageHeader title="Activity" description="Who did what, and when." />
      <div className={classes.filters}>
        <NativeSelect
          aria-label="What kind of activity"
          value={search.type ?? ''}
          onChange={(event) => change({ type: event.currentTarget.value || undefined })}
          data={groups.filter(({ adminOnly }) => isAdmin || !adminOnly).map(({ value, label }) => ({ value, label }))}
        />
        <Switch label="Only mine" checked={search.mine ?? false} onChange={(event) => change({ mine: event.currentTarget.checked || undefined })} />
        {search.prompt && (
          <Button variant="default" size="xs" onClick={() => change({ prompt: undefined })}>
            Only {search.prompt}: show all
          </Button>
        )}
      </div>
      {query.isPending && <RowsSkeleton rows={6} />}
      {query.isError && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
      {query.isSuccess && items.length === 0 && !query.hasNextPage && (
        <EmptyState icon={IconHistory} title="Nothing here yet">
          What you and your colleagues do is noted here.
        </EmptyState>
      )}
      {items.length > 0 && <Feed items={items} />}
      {query.hasNextPage && (
        <Button variant="default" mt="md" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show earlier ones
        </Button>
      )}
    </Page>
  );
}
