import type { ReactNode } from 'react';
import classes from './Page.module.css';

interface Props {
  children: ReactNode;
  /** `reading` for forms and text, `wide` for tables, `full` without any margin. */
  width?: 'reading' | 'wide' | 'full';
}

/** The room a page has inside the shell. */
export function Page({ children, width = 'wide' }: Props) {
  return (
    <div className={classes.page} data-width={width}>
      {children}
    </div>
  );
}
