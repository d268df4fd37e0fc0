import { Button } from '@mantine/core';
import { IconArrowBackUp, IconRocket, IconTag } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { LabelMove, Version } from '~/api/types';
import { RelativeTime, StatusPill, Tag } from '~/ui';
import { describeMove, timeline } from '../model/timeline';
import { usePrompt } from '../PromptContext';
import classes from './History.module.css';

interface Props {
  versions: Version[];
  moves: LabelMove[];
  more: { versions: boolean; moves: boolean };
  onMore: () => void;
  loading: boolean;
  shown: number;
}

/** Versions and what was made live, newest first. */
export function Timeline({ versions, moves, more, onMore, loading, shown }: Props) {
  const items = useMemo(() => timeline(versions, moves, more), [versions, moves, more]);
  return (
    <section aria-label="Timeline">
      <ol className={classes.timeline}>
        {items.map((item) =>
          item.kind === 'version' ? (
            <VersionItem key={`v${item.version.number}`} version={item.version} shown={item.version.number === shown} />
          ) : (
            <MoveItem key={`m${item.at}${item.move.label}`} move={item.move} />
          ),
        )}
      </ol>
      {(more.versions || more.moves) && (
        <Button variant="default" size="xs" fullWidth loading={loading} onClick={onMore}>
          Show older
        </Button>
      )}
    </section>
  );
}

function VersionItem({ version, shown }: { version: Version; shown: boolean }) {
  const { details } = usePrompt();
  const labels = Object.entries(details.labels).filter(
    ([name, number]) => number === version.number && name !== 'production' && name !== 'latest',
  );
  const live = details.live?.version === version.number;
  return (
    <li className={classes.item} data-live={live || undefined}>
      <Link
        to="/prompts/$slug/history"
        params={{ slug: details.slug }}
        search={(old) => ({ view: old.view, version: version.number })}
        className={classes.version}
        aria-current={shown || undefined}
        resetScroll={false}
      >
        <span className={classes.versionHead}>
          <strong>v{version.number}</strong>
          {live && <StatusPill status="live" />}
          {labels.map(([name]) => (
            <Tag key={name}>{name}</Tag>
          ))}
        </span>
        <span className={classes.summary}>
          {version.change_summary || (version.number === 1 ? 'First version' : 'No summary')}
        </span>
        <span className={classes.meta}>
          {version.created_by.name}, <RelativeTime time={version.created_at} />
        </span>
      </Link>
    </li>
  );
}

const icons = {
  published: IconRocket,
  rolled_back: IconArrowBackUp,
  moved: IconTag,
  removed: IconTag,
  restored: IconArrowBackUp,
};

function MoveItem({ move }: { move: LabelMove }) {
  const Icon = icons[move.action];
  return (
    <li className={classes.move}>
      <Icon size={14} aria-hidden />
      <span>
        {describeMove(move)}, <RelativeTime time={move.moved_at} />
        {move.comment && <q className={classes.comment}>{move.comment}</q>}
      </span>
    </li>
  );
}
