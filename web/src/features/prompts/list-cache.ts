import type { QueryClient } from '@tanstack/react-query';
import type { List } from '~/api/client';
import { keys } from '~/api/keys';
import type { ListedPrompt } from '~/api/types';

type Cached = List<ListedPrompt> | { pages: List<ListedPrompt>[]; pageParams: unknown[] } | undefined;
/** What else stands below the lists' key, such as the facets, is left alone. */
const isList = (data: object): data is List<ListedPrompt> => 'items' in data;
type Edit = (list: List<ListedPrompt>) => List<ListedPrompt>;

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

export function removeManyFromLists(queryClient: QueryClient, ids: string[]): () => void {
  const gone = new Set(ids);
  return editLists(queryClient, (list) => {
    const items = list.items.filter((prompt) => !gone.has(prompt.id));
    return { ...list, items, total: Math.max(0, list.total - (list.items.length - items.length)) };
  });
}

export function removeFromLists(queryClient: QueryClient, id: string): () => void {
  return removeManyFromLists(queryClient, [id]);
}

export function changeInLists(queryClient: QueryClient, id: string, change: Partial<ListedPrompt>): () => void {
  return editLists(queryClient, (list) => ({
    ...list,
    items: list.items.map((prompt) => (prompt.id === id ? { ...prompt, ...change } : prompt)),
  }));
}
