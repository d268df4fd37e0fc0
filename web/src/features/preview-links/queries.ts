import { queryOptions } from '@tanstack/react-query';
import { api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { PreviewLink, SharedPrompt } from '~/api/types';

/** The links by which a prompt is shared now. */
export function previewLinksQuery(slug: string) {
  return queryOptions({
    queryKey: keys.previewLinks(slug),
    queryFn: async ({ signal }) => (await api.list<PreviewLink>(path`/prompts/${slug}/preview-links`, { signal })).items,
  });
}

/** What a link shows. */
export function sharedPromptQuery(token: string) {
  return queryOptions({
    queryKey: ['shared', token] as const,
    queryFn: ({ signal }) => api.get<SharedPrompt>(path`/preview-links/${token}`, { signal }),
    retry: false,
  });
}
