import { queryOptions } from '@tanstack/react-query';
import { api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { Facet } from '~/api/types';

/** The words that prompts are sorted by. */
export const kinds = {
  tags: { one: 'tag', many: 'Tags' },
  categories: { one: 'category', many: 'Categories' },
} as const;

export type Kind = keyof typeof kinds;

const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** Every tag or category, by name, and how many prompts have it. */
export function wordsQuery(kind: Kind) {
  return queryOptions({
    // Below the lists' key, so that whatever changes a list looks at these again.
    queryKey: [...keys.promptLists, kind] as const,
    queryFn: async ({ signal }) => {
      const words = await api.get<Facet[]>(`/${kind}`, { signal });
      return [...words].sort((a, b) => byName.compare(a.name, b.name));
    },
  });
}

export const renameWord = (kind: Kind, name: string, to: string) => api.put(path`/${kind}/${name}`, { name: to });
export const deleteWord = (kind: Kind, name: string) => api.del(path`/${kind}/${name}`);

/** What the address of the page says. */
export function parseTagsSearch(search: Record<string, unknown>): { kind?: 'categories' } {
  return { kind: search.kind === 'categories' ? 'categories' : undefined };
}
