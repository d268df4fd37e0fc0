import { Button } from '@mantine/core';
import { IconFileText, IconPlus, IconSearchOff } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { useRole } from '~/api/account';
import { promptsInfiniteQuery } from '~/api/prompts';
import { EmptyState } from '~/ui/EmptyState';
import { ErrorState } from '~/ui/ErrorState';
import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { usePromptActions } from './actions';
import { BulkBar } from './BulkBar';
import { FilterBar } from './FilterBar';
import { isFiltered, type ListSearch, toFilters } from './filters';
import { InUseDialog } from './InUseDialog';
import { PromptTable, PromptTableSkeleton } from './PromptTable';
import { useFacets } from './use-facets';
import { useSelection } from './use-selection';

export function ListPage() {
  const search = useSearch({ from: '/app/prompts' });
  const navigate = useNavigate({ from: '/prompts' });
  const mayWrite = useRole('editor');
  const actions = usePromptActions();
  const facets = useFacets();
  const query = useInfiniteQuery(promptsInfiniteQuery(toFilters(search)));
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;

  const prompts = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const selection = useSelection(prompts);
  const total = query.data?.pages.at(-1)?.total ?? 0;

  const change = useCallback(
    (next: Partial<ListSearch>) => {
      void navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
    },
    [navigate],
  );
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  const neverWritten = query.isSuccess && total === 0 && !isFiltered(search);
  return (
    <Page>
      <PageHeader
        title="Prompts"
        actions={
          mayWrite &&
          !neverWritten && (
            <Button component={Link} to="/prompts/new" leftSection={<IconPlus size={16} aria-hidden />}>
              New Prompt
            </Button>
          )
        }
      />
      {neverWritten ? (
        <FirstPrompt mayWrite={mayWrite} />
      ) : (
        <>
          <FilterBar search={search} facets={facets} onChange={change} count={query.isSuccess && countWords(total)} />
          {query.isPending && <PromptTableSkeleton />}
          {query.isError && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
          {query.isSuccess && prompts.length > 0 && (
            <div style={{ opacity: query.isPlaceholderData ? 0.6 : 1 }}>
              <PromptTable prompts={prompts} total={total} actions={actions} selection={selection} onNearEnd={more} />
            </div>
          )}
          {query.isSuccess && prompts.length === 0 && <NothingFound search={search} onChange={change} />}
        </>
      )}
      <BulkBar selection={selection} archive={search.archived ?? false} />
      {actions.blocked && <InUseDialog blocked={actions.blocked} actions={actions} />}
    </Page>
  );
}

function countWords(total: number): string {
  return `${total.toLocaleString()} ${total === 1 ? 'prompt' : 'prompts'}`;
}

function FirstPrompt({ mayWrite }: { mayWrite: boolean }) {
  if (!mayWrite) {
    return (
      <EmptyState icon={IconFileText} title="No prompts yet">
        As soon as an editor of this workspace writes one, you can read and try it here.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={IconFileText}
      title="Write your first prompt"
      action={
        <Button component={Link} to="/prompts/new" leftSection={<IconPlus size={16} aria-hidden />}>
          New Prompt
        </Button>
      }
    >
      A prompt is a text with places to fill in, such as <code>{'{{ name }}'}</code>. Your programs fetch it by its slug.
      When you publish a new version here, they have it at once: nothing to deploy.
    </EmptyState>
  );
}

function NothingFound({ search, onChange }: { search: ListSearch; onChange: (next: Partial<ListSearch>) => void }) {
  const alone = !search.q && !search.tag && !search.category;
  const onlyArchive = search.archived && !search.unused && alone;
  const onlyUnused = search.unused && !search.archived && alone;
  return (
    <EmptyState
      icon={IconSearchOff}
      title={onlyArchive ? 'The archive is empty' : onlyUnused ? 'Every prompt is in use' : 'Nothing matches'}
      action={
        <Button
          variant="default"
          onClick={() => onChange({ q: undefined, tag: undefined, category: undefined, archived: undefined, unused: undefined })}
        >
          Show all prompts
        </Button>
      }
    >
      {onlyArchive
        ? 'Archived prompts are hidden from the list but still delivered to clients.'
        : onlyUnused
          ? 'Prompts that are older than 30 days and that no program has fetched in that time would stand here.'
          : 'No prompt has all of this. Try fewer words, or remove a filter.'}
    </EmptyState>
  );
}
