import type { PromptFilters } from '~/api/prompts';

export const sorts = {
  '-updated_at': 'Last changed',
  '-created_at': 'Newest',
  title: 'Title',
  slug: 'Slug',
  '-last_fetched_at': 'Last used',
  last_fetched_at: 'Longest unused',
} as const;

export type Sort = keyof typeof sorts;

/** What the address of the list says: kept short, with everything usual left out. */
export interface ListSearch {
  q?: string;
  tag?: string;
  category?: string;
  archived?: boolean;
  /** Nobody has fetched it for 30 days. */
  unused?: boolean;
  sort?: Sort;
}

/** After so many days without a fetch a prompt may be dead. */
export const unusedDays = 30;
export const pageSize = 100;
export const defaultSort: Sort = '-updated_at';

function words(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

/**
 * Reads the filters from the address; what makes no sense is left out rather than refused. Every name is
 * in the answer, because the router passes on as it is what an answer does not name.
 */
export function parseListSearch(search: Record<string, unknown>): ListSearch {
  const isSet = (value: unknown) => (value === true || value === 'true' ? true : undefined);
  const found: Required<{ [Name in keyof ListSearch]: unknown }> = {
    q: words(search.q),
    tag: words(search.tag),
    category: words(search.category),
    archived: isSet(search.archived),
    unused: isSet(search.unused),
    sort: typeof search.sort === 'string' && search.sort in sorts ? search.sort : undefined,
  };
  return found as ListSearch;
}

/** The filters as the API takes them. */
export function toFilters(search: ListSearch): PromptFilters {
  return {
    search: search.q,
    tag: search.tag,
    category: search.category,
    archived: search.archived ? 'true' : undefined,
    unused_days: search.unused ? unusedDays : undefined,
    sort: search.sort ?? defaultSort,
    limit: pageSize,
  };
}

/** The names of all that narrows the list. */
export const filterNames = ['q', 'tag', 'category', 'archived', 'unused'] as const satisfies (keyof ListSearch)[];

export function isFiltered(search: ListSearch): boolean {
  return filterNames.some((name) => search[name] !== undefined);
}

/** A change of the address that takes every filter off. */
export function noFilters(): Partial<ListSearch> {
  return Object.fromEntries(filterNames.map((name) => [name, undefined]));
}
