import { IconArchive, IconCircleCheckFilled, IconCircleDashed, IconPencil } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './Pill.module.css';

export type Status = 'live' | 'draft' | 'unpublished' | 'archived';

const looks = {
  live: { Icon: IconCircleCheckFilled, words: 'Live' },
  draft: { Icon: IconPencil, words: 'Draft differs' },
  unpublished: { Icon: IconCircleDashed, words: 'Not live' },
  archived: { Icon: IconArchive, words: 'Archived' },
};

interface Props {
  status: Status;
  /** Replaces the usual words. */
  children?: ReactNode;
}

/** A state as icon, words and colour together: never by colour alone. */
export function StatusPill({ status, children }: Props) {
  const { Icon, words } = looks[status];
  return (
    <span className={classes.pill} data-status={status}>
      <Icon size={13} aria-hidden />
      {children ?? words}
    </span>
  );
}

/** A quiet chip for a tag or a category. */
export function Tag({ children }: { children: ReactNode }) {
  return <span className={classes.tag}>{children}</span>;
}
