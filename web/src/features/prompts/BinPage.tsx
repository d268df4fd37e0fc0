import { Button } from '@mantine/core';
import { IconArrowBackUp, IconTrash } from '@tabler/icons-react';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useRole } from '~/api/account';
import { api, path } from '~/api/client';
import { keys } from '~/api/keys';
import { promptsInfiniteQuery } from '~/api/prompts';
import type { Prompt } from '~/api/types';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { EmptyState } from '~/ui/EmptyState';
import { ErrorState } from '~/ui/ErrorState';
import { notifyDone, notifyError } from '~/ui/notify';
import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { RelativeTime } from '~/ui/RelativeTime';
import { Rows, RowsSkeleton, rowsClasses as classes } from '~/ui/Rows';
import { usePromptActions } from './actions';
import { removeFromLists } from './list-cache';

/** Prompts that were deleted: to be restored, or deleted for good. */
export function BinPage() {
  const isAdmin = useRole('admin');
  const [purging, setPurging] = useState<Prompt | null>(null);
  const [emptying, setEmptying] = useState(false);
  const query = useInfiniteQuery(promptsInfiniteQuery({ deleted: 'true', archived: 'all', limit: 100 }));
  const queryClient = useQueryClient();
  const { restore } = usePromptActions();
  const prompts = query.data?.pages.flatMap((page) => page.items) ?? [];

  async function putBack(prompt: Prompt) {
    const undo = removeFromLists(queryClient, prompt.id);
    try {
      await restore(prompt);
      notifyDone(`“${prompt.title}” is restored. Its versions and labels are as they were.`);
    } catch (error) {
      undo();
      notifyError(error, `“${prompt.title}” was not restored`);
    }
  }

  async function purge(prompt: Prompt) {
    await api.del(path`/prompts/${prompt.id}`, { query: { permanent: true } });
    removeFromLists(queryClient, prompt.id);
    await queryClient.invalidateQueries({ queryKey: keys.promptLists });
    notifyDone(`“${prompt.title}” is gone for good.`);
  }

  async function empty() {
    const { purged } = await api.del<{ purged: number }>('/bin');
    await queryClient.invalidateQueries({ queryKey: keys.promptLists });
    notifyDone(purged === 1 ? 'One prompt is gone for good.' : `${purged} prompts are gone for good.`);
  }

  const total = query.data?.pages.at(-1)?.total ?? 0;
  return (
    <Page>
      <PageHeader
        title="Bin"
        description="Clients get “not found” for these prompts. Nothing of them is lost until you delete them for good."
        actions={
          isAdmin &&
          total > 0 && (
            <Button variant="default" onClick={() => setEmptying(true)}>
              Empty the bin
            </Button>
          )
        }
      />
      {query.isPending && <RowsSkeleton rows={4} />}
      {query.isError && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
      {query.isSuccess && prompts.length === 0 && (
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
      {prompts.length > 0 && (
        <Rows label="Prompts in the bin">
          {prompts.map((prompt) => (
            <li key={prompt.id} className={classes.row}>
              <div className={classes.words}>
                <span className={classes.title}>{prompt.title}</span>
                <span className={classes.quiet}>
                  <code>{prompt.slug}</code>
                  {prompt.deleted_at && (
                    <>
                      {' · deleted '}
                      <RelativeTime time={prompt.deleted_at} />
                    </>
                  )}
                  {prompt.deleted_by && ` by ${prompt.deleted_by.name}`}
                </span>
              </div>
              <div className={classes.actions}>
                {prompt.can.delete && (
                  <Button
                    variant="default"
                    size="xs"
                    leftSection={<IconArrowBackUp size={14} aria-hidden />}
                    aria-label={`Restore ${prompt.title}`}
                    onClick={() => putBack(prompt)}
                  >
                    Restore
                  </Button>
                )}
                {isAdmin && (
                  <Button
                    variant="subtle"
                    color="red"
                    size="xs"
                    aria-label={`Delete ${prompt.title} for good`}
                    onClick={() => setPurging(prompt)}
                  >
                    Delete for good
                  </Button>
                )}
              </div>
            </li>
          ))}
        </Rows>
      )}
      {query.hasNextPage && (
        <Button variant="default" mt="md" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show more
        </Button>
      )}
      {emptying && (
        <ConfirmDialog
          opened
          onClose={() => setEmptying(false)}
          title={total === 1 ? 'Delete one prompt for good?' : `Delete all ${total} prompts for good?`}
          confirm="Empty the bin"
          onConfirm={empty}
        >
          Everything in the bin goes, with all versions, drafts and history: {namedFew(prompts, total)}. There is no way back.
        </ConfirmDialog>
      )}
      {purging && (
        <ConfirmDialog
          opened
          onClose={() => setPurging(null)}
          title={`Delete “${purging.title}” for good?`}
          confirm="Delete for good"
          onConfirm={() => purge(purging)}
        >
          Its {versionsWords(purging)}, its draft and its history go with it, and the slug <code>{purging.slug}</code> becomes
          free for others. There is no way back.
        </ConfirmDialog>
      )}
    </Page>
  );
}

function versionsWords(prompt: Prompt): string {
  const count = prompt.latest_version;
  return count === 1 ? 'one version' : `${count} versions`;
}

/** The first few by name, so that one sees what will go. */
function namedFew(prompts: Prompt[], total: number): string {
  const named = prompts.slice(0, 3).map((prompt) => `“${prompt.title}”`);
  const rest = total - named.length;
  return rest > 0 ? `${named.join(', ')} and ${rest} more` : named.join(', ');
}
