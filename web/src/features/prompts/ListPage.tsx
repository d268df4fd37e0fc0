import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import { useRole } from '~/api/account';
import { promptListQuery } from '~/api/prompts';
import { BulkBar } from '~/features/bulk/BulkBar';
import { PutIntoFolder } from '~/features/bulk/PutIntoFolder';
import { useFolders } from '~/features/folders/queries';
import { KeepView } from '~/features/views/KeepView';
import { useViews } from '~/features/views/queries';
import { fromViewQuery } from '~/features/views/query';
import { ErrorState } from '~/ui/ErrorState';
import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { usePromptActions } from './actions';
import { FilterBar } from './FilterBar';
import { isFiltered, type ListSearch, pageSize, sameSearch, toFilters } from './filters';
import { InUseDialog } from './InUseDialog';
import { FirstPrompt, NothingFound } from './NoPrompts';
import { PromptTable, PromptTableSkeleton } from './PromptTable';
import { useFacets } from './use-facets';
import { usePromptWindow } from './use-prompt-window';
import { mostTicked, useSelection } from './use-selection';

export function ListPage() {
  const search = useSearch({ from: '/app/prompts' });
  const navigate = useNavigate({ from: '/prompts' });
  const queryClient = useQueryClient();
  const mayWrite = useRole('editor');
  const { actions, blocked, filing } = usePromptActions();
  const facets = useFacets();
  const folder = useFolders().find(({ id }) => id === search.folder);
  const filters = toFilters(search);
  const { head, count, rowAt, onSight, loaded, atLeast } = usePromptWindow(filters);
  const selection = useSelection(JSON.stringify(filters), loaded);

  const change = useCallback(
    (next: Partial<ListSearch>) => {
      void navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
    },
    [navigate],
  );

  async function tickAll() {
    for (let page = 1; (page - 1) * pageSize < Math.min(count, mostTicked); page += 1) {
      selection.add((await queryClient.fetchQuery(promptListQuery({ ...filters, page }))).items);
    }
  }

  const neverWritten = head.isSuccess && count === 0 && !isFiltered(search);
  return (
    <Page>
      <PageHeader
        title={useTitle(search, folder?.name)}
        actions={
          mayWrite &&
          !neverWritten && (
            <Button
              renderRoot={(props) => <Link to="/prompts/new" search={{ folder: folder?.id }} {...props} />}
              leftSection={<IconPlus size={16} aria-hidden />}
            >
              New Prompt
            </Button>
          )
        }
      />
      {neverWritten ? (
        <FirstPrompt mayWrite={mayWrite} />
      ) : (
        <>
          <FilterBar search={search} facets={facets} onChange={change} count={head.isSuccess && countWords(head.data.total, atLeast)}>
            <KeepView search={search} />
          </FilterBar>
          {head.isPending && <PromptTableSkeleton />}
          {head.isError && <ErrorState error={head.error} onRetry={() => void head.refetch()} />}
          {head.isSuccess && count > 0 && (
            <div style={{ opacity: head.isPlaceholderData ? 0.6 : 1 }}>
              <PromptTable count={count} rowAt={rowAt} actions={actions} selection={selection} onSight={onSight} />
            </div>
          )}
          {head.isSuccess && count === 0 && <NothingFound search={search} onChange={change} />}
        </>
      )}
      <BulkBar selection={selection} archive={search.archived ?? false} folder={folder} total={count} onTickAll={tickAll} />
      {filing && <PutIntoFolder prompt={filing} from={folder} onClose={() => actions.file(null)} />}
      {blocked && <InUseDialog blocked={blocked} actions={actions} />}
    </Page>
  );
}

function countWords(total: number, atLeast: boolean): string {
  return `${total.toLocaleString()}${atLeast ? '+' : ''} ${total === 1 ? 'prompt' : 'prompts'}`;
}

/** What the list shows, by the name that somebody gave it where there is one. */
function useTitle(search: ListSearch, folder: string | undefined): string {
  const view = useViews().find(({ query }) => sameSearch(fromViewQuery(query), search));
  if (view) return view.name;
  if (folder) return folder;
  if (search.folder === 'none') return 'In no folder';
  if (search.favourite) return 'Favourites';
  if (search.recent) return 'Recently edited by me';
  return 'Prompts';
}
