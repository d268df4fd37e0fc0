import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keys } from '../keys';
import { Refresh } from './refresh';

let hidden = false;
let asked: string[] = [];
let queryClient: QueryClient;
let refresh: Refresh;
let stops: (() => void)[] = [];

beforeEach(async () => {
  vi.useFakeTimers();
  hidden = false;
  queryClient = new QueryClient();
  refresh = new Refresh(queryClient, () => hidden);
  const watched = { list: keys.promptLists, a: keys.promptDetails('a'), b: keys.promptDetails('b') };
  stops = Object.entries(watched).map(([name, queryKey]) => {
    const queryFn = () => {
      asked.push(name);
      return Promise.resolve(name);
    };
    return new QueryObserver(queryClient, { queryKey, queryFn, staleTime: Infinity }).subscribe(() => undefined);
  });
  await vi.advanceTimersByTimeAsync(1);
  asked = [];
});

afterEach(() => {
  refresh.stop();
  for (const stop of stops) stop();
  queryClient.clear();
  vi.useRealTimers();
});

const after = async (ms: number) => {
  await vi.advanceTimersByTimeAsync(ms);
  return asked.splice(0).sort();
};

test('a storm of events asks for each thing at once, and once more when it is over', async () => {
  for (let i = 0; i < 100; i += 1) refresh.prompt('a');
  expect(await after(1)).toEqual(['a', 'list']);
  refresh.prompt('b');
  expect(await after(100)).toEqual([]);
  expect(await after(200)).toEqual(['a', 'b', 'list']);
  expect(await after(1_000)).toEqual([]);
});

test('while nobody looks nothing is asked for, and everything that changed when somebody does', async () => {
  hidden = true;
  refresh.prompt('a');
  expect(await after(1_000)).toEqual([]);
  refresh.look();
  expect(await after(1)).toEqual([]);
  hidden = false;
  refresh.look();
  expect(await after(1)).toEqual(['a', 'list']);
  refresh.look();
  expect(await after(1_000)).toEqual([]);
});

test('when more has happened than is told, everything is looked at again', async () => {
  refresh.all();
  expect(await after(1)).toEqual(['a', 'b', 'list']);
});
