import { Button } from '@mantine/core';
import { IconAlertTriangle, IconPlugConnectedX, IconRefresh } from '@tabler/icons-react';
import { ApiError } from '~/api/client';
import { CopyButton } from './CopyButton';
import { explain } from './explain';
import classes from './states.module.css';

interface Props {
  error: unknown;
  onRetry?: () => void;
}

/** Says what happened, that nothing is lost, what to do, and the id to quote. */
export function ErrorState({ error, onRetry }: Props) {
  const { title, text } = explain(error);
  const requestId = error instanceof ApiError ? error.requestId : null;
  const Icon = error instanceof ApiError && error.offline ? IconPlugConnectedX : IconAlertTriangle;
  return (
    <div className={classes.state} role="alert">
      <Icon className={classes.icon} size={28} stroke={1.5} aria-hidden />
      <h2 className={classes.title}>{title}</h2>
      <div className={classes.text}>{text}</div>
      {onRetry && (
        <div className={classes.action}>
          <Button variant="default" leftSection={<IconRefresh size={16} aria-hidden />} onClick={onRetry}>
            Try again
          </Button>
        </div>
      )}
      {requestId && (
        <div className={classes.reference}>
          Reference <code>{requestId}</code>
          <CopyButton value={requestId} label="Copy reference" />
        </div>
      )}
    </div>
  );
}
