import { Skeleton } from '@mantine/core';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import type { Prompt } from '~/api/types';
import { useShortcut } from '~/ui/shortcuts';
import type { PromptActions } from './actions';
import { PromptRow } from './PromptRow';
import type { Selection } from './use-selection';
import classes from './PromptTable.module.css';

interface Props {
  prompts: Prompt[];
  total: number;
  actions: PromptActions;
  selection: Selection;
  /** Called when the reader comes near the end of what is loaded. */
  onNearEnd: () => void;
}

/** Up to here all rows are in the page, where the browser's own search finds them. */
const virtualFrom = 150;

const columns = ['Prompt', 'Live version', 'Last change', 'Category and tags', 'Last used'];

export function PromptTable({ prompts, total, actions, selection, onNearEnd }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const virtualizer = useWindowVirtualizer({
    count: prompts.length,
    estimateSize: () => 60,
    overscan: 12,
    scrollMargin: body.current?.offsetTop ?? 0,
    getItemKey: (index) => prompts[index]?.id ?? index,
  });
  const items = virtualizer.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (lastShown >= prompts.length - 20) onNearEnd();
  }, [lastShown, prompts.length, onNearEnd]);

  useRowKeys(body, prompts.length, selection, (index) => virtualizer.scrollToIndex(index));

  return (
    <div role="table" aria-label="Prompts" aria-rowcount={total + 1} className={classes.table}>
      <TableHead />
      {prompts.length < virtualFrom ? (
        <div role="rowgroup" ref={body}>
          {prompts.map((prompt, index) => (
            <PromptRow key={prompt.id} prompt={prompt} actions={actions} selection={selection} rowIndex={index + 2} />
          ))}
        </div>
      ) : (
        <div role="rowgroup" ref={body} className={classes.virtual} style={{ height: virtualizer.getTotalSize() }}>
          {items.map((item) => (
            <div
              key={item.key}
              role="presentation"
              data-index={item.index}
              ref={virtualizer.measureElement}
              className={classes.slot}
              style={{ transform: `translateY(${item.start - virtualizer.options.scrollMargin}px)` }}
            >
              <PromptRow prompt={prompts[item.index]!} actions={actions} selection={selection} rowIndex={item.index + 2} />
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

function TableHead() {
  return (
    <div role="rowgroup">
      <div role="row" aria-rowindex={1} className={classes.head}>
        <div role="columnheader" className={classes.tick}>
          <span className={classes.hidden}>Tick</span>
        </div>
        {columns.map((name) => (
          <div role="columnheader" key={name}>
            {name}
          </div>
        ))}
        <div role="columnheader">
          <span className={classes.hidden}>Actions</span>
        </div>
      </div>
    </div>
  );
}

/** `j` and `k` walk through the rows, `x` ticks one; Enter then opens one, as it does for any link. */
function useRowKeys(
  body: React.RefObject<HTMLDivElement | null>,
  count: number,
  selection: Selection,
  reveal: (index: number) => void,
) {
  function move(step: 1 | -1) {
    const rows = [...(body.current?.querySelectorAll<HTMLElement>('[data-row-link]') ?? [])];
    const at = rows.findIndex((row) => row.closest('[role="row"]')?.contains(document.activeElement));
    const next = rows[at === -1 ? (step === 1 ? 0 : rows.length - 1) : at + step];
    next?.focus();
    const index = Number(next?.closest('[data-index]')?.getAttribute('data-index') ?? -1);
    if (index >= 0) reveal(index);
  }
  useShortcut({ keys: 'j', description: 'Next prompt', group: 'Prompt list' }, () => move(1), count > 0);
  useShortcut({ keys: 'k', description: 'Previous prompt', group: 'Prompt list' }, () => move(-1), count > 0);
  useShortcut(
    { keys: 'x', description: 'Tick the prompt', group: 'Prompt list' },
    () => {
      const id = document.activeElement?.closest<HTMLElement>('[role="row"]')?.dataset.id;
      if (id) selection.toggle(id);
    },
    count > 0,
  );
}

/** The table's own shape while it loads. */
export function PromptTableSkeleton() {
  return (
    <div className={classes.table} aria-hidden>
      <div className={classes.head}>
        <div className={classes.tick} />
        {columns.map((name) => (
          <div key={name}>{name}</div>
        ))}
        <div />
      </div>
      {Array.from({ length: 10 }, (_, index) => (
        <div key={index} className={classes.row}>
          <div className={classes.tick} />
          <div className={classes.title}>
            <Skeleton height={14} width={`${50 + ((index * 17) % 40)}%`} />
            <Skeleton height={10} width={`${30 + ((index * 11) % 30)}%`} mt={6} />
          </div>
          <div className={classes.live}>
            <Skeleton height={18} width={64} radius="xl" />
          </div>
          <div className={classes.changed}>
            <Skeleton height={12} width="70%" />
          </div>
          <div className={classes.tags}>
            <Skeleton height={16} width={60} />
          </div>
          <div className={classes.used}>
            <Skeleton height={12} width={60} />
          </div>
          <div className={classes.menu} />
        </div>
      ))}
    </div>
  );
}
