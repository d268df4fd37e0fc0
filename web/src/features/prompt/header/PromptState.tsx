import { Link } from '@tanstack/react-router';
import { Reach, usePromptReach } from '~/features/clients/Reach';
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
          <LiveReach since={live.since} />
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

/** How many running programs have it; where none reports, when it was last asked for. */
function LiveReach({ since }: { since: string }) {
  const { details } = usePrompt();
  const clients = usePromptReach({ slug: details.slug, label: 'production', movedAt: since });
  if (!clients) return null;
  const last = details.fetches.find((fetch) => fetch.label === 'production');
  return (
    <Link to="/prompts/$slug/use" params={{ slug: details.slug }} className={classes.reach}>
      {clients.counts.total > 0 ? (
        <Reach clients={clients} movedAt={since} />
      ) : last ? (
        <>
          last fetched <RelativeTime time={last.last_fetched_at} />
        </>
      ) : (
        'never fetched'
      )}
    </Link>
  );
}
