import { Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Rows.module.css';

export { classes as rowsClasses };

/** A bordered list of things with their actions, for what needs no columns. */
export function Rows({ label, children }: { label: string; children: ReactNode }) {
  return (
    <ul className={classes.rows} aria-label={label}>
      {children}
    </ul>
  );
}

/** The list's own shape while it loads. */
export function RowsSkeleton({ rows }: { rows: number }) {
  return (
    <div className={classes.rows} aria-hidden>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className={classes.row}>
          <div className={classes.words}>
            <Skeleton height={14} width={160 + ((index * 37) % 90)} />
            <Skeleton height={10} width={220 + ((index * 53) % 120)} mt={8} />
          </div>
        </div>
      ))}
    </div>
  );
}
