import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { authStatusQuery } from '~/api/account';
import { promptListQuery } from '~/api/prompts';
import type { ApiKeyWithSecret } from '~/api/types';
import { CopyButton } from '~/ui/CopyButton';
import classes from './dialogs.module.css';
import { curlLine } from './words';

/** The one moment when a key can be seen, with a line that proves it works. */
export function KeyShown({ made, onDone }: { made: ApiKeyWithSecret; onDone: () => void }) {
  const status = useQuery(authStatusQuery);
  const prompts = useQuery(promptListQuery({ sort: '-updated_at', page: 1, limit: 8 }));
  const slug = prompts.data?.items.find((prompt) => prompt.live)?.slug ?? 'your-prompt';
  const line = curlLine(status.data?.public_url ?? window.location.origin, made.key, slug);
  return (
    <div className={classes.form}>
      <div>
        <div className={classes.lead}>
          Copy it now and keep it in a safe place: <strong>it is not shown again.</strong>
        </div>
        <div className={classes.secret}>
          <code data-testid="new-key">{made.key}</code>
          <CopyButton value={made.key} label="Copy key" withText />
        </div>
      </div>
      <div>
        <div className={classes.lead}>Try it in a terminal:</div>
        <div className={classes.secret}>
          <code>{line}</code>
          <CopyButton value={line} label="Copy line" withText />
        </div>
      </div>
      <div className={classes.buttons}>
        <Button onClick={onDone} data-autofocus>
          I have copied it
        </Button>
      </div>
    </div>
  );
}
