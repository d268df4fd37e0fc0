import { infiniteQueryOptions } from '@tanstack/react-query';
import { api } from '~/api/client';
import { keys } from '~/api/keys';
import type { ActivityItem } from '~/api/types';

export interface ActivityFilters {
  type?: string;
  prompt?: string;
  actor?: string;
}

/** What happened, the latest first, a page at a time. */
export function activityQuery(filters: ActivityFilters) {
  return infiniteQueryOptions({
    queryKey: [...keys.activity, filters] as const,
    queryFn: ({ signal, pageParam }) =>
      api.list<ActivityItem>('/activity', { query: { ...filters, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.meta.next_cursor ?? undefined,
  });
}
