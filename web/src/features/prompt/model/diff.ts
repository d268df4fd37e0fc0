import type { DiffLine } from '~/api/types';

/** A stretch of equal lines that is hidden until asked for. */
export interface Fold {
  kind: 'fold';
  key: string;
  count: number;
}

export type UnifiedRow = DiffLine | Fold;

/** One row of the side-by-side view; null is an empty cell. */
export interface Pair {
  kind: 'pair';
  left: DiffLine | null;
  right: DiffLine | null;
}

export type SplitRow = Pair | Fold;

/**
 * Hides equal stretches longer than twice the context and a little, except those opened.
 * A fold that would hide fewer than three lines is not worth its row.
 */
export function collapse(lines: DiffLine[], opened: ReadonlySet<string>, context = 3): UnifiedRow[] {
  const rows: UnifiedRow[] = [];
  let start = 0;
  while (start < lines.length) {
    let end = start;
    while (end < lines.length && lines[end]!.kind === 'equal') end++;
    if (end === start) {
      rows.push(lines[start]!);
      start += 1;
      continue;
    }
    const head = start === 0 ? 0 : context;
    const tail = end === lines.length ? 0 : context;
    const hidden = end - start - head - tail;
    const key = `${start}-${end}`;
    if (hidden < 3 || opened.has(key)) {
      rows.push(...lines.slice(start, end));
    } else {
      rows.push(
        ...lines.slice(start, start + head),
        { kind: 'fold', key, count: hidden },
        ...lines.slice(end - tail, end),
      );
    }
    start = end;
  }
  return rows;
}

/** Lays deleted lines beside the inserted ones that take their place. */
export function sideBySide(rows: UnifiedRow[]): SplitRow[] {
  const out: SplitRow[] = [];
  let index = 0;
  while (index < rows.length) {
    const row = rows[index]!;
    if (row.kind === 'fold') {
      out.push(row);
      index += 1;
    } else if (row.kind === 'equal') {
      out.push({ kind: 'pair', left: row, right: row });
      index += 1;
    } else {
      const removed: DiffLine[] = [];
      const added: DiffLine[] = [];
      while (index < rows.length) {
        const next = rows[index]!;
        if (next.kind === 'delete') removed.push(next);
        else if (next.kind === 'insert') added.push(next);
        else break;
        index += 1;
      }
      for (let i = 0; i < Math.max(removed.length, added.length); i++) {
        out.push({ kind: 'pair', left: removed[i] ?? null, right: added[i] ?? null });
      }
    }
  }
  return out;
}

/** The change in one sentence, for those who hear the page. */
export function describeDiff(stats: { added: number; removed: number; changed: number }): string {
  const parts = [
    stats.changed > 0 ? `${stats.changed} ${stats.changed === 1 ? 'line' : 'lines'} changed` : '',
    stats.added > 0 ? `${stats.added} added` : '',
    stats.removed > 0 ? `${stats.removed} removed` : '',
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(', ') : 'The text is the same';
}
