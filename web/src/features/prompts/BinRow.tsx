import { Button } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import type { ListedPrompt } from '~/api/types';
import { RelativeTime } from '~/ui/RelativeTime';
import { rowsClasses as classes } from '~/ui/Rows';

interface Props {
  prompt: ListedPrompt;
  isAdmin: boolean;
  onRestore: () => void;
  onPurge: () => void;
}

/** A prompt in the bin and who put it there. */
export function BinRow({ prompt, isAdmin, onRestore, onPurge }: Props) {
  return (
    <>
      <div className={classes.words}>
        <span className={classes.title}>{prompt.title}</span>
        <span className={classes.quiet}>
          <code>{prompt.slug}</code>
          {prompt.deleted_at && (
            <>
              {' · deleted '}
              <RelativeTime time={prompt.deleted_at} />
            </>
          )}
          {prompt.deleted_by && ` by ${prompt.deleted_by.name}`}
        </span>
      </div>
      <div className={classes.actions}>
        {prompt.can.delete && (
          <Button
            variant="default"
            size="xs"
            leftSection={<IconArrowBackUp size={14} aria-hidden />}
            aria-label={`Restore ${prompt.title}`}
            onClick={onRestore}
          >
            Restore
          </Button>
        )}
        {isAdmin && (
          <Button variant="subtle" color="red" size="xs" aria-label={`Delete ${prompt.title} for good`} onClick={onPurge}>
            Delete for good
          </Button>
        )}
      </div>
    </>
  );
}
