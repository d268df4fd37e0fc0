import { Button } from '@mantine/core';
import { IconFileText, IconPlus, IconSearchOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { EmptyState } from '~/ui/EmptyState';
import { filterNames, type ListSearch, noFilters } from './filters';

/** Stands where nobody has written anything yet. */
export function FirstPrompt({ mayWrite }: { mayWrite: boolean }) {
  if (!mayWrite) {
    return (
      <EmptyState icon={IconFileText} title="No prompts yet">
        As soon as an editor of this workspace writes one, you can read and try it here.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={IconFileText}
      title="Write your first prompt"
      action={
        <Button component={Link} to="/prompts/new" leftSection={<IconPlus size={16} aria-hidden />}>
          New Prompt
        </Button>
      }
    >
      A prompt is a text with places to fill in, such as <code>{'{{ name }}'}</code>. Your programs fetch it by its slug.
      When you publish a new version here, they have it at once: nothing to deploy.
    </EmptyState>
  );
}

/** What an empty list means where it is narrowed by this one filter alone. */
const alone: Partial<Record<keyof ListSearch, [title: string, words: string]>> = {
  archived: ['The archive is empty', 'Archived prompts are hidden from the list but still delivered to clients.'],
  unused: [
    'Every prompt is in use',
    'Prompts that are older than 30 days and that no program has fetched in that time would stand here.',
  ],
  favourite: ['No favourites yet', 'The star at the end of a row keeps a prompt here. Only you see yours.'],
  recent: ['You have edited nothing yet', 'What you write or change stands here, the latest first.'],
  folder: [
    'Nothing is in here',
    'Tick prompts in the list and put them into the folder, or drag them onto it. One prompt may stand in several.',
  ],
};

export function NothingFound({ search, onChange }: { search: ListSearch; onChange: (next: Partial<ListSearch>) => void }) {
  const on = filterNames.filter((name) => search[name] !== undefined && name !== 'flat');
  const [title, words] = (on.length === 1 && alone[on[0]!]) || [
    'Nothing matches',
    'No prompt has all of this. Try fewer words, or remove a filter.',
  ];
  return (
    <EmptyState
      icon={IconSearchOff}
      title={title}
      action={
        <Button variant="default" onClick={() => onChange(noFilters())}>
          Show all prompts
        </Button>
      }
    >
      {words}
    </EmptyState>
  );
}
