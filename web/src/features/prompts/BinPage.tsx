import { Button, Checkbox, CloseButton } from '@mantine/core';
import { IconArrowBackUp, IconTrash } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { useRole } from '~/api/account';
import { api } from '~/api/client';
import type { PromptFilters } from '~/api/prompts';
import type { ListedPrompt } from '~/api/types';
import bar from '~/features/bulk/BulkBar.module.css';
import { BulkReport } from '~/features/bulk/BulkReport';
import { refreshPrompts, useBulk } from '~/features/bulk/use-bulk';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { EmptyState } from '~/ui/EmptyState';
import { ErrorState } from '~/ui/ErrorState';
import { notifyDone } from '~/ui/notify';
import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { RowsSkeleton, rowsClasses } from '~/ui/Rows';
import classes from './BinPage.module.css';
import { BinRow } from './BinRow';
import { pageSize } from './filters';
import { usePromptWindow } from './use-prompt-window';
import { useSelection } from './use-selection';

const filters: PromptFilters = { deleted: 'true', archived: 'all', limit: pageSize };

/** Prompts that were deleted: to be restored, or deleted for good. */
export function BinPage() {
  const isAdmin = useRole('admin');
  const queryClient = useQueryClient();
  const { head, count, rowAt, onSight, loaded } = usePromptWindow(filters);
  const selection = useSelection('bin', loaded);
  const bulk = useBulk();
  const [purging, setPurging] = useState<ListedPrompt[]>([]);
  const [emptying, setEmptying] = useState(false);

  async function run(action: 'restore' | 'purge', prompts: ListedPrompt[]) {
    selection.keep(await bulk.run({ action }, prompts));
  }

  async function empty() {
    const { purged } = await api.del<{ purged: number }>('/bin');
    await refreshPrompts(queryClient);
    notifyDone(purged === 1 ? 'One prompt is gone for good.' : `${purged.toLocaleString()} prompts are gone for good.`);
  }

  const { selected } = selection;
  return (
    <Page>
      <PageHeader
        title="Bin"
        description="Clients get “not found” for these prompts. Nothing of them is lost until you delete them for good."
        actions={
          isAdmin &&
          count > 0 && (
            <Button variant="default" onClick={() => setEmptying(true)}>
              Empty the bin
            </Button>
          )
        }
      />
      {head.isPending && <RowsSkeleton rows={4} />}
      {head.isError && <ErrorState error={head.error} onRetry={() => void head.refetch()} />}
      {head.isSuccess && count === 0 && (
        <EmptyState
          icon={IconTrash}
          title="The bin is empty"
          action={
            <Button variant="default" component={Link} to="/prompts">
              Back to the prompts
            </Button>
          }
        >
          A prompt that you move to the bin waits here with all its versions, so that it can be restored.
        </EmptyState>
      )}
      {count > 0 && (
        <BinList count={count} onSight={onSight}>
          {(index) => {
            const prompt = rowAt(index);
            if (!prompt) return null;
            return (
              <>
                <Checkbox
                  size="xs"
                  aria-label={`Tick ${prompt.title}`}
                  checked={selection.has(prompt.id)}
                  onChange={() => selection.toggle(prompt)}
                />
                <BinRow
                  prompt={prompt}
                  isAdmin={isAdmin}
                  onRestore={() => void run('restore', [prompt])}
                  onPurge={() => setPurging([prompt])}
                />
              </>
            );
          }}
        </BinList>
      )}
      {selected.length > 0 && (
        <section className={bar.bar} aria-label="Ticked prompts" aria-busy={bulk.busy}>
          <span className={bar.count} aria-live="polite">
            {selected.length.toLocaleString()} ticked
          </span>
          <Button
            variant="default"
            size="xs"
            disabled={bulk.busy || !selected.every((prompt) => prompt.can.delete)}
            leftSection={<IconArrowBackUp size={14} aria-hidden />}
            onClick={() => run('restore', selected)}
          >
            Restore
          </Button>
          {isAdmin && (
            <Button variant="subtle" color="red" size="xs" disabled={bulk.busy} onClick={() => setPurging(selected)}>
              Delete for good
            </Button>
          )}
          <CloseButton aria-label="Untick all" onClick={selection.clear} />
        </section>
      )}
      <BulkReport bulk={bulk} />
      {emptying && (
        <ConfirmDialog
          opened
          onClose={() => setEmptying(false)}
          title={count === 1 ? 'Delete one prompt for good?' : `Delete all ${count.toLocaleString()} prompts for good?`}
          confirm="Empty the bin"
          onConfirm={empty}
        >
          Everything in the bin goes, with all versions, drafts and history: {namedFew(loaded, count)}. There is no way back.
        </ConfirmDialog>
      )}
      {purging.length > 0 && (
        <PurgeDialog prompts={purging} onClose={() => setPurging([])} onConfirm={() => run('purge', purging)} />
      )}
    </Page>
  );
}

interface ListProps {
  count: number;
  onSight: (first: number, last: number) => void;
  children: (index: number) => React.ReactNode;
}

const virtualFrom = 100;

function BinList({ count, onSight, children }: ListProps) {
  const list = useRef<HTMLUListElement>(null);
  const isVirtual = count > virtualFrom;
  const virtualizer = useWindowVirtualizer({
    count,
    enabled: isVirtual,
    estimateSize: () => 64,
    overscan: 10,
    scrollMargin: list.current?.offsetTop ?? 0,
  });
  const items = virtualizer.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (isVirtual) onSight(first, last);
  }, [isVirtual, first, last, onSight]);

  const height = isVirtual ? virtualizer.getTotalSize() : undefined;
  return (
    <ul ref={list} className={`${rowsClasses.rows} ${isVirtual ? classes.virtual : ''}`} aria-label="Prompts in the bin" style={{ height }}>
      {isVirtual
        ? items.map((item) => (
            <li
              key={item.key}
              ref={virtualizer.measureElement}
              data-index={item.index}
              aria-setsize={count}
              aria-posinset={item.index + 1}
              className={`${rowsClasses.row} ${classes.row} ${classes.slot}`}
              style={{ transform: `translateY(${item.start - virtualizer.options.scrollMargin}px)` }}
            >
              {children(item.index)}
            </li>
          ))
        : Array.from({ length: count }, (_, index) => (
            <li key={index} className={`${rowsClasses.row} ${classes.row}`}>
              {children(index)}
            </li>
          ))}
    </ul>
  );
}

interface PurgeProps {
  prompts: ListedPrompt[];
  onClose: () => void;
  onConfirm: () => Promise<void>;
}

function PurgeDialog({ prompts, onClose, onConfirm }: PurgeProps) {
  const [only] = prompts;
  const title = prompts.length === 1 ? `Delete “${only!.title}” for good?` : `Delete ${prompts.length.toLocaleString()} prompts for good?`;
  return (
    <ConfirmDialog opened onClose={onClose} title={title} confirm="Delete for good" onConfirm={onConfirm}>
      {prompts.length === 1 ? (
        <>
          Its {versionsWords(only!)}, its draft and its history go with it, and the slug <code>{only!.slug}</code> becomes free
          for others. There is no way back.
        </>
      ) : (
        <>
          All their versions, drafts and history go with them: {namedFew(prompts, prompts.length)}. There is no way back.
        </>
      )}
    </ConfirmDialog>
  );
}

function versionsWords(prompt: ListedPrompt): string {
  const count = prompt.latest_version;
  return count === 1 ? 'one version' : `${count} versions`;
}

/** The first few by name, so that one sees what will go. */
function namedFew(prompts: ListedPrompt[], total: number): string {
  const named = prompts.slice(0, 3).map((prompt) => `“${prompt.title}”`);
  const rest = total - named.length;
  return rest > 0 ? `${named.join(', ')} and ${rest.toLocaleString()} more` : named.join(', ');
}
