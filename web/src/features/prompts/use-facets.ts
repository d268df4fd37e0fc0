import { useQuery } from '@tanstack/react-query';
import { promptListQuery } from '~/api/prompts';
import type { Prompt } from '~/api/types';

export interface Facets {
  categories: string[];
  tags: string[];
}

/** The values in use, the most frequent first. */
export function facetsOf(prompts: Prompt[]): Facets {
  const categories = new Map<string, number>();
  const tags = new Map<string, number>();
  const count = (counts: Map<string, number>, value: string) => counts.set(value, (counts.get(value) ?? 0) + 1);
  for (const prompt of prompts) {
    if (prompt.category) count(categories, prompt.category);
    for (const tag of prompt.tags) count(tags, tag);
  }
  const sorted = (counts: Map<string, number>) =>
    [...counts].sort(([a, x], [b, y]) => y - x || a.localeCompare(b)).map(([value]) => value);
  return { categories: sorted(categories), tags: sorted(tags) };
}

/** What the filters can offer: the categories and tags of the prompts that were changed last. */
export function useFacets(): Facets {
  const { data } = useQuery({
    ...promptListQuery({ sort: '-updated_at', page: 1, limit: 100 }),
    staleTime: 60_000,
  });
  return facetsOf(data?.items ?? []);
}
