import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, path } from './client';
import { keys } from './keys';
import type { ListedPrompt, Prompt, PromptDetails } from './types';

export interface PromptFilters {
  search?: string;
  /** Prompts that have all of them. */
  tag?: string[];
  category?: string;
  folder?: string;
  subfolders?: boolean;
  type?: 'text' | 'chat';
  live?: boolean;
  has_draft?: boolean;
  label?: string;
  created_by?: string;
  updated_by?: string;
  updated_after?: string;
  favourite?: boolean;
  recent?: boolean;
  archived?: 'true' | 'false' | 'all';
  deleted?: 'true';
  unused_days?: number;
  sort?: string;
  page?: number;
  limit?: number;
}

/** A page of prompts. The last page stays visible while the next filter's answer is on its way. */
export function promptListQuery(filters: PromptFilters) {
  return queryOptions({
    queryKey: keys.promptList(filters),
    queryFn: ({ signal }) => api.list<ListedPrompt>('/prompts', { query: { ...filters }, signal }),
    placeholderData: keepPreviousData,
  });
}

/** All prompts of a filter, a page at a time. What is on the screen stays until the next answer is there. */
export function promptsInfiniteQuery(filters: PromptFilters) {
  return infiniteQueryOptions({
    queryKey: keys.promptList({ ...filters, pages: 'all' }),
    queryFn: ({ signal, pageParam }) =>
      api.list<Prompt>('/prompts', { query: { ...filters, page: pageParam }, signal }),
    initialPageParam: 1,
    getNextPageParam: (last, pages) => {
      const loaded = pages.reduce((sum, page) => sum + page.items.length, 0);
      return last.items.length > 0 && loaded < last.total ? pages.length + 1 : undefined;
    },
    placeholderData: keepPreviousData,
  });
}

/** A prompt with its newest version, its live version and its draft. */
export function promptDetailsQuery(slug: string) {
  return queryOptions({
    queryKey: keys.promptDetails(slug),
    queryFn: ({ signal }) => api.get<PromptDetails>(path`/prompts/${slug}/details`, { signal }),
  });
}
