import { Button } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { RelativeTime } from '~/ui';
import classes from '../dialogs.module.css';
import type { Backup } from '../model/backup';

interface Props {
  backup: Backup;
  onUse: () => void;
  onDrop: () => void;
}

/** Offers text that an earlier visit could not save. */
export function BackupNotice({ backup, onUse, onDrop }: Props) {
  return (
    <div className={classes.notice} data-tone="draft" role="status">
      <IconHistory size={18} aria-hidden />
      <span className={classes.noticeText}>
        There is text of yours from <RelativeTime time={new Date(backup.at).toISOString()} /> that did not reach the
        server.
      </span>
      <Button size="compact-sm" variant="default" onClick={onUse}>
        Bring it back
      </Button>
      <Button size="compact-sm" variant="default" onClick={onDrop}>
        Throw it away
      </Button>
    </div>
  );
}
