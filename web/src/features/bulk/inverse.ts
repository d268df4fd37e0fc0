import type { BulkAction, ListedPrompt } from '~/api/types';

/** One request of the way back. */
export interface Step {
  action: BulkAction;
  prompts: ListedPrompt[];
}

/** The prompts by something they have in common, in the order in which each is met first. */
function groupBy<Key>(prompts: ListedPrompt[], keyOf: (prompt: ListedPrompt) => Key): [Key, ListedPrompt[]][] {
  const groups = new Map<Key, ListedPrompt[]>();
  for (const prompt of prompts) {
    const key = keyOf(prompt);
    const group = groups.get(key);
    if (group) group.push(prompt);
    else groups.set(key, [prompt]);
  }
  return [...groups];
}

/**
 * What takes an action back, for prompts as they were before it. `null` where nothing can: what is purged is
 * gone, and copies are prompts of their own.
 */
export function inverseOf(action: BulkAction, before: ListedPrompt[]): Step[] | null {
  switch (action.action) {
    case 'archive':
      return [{ action: { action: 'unarchive' }, prompts: before }];
    case 'unarchive':
      return [{ action: { action: 'archive' }, prompts: before }];
    case 'delete':
      return [{ action: { action: 'restore' }, prompts: before }];
    case 'restore':
      return [{ action: { action: 'delete', force: true }, prompts: before }];
    case 'tag':
      return tagSteps('untag', action.tags, (prompt, tag) => !prompt.tags.includes(tag), before);
    case 'untag':
      return tagSteps('tag', action.tags, (prompt, tag) => prompt.tags.includes(tag), before);
    case 'set_category':
      return groupBy(before, (prompt) => prompt.category).map(([category, prompts]) => ({
        action: { action: 'set_category', category },
        prompts,
      }));
    case 'label':
    case 'unlabel':
      return groupBy(before, (prompt) => prompt.labels[action.label]).map(([version, prompts]) => ({
        action:
          version === undefined ? { action: 'unlabel', label: action.label } : { action: 'label', label: action.label, version },
        prompts,
      }));
    case 'add_to_folder':
      return folderStep('remove_from_folder', action.folder, before.filter((prompt) => !prompt.folder_ids.includes(action.folder)));
    case 'remove_from_folder':
      return folderStep('add_to_folder', action.folder, before.filter((prompt) => prompt.folder_ids.includes(action.folder)));
    case 'move_to_folder':
      return unmoved(action.folder, before);
    case 'purge':
    case 'duplicate':
      return null;
  }
}

function tagSteps(
  action: 'tag' | 'untag',
  tags: string[],
  isWanted: (prompt: ListedPrompt, tag: string) => boolean,
  before: ListedPrompt[],
): Step[] {
  return tags
    .map((tag) => ({ action: { action, tags: [tag] } as BulkAction, prompts: before.filter((prompt) => isWanted(prompt, tag)) }))
    .filter((step) => step.prompts.length > 0);
}

function folderStep(action: 'add_to_folder' | 'remove_from_folder', folder: string, prompts: ListedPrompt[]): Step[] {
  return prompts.length > 0 ? [{ action: { action, folder }, prompts }] : [];
}

/** Puts prompts back into the folders they stood in before they were moved into one. */
function unmoved(folder: string, before: ListedPrompt[]): Step[] {
  return groupBy(before, (prompt) => JSON.stringify([...prompt.folder_ids].sort())).flatMap(([, prompts]) => {
    const ids = prompts[0]!.folder_ids;
    const steps: Step[] = ids
      .filter((id) => id !== folder)
      .map((id) => ({ action: { action: 'add_to_folder', folder: id }, prompts }));
    if (!ids.includes(folder)) steps.push({ action: { action: 'remove_from_folder', folder }, prompts });
    return steps;
  });
}
