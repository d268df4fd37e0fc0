import { QueryClient } from '@tanstack/react-query';
import { expect, test } from 'vitest';
import { promptListQuery, promptsInfiniteQuery } from '~/api/prompts';
import type { ListedPrompt } from '~/api/types';
import { changeInLists, removeFromLists } from './list-cache';

const prompt = (id: string) => ({ id, title: id, archived: false }) as ListedPrompt;

function filled() {
  const queryClient = new QueryClient();
  const plain = promptListQuery({ search: 'x' }).queryKey;
  const paged = promptsInfiniteQuery({}).queryKey;
  queryClient.setQueryData(plain, { items: [prompt('a'), prompt('b')], total: 2, meta: {} });
  queryClient.setQueryData(paged, {
    pages: [
      { items: [prompt('a')], total: 3, meta: {} },
      { items: [prompt('b'), prompt('c')], total: 3, meta: {} },
    ],
    pageParams: [1, 2],
  });
  const ids = () => ({
    plain: queryClient.getQueryData(plain)?.items.map((item) => item.id),
    paged: queryClient.getQueryData(paged)?.pages.map((page) => page.items.map((item) => item.id)),
  });
  return { queryClient, plain, ids };
}

test('takes a prompt out of every list and puts it back', () => {
  const { queryClient, plain, ids } = filled();
  const putBack = removeFromLists(queryClient, 'b');
  expect(ids()).toEqual({ plain: ['a'], paged: [['a'], ['c']] });
  expect(queryClient.getQueryData(plain)?.total).toBe(1);
  putBack();
  expect(ids()).toEqual({ plain: ['a', 'b'], paged: [['a'], ['b', 'c']] });
});

test('changes a prompt in place and changes it back', () => {
  const { queryClient, plain } = filled();
  const putBack = changeInLists(queryClient, 'a', { archived: true });
  expect(queryClient.getQueryData(plain)?.items[0]?.archived).toBe(true);
  putBack();
  expect(queryClient.getQueryData(plain)?.items[0]?.archived).toBe(false);
});
