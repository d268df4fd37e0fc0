import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { Delivery, Diff, LabelMove, Prompt, PromptLabel, Version } from '~/api/types';

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

/** One version as it was written, includes in line. */
export function versionQuery(slug: string, version: number) {
  return queryOptions({
    queryKey: keys.version(slug, version),
    queryFn: ({ signal }) => api.get<Delivery>(path`/prompts/${slug}/versions/${version}`, { query: { render: false }, signal }),
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
    queryFn: ({ signal }) => api.get<Diff>(path`/prompts/${slug}/versions/${version}/diff`, { query: { against }, signal }),
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
