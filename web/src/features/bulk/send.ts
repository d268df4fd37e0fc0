import { api } from '~/api/client';
import type { BulkAction, BulkOutcome } from '~/api/types';

/** As many prompts go into one request. */
const perRequest = 1000;

/** Does one thing to many prompts, and says of each how it went. */
export async function sendBulk(action: BulkAction, prompts: { id: string }[]): Promise<BulkOutcome> {
  const sum: BulkOutcome = { results: [], done: 0, unchanged: 0, failed: 0 };
  for (let from = 0; from < prompts.length; from += perRequest) {
    const some = prompts.slice(from, from + perRequest).map((prompt) => prompt.id);
    const outcome = await api.post<BulkOutcome>('/prompts/bulk', { ...action, prompts: some });
    sum.results.push(...outcome.results);
    sum.done += outcome.done;
    sum.unchanged += outcome.unchanged;
    sum.failed += outcome.failed;
  }
  return sum;
}
