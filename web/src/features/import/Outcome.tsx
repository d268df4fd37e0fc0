import { Button, NativeSelect } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { importRowsQuery } from '~/api/imports';
import type { ImportCounts, ImportRow, ImportRun } from '~/api/types';
import { ErrorState } from '~/ui/ErrorState';
import { Rows, RowsSkeleton, rowsClasses } from '~/ui/Rows';
import classes from './Import.module.css';
import { rowWords } from './words';

type Shown = keyof ImportCounts | 'all';

const statuses: (keyof ImportCounts)[] = ['created', 'updated', 'unchanged', 'skipped', 'failed'];

/** What becomes of each row of the file; where some have a problem, those first. */
export function Outcome({ run }: { run: ImportRun }) {
  const applied = run.state !== 'checked';
  const [shown, setShown] = useState<Shown>(run.counts.failed > 0 ? 'failed' : 'all');
  const rows = useInfiniteQuery(importRowsQuery(run.id, shown === 'all' ? null : shown, run.state));
  const items = rows.data?.pages.flatMap((page) => page.items) ?? [];
  const present = statuses.filter((status) => run.counts[status] > 0);

  return (
    <section aria-label="Entries of the file">
      <dl className={classes.counts}>
        {present.map((status) => (
          <div key={status} data-status={status}>
            <dt>{rowWords(status, applied)}</dt>
            <dd>{run.counts[status].toLocaleString()}</dd>
          </div>
        ))}
      </dl>
      {present.length > 1 && (
        <NativeSelect
          className={classes.narrow}
          mb="sm"
          size="xs"
          aria-label="Which entries"
          value={shown}
          onChange={(event) => setShown(event.currentTarget.value as Shown)}
          data={[
            { value: 'all', label: `All ${run.total.toLocaleString()}` },
            ...present.map((status) => ({ value: status, label: rowWords(status, applied) })),
          ]}
        />
      )}
      {rows.isPending && <RowsSkeleton rows={4} />}
      {rows.isError && <ErrorState error={rows.error} onRetry={() => void rows.refetch()} />}
      {items.length > 0 && (
        <Rows label="Entries">
          {items.map((row) => (
            <Entry key={row.number} row={row} applied={applied} />
          ))}
        </Rows>
      )}
      {rows.hasNextPage && (
        <Button variant="default" mt="md" loading={rows.isFetchingNextPage} onClick={() => void rows.fetchNextPage()}>
          Show more
        </Button>
      )}
    </section>
  );
}

function Entry({ row, applied }: { row: ImportRow; applied: boolean }) {
  const name = row.title || row.slug || 'An entry without a name';
  const exists = row.kind === 'prompt' && row.slug !== '' && row.status !== 'failed' && (applied || row.status !== 'created');
  return (
    <li className={rowsClasses.row}>
      <div className={rowsClasses.words}>
        <span className={rowsClasses.title}>
          {exists ? (
            <Link to="/prompts/$slug" params={{ slug: row.slug }} className={classes.link}>
              {name}
            </Link>
          ) : (
            name
          )}
        </span>
        <span className={rowsClasses.quiet}>
          {row.place}
          {row.slug && row.title && (
            <>
              {' · '}
              <code>{row.slug}</code>
            </>
          )}
        </span>
        {row.message && <span className={row.status === 'failed' ? classes.failed : rowsClasses.quiet}>{row.message}</span>}
      </div>
      <span className={classes.status} data-status={row.status}>
        {rowWords(row.status, applied)}
      </span>
    </li>
  );
}
