import { keepPreviousData, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import type { List } from '~/api/client';
import { keys } from '~/api/keys';
import { type PromptFilters, promptListQuery } from '~/api/prompts';
import type { ListedPrompt } from '~/api/types';
import { pageSize } from './filters';

type Page = List<ListedPrompt>;

/** The pages, counted from 1, that show the rows from one place to another, and one more on either side. */
export function pagesFor(first: number, last: number, pages: number): number[] {
  const from = Math.max(1, Math.floor(first / pageSize));
  const to = Math.min(pages, Math.floor(last / pageSize) + 2);
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

/**
 * How many rows there are to scroll through. Where the server stopped counting, every full page that is
 * reached makes room for one more.
 */
export function rowCount(first: Page, loaded: [page: number, list: Page][]): number {
  if (!first.meta.total_is_at_least) return first.total;
  const reached = loaded.map(([page, { items, meta }]) => {
    const end = (page - 1) * pageSize + items.length;
    return meta.next_cursor ? end + pageSize : end;
  });
  return Math.max(first.total, ...reached);
}

/**
 * A list of any length, of which only the pages in sight are asked for: a hundred thousand rows scroll like
 * a hundred, and what somebody changes makes no more than these current.
 */
export function usePromptWindow(filters: PromptFilters) {
  const queryClient = useQueryClient();
  const hash = JSON.stringify(filters);
  const [sight, setSight] = useState({ hash, first: 0, last: 0 });
  // Another question begins at the top again.
  const { first, last } = sight.hash === hash ? sight : { first: 0, last: 0 };

  const head = useQuery({ ...promptListQuery({ ...filters, page: 1 }), placeholderData: keepPreviousData });
  const pages = head.data?.meta.total_is_at_least ? Infinity : Math.ceil((head.data?.total ?? 0) / pageSize);
  const wanted = head.isPlaceholderData ? [] : pagesFor(first, last, pages).filter((page) => page > 1);
  const rest = useQueries({
    queries: wanted.map((page) => ({ ...promptListQuery({ ...filters, page }), placeholderData: undefined, gcTime: 60_000 })),
  });

  const lists = new Map<number, Page>();
  if (head.data) lists.set(1, head.data);
  rest.forEach(({ data }, index) => data && lists.set(wanted[index]!, data));

  const count = head.data ? rowCount(head.data, [...lists]) : 0;

  function rowAt(index: number): ListedPrompt | undefined {
    const page = Math.floor(index / pageSize) + 1;
    const list = lists.get(page) ?? queryClient.getQueryData<Page>(keys.promptList({ ...filters, page }));
    return list?.items[index % pageSize];
  }

  const onSight = useCallback(
    (from: number, to: number) =>
      setSight((before) => {
        const page = (index: number) => Math.floor(index / pageSize);
        const same = before.hash === hash && page(before.first) === page(from) && page(before.last) === page(to);
        return same ? before : { hash, first: from, last: to };
      }),
    [hash],
  );

  const loaded = useMemo(() => [...lists.values()].flatMap((list) => list.items), [head.data, ...rest.map(({ data }) => data)]);
  return { head, count, rowAt, onSight, loaded, atLeast: head.data?.meta.total_is_at_least ?? false };
}
