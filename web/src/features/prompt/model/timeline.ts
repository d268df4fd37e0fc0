import type { LabelMove, Version } from '~/api/types';

export type TimelineItem =
  { kind: 'version'; at: string; version: Version } | { kind: 'move'; at: string; move: LabelMove };

/**
 * Versions and label moves as one story, newest first. Both come in pages: what is older than the end
 * of the shorter one is held back until its neighbours are there.
 */
export function timeline(
  versions: Version[],
  moves: LabelMove[],
  more: { versions: boolean; moves: boolean },
): TimelineItem[] {
  const items: TimelineItem[] = [
    ...versions.map((version): TimelineItem => ({ kind: 'version', at: version.created_at, version })),
    ...moves.map((move): TimelineItem => ({ kind: 'move', at: move.moved_at, move })),
  ];
  const oldestVersion = more.versions ? (versions.at(-1)?.created_at ?? '') : '';
  const oldestMove = more.moves ? (moves.at(-1)?.moved_at ?? '') : '';
  return (
    items
      .filter((item) => (item.kind === 'move' ? item.at >= oldestVersion : item.at >= oldestMove))
      // A version and its publish happen at one time: the publish is told after it.
      .sort((a, b) => (a.at === b.at ? (a.kind === 'move' ? -1 : 1) : a.at < b.at ? 1 : -1))
  );
}

/** A label move in words: who did what. */
export function describeMove(move: LabelMove): string {
  const who = move.moved_by.name;
  const label = move.label ?? 'production';
  const to = move.to_version === null ? '' : `v${move.to_version}`;
  const live = label === 'production';
  switch (move.action) {
    case 'published':
      return live ? `${who} published ${to}` : `${who} published ${to} to ${label}`;
    case 'rolled_back':
      return live ? `${who} rolled back to ${to}` : `${who} moved ${label} back to ${to}`;
    case 'restored':
      return `${who} restored an earlier text as ${to}`;
    case 'removed':
      return live ? `${who} took it off production` : `${who} removed ${label}`;
    case 'moved':
      return `${who} moved ${label} to ${to}`;
  }
}
