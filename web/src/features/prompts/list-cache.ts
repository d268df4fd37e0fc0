import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import type { List } from '~/api/client';
import { keys } from '~/api/keys';
import type { Prompt } from '~/api/types';

type Cached = List<Prompt> | InfiniteData<List<Prompt>> | undefined;
/** What else stands below the lists' key, such as the facets, is left alone. */
const isList = (data: object): data is List<Prompt> => 'items' in data;
type Edit = (list: List<Prompt>) => List<Prompt>;

function edit(cached: Cached, change: Edit): Cached {
  if (!cached) return cached;
  if ('pages' in cached) return { ...cached, pages: cached.pages.map(change) };
  return isList(cached) ? change(cached) : cached;
}

/** Changes every list in the cache and gives back what undoes it. */
function editLists(queryClient: QueryClient, change: Edit): () => void {
  // An answer that is on its way would overwrite the change with the state before it.
  void queryClient.cancelQueries({ queryKey: keys.promptLists });
  const before = queryClient.getQueriesData<Cached>({ queryKey: keys.promptLists });
  queryClient.setQueriesData<Cached>({ queryKey: keys.promptLists }, (cached) => edit(cached, change));
  return () => {
    for (const [key, data] of before) queryClient.setQueryData(key, data);
  };
}

export function removeFromLists(queryClient: QueryClient, id: string): () => void {
  return editLists(queryClient, (list) => {
    const items = list.items.filter((prompt) => prompt.id !== id);
    return { ...list, items, total: list.total - (list.items.length - items.length) };
  });
}

export function changeInLists(queryClient: QueryClient, id: string, change: Partial<Prompt>): () => void {
  return editLists(queryClient, (list) => ({
    ...list,
    items: list.items.map((prompt) => (prompt.id === id ? { ...prompt, ...change } : prompt)),
  }));
}
