import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api } from './client';
import { keys } from './keys';
import type { Clients } from './types';

/** Milliseconds in which a publish reaches everybody who can be reached: so long it is watched closely. */
const ARRIVING = 120_000;
const QUICK = 1_000;
const CLOSE = 2_000;
const CALM = 15_000;

/** Whether everybody who can be reached has the latest. */
function isSettled({ counts: { total, current, silent } }: Pick<Clients, 'counts'>): boolean {
  return current + silent >= total;
}

/** Whether somebody who answers has not got yet what the label came to point at a moment ago. */
export function isArriving({ at, counts }: Clients, movedAt: string | null): boolean {
  return movedAt !== null && !isSettled({ counts }) && Date.parse(at) - Date.parse(movedAt) < ARRIVING;
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

/** So many are listed unless somebody looks for one; who is behind comes first. */
export const LISTED = 100;
/** As many as there are to search. */
const SEARCHED = 1_000;

/** Watches closely for as long as a publish takes to arrive; who is behind after that stays so for longer. */
export class Watch {
  #revision: number | null = null;
  #since = 0;

  /** How soon to ask again. */
  pace(clients: Clients | undefined, now: number): number {
    if (!clients || isSettled(clients)) return CALM;
    if (clients.revision !== this.#revision) {
      this.#revision = clients.revision;
      this.#since = now;
    }
    return now - this.#since < ARRIVING ? CLOSE : CALM;
  }
}

const watch = new Watch();

/** The running programs: all are counted, those that are behind listed first. */
export function clientsQuery(isSearch: boolean) {
  const limit = isSearch ? SEARCHED : LISTED;
  return queryOptions({
    queryKey: [...keys.clients, limit] as const,
    queryFn: ({ signal }) => api.get<Clients>('/clients', { query: { limit }, signal }),
    refetchInterval: ({ state }) => (isSearch ? CALM : watch.pace(state.data, Date.now())),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
}
