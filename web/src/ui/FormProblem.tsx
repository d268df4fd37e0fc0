import { IconAlertCircle } from '@tabler/icons-react';
import { ApiError } from '~/api/client';
import { explain } from './explain';
import classes from './FormProblem.module.css';

interface Props {
  error: unknown;
  /** Better words for the failures this form knows. */
  words?: (error: unknown) => string | null;
}

/** What went wrong with a whole form, between its fields and its button. */
export function FormProblem({ error, words }: Props) {
  if (!error) return null;
  const requestId = error instanceof ApiError && error.status >= 500 ? error.requestId : null;
  const explanation = explain(error);
  return (
    <div className={classes.problem} role="alert">
      <IconAlertCircle size={16} aria-hidden />
      <div>
        {words?.(error) ?? `${explanation.title}. ${explanation.text}`}
        {requestId && <div className="mono">Reference {requestId}</div>}
      </div>
    </div>
  );
}
