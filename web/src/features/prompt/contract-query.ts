import { queryOptions } from '@tanstack/react-query';
import { api } from '~/api/client';
import type { Preview, PromptBody } from '~/api/types';

/** The whole contract of a body: what is described and what is only found in the text and its snippets. */
export function contractQuery(body: PromptBody | null) {
  return queryOptions({
    queryKey: ['contract', body],
    enabled: body !== null,
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const { type, syntax, content, messages, variables } = body!;
      const preview = await api.post<Preview>(
        '/templates/preview',
        { type, syntax, content, messages, variables, render: false },
        { signal },
      );
      return {
        variables: preview.variables.filter((v) => v.used || !v.discovered),
        unused: preview.variables.filter((v) => !v.used).map((v) => v.name),
        problems: preview.problems,
      };
    },
  });
}
