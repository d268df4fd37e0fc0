import type { ReactNode } from 'react';
import { usePageTitle } from './page-title';
import classes from './PageHeader.module.css';

interface Props {
  title: string;
  /** A sentence that says what this page is for. */
  description?: ReactNode;
  /** Buttons, the one primary action last. */
  actions?: ReactNode;
  /** What stands above the title, such as the way back. */
  above?: ReactNode;
  /** Help about the page, beside its title. */
  help?: ReactNode;
}

/** The head of a page; names the browser's tab as well. */
export function PageHeader({ title, description, actions, above, help }: Props) {
  usePageTitle(title);
  return (
    <header className={classes.header}>
      {above && <div className={classes.above}>{above}</div>}
      <div className={classes.row}>
        <div className={classes.words}>
          <div className={classes.head}>
            <h1 className={classes.title}>{title}</h1>
            {help}
          </div>
          {description && <p className={classes.description}>{description}</p>}
        </div>
        {actions && <div className={classes.actions}>{actions}</div>}
      </div>
    </header>
  );
}
