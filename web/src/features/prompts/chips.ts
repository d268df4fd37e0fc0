import { changedWithin, type ChangedWithin, type ListSearch, tagsOf, unusedDays, withTags } from './filters';

/** A filter that is on, as words, and what takes it off. */
export interface Chip {
  key: string;
  words: string;
  off: Partial<ListSearch>;
}

export const changedWords: Record<ChangedWithin, string> = {
  day: 'Changed today',
  week: `Changed in ${changedWithin.week} days`,
  month: `Changed in ${changedWithin.month} days`,
};

/** The filters with one value, in the words of the menu. */
export const choices = {
  state: { live: 'Live', unpublished: 'Not live' },
  kind: { text: 'Text', chat: 'Chat messages' },
  author: { me: 'Written by me' },
  editor: { me: 'Last changed by me' },
  changed: changedWords,
  draft: { true: 'Draft differs' },
  archived: { true: 'Archived' },
  unused: { true: `Unused for ${unusedDays} days` },
  favourite: { true: 'Favourites' },
  recent: { true: 'Edited by me' },
  flat: { true: 'Without folders inside' },
} satisfies Partial<Record<keyof ListSearch, Record<string, string>>>;

/** Every filter that is on, in a fixed order. `folder` is the path of the one in the address. */
export function chipsOf(search: ListSearch, folder: string | undefined): Chip[] {
  const chips: Chip[] = [];
  if (search.folder) {
    const words = search.folder === 'none' ? 'In no folder' : `Folder: ${folder ?? '…'}`;
    chips.push({ key: 'folder', words, off: { folder: undefined, flat: undefined } });
  }
  if (search.category) chips.push({ key: 'category', words: `Category: ${search.category}`, off: { category: undefined } });
  const tags = tagsOf(search);
  for (const tag of tags) {
    chips.push({ key: `tag-${tag}`, words: `Tag: ${tag}`, off: { tag: withTags(tags.filter((other) => other !== tag)) } });
  }
  if (search.label) chips.push({ key: 'label', words: `Label: ${search.label}`, off: { label: undefined } });
  for (const [name, values] of Object.entries(choices)) {
    const value = search[name as keyof typeof choices];
    const words = value !== undefined && (values as Record<string, string>)[String(value)];
    if (words) chips.push({ key: name, words, off: { [name]: undefined } });
  }
  return chips;
}
