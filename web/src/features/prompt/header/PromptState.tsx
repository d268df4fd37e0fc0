import { RelativeTime, StatusPill } from '~/ui';
import { usePrompt } from '../PromptContext';
import { useChanges } from '../use-changes';
import classes from './PromptHeader.module.css';

/** What is live, since when and by whom; and whether what one sees here differs from it. */
export function PromptState() {
  const { details } = usePrompt();
  const { differsFromLive, differsFromNewest } = useChanges();
  const { live } = details;
  return (
    <span className={classes.state}>
      {live ? (
        <>
          <StatusPill status="live">Live v{live.version}</StatusPill>
          <span>
            <RelativeTime time={live.since} /> by {live.by.name}
          </span>
        </>
      ) : (
        <StatusPill status="unpublished">Not published yet</StatusPill>
      )}
      {live && differsFromLive && (
        <StatusPill status="draft">
          {differsFromNewest ? 'Draft differs' : `v${details.version?.number} is not live`}
        </StatusPill>
      )}
      {details.archived && <StatusPill status="archived" />}
    </span>
  );
}
