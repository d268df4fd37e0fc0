import { Modal } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconFileText, IconKeyboard, IconLogout, IconPlus, IconSearch, IconUserCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { useRole } from '~/api/account';
import { promptListQuery } from '~/api/prompts';
import { signOut } from '~/features/auth/session';
import { explain } from '~/ui/explain';
import { notifyError } from '~/ui/notify';
import { mainPages, workspacePages } from './nav';
import classes from './Palette.module.css';
import { rank } from './rank';

interface Props {
  onClose: () => void;
  onShortcuts: () => void;
}

interface Entry {
  id: string;
  label: string;
  hint?: string;
  Icon: typeof IconFileText;
  run: () => void;
}

interface Group {
  label: string;
  entries: Entry[];
}

/** One box to reach any prompt, page or action. */
export default function Palette({ onClose, onShortcuts }: Props) {
  const id = useId();
  const [query, setQuery] = useState('');
  const [selected, setSelected] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const { groups, nothing } = useEntries(query, onShortcuts);
  const entries = groups.flatMap((group) => group.entries);
  const current = Math.min(selected, entries.length - 1);

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [current]);

  function choose(entry: Entry | undefined) {
    if (!entry) return;
    onClose();
    entry.run();
  }

  function onKeyDown(event: KeyboardEvent) {
    const last = entries.length - 1;
    const moves: Record<string, () => void> = {
      ArrowDown: () => setSelected(current >= last ? 0 : current + 1),
      ArrowUp: () => setSelected(current <= 0 ? last : current - 1),
      Home: () => setSelected(0),
      End: () => setSelected(last),
      Enter: () => choose(entries[current]),
    };
    const move = event.nativeEvent.isComposing ? undefined : moves[event.key];
    if (!move || (query && (event.key === 'Home' || event.key === 'End'))) return;
    event.preventDefault();
    move();
  }

  return (
    <Modal
      opened
      onClose={onClose}
      withCloseButton={false}
      centered={false}
      yOffset="12vh"
      size={600}
      padding={0}
      attributes={{ content: { 'aria-label': 'Search and actions' } }}
      classNames={{ content: classes.content }}
    >
      <div className={classes.search}>
        <IconSearch size={18} aria-hidden />
        <input
          className={classes.input}
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={entries[current] ? `${id}-${current}` : undefined}
          aria-autocomplete="list"
          aria-label="Find a prompt, a page or an action"
          placeholder="Find a prompt, a page or an action"
          autoComplete="off"
          spellCheck={false}
          data-autofocus
          value={query}
          onChange={(event) => {
            setQuery(event.currentTarget.value);
            setSelected(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div className={classes.list} id={`${id}-list`} role="listbox" aria-label="Results" ref={list} tabIndex={-1}>
        {groups.map((group) => (
          <div key={group.label} role="group" aria-label={group.label}>
            <div className={classes.group} aria-hidden>
              {group.label}
            </div>
            {group.entries.map((entry) => {
              const index = entries.indexOf(entry);
              return (
                <div
                  key={entry.id}
                  id={`${id}-${index}`}
                  role="option"
                  aria-selected={index === current}
                  className={classes.entry}
                  onMouseMove={() => setSelected(index)}
                  onClick={() => choose(entry)}
                >
                  <entry.Icon size={18} stroke={1.5} aria-hidden />
                  <span className={classes.label}>{entry.label}</span>
                  {entry.hint && <span className={classes.hint}>{entry.hint}</span>}
                </div>
              );
            })}
          </div>
        ))}
      </div>
      {entries.length === 0 && (
        <div className={classes.empty} role="status">
          {nothing}
        </div>
      )}
    </Modal>
  );
}

/** More than is shown, because the server lists by time and the best fits are chosen here. */
const ASKED = 50;
const SHOWN = 8;

function useEntries(query: string, onShortcuts: () => void): { groups: Group[]; nothing: string } {
  const navigate = useNavigate();
  const isAdmin = useRole('admin');
  const mayWrite = useRole('editor');
  const wanted = query.trim();
  const [search] = useDebouncedValue(wanted, 120);
  const prompts = useQuery(
    promptListQuery({ search: search || undefined, sort: '-updated_at', limit: search ? ASKED : SHOWN, page: 1 }),
  );
  // Until the answer is there, Enter must not open what was found for other words.
  const searching = search !== wanted || prompts.isPlaceholderData || prompts.isPending;

  const found: Entry[] = rank(prompts.data?.items ?? [], wanted, searching).slice(0, SHOWN).map((prompt) => ({
    id: prompt.id,
    label: prompt.title,
    hint: prompt.slug,
    Icon: IconFileText,
    run: () => void navigate({ to: '/prompts/$slug', params: { slug: prompt.slug } }),
  }));
  const pages: Entry[] = [
    ...[...mainPages, ...workspacePages]
      .filter((page) => !page.adminOnly || isAdmin)
      .map(({ to, label, Icon }) => ({ id: to, label, Icon, run: () => void navigate({ to }) })),
    {
      id: '/account',
      label: 'Profile and sessions',
      Icon: IconUserCircle,
      run: () => void navigate({ to: '/account' }),
    },
  ];
  const write: Entry = {
    id: 'new',
    label: 'Write a new prompt',
    Icon: IconPlus,
    run: () => void navigate({ to: '/prompts/new' }),
  };
  const actions: Entry[] = [
    ...(mayWrite ? [write] : []),
    { id: 'shortcuts', label: 'Keyboard shortcuts', Icon: IconKeyboard, run: onShortcuts },
    {
      id: 'sign-out',
      label: 'Sign out',
      Icon: IconLogout,
      run: () => void signOut().catch((error) => notifyError(error)),
    },
  ];

  const matches = (entry: Entry) => entry.label.toLowerCase().includes(wanted.toLowerCase());
  const groups = [
    { label: wanted ? 'Prompts' : 'Recently changed', entries: found },
    { label: 'Pages', entries: pages.filter(matches) },
    { label: 'Actions', entries: actions.filter(matches) },
  ].filter((group) => group.entries.length > 0);
  return { groups, nothing: whyNothing(wanted, searching, prompts.error) };
}

/** What stands there when the list is empty. */
function whyNothing(wanted: string, searching: boolean, error: unknown): string {
  if (error) return `${explain(error).title}. ${explain(error).text}`;
  return searching ? 'Searching…' : `Nothing found for “${wanted}”`;
}
