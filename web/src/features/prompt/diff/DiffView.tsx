import { Button } from '@mantine/core';
import { IconArrowDown, IconArrowsVertical, IconArrowUp } from '@tabler/icons-react';
import { useMemo, useRef, useState } from 'react';
import type { Diff, DiffLine } from '~/api/types';
import { useShortcut } from '~/ui';
import { collapse, describeDiff, type Fold, sideBySide } from '../model/diff';
import { ContractChanges } from './ContractChanges';
import classes from './DiffView.module.css';

interface Props {
  diff: Diff;
  layout: 'inline' | 'split';
}

/** What is different between two states, word by word. */
export function DiffView({ diff, layout }: Props) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => collapse(diff.lines, opened), [diff.lines, opened]);
  const body = useRef<HTMLTableSectionElement>(null);
  const changed = diff.lines.some((line) => line.kind !== 'equal');
  const open = (fold: Fold) => setOpened((old) => new Set(old).add(fold.key));

  /** Brings the next or previous block of changes into view and onto the keyboard. */
  function step(by: 1 | -1) {
    const starts = [...(body.current?.querySelectorAll<HTMLElement>('[data-start]') ?? [])];
    if (starts.length === 0) return;
    const now = starts.indexOf(document.activeElement as HTMLElement);
    const next = starts[(now + by + starts.length + (now === -1 && by === -1 ? 1 : 0)) % starts.length];
    next?.focus();
    next?.scrollIntoView({ block: 'center' });
  }

  useShortcut({ keys: 'n', description: 'Next change', group: 'Comparison' }, () => step(1), changed);
  useShortcut({ keys: 'p', description: 'Previous change', group: 'Comparison' }, () => step(-1), changed);

  return (
    <div className={classes.diff}>
      <div className={classes.bar}>
        <span>{describeDiff(diff.stats)}</span>
        {changed && (
          <span className={classes.steps}>
            <Button
              size="compact-xs"
              variant="default"
              leftSection={<IconArrowUp size={13} aria-hidden />}
              onClick={() => step(-1)}
            >
              Previous
            </Button>
            <Button
              size="compact-xs"
              variant="default"
              leftSection={<IconArrowDown size={13} aria-hidden />}
              onClick={() => step(1)}
            >
              Next
            </Button>
          </span>
        )}
      </div>
      <ContractChanges diff={diff} />
      {diff.lines.length > 0 && (
        <div className={classes.scroll} tabIndex={0} role="group" aria-label="Comparison">
          <table className={classes.table} data-layout={layout}>
            <caption className={classes.hidden}>
              From {diff.from.name} to {diff.to.name}
            </caption>
            <colgroup>
              <col className={classes.narrow} />
              <col className={layout === 'split' ? undefined : classes.narrow} />
              {layout === 'split' && <col className={classes.narrow} />}
              <col />
            </colgroup>
            {layout === 'split' && (
              <thead>
                <tr>
                  <th colSpan={2} scope="col">
                    {diff.from.name}
                  </th>
                  <th colSpan={2} scope="col">
                    {diff.to.name}
                  </th>
                </tr>
              </thead>
            )}
            <tbody ref={body}>
              {layout === 'split'
                ? sideBySide(rows).map((row, index, all) =>
                    row.kind === 'fold' ? (
                      <FoldRow key={row.key} fold={row} columns={4} onOpen={open} />
                    ) : (
                      <tr key={index} {...startOf(isChange(row.left, row.right), index > 0 && before(all[index - 1]!))}>
                        <Cell line={row.left} side="old" />
                        <Cell line={row.right} side="new" />
                      </tr>
                    ),
                  )
                : rows.map((row, index, all) =>
                    row.kind === 'fold' ? (
                      <FoldRow key={row.key} fold={row} columns={3} onOpen={open} />
                    ) : (
                      <InlineRow
                        key={index}
                        line={row}
                        start={
                          row.kind !== 'equal' &&
                          !(index > 0 && all[index - 1]!.kind !== 'equal' && all[index - 1]!.kind !== 'fold')
                        }
                      />
                    ),
                  )}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

const isChange = (left: DiffLine | null, right: DiffLine | null) => left?.kind === 'delete' || right?.kind === 'insert';

function before(row: ReturnType<typeof sideBySide>[number]): boolean {
  return row.kind === 'pair' && isChange(row.left, row.right);
}

/** The first row of a block of changes takes the keyboard. */
function startOf(change: boolean, changeBefore: boolean) {
  return change && !changeBefore ? { 'data-start': true, tabIndex: -1 } : {};
}

function InlineRow({ line, start }: { line: DiffLine; start: boolean }) {
  return (
    <tr data-kind={line.kind} {...(start ? { 'data-start': true, tabIndex: -1 } : {})}>
      <td className={classes.number}>{line.old ?? ''}</td>
      <td className={classes.number}>{line.new ?? ''}</td>
      <td className={classes.text} data-kind={line.kind}>
        <LineText line={line} />
      </td>
    </tr>
  );
}

function Cell({ line, side }: { line: DiffLine | null; side: 'old' | 'new' }) {
  if (!line) {
    return (
      <>
        <td className={classes.number} />
        <td className={classes.text} data-kind="none" />
      </>
    );
  }
  return (
    <>
      <td className={classes.number}>{line[side] ?? ''}</td>
      <td className={classes.text} data-kind={line.kind}>
        <LineText line={line} />
      </td>
    </>
  );
}

/** The line with its sign and words for those who do not see the colour. */
function LineText({ line }: { line: DiffLine }) {
  if (line.kind === 'equal') return <span className={classes.words}>{line.text || ' '}</span>;
  const Tag = line.kind === 'delete' ? 'del' : 'ins';
  return (
    <Tag className={classes.words}>
      <span className={classes.sign} aria-hidden>
        {line.kind === 'delete' ? '−' : '+'}
      </span>
      <span className={classes.hidden}>{line.kind === 'delete' ? 'Removed: ' : 'Added: '}</span>
      {line.segments && line.segments.length > 0
        ? line.segments.map((segment, index) =>
            segment.changed ? (
              <strong key={index} className={classes.changed}>
                {segment.text}
              </strong>
            ) : (
              segment.text
            ),
          )
        : line.text || ' '}
    </Tag>
  );
}

function FoldRow({ fold, columns, onOpen }: { fold: Fold; columns: number; onOpen: (fold: Fold) => void }) {
  return (
    <tr>
      <td colSpan={columns} className={classes.fold}>
        <button type="button" onClick={() => onOpen(fold)}>
          <IconArrowsVertical size={14} aria-hidden />
          Show {fold.count} equal lines
        </button>
      </td>
    </tr>
  );
}
