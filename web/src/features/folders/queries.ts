import { type QueryClient, queryOptions, useQuery } from '@tanstack/react-query';
import { api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { Folder } from '~/api/types';

/** All folders of the workspace, in one answer: there are at most a few thousand. */
export const foldersQuery = queryOptions({
  queryKey: keys.folders,
  queryFn: ({ signal }) => api.get<Folder[]>('/folders', { signal }),
  staleTime: 60_000,
});

const none: Folder[] = [];

export function useFolders(): Folder[] {
  return useQuery(foldersQuery).data ?? none;
}

export const makeFolder = (name: string, parent: string | null) =>
  api.post<Folder>('/folders', { name, ...(parent !== null && { parent_folder_id: parent }) });

export const changeFolder = (id: string, change: { name?: string; parent_folder_id?: string | null }) =>
  api.put<Folder>(path`/folders/${id}`, change);

export const deleteFolder = (id: string, recursive: boolean) =>
  api.del(path`/folders/${id}`, { query: { recursive: recursive || undefined } });

/** Makes everything current that says which folders there are and what is in them. */
export function refreshFolders(queryClient: QueryClient): Promise<unknown> {
  return Promise.all([
    queryClient.invalidateQueries({ queryKey: keys.folders }),
    queryClient.invalidateQueries({ queryKey: keys.promptLists }),
  ]);
}
