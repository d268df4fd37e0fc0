import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, ApiError, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { Diff, LabelMove, Prompt, PromptLabel, Version } from '~/api/types';

const PAGE = 30;

/** The versions of a prompt, newest first, page by page. */
export function versionsQuery(slug: string) {
  return infiniteQueryOptions({
    queryKey: [...keys.prompt(slug), 'versions', 'pages'] as const,
    queryFn: ({ pageParam, signal }) =>
      api.list<Version>(path`/prompts/${slug}/versions`, { query: { page: pageParam, limit: PAGE }, signal }),
    initialPageParam: 1,
    getNextPageParam: (last, pages) => (pages.length * PAGE < last.total ? pages.length + 1 : undefined),
  });
}

/**
 * One version as it was written. (Fetching a single version is a delivery, which puts the text of
 * snippets in place of their includes; the list has the versions as they are.)
 */
export function versionQuery(slug: string, version: number, newest: number) {
  return queryOptions({
    queryKey: keys.version(slug, version),
    queryFn: async ({ signal }) => {
      // Numbers without gaps make this the right page of one, which always comes with its text.
      const at = Math.max(newest - version, 0) + 1;
      const one = (page: number) =>
        api.list<Version>(path`/prompts/${slug}/versions`, { query: { page, limit: 1 }, signal });
      const { items, total } = await one(at);
      if (items[0]?.number === version) return items[0];
      // Newer ones have come meanwhile: the total says where it is now.
      const again = await one(Math.max(total - version, 0) + 1);
      if (again.items[0]?.number === version) return again.items[0];
      throw new ApiError(404, 'NOT_FOUND', `Version ${version} not found`);
    },
    // A version never changes.
    staleTime: 10 * 60_000,
  });
}

/**
 * What is different between two versions, or between a version and the draft. Versions never change, so
 * nothing makes this answer old; for the draft, `revision` says which state of it is meant.
 */
export function diffQuery(slug: string, version: number | 'draft', against: number, revision?: number) {
  return queryOptions({
    queryKey: ['diff', slug, version, against, revision ?? 0] as const,
    queryFn: ({ signal }) =>
      api.get<Diff>(path`/prompts/${slug}/versions/${version}/diff`, { query: { against }, signal }),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });
}

/** Which labels point where. */
export function promptLabelsQuery(slug: string) {
  return queryOptions({
    queryKey: keys.promptLabels(slug),
    queryFn: async ({ signal }) => (await api.list<PromptLabel>(path`/prompts/${slug}/labels`, { signal })).items,
  });
}

/** Every move of every label on the prompt, newest first. */
export function movesQuery(slug: string) {
  return infiniteQueryOptions({
    queryKey: keys.history(slug),
    queryFn: ({ pageParam, signal }) =>
      api.list<LabelMove>(path`/prompts/${slug}/history`, { query: { page: pageParam, limit: PAGE }, signal }),
    initialPageParam: 1,
    getNextPageParam: (last, pages) => (pages.length * PAGE < last.total ? pages.length + 1 : undefined),
  });
}

/** Prompts whose text can be included: text prompts that match what was typed. */
export async function findSnippets(search: string, signal: AbortSignal): Promise<{ slug: string; title: string }[]> {
  const { items } = await api.list<Prompt>('/prompts', { query: { search, limit: 20 }, signal });
  return items.filter((prompt) => prompt.type === 'text').map(({ slug, title }) => ({ slug, title }));
}
