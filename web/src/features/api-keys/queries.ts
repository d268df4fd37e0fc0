import { queryOptions } from '@tanstack/react-query';
import { api } from '~/api/client';
import { keys } from '~/api/keys';
import type { ApiKey } from '~/api/types';

export const apiKeysQuery = queryOptions({
  queryKey: keys.apiKeys,
  queryFn: async ({ signal }) => (await api.list<ApiKey>('/api-keys', { query: { limit: 100 }, signal })).items,
});
