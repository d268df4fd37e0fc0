import { ApiError, api, path } from '~/api/client';
import type { BulkAction, BulkItem, BulkOutcome, ListedPrompt, Prompt } from '~/api/types';
import { explain } from '~/ui/explain';

/** As many prompts go into one request. */
const perRequest = 1000;

/** Does one thing to many prompts, and says of each how it went. */
export async function sendBulk(action: BulkAction, prompts: { id: string }[]): Promise<BulkOutcome> {
  if ('folder' in action) return file(action, prompts as ListedPrompt[]);
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

type FolderAction = Extract<BulkAction, { folder: string }>;

/** The folders of a prompt after the action. */
export function foldersAfter(action: FolderAction, before: string[]): string[] {
  const others = before.filter((id) => id !== action.folder);
  if (action.action === 'remove_from_folder') return others;
  return action.action === 'move_to_folder' ? [action.folder] : [...others, action.folder];
}

/** Puts prompts into folders or takes them out, one after the other: each says which folders it stands in. */
async function file(action: FolderAction, prompts: ListedPrompt[]): Promise<BulkOutcome> {
  const results: BulkItem[] = [];
  for (const { id, slug } of prompts) {
    try {
      // As it stands now, and not as it stood when the list was read.
      const { folder_ids } = await api.get<Prompt>(path`/prompts/${id}/details`);
      const after = foldersAfter(action, folder_ids);
      const isSame = after.length === folder_ids.length && after.every((folder) => folder_ids.includes(folder));
      if (!isSame) await api.put(path`/prompts/${id}`, { folder_ids: after });
      results.push({ prompt: id, slug, status: isSame ? 'unchanged' : 'done' });
    } catch (error) {
      // Without the server nothing of the rest would go better.
      if (!(error instanceof ApiError) || error.offline) throw error;
      results.push({ prompt: id, slug, status: 'failed', error: { code: error.code, message: explain(error).text } });
    }
  }
  const count = (status: BulkItem['status']) => results.filter((item) => item.status === status).length;
  return { results, done: count('done'), unchanged: count('unchanged'), failed: count('failed') };
}
