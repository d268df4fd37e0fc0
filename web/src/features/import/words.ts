import type { ImportFormat, ImportState, OnConflict, RowStatus } from '~/api/types';

export const formats: { value: ImportFormat; label: string }[] = [
  { value: 'auto', label: 'Find out by itself' },
  { value: 'xr2', label: 'Export of xr2 (JSON)' },
  { value: 'csv', label: 'Table (CSV)' },
  { value: 'langfuse', label: 'Langfuse' },
  { value: 'promptfoo', label: 'promptfoo' },
  { value: 'markdown', label: 'Markdown' },
  { value: 'text', label: 'Plain text' },
  { value: 'zip', label: 'Folder, packed (zip)' },
];

export const conflicts: { value: OnConflict; label: string; description: string }[] = [
  { value: 'update', label: 'The file wins', description: 'It gets a new version where its text differs.' },
  { value: 'keep_edited', label: 'The file wins, unless somebody edited it here', description: 'For a file that is imported again and again.' },
  { value: 'skip', label: 'What is here stays', description: 'Only prompts that are not here yet come in.' },
  { value: 'fail', label: 'It is a mistake', description: 'It is reported, and stays as it is.' },
];

export type PublishChoice = 'file' | 'all' | 'none';

export const publishing: { value: PublishChoice; label: string }[] = [
  { value: 'none', label: 'No, I look at them first' },
  { value: 'file', label: 'As the file says; at once where it says nothing' },
  { value: 'all', label: 'Yes, all of them at once' },
];

export const publishFlag: Record<PublishChoice, boolean | undefined> = { none: false, file: undefined, all: true };

export const formatLabel = (format: ImportFormat) => formats.find(({ value }) => value === format)?.label ?? format;

export const stateWords: Record<ImportState, string> = {
  reading: 'Reading the file',
  waiting: 'Waiting for its turn',
  running: 'On its way',
  checked: 'This would happen; nothing is changed yet',
  done: 'Done',
  failed: 'It could not be done',
  cancelled: 'Stopped; what had come in before stays',
};

/** What a row's status means before and after it was applied. */
export function rowWords(status: RowStatus, applied: boolean): string {
  const words: Record<RowStatus, [string, string]> = {
    pending: ['Not looked at yet', 'Not looked at'],
    created: ['New', 'New'],
    updated: ['Changes', 'Changed'],
    unchanged: ['Is the same', 'Was the same'],
    skipped: ['Stays', 'Stayed'],
    failed: ['Cannot come in', 'Did not come in'],
  };
  return words[status][applied ? 1 : 0];
}

/** Fields of a prompt that a column can fill. */
export const fields = [
  { value: 'title', label: 'Title' },
  { value: 'content', label: 'Text' },
  { value: 'slug', label: 'Slug' },
  { value: 'description', label: 'Description' },
  { value: 'category', label: 'Category' },
  { value: 'tags', label: 'Tags' },
];
