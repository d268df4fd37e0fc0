import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, path } from './client';
import { keys } from './keys';
import type { ImportFormat, ImportRow, ImportRun, ImportState, OnConflict, RowStatus } from './types';

const BUSY: ImportState[] = ['reading', 'waiting', 'running'];
const OFTEN = 700;

/** Whether something goes on without anybody doing anything. */
export const isBusy = (run: ImportRun | undefined): boolean => run !== undefined && BUSY.includes(run.state);

export interface ImportChoices {
  format: ImportFormat;
  on_conflict: OnConflict;
  all_or_nothing: boolean;
  /** Absent: as the file says. */
  publish?: boolean;
  /** Our field → the column of the table. */
  mapping?: Record<string, string>;
}

/** Sends a file to be looked at; nothing is changed yet. */
export function checkFile(file: File, { mapping, ...choices }: ImportChoices): Promise<ImportRun> {
  const query = { ...choices, name: file.name, mapping: mapping && JSON.stringify(mapping), dry_run: true };
  // As bytes: what it is, the server finds out by itself.
  return api.post<ImportRun>('/import', new Blob([file], { type: 'application/octet-stream' }), { query });
}

export const importsQuery = queryOptions({
  queryKey: keys.imports,
  queryFn: async ({ signal }) => (await api.list<ImportRun>('/imports', { query: { limit: 20 }, signal })).items,
});

/** One import, asked for again and again while it moves. */
export function importQuery(id: string) {
  return queryOptions({
    queryKey: keys.import(id),
    queryFn: ({ signal }) => api.get<ImportRun>(path`/imports/${id}`, { signal }),
    refetchInterval: ({ state }) => (isBusy(state.data) ? OFTEN : false),
  });
}

/** What becomes of each row, a page at a time; asked anew once the import has come further. */
export function importRowsQuery(id: string, status: RowStatus | null, state: ImportState) {
  return infiniteQueryOptions({
    queryKey: [...keys.import(id), 'rows', status, state] as const,
    queryFn: ({ signal, pageParam }) =>
      api.list<ImportRow>(path`/imports/${id}/rows`, { query: { status, cursor: pageParam, limit: 50 }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.meta.next_cursor ?? undefined,
  });
}
