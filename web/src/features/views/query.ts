import { type ListSearch, parseListSearch, tagsOf, unusedDays } from '~/features/prompts/filters';

/**
 * A view as the API keeps it: the names are those of the list of prompts, so that other programs can ask for
 * the same. They know no days before today, so that filter is left out.
 */
export function toViewQuery(search: ListSearch): Record<string, unknown> {
  const tags = tagsOf(search);
  const query = {
    search: search.q,
    tag: tags.length > 0 ? tags : undefined,
    category: search.category,
    folder: search.folder,
    subfolders: search.flat ? false : undefined,
    type: search.kind,
    live: search.state && search.state === 'live',
    has_draft: search.draft,
    label: search.label,
    created_by: search.author,
    updated_by: search.editor,
    favourite: search.favourite,
    recent: search.recent,
    archived: search.archived,
    unused_days: search.unused ? unusedDays : undefined,
    sort: search.sort,
  };
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
}

/** The address that shows a view. What this version of the dashboard does not know is left out. */
export function fromViewQuery(query: Record<string, unknown>): ListSearch {
  return parseListSearch({
    q: query.search,
    tag: query.tag,
    category: query.category,
    folder: query.folder,
    flat: query.subfolders === false,
    kind: query.type,
    state: query.live === undefined ? undefined : query.live ? 'live' : 'unpublished',
    draft: query.has_draft,
    label: query.label,
    author: query.created_by,
    editor: query.updated_by,
    favourite: query.favourite,
    recent: query.recent,
    archived: query.archived,
    unused: query.unused_days !== undefined,
    sort: query.sort,
  });
}
