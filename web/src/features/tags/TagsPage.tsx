import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { IconHash, IconSearch } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { lazy, Suspense, useMemo, useRef, useState } from 'react';
import { useRole } from '~/api/account';
import { refreshPrompts } from '~/features/bulk/use-bulk';
import type { Facet } from '~/api/types';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { EmptyState } from '~/ui/EmptyState';
import { ErrorState } from '~/ui/ErrorState';
import { notifyDone } from '~/ui/notify';
import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { Rows, RowsSkeleton, rowsClasses } from '~/ui/Rows';
import { deleteWord, type Kind, kinds, wordsQuery } from './queries';
import classes from './TagsPage.module.css';

const RenameDialog = lazy(() => import('./RenameDialog'));

type Open = { dialog: 'rename' | 'remove'; word: Facet } | null;

/** The tags and categories of the workspace: how much each is used, to be renamed, merged or removed everywhere. */
export function TagsPage() {
  const kind: Kind = useSearch({ from: '/app/tags' }).kind ?? 'tags';
  const navigate = useNavigate({ from: '/tags' });
  const queryClient = useQueryClient();
  const mayWrite = useRole('editor');
  const query = useQuery(wordsQuery(kind));
  const [typed, setTyped] = useState('');
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const { one, many } = kinds[kind];

  const all = query.data ?? [];
  const wanted = typed.trim().toLowerCase();
  const shown = useMemo(() => all.filter(({ name }) => name.toLowerCase().includes(wanted)), [all, wanted]);

  return (
    <Page width="reading">
      <PageHeader
        title="Tags and categories"
        description="Rename one, and every prompt has the new name at once. Two that mean the same become one when they get the same name."
      />
      <div className={classes.bar}>
        <SegmentedControl
          aria-label="Tags or categories"
          value={kind}
          onChange={(value) => {
            setTyped('');
            void navigate({ search: value === 'tags' ? {} : { kind: 'categories' }, replace: true });
          }}
          data={[
            { value: 'tags', label: 'Tags' },
            { value: 'categories', label: 'Categories' },
          ]}
        />
        {all.length > 8 && (
          <TextInput
            type="search"
            className={classes.search}
            aria-label={`Find a ${one}`}
            placeholder={`Find a ${one}`}
            leftSection={<IconSearch size={16} aria-hidden />}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        )}
      </div>
      {query.isPending && <RowsSkeleton rows={6} />}
      {query.isError && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
      {query.isSuccess && shown.length === 0 && <NoWords kind={kind} searched={wanted !== ''} />}
      {shown.length > 0 && (
        <Words
          key={kind}
          kind={kind}
          words={shown}
          mayWrite={mayWrite}
          onRename={(word) => setOpen({ dialog: 'rename', word })}
          onRemove={(word) => setOpen({ dialog: 'remove', word })}
        />
      )}
      <Suspense>
        {open?.dialog === 'rename' && <RenameDialog kind={kind} word={open.word} all={all} onClose={close} />}
      </Suspense>
      {open?.dialog === 'remove' && (
        <ConfirmDialog
          opened
          onClose={close}
          title={`Remove the ${one} “${open.word.name}” from ${promptsWords(open.word.prompts)}?`}
          confirm={`Remove ${one}`}
          onConfirm={async () => {
            await deleteWord(kind, open.word.name);
            await refreshPrompts(queryClient);
            notifyDone(`No prompt has the ${one} “${open.word.name}” any more.`);
          }}
        >
          The prompts stay as they are otherwise. {many} are part of what clients get, so programs that look at this one
          notice. Which prompts had it is not kept.
        </ConfirmDialog>
      )}
    </Page>
  );
}

function promptsWords(count: number): string {
  return count === 1 ? '1 prompt' : `${count.toLocaleString()} prompts`;
}

function NoWords({ kind, searched }: { kind: Kind; searched: boolean }) {
  const { one, many } = kinds[kind];
  if (searched) {
    return (
      <EmptyState icon={IconSearch} title="Nothing matches">
        No {one} has this in its name.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={IconHash}
      title={`No ${many.toLowerCase()} yet`}
      action={
        <Button variant="default" component={Link} to="/prompts">
          To the prompts
        </Button>
      }
    >
      {kind === 'tags'
        ? 'Tick prompts in the list and choose “Tag”, or write tags in the settings of a prompt.'
        : 'Give a prompt a category in its settings, or tick several in the list and choose “Set the category”.'}
    </EmptyState>
  );
}

interface WordsProps {
  kind: Kind;
  words: Facet[];
  mayWrite: boolean;
  onRename: (word: Facet) => void;
  onRemove: (word: Facet) => void;
}

const virtualFrom = 150;

function Words(props: WordsProps) {
  const { words, kind } = props;
  const list = useRef<HTMLUListElement>(null);
  const isVirtual = words.length > virtualFrom;
  const virtualizer = useWindowVirtualizer({
    count: words.length,
    enabled: isVirtual,
    estimateSize: () => 55,
    overscan: 10,
    scrollMargin: list.current?.offsetTop ?? 0,
  });
  if (!isVirtual) {
    return (
      <Rows label={kinds[kind].many}>
        {words.map((word) => (
          <li key={word.name} className={rowsClasses.row}>
            <Word {...props} word={word} />
          </li>
        ))}
      </Rows>
    );
  }
  return (
    <ul ref={list} className={`${rowsClasses.rows} ${classes.virtual}`} aria-label={kinds[kind].many} style={{ height: virtualizer.getTotalSize() }}>
      {virtualizer.getVirtualItems().map((item) => (
        <li
          key={item.key}
          ref={virtualizer.measureElement}
          data-index={item.index}
          aria-setsize={words.length}
          aria-posinset={item.index + 1}
          className={`${rowsClasses.row} ${classes.slot}`}
          style={{ transform: `translateY(${item.start - virtualizer.options.scrollMargin}px)` }}
        >
          <Word {...props} word={words[item.index]!} />
        </li>
      ))}
    </ul>
  );
}

function Word({ kind, word, mayWrite, onRename, onRemove }: WordsProps & { word: Facet }) {
  return (
    <>
      <div className={rowsClasses.words}>
        <span className={rowsClasses.title}>{kind === 'tags' ? `#${word.name}` : word.name}</span>
      </div>
      <Link
        to="/prompts"
        search={kind === 'tags' ? { tag: word.name } : { category: word.name }}
        className={classes.count}
        aria-label={`${promptsWords(word.prompts)} with ${word.name}`}
      >
        {promptsWords(word.prompts)}
      </Link>
      {mayWrite && (
        <div className={rowsClasses.actions}>
          <Button variant="default" size="xs" aria-label={`Rename ${word.name}`} onClick={() => onRename(word)}>
            Rename
          </Button>
          <Button variant="subtle" color="red" size="xs" aria-label={`Remove ${word.name}`} onClick={() => onRemove(word)}>
            Remove
          </Button>
        </div>
      )}
    </>
  );
}
