import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import { keys } from './keys';
import type { Clients } from './types';

/** Milliseconds in which a publish reaches everybody who can be reached: so long it is watched closely. */
const ARRIVING = 120_000;
const QUICK = 1_000;
const CALM = 15_000;

/** How soon to ask again how far a publish has come: every second while it is on its way. */
export function pace(clients: Clients | undefined, movedAt: string | null | undefined): number {
  if (!clients || !movedAt) return CALM;
  const { total, current, silent } = clients.counts;
  const age = Date.parse(clients.at) - Date.parse(movedAt);
  const onItsWay = current + silent < total;
  return age < ARRIVING && onItsWay ? QUICK : CALM;
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
