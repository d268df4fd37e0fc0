import { QueryClient } from '@tanstack/react-query';
import { ApiError } from './client';

/** Only what may come right by itself is tried again: no answer, or a server in trouble. */
function worthRetrying(failures: number, error: unknown): boolean {
  if (failures >= 2) return false;
  return error instanceof ApiError && (error.offline || error.status === 502 || error.status === 503);
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      gcTime: 10 * 60_000,
      retry: worthRetrying,
      retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 4_000),
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});
