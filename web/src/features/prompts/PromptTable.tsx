import { Skeleton } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useRef } from 'react';
import type { ListedPrompt } from '~/api/types';
import { dragPrompts, setDragged } from '~/features/folders/dragging';
import { useShortcut } from '~/ui/shortcuts';
import type { PromptActions } from './actions';
import { PromptRow } from './PromptRow';
import type { Selection } from './use-selection';
import classes from './PromptTable.module.css';

interface Props {
  /** How many rows there are in all. */
  count: number;
  /** The prompt of a row; absent while its page is on the way. */
  rowAt: (index: number) => ListedPrompt | undefined;
  actions: PromptActions;
  selection: Selection;
  /** Called with the first and the last row in sight. */
  onSight: (first: number, last: number) => void;
}

/** Up to here all rows are in the page, where the browser's own search finds them. */
const virtualFrom = 100;
const rowHeight = 60;

const columns = ['Prompt', 'Live version', 'Last change', 'Tags', 'Calls in 7 days'];

export function PromptTable({ count, rowAt, actions, selection, onSight }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const isPhone = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  const isVirtual = count > virtualFrom;
  const virtualizer = useWindowVirtualizer({
    count,
    enabled: isVirtual,
    estimateSize: () => (isPhone ? 132 : rowHeight),
    overscan: 12,
    scrollMargin: body.current?.offsetTop ?? 0,
  });
  const items = virtualizer.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (isVirtual) onSight(first, last);
  }, [isVirtual, first, last, onSight]);

  useRowKeys(body, count, selection, rowAt, (index) => isVirtual && virtualizer.scrollToIndex(index));

  // What a row is given must stay the same while one scrolls, so that rows are not drawn again for nothing.
  const now = useRef({ rowAt, selection, count });
  useEffect(() => {
    now.current = { rowAt, selection, count };
  });
  const onTick = useCallback((prompt: ListedPrompt, withShift: boolean) => {
    now.current.selection.toggle(prompt, withShift ? (from, to) => between(now.current, from, to) : undefined);
  }, []);
  const onDrag = useCallback((event: React.DragEvent, prompt: ListedPrompt) => {
    const { selected, has } = now.current.selection;
    dragPrompts(event, has(prompt.id) ? selected : [prompt]);
  }, []);
  const onDragEnd = useCallback(() => setDragged(null), []);

  function row(index: number) {
    const prompt = rowAt(index);
    if (!prompt) return <RowSkeleton index={index} rowIndex={index + 2} />;
    return (
      <PromptRow
        prompt={prompt}
        actions={actions}
        ticked={selection.has(prompt.id)}
        onTick={onTick}
        onDrag={onDrag}
        onDragEnd={onDragEnd}
        rowIndex={index + 2}
      />
    );
  }

  return (
    <div role="table" aria-label="Prompts" aria-rowcount={count + 1} className={classes.table}>
      <TableHead />
      {isVirtual ? (
        <div role="rowgroup" ref={body} className={classes.virtual} style={{ height: virtualizer.getTotalSize() }}>
          {items.map((item) => (
            <div
              key={item.key}
              role="presentation"
              data-index={item.index}
              // On wide screens all rows are of one height; measuring them would only cost time.
              ref={isPhone ? virtualizer.measureElement : undefined}
              className={classes.slot}
              style={{ transform: `translateY(${item.start - virtualizer.options.scrollMargin}px)` }}
            >
              {row(item.index)}
            </div>
          ))}
        </div>
      ) : (
        <div role="rowgroup" ref={body}>
          {Array.from({ length: count }, (_, index) => (
            <div key={rowAt(index)?.id ?? index} role="presentation" data-index={index}>
              {row(index)}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

/** The prompts from one row to another, as far as they are loaded. */
function between({ rowAt, count }: { rowAt: Props['rowAt']; count: number }, from: string, to: string): ListedPrompt[] {
  const rows = Array.from({ length: count }, (_, index) => rowAt(index));
  const ends = [rows.findIndex((row) => row?.id === from), rows.findIndex((row) => row?.id === to)].sort((a, b) => a - b);
  return ends[0] === -1 ? [] : rows.slice(ends[0], ends[1]! + 1).filter((row) => row !== undefined);
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
  rowAt: Props['rowAt'],
  reveal: (index: number) => void,
) {
  const indexOf = (element: Element | null | undefined) => Number(element?.closest('[data-index]')?.getAttribute('data-index') ?? -1);

  function move(step: 1 | -1) {
    const links = [...(body.current?.querySelectorAll<HTMLElement>('[data-row-link]') ?? [])];
    const at = links.findIndex((link) => link.closest('[role="row"]')?.contains(document.activeElement));
    const next = links[at === -1 ? (step === 1 ? 0 : links.length - 1) : at + step];
    next?.focus({ preventScroll: true });
    const index = indexOf(next);
    if (index < 0) return;
    reveal(index);
    next?.scrollIntoView({ block: 'nearest' });
  }
  useShortcut({ keys: 'j', description: 'Next prompt', group: 'Prompt list' }, () => move(1), count > 0);
  useShortcut({ keys: 'k', description: 'Previous prompt', group: 'Prompt list' }, () => move(-1), count > 0);
  useShortcut(
    { keys: 'x', description: 'Tick the prompt', group: 'Prompt list' },
    () => {
      const prompt = rowAt(indexOf(document.activeElement));
      if (prompt) selection.toggle(prompt);
    },
    count > 0,
  );
}

/** A row whose page is on the way. */
function RowSkeleton({ index, rowIndex }: { index: number; rowIndex?: number }) {
  return (
    <div className={classes.row} role={rowIndex === undefined ? undefined : 'row'} aria-rowindex={rowIndex} aria-busy>
      <div className={classes.tick} role="presentation" />
      <div className={classes.title} role={rowIndex === undefined ? undefined : 'cell'}>
        <Skeleton height={14} width={`${50 + ((index * 17) % 40)}%`} />
        <Skeleton height={10} width={`${30 + ((index * 11) % 30)}%`} mt={6} />
      </div>
      <div className={classes.live} role="presentation">
        <Skeleton height={18} width={64} radius="xl" />
      </div>
      <div className={classes.changed} role="presentation">
        <Skeleton height={12} width="70%" />
      </div>
      <div className={classes.tags} role="presentation">
        <Skeleton height={16} width={60} />
      </div>
      <div className={classes.used} role="presentation">
        <Skeleton height={12} width={60} />
      </div>
      <div className={classes.menu} role="presentation" />
    </div>
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
        <RowSkeleton key={index} index={index} />
      ))}
    </div>
  );
}
