import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { importsQuery } from '~/api/imports';
import { RelativeTime } from '~/ui/RelativeTime';
import { Rows, rowsClasses } from '~/ui/Rows';
import classes from './Import.module.css';
import { formatLabel, stateWords } from './words';

/** Imports of before, those on their way among them; nothing where there were none. */
export function Earlier() {
  const { data } = useQuery(importsQuery);
  if (!data?.length) return null;
  return (
    <section aria-labelledby="earlier">
      <h2 id="earlier" className={classes.heading}>
        Imports so far
      </h2>
      <Rows label="Imports">
        {data.map((run) => (
          <li key={run.id} className={rowsClasses.row}>
            <div className={rowsClasses.words}>
              <Link to="/import/$id" params={{ id: run.id }} className={classes.link}>
                {run.name || formatLabel(run.format)}
              </Link>
              <span className={rowsClasses.quiet}>
                {formatLabel(run.format)}, {run.total.toLocaleString()} entries · {run.created_by.name}, <RelativeTime time={run.created_at} />
              </span>
            </div>
            <span className={rowsClasses.quiet}>{stateWords[run.state]}</span>
          </li>
        ))}
      </Rows>
    </section>
  );
}
