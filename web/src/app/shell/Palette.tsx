import { useDebouncedValue } from '@mantine/hooks';
import { openSpotlight, Spotlight } from '@mantine/spotlight';
import '@mantine/spotlight/styles.layer.css';
import { IconFileText, IconKeyboard, IconLogout, IconPlus, IconSearch, IconUserCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useRole } from '~/api/account';
import { promptListQuery } from '~/api/prompts';
import { signOut } from '~/features/auth/session';
import { notifyError } from '~/ui/notify';
import { mainPages, workspacePages } from './nav';
import classes from './Palette.module.css';

interface Props {
  /** Grows by one each time the palette is asked for. */
  opening: number;
  onShortcuts: () => void;
}

interface Entry {
  id: string;
  label: string;
  hint?: string;
  Icon: typeof IconFileText;
  run: () => void;
}

/** One box to reach any prompt, page or action. */
export default function Palette({ opening, onShortcuts }: Props) {
  const [query, setQuery] = useState('');
  const groups = useEntries(query, onShortcuts);
  useEffect(() => openSpotlight(), [opening]);

  return (
    <Spotlight.Root
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      clearQueryOnClose
      maxHeight={420}
      scrollable
      transitionProps={{ duration: 100 }}
      attributes={{ content: { 'aria-label': 'Search and actions' } }}
    >
      <Spotlight.Search
        placeholder="Find a prompt, a page or an action"
        aria-label="Find a prompt, a page or an action"
        leftSection={<IconSearch size={18} aria-hidden />}
      />
      <Spotlight.ActionsList>
        {groups.map((group) => (
          <Spotlight.ActionsGroup key={group.label} label={group.label}>
            {group.entries.map((entry) => (
              <Spotlight.Action key={entry.id} onClick={entry.run} className={classes.action}>
                <entry.Icon size={18} stroke={1.5} aria-hidden />
                <span className={classes.label}>{entry.label}</span>
                {entry.hint && <span className={classes.hint}>{entry.hint}</span>}
              </Spotlight.Action>
            ))}
          </Spotlight.ActionsGroup>
        ))}
        {groups.length === 0 && <Spotlight.Empty>Nothing found for “{query}”</Spotlight.Empty>}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

function useEntries(query: string, onShortcuts: () => void) {
  const navigate = useNavigate();
  const isAdmin = useRole('admin');
  const mayWrite = useRole('editor');
  const [search] = useDebouncedValue(query.trim(), 120);
  const prompts = useQuery(promptListQuery({ search: search || undefined, sort: '-updated_at', limit: 8, page: 1 }));

  const pages: Entry[] = [...mainPages, ...workspacePages]
    .filter((page) => !page.adminOnly || isAdmin)
    .map((page) => ({ id: page.to, label: page.label, Icon: page.Icon, run: () => void navigate({ to: page.to }) }));
  pages.push({
    id: '/account',
    label: 'Profile and sessions',
    Icon: IconUserCircle,
    run: () => void navigate({ to: '/account' }),
  });

  const actions: Entry[] = [
    { id: 'shortcuts', label: 'Keyboard shortcuts', Icon: IconKeyboard, run: onShortcuts },
    {
      id: 'sign-out',
      label: 'Sign out',
      Icon: IconLogout,
      run: () => void signOut().catch((error) => notifyError(error)),
    },
  ];
  if (mayWrite) {
    actions.unshift({
      id: 'new',
      label: 'Write a new prompt',
      Icon: IconPlus,
      run: () => void navigate({ to: '/prompts/new' }),
    });
  }

  const found: Entry[] = (prompts.data?.items ?? []).map((prompt) => ({
    id: prompt.id,
    label: prompt.title,
    hint: prompt.slug,
    Icon: IconFileText,
    run: () => void navigate({ to: '/prompts/$slug', params: { slug: prompt.slug } }),
  }));

  const matches = (entry: Entry) => entry.label.toLowerCase().includes(query.trim().toLowerCase());
  return [
    { label: search ? 'Prompts' : 'Recently changed', entries: found },
    { label: 'Pages', entries: pages.filter(matches) },
    { label: 'Actions', entries: actions.filter(matches) },
  ].filter((group) => group.entries.length > 0);
}
