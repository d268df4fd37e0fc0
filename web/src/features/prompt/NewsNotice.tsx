import { Button } from '@mantine/core';
import { IconBroadcast } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { LiveState } from '~/api/types';
import { RelativeTime } from '~/ui';
import classes from './dialogs.module.css';
import { usePrompt } from './PromptContext';
import type { OwnVersions } from './use-own-doing';

interface News {
  before: number | null;
  now: LiveState | null;
}

/** Says so when somebody else changes what is live while this page is open. What one types stays. */
export function NewsNotice({ own, busy }: { own: OwnVersions; busy: boolean }) {
  const { details } = usePrompt();
  const { live } = details;
  const [seen, setSeen] = useState<LiveState | null>(live);
  const [news, setNews] = useState<News | null>(null);

  useEffect(() => {
    const now = live?.version ?? null;
    if (busy || now === (seen?.version ?? null)) return;
    setSeen(live);
    if (own.delete(now)) {
      setNews(null);
    } else {
      setNews({ before: seen?.version ?? null, now: live });
    }
  }, [live, seen, own, busy]);

  return <div role="status">{news && <Notice news={news} onClose={() => setNews(null)} />}</div>;
}

function Notice({ news: { before, now }, onClose }: { news: News; onClose: () => void }) {
  const { details } = usePrompt();
  const navigate = useNavigate();

  function compare() {
    onClose();
    if (!now) return;
    const against = before ?? undefined;
    void navigate({
      to: '/prompts/$slug/history',
      params: { slug: details.slug },
      search: { version: now.version, against },
    });
  }

  return (
    <div className={classes.notice} data-tone="live">
      <IconBroadcast size={18} aria-hidden />
      <span className={classes.noticeText}>
        {now ? (
          <>
            {now.by.name} {before !== null && now.version < before ? 'rolled back to' : 'published'} v{now.version}{' '}
            <RelativeTime time={now.since} />
          </>
        ) : (
          'This prompt was taken off production just now'
        )}
      </span>
      {now && (
        <Button size="compact-sm" variant="default" onClick={compare}>
          See changes
        </Button>
      )}
      <Button size="compact-sm" variant="default" onClick={onClose}>
        Dismiss
      </Button>
    </div>
  );
}
