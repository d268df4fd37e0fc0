import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import { keys } from './keys';
import type { Clients } from './types';

/** Milliseconds in which a publish reaches everybody who can be reached: so long it is watched closely. */
const ARRIVING = 120_000;
const QUICK = 1_000;
const CALM = 15_000;

/** Whether somebody who answers has not got yet what the label came to point at a moment ago. */
export function isArriving({ at, counts }: Clients, movedAt: string | null): boolean {
  const { total, current, silent } = counts;
  return movedAt !== null && current + silent < total && Date.parse(at) - Date.parse(movedAt) < ARRIVING;
}

/** How soon to ask again how far a publish has come: every second while it is on its way. */
export function pace(clients: Clients | undefined, movedAt: string | null): number {
  return clients && isArriving(clients, movedAt) ? QUICK : CALM;
}

/** The programs that serve a prompt by a label; all are counted, `limit` of them listed, who is behind first. */
export function promptClientsQuery(slug: string, label: string, movedAt: string | null, limit: number) {
  return queryOptions({
    queryKey: [...keys.promptClients(slug, label), limit] as const,
    queryFn: ({ signal }) => api.get<Clients>('/clients', { query: { prompt: slug, label, limit }, signal }),
    refetchInterval: ({ state }) => pace(state.data, movedAt),
    staleTime: 0,
  });
}

/** All running programs. */
export const clientsQuery = queryOptions({
  queryKey: keys.clients,
  queryFn: ({ signal }) => api.get<Clients>('/clients', { signal }),
  refetchInterval: ({ state: { data } }) => (data && data.counts.current + data.counts.silent < data.counts.total ? 2_000 : 10_000),
  staleTime: 0,
});
