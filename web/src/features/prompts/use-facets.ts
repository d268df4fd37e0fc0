import { queryOptions, useQuery } from '@tanstack/react-query';
import { api } from '~/api/client';
import { keys } from '~/api/keys';
import type { Facets } from '~/api/types';

const facetsQuery = queryOptions({
  // Below the lists' key, so that whatever changes a list looks at these again.
  queryKey: [...keys.promptLists, 'facets'],
  queryFn: ({ signal }) => api.get<Facets>('/facets', { signal }),
  staleTime: 60_000,
});

/** The categories and tags in use, the most frequent first: what the filters and fields can offer. */
export function useFacets(): { categories: string[]; tags: string[] } {
  const { data } = useQuery(facetsQuery);
  return { categories: byUse(data?.categories), tags: byUse(data?.tags) };
}

export function byUse(facets: Facets['tags'] | undefined): string[] {
  return [...(facets ?? [])].sort((a, b) => b.prompts - a.prompts || a.name.localeCompare(b.name)).map(({ name }) => name);
}
