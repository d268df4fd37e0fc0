import { ApiError, api, path } from '~/api/client';
import type { BulkAction, BulkItem, BulkOutcome, ListedPrompt } from '~/api/types';
import { explain } from '~/ui/explain';

/** Does one thing to one prompt. */
function sendOne(action: BulkAction, { id, slug, tags, latest_version }: ListedPrompt): Promise<unknown> {
  switch (action.action) {
    case 'tag':
      return api.put(path`/prompts/${slug}`, { tags: [...new Set([...tags, ...action.tags])] });
    case 'untag':
      return api.put(path`/prompts/${slug}`, { tags: tags.filter((tag) => !action.tags.includes(tag)) });
    case 'set_category':
      return api.put(path`/prompts/${slug}`, { category: action.category });
    case 'archive':
    case 'unarchive':
      return api.post(path`/prompts/${slug}/${action.action}`);
    case 'label': {
      const version = action.version === 'latest' ? latest_version : action.version;
      return api.put(path`/prompts/${slug}/labels/${action.label}`, { version });
    }
    case 'unlabel':
      return api.del(path`/prompts/${slug}/labels/${action.label}`);
    case 'delete':
      return api.del(path`/prompts/${slug}`, { query: { force: action.force } });
    case 'restore':
      return api.post(path`/prompts/${id}/undelete`);
    case 'purge':
      return api.del(path`/prompts/${id}`, { query: { permanent: true } });
    case 'duplicate':
      return api.post(path`/prompts/${slug}/duplicate`);
  }
}

/** Does one thing to many prompts, one after the other, and says of each how it went. */
export async function sendBulk(action: BulkAction, prompts: ListedPrompt[]): Promise<BulkOutcome> {
  const results: BulkItem[] = [];
  for (const prompt of prompts) {
    const { id, slug } = prompt;
    try {
      await sendOne(action, prompt);
      results.push({ prompt: id, slug, status: 'done' });
    } catch (error) {
      // Without the server nothing of the rest would go better.
      if (!(error instanceof ApiError) || error.offline) throw error;
      results.push({ prompt: id, slug, status: 'failed', error: { code: error.code, message: explain(error).text } });
    }
  }
  const failed = results.filter((item) => item.status === 'failed').length;
  return { results, done: results.length - failed, unchanged: 0, failed };
}
