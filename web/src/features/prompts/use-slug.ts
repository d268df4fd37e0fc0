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
  // A former slug answers with the prompt that has it now; either way it is not free.
  const taken = slug === settled && lookUp.isSuccess ? lookUp.data : null;
  const answer = slug === settled && lookUp.error instanceof ApiError && lookUp.error.status === 404 ? lookUp.error : null;
  const inBin = answer !== null && answer.message.includes('in the bin');

  return {
    slug,
    edited: own !== null,
    problem: wrong ?? takenWords(taken?.title, inBin),
    free: wrong === null && answer !== null && !inBin,
    set: (value: string) => setOwn(value),
    /** Follows the title again. */
    follow: () => setOwn(null),
  };
}

function takenWords(title: string | undefined, inBin: boolean): string | null {
  if (title) return `“${title}” has this slug already.`;
  return inBin ? 'A prompt in the bin has this slug. Restore it, or delete it for good.' : null;
}
