import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import { keys } from './keys';
import type { Prompt, WorkspaceUsage } from './types';

/** Deliveries of the last thirty days, a point for each day. */
export const usageQuery = queryOptions({
  queryKey: keys.usage,
  queryFn: ({ signal }) => api.get<WorkspaceUsage>('/analytics/usage', { query: { period: '30d' }, signal }),
  staleTime: 60_000,
});

/** A short list of prompts for the front page. */
export function shortListQuery(filters: { sort?: string; has_draft?: boolean; favourite?: boolean; limit: number }) {
  return queryOptions({
    queryKey: keys.promptList({ ...filters, place: 'home' }),
    queryFn: ({ signal }) => api.list<Prompt>('/prompts', { query: { ...filters }, signal }),
  });
}
