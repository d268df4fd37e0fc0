import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { View } from '~/api/types';

export interface ViewInput {
  name: string;
  query: Record<string, unknown>;
  shared: boolean;
}

/** One's own views and those that colleagues share, by name. */
export const viewsQuery = queryOptions({
  queryKey: keys.views,
  queryFn: ({ signal }) => api.get<View[]>('/views', { signal }),
  staleTime: 60_000,
});

const none: View[] = [];

export function useViews(): View[] {
  return useQuery(viewsQuery).data ?? none;
}

export const makeView = (input: ViewInput) => api.post<View>('/views', input);
export const changeView = (id: string, change: Partial<ViewInput>) => api.put<View>(path`/views/${id}`, change);
export const deleteView = (id: string) => api.del(path`/views/${id}`);
