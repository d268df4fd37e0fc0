import { Button } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, path } from '~/api/client';
import { importQuery, isBusy } from '~/api/imports';
import { keys } from '~/api/keys';
import type { ImportRun } from '~/api/types';
import { ErrorState } from '~/ui/ErrorState';
import { notifyError } from '~/ui/notify';
import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { RowsSkeleton } from '~/ui/Rows';
import classes from './Import.module.css';
import { Outcome } from './Outcome';
import { stateWords } from './words';

/** An import: what would happen, the way it goes, and what came of it. It can be left and come back to. */
export function RunPage() {
  const { id } = useParams({ from: '/app/import/$id' });
  const query = useQuery(importQuery(id));
  return (
    <Page width="reading">
      <PageHeader
        title={query.data?.name || 'Import'}
        above={
          <Link to="/import" className={classes.back}>
            <IconArrowLeft size={14} aria-hidden /> Import
          </Link>
        }
        description={query.data && stateWords[query.data.state]}
        actions={query.data && <Actions run={query.data} />}
      />
      {query.isPending && <RowsSkeleton rows={4} />}
      {query.isError && !query.data && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && <Run run={query.data} />}
    </Page>
  );
}

function Run({ run }: { run: ImportRun }) {
  const share = run.total > 0 ? run.done / run.total : 0;
  return (
    <>
      {isBusy(run) && (
        <div className={classes.progress} role="status">
          <progress value={share} max={1} aria-label={stateWords[run.state]} />
          <span className={classes.quiet}>
            {run.done.toLocaleString()} of {run.total.toLocaleString()}. You can leave this page: it goes on.
          </span>
        </div>
      )}
      {run.message && (
        <p className={run.state === 'failed' ? classes.problem : classes.quiet} role={run.state === 'failed' ? 'alert' : undefined}>
          {run.message}
        </p>
      )}
      {run.warnings.map((warning) => (
        <p key={warning} className={classes.warning} role="note">
          {warning}
        </p>
      ))}
      {run.total > 0 && !isBusy(run) && <Outcome key={run.state} run={run} />}
    </>
  );
}

function Actions({ run }: { run: ImportRun }) {
  const queryClient = useQueryClient();
  const [busy, setBusy] = useState(false);
  const coming = run.counts.created + run.counts.updated;

  async function act(action: 'apply' | 'cancel') {
    setBusy(true);
    try {
      const query = action === 'apply' ? { wait: false } : {};
      await api.post(path`/imports/${run.id}/${action}`, {}, { query });
      await queryClient.invalidateQueries({ queryKey: keys.imports });
      await queryClient.invalidateQueries({ queryKey: keys.promptLists });
    } catch (error) {
      notifyError(error);
    } finally {
      setBusy(false);
    }
  }

  if (isBusy(run)) {
    return (
      <Button variant="default" loading={busy} onClick={() => void act('cancel')}>
        Stop
      </Button>
    );
  }
  if (run.state === 'done' && !run.dry_run) {
    return (
      <Button component={Link} to="/prompts">
        Go to your prompts
      </Button>
    );
  }
  if (run.state !== 'checked') return null;
  const refused = run.all_or_nothing && run.counts.failed > 0;
  return (
    <Button loading={busy} disabled={coming === 0 || refused} onClick={() => void act('apply')}>
      {coming === 1 ? 'Import 1 entry' : `Import ${coming.toLocaleString()} entries`}
    </Button>
  );
}
