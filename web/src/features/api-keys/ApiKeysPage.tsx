import { Button } from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { useRole } from '~/api/account';
import { api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { ApiKey } from '~/api/types';
import { KeyHelp } from '~/features/help/topics';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { EmptyState } from '~/ui/EmptyState';
import { ErrorState } from '~/ui/ErrorState';
import { notifyDone } from '~/ui/notify';
import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { Rows, RowsSkeleton } from '~/ui/Rows';
import { useShortcut } from '~/ui/shortcuts';
import { KeyRow } from './KeyRow';
import { apiKeysQuery } from './queries';
import { maskedKey } from './words';

const NewKeyDialog = lazy(() => import('./NewKeyDialog'));
const RotateDialog = lazy(() => import('./RotateDialog'));

type Open = { dialog: 'new' } | { dialog: 'rotate' | 'revoke'; key: ApiKey } | null;

export function ApiKeysPage() {
  const isAdmin = useRole('admin');
  const queryClient = useQueryClient();
  const query = useQuery({ ...apiKeysQuery, enabled: isAdmin });
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  useShortcut({ keys: 'n', description: 'Make an API key' }, () => setOpen({ dialog: 'new' }), isAdmin);

  async function revoke(key: ApiKey) {
    await api.del(path`/api-keys/${key.id}`);
    await queryClient.invalidateQueries({ queryKey: keys.apiKeys });
    notifyDone(`“${key.name}” is revoked. It is refused from now on.`);
  }

  const makeOne = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpen({ dialog: 'new' })}>
      New API key
    </Button>
  );

  if (!isAdmin) {
    return (
      <Page>
        <PageHeader title="API keys" />
        <EmptyState icon={IconKey} title="Admins look after API keys">
          Ask an admin or the owner of this workspace for a key, or to make you an admin.
        </EmptyState>
      </Page>
    );
  }
  return (
    <Page>
      <PageHeader
        title="API keys"
        help={<KeyHelp />}
        description="Programs show a key to fetch your prompts. Give each program its own, so that one can be taken away without touching the others."
        actions={query.data?.length ? makeOne : null}
      />
      {query.isPending && <RowsSkeleton rows={3} />}
      {query.isError && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
      {query.data?.length === 0 && (
        <EmptyState icon={IconKey} title="Make the first API key" action={makeOne}>
          With a key, a program gets a prompt by one request. You will see a line to try it with.
        </EmptyState>
      )}
      {query.data && query.data.length > 0 && (
        <Rows label="API keys">
          {query.data.map((key) => (
            <KeyRow
              key={key.id}
              apiKey={key}
              replacement={query.data.find((other) => other.id === key.replaced_by)}
              onRotate={() => setOpen({ dialog: 'rotate', key })}
              onRevoke={() => setOpen({ dialog: 'revoke', key })}
            />
          ))}
        </Rows>
      )}
      <Suspense>
        {open?.dialog === 'new' && <NewKeyDialog onClose={close} />}
        {open?.dialog === 'rotate' && <RotateDialog apiKey={open.key} onClose={close} />}
      </Suspense>
      {open?.dialog === 'revoke' && (
        <ConfirmDialog
          opened
          onClose={close}
          title={`Revoke “${open.key.name}”?`}
          confirm="Revoke key"
          onConfirm={() => revoke(open.key)}
        >
          Every program that uses <code>{maskedKey(open.key)}</code> is refused at once, and the key cannot be brought back.
          To change it without an interruption, rotate it instead.
        </ConfirmDialog>
      )}
    </Page>
  );
}
