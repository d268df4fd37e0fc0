import type { ReactNode } from 'react';
import { usePageTitle } from '~/ui/page-title';
import classes from './AuthLayout.module.css';

interface Props {
  title: string;
  lead?: ReactNode;
  children?: ReactNode;
  /** The other door: "No account yet? Make one". */
  foot?: ReactNode;
}

/** The quiet page around signing in, signing up and setting up. */
export function AuthLayout({ title, lead, children, foot }: Props) {
  usePageTitle(title);
  return (
    <div className={classes.page}>
      <main className={classes.card}>
        <div className={classes.brand}>
          <img src="/favicon.svg" width={28} height={28} alt="" />
          <span>xr2</span>
        </div>
        <h1 className={classes.title}>{title}</h1>
        {lead && <p className={classes.lead}>{lead}</p>}
        {children}
        {foot && <p className={classes.foot}>{foot}</p>}
      </main>
    </div>
  );
}
