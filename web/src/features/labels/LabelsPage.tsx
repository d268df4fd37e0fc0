import { Button } from '@mantine/core';
import { IconLock, IconPlus, IconTag } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { labelsQuery, useRole } from '~/api/account';
import { ApiError, api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { InUseReason, Label } from '~/api/types';
import { LabelHelp } from '~/features/help/topics';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { EmptyState } from '~/ui/EmptyState';
import { ErrorState } from '~/ui/ErrorState';
import { notifyDone, notifyError, notifyUndo } from '~/ui/notify';
import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { Rows, RowsSkeleton, rowsClasses } from '~/ui/Rows';
import { swatchOf } from '~/ui/label-color';
import { useShortcut } from '~/ui/shortcuts';
import classes from './LabelsPage.module.css';

const LabelDialog = lazy(() => import('./LabelDialog'));

/** The one that is delivered when a client asks for none; it is always there. */
const delivered = 'production';

type Open = { dialog: 'new' } | { dialog: 'edit'; label: Label } | { dialog: 'used'; label: Label; slugs: string[] } | null;

export function LabelsPage() {
  const isAdmin = useRole('admin');
  const queryClient = useQueryClient();
  const query = useQuery(labelsQuery);
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  useShortcut({ keys: 'n', description: 'Make a label' }, () => setOpen({ dialog: 'new' }), isAdmin);

  const refresh = () => queryClient.invalidateQueries({ queryKey: keys.labels });

  async function remove(label: Label, force: boolean) {
    await api.del(path`/labels/${label.name}`, { query: { force: force || undefined } });
    await Promise.all([refresh(), queryClient.invalidateQueries({ queryKey: keys.promptLists })]);
  }

  async function tryRemove(label: Label) {
    try {
      await remove(label, false);
      notifyUndo({
        message: `The label “${label.name}” is deleted.`,
        undo: async () => {
          const { name, color, description, protected: isProtected } = label;
          await api.post('/labels', { name, color, description: description ?? '', protected: isProtected });
          await refresh();
        },
      });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'IN_USE') return notifyError(error);
      const reasons = (error.details.reasons ?? []) as InUseReason[];
      setOpen({ dialog: 'used', label, slugs: reasons.flatMap((reason) => ('slug' in reason ? [reason.slug] : [])) });
    }
  }

  return (
    <Page>
      <PageHeader
        title="Labels"
        help={<LabelHelp />}
        description={
          <>
            A label points at one version of a prompt. Clients get <code>production</code> unless they ask for another one,
            such as a <code>staging</code> to try things in.
          </>
        }
        actions={
          isAdmin && (
            <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpen({ dialog: 'new' })}>
              New label
            </Button>
          )
        }
      />
      {query.isPending && <RowsSkeleton rows={3} />}
      {query.isError && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
      {query.data?.length === 0 && (
        <EmptyState icon={IconTag} title="No labels yet">
          The label <code>production</code> appears with the first prompt that goes live.
        </EmptyState>
      )}
      {query.data && query.data.length > 0 && (
        <Rows label="Labels">
          {query.data.map((label) => (
            <li key={label.name} className={rowsClasses.row}>
              <span className={classes.swatch} style={{ background: swatchOf(label.color) }} aria-hidden />
              <div className={rowsClasses.words}>
                <span className={rowsClasses.title}>
                  <code>{label.name}</code>
                  {label.protected && (
                    <span className={classes.protected}>
                      <IconLock size={13} aria-hidden />
                      Protected: only admins move it
                    </span>
                  )}
                </span>
                <span className={rowsClasses.quiet}>
                  {label.description || (label.name === delivered ? 'What clients get when they ask for no label.' : null)}
                </span>
              </div>
              <span className={rowsClasses.quiet}>
                {label.prompts === 1 ? 'On 1 prompt' : `On ${label.prompts.toLocaleString()} prompts`}
              </span>
              {isAdmin && (
                <div className={`${rowsClasses.actions} ${classes.actions}`}>
                  <Button
                    variant="default"
                    size="xs"
                    aria-label={`Edit ${label.name}`}
                    onClick={() => setOpen({ dialog: 'edit', label })}
                  >
                    Edit
                  </Button>
                  {label.name !== delivered && (
                    <Button
                      variant="subtle"
                      color="red"
                      size="xs"
                      aria-label={`Delete ${label.name}`}
                      onClick={() => tryRemove(label)}
                    >
                      Delete
                    </Button>
                  )}
                </div>
              )}
            </li>
          ))}
        </Rows>
      )}
      <Suspense>
        {open?.dialog === 'new' && <LabelDialog onClose={close} taken={query.data ?? []} />}
        {open?.dialog === 'edit' && <LabelDialog onClose={close} label={open.label} taken={query.data ?? []} />}
      </Suspense>
      {open?.dialog === 'used' && (
        <ConfirmDialog
          opened
          onClose={close}
          title={`Delete the label “${open.label.name}”?`}
          confirm="Delete label"
          onConfirm={async () => {
            await remove(open.label, true);
            notifyDone(`The label “${open.label.name}” is deleted.`);
          }}
        >
          It is on {promptsWords(open.label.prompts, open.slugs)}. Clients that ask for it get “not found” from then on. The
          versions stay; where the label stood does not.
        </ConfirmDialog>
      )}
    </Page>
  );
}

function promptsWords(count: number, slugs: string[]): string {
  const named = slugs.slice(0, 3).join(', ');
  const total = Math.max(count, slugs.length);
  if (!named) return total === 1 ? 'one prompt' : `${total} prompts`;
  return total > 3 ? `${total} prompts (${named} and others)` : named;
}
