import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api, path } from '~/api/client';
import type { PromptDetails } from '~/api/types';
import { slugify, slugProblem } from './slug';

/** A slug that follows the title until somebody edits it, checked as it is typed. */
export function useSlug(title: string) {
  const [own, setOwn] = useState<string | null>(null);
  const slug = own ?? slugify(title);
  const wrong = slug === '' && own === null ? null : slugProblem(slug);

  const [settled] = useDebouncedValue(slug, 250);
  const lookUp = useQuery({
    queryKey: ['slug-taken', settled],
    queryFn: ({ signal }) => api.get<PromptDetails>(path`/prompts/${settled}/details`, { signal }),
    enabled: settled !== '' && slugProblem(settled) === null,
    retry: false,
    staleTime: 10_000,
  });
  const current = slug === settled;
  // A former slug answers with the prompt that has it now; either way it is not free.
  const taken = current && lookUp.isSuccess ? lookUp.data : null;
  const free = current && lookUp.error instanceof ApiError && lookUp.error.status === 404;

  return {
    slug,
    edited: own !== null,
    problem: wrong ?? takenWords(taken),
    free: wrong === null && free,
    set: (value: string) => setOwn(value),
    /** Follows the title again. */
    follow: () => setOwn(null),
  };
}

function takenWords(by: PromptDetails | null): string | null {
  if (!by) return null;
  if (by.deleted_at) return `“${by.title}” in the bin has this slug. Restore it, or delete it for good.`;
  return `“${by.title}” has this slug already.`;
}
