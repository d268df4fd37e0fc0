import type { BulkAction, BulkItem, BulkOutcome } from '~/api/types';

/** What the prompts are after it: "in the bin". `folder` is the name of the folder it is about. */
export function stateAfter(action: BulkAction, folder = 'the folder'): string {
  switch (action.action) {
    case 'tag':
      return `tagged ${action.tags.map((tag) => `#${tag}`).join(', ')}`;
    case 'untag':
      return `no longer tagged ${action.tags.map((tag) => `#${tag}`).join(', ')}`;
    case 'set_category':
      return action.category === null ? 'without a category' : `in the category “${action.category}”`;
    case 'add_to_folder':
      return `in “${folder}” as well`;
    case 'move_to_folder':
      return `in “${folder}”`;
    case 'remove_from_folder':
      return `no longer in “${folder}”`;
    case 'archive':
      return 'archived';
    case 'unarchive':
      return 'back in the list';
    case 'label':
      return `labelled ${action.label}`;
    case 'unlabel':
      return `without the label ${action.label}`;
    case 'delete':
      return 'in the bin';
    case 'restore':
      return 'restored';
    case 'purge':
      return 'gone for good';
    case 'duplicate':
      return 'copied';
  }
}

/** "“Welcome” is in the bin." or "3 prompts are in the bin." */
export function doneWords(count: number, title: string | undefined, what: string): string {
  return count === 1 && title !== undefined ? `“${title}” is ${what}.` : `${count.toLocaleString()} prompts are ${what}.`;
}

/** The head of a report: "2 of 10 prompts stayed as they were". */
export function reportTitle({ failed, results }: BulkOutcome): string {
  if (failed === results.length) return failed === 1 ? 'The prompt stayed as it was' : `All ${failed} prompts stayed as they were`;
  return `${failed} of ${results.length} prompts stayed as ${failed === 1 ? 'it was' : 'they were'}`;
}

export function itemWords(item: BulkItem, what: string): string {
  if (item.status === 'done') return `Is ${what}`;
  if (item.status === 'unchanged') return `Was already ${what}`;
  return item.error?.message ?? 'The server did not say why';
}
