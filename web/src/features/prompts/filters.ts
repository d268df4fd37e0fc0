import type { PromptFilters } from '~/api/prompts';

export const sorts = {
  '-updated_at': 'Last changed',
  '-created_at': 'Newest',
  title: 'Title',
  slug: 'Slug',
  '-calls_7d': 'Most calls in 7 days',
  '-last_fetched_at': 'Last used',
  last_fetched_at: 'Longest unused',
} as const;

export type Sort = keyof typeof sorts;

export const changedWithin = { day: 1, week: 7, month: 30 } as const;
export type ChangedWithin = keyof typeof changedWithin;

/** What the address of the list says: kept short, with everything usual left out. */
export interface ListSearch {
  q?: string;
  /** All of them. One alone stands without the list around it. */
  tag?: string | string[];
  category?: string;
  /** The id of a folder, or `none` for what stands in no folder. */
  folder?: string;
  /** Without what stands in the folders inside. */
  flat?: boolean;
  kind?: 'text' | 'chat';
  state?: 'live' | 'unpublished';
  draft?: boolean;
  label?: string;
  author?: 'me';
  editor?: 'me';
  changed?: ChangedWithin;
  favourite?: boolean;
  /** Edited by the reader, the latest first. */
  recent?: boolean;
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

function oneOf<T extends string>(value: unknown, choices: readonly T[]): T | undefined {
  return choices.find((choice) => choice === value);
}

function readTags(value: unknown): string | string[] | undefined {
  const found = (Array.isArray(value) ? value : [value]).flatMap((tag) => words(tag) ?? []);
  return withTags([...new Set(found)]);
}

/** The shortest way to write these tags into the address. */
export function withTags(tags: string[]): string | string[] | undefined {
  return tags.length > 1 ? tags : tags[0];
}

export function tagsOf(search: ListSearch): string[] {
  return search.tag === undefined ? [] : [search.tag].flat();
}

/**
 * Reads the filters from the address; what makes no sense is left out rather than refused. Every name is
 * in the answer, because the router passes on as it is what an answer does not name.
 */
export function parseListSearch(search: Record<string, unknown>): ListSearch {
  const isSet = (value: unknown) => (value === true || value === 'true' ? true : undefined);
  const folder = words(search.folder);
  const found: Required<{ [Name in keyof ListSearch]: unknown }> = {
    q: words(search.q),
    tag: readTags(search.tag),
    category: words(search.category),
    folder,
    flat: folder !== undefined && folder !== 'none' ? isSet(search.flat) : undefined,
    kind: oneOf(search.kind, ['text', 'chat']),
    state: oneOf(search.state, ['live', 'unpublished']),
    draft: isSet(search.draft),
    label: words(search.label),
    author: oneOf(search.author, ['me']),
    editor: oneOf(search.editor, ['me']),
    changed: oneOf(search.changed, Object.keys(changedWithin) as ChangedWithin[]),
    favourite: isSet(search.favourite),
    recent: isSet(search.recent),
    archived: isSet(search.archived),
    unused: isSet(search.unused),
    sort: oneOf(search.sort, Object.keys(sorts) as Sort[]),
  };
  return found as ListSearch;
}

/** The folder that a new prompt goes into, from the address of the page where it is written. */
export function parseNewSearch(search: Record<string, unknown>): { folder?: string } {
  return { folder: words(search.folder) };
}

/** The beginning of the day so many days ago: the same all day long, so that the answer is asked for once. */
function startOfDay(daysAgo: number): string {
  const day = new Date();
  day.setHours(0, 0, 0, 0);
  day.setDate(day.getDate() - daysAgo);
  return day.toISOString();
}

/** The order to ask for: the server's own for a search and for what one edited, where none is chosen. */
function sortFor(search: ListSearch): Sort | undefined {
  return search.sort ?? (search.q || search.recent ? undefined : defaultSort);
}

/** The filters as the API takes them. */
export function toFilters(search: ListSearch): PromptFilters {
  const tags = tagsOf(search);
  return {
    search: search.q,
    tag: tags.length > 0 ? tags : undefined,
    category: search.category,
    folder: search.folder,
    subfolders: search.flat ? false : undefined,
    type: search.kind,
    live: search.state === undefined ? undefined : search.state === 'live',
    has_draft: search.draft,
    label: search.label,
    created_by: search.author,
    updated_by: search.editor,
    updated_after: search.changed && startOfDay(changedWithin[search.changed] - 1),
    favourite: search.favourite,
    recent: search.recent,
    archived: search.archived ? 'true' : undefined,
    unused_days: search.unused ? unusedDays : undefined,
    sort: sortFor(search),
    limit: pageSize,
  };
}

/** The names of all that narrows the list. */
export const filterNames = [
  'q',
  'tag',
  'category',
  'folder',
  'flat',
  'kind',
  'state',
  'draft',
  'label',
  'author',
  'editor',
  'changed',
  'favourite',
  'recent',
  'archived',
  'unused',
] as const satisfies (keyof ListSearch)[];

export function isFiltered(search: ListSearch): boolean {
  return filterNames.some((name) => search[name] !== undefined);
}

/** A change of the address that takes every filter off. */
export function noFilters(): Partial<ListSearch> {
  return Object.fromEntries(filterNames.map((name) => [name, undefined]));
}

/** Whether two addresses of the list ask for the same. */
export function sameSearch(a: object, b: object): boolean {
  const said = (search: object) =>
    JSON.stringify(
      Object.entries(search)
        .filter(([, value]) => value !== undefined)
        .sort(([x], [y]) => x.localeCompare(y)),
    );
  return said(a) === said(b);
}
