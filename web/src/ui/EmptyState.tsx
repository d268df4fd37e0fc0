import type { TablerIcon } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './states.module.css';

interface Props {
  icon?: TablerIcon;
  title: string;
  /** What this place is for and what to do next: a sentence or two. */
  children?: ReactNode;
  /** The one thing to do. */
  action?: ReactNode;
  as?: 'h1' | 'h2' | 'h3';
}

/** An empty place that teaches: what will stand here, and the one step that gets there. */
export function EmptyState({ icon: Icon, title, children, action, as: Heading = 'h2' }: Props) {
  return (
    <div className={classes.state}>
      {Icon && <Icon className={classes.icon} size={28} stroke={1.5} aria-hidden />}
      <Heading className={classes.title}>{title}</Heading>
      {children && <div className={classes.text}>{children}</div>}
      {action && <div className={classes.action}>{action}</div>}
    </div>
  );
}
