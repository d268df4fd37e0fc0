import { Button, Skeleton } from '@mantine/core';
import { IconFileUnknown } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useParams } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { ApiError } from '~/api/client';
import { promptDetailsQuery } from '~/api/prompts';
import type { PromptDetails } from '~/api/types';
import { EmptyState, ErrorState, usePageTitle, useShortcut } from '~/ui';
import { BackupNotice } from './edit/BackupNotice';
import { DraftConflict } from './conflict/DraftConflict';
import { LeaveGuard } from './LeaveGuard';
import { NewsNotice } from './NewsNotice';
import classes from './PromptPage.module.css';
import { type PromptContextValue, PromptProvider } from './PromptContext';
import { PromptHeader } from './header/PromptHeader';
import { PublishSheet } from './publish/PublishSheet';
import { useOwnDoing } from './use-own-doing';
import { useEditSession } from './use-session';

/** Loads a prompt and shows its page, the tab within it, and everything that can happen around it. */
export function PromptPage() {
  const { slug } = useParams({ from: '/app/prompts/$slug' });
  const { data, error, refetch } = useQuery(promptDetailsQuery(slug));
  if (data) return <Loaded key={data.id} slug={slug} details={data} />;
  if (error) {
    if (error instanceof ApiError && error.status === 404) return <NoSuchPrompt slug={slug} />;
    return (
      <>
        <h1 className={classes.hidden}>Prompt</h1>
        <ErrorState error={error} onRetry={() => void refetch()} />
      </>
    );
  }
  return <LoadingPage />;
}

function NoSuchPrompt({ slug }: { slug: string }) {
  usePageTitle('Prompt not found');
  return (
    <EmptyState
      as="h1"
      icon={IconFileUnknown}
      title="There is no such prompt"
      action={
        <Button component={Link} to="/prompts">
          Go to your prompts
        </Button>
      }
    >
      Nothing in this workspace has the slug <code>{slug}</code>. It may have been deleted for good, or belong to another
      workspace.
    </EmptyState>
  );
}

function Loaded({ slug, details }: { slug: string; details: PromptDetails }) {
  const { session, left, dropBackup, hideBackup } = useEditSession(slug, details);
  const [publishing, setPublishing] = useState(false);
  const { own, versions, busy } = useOwnDoing();
  const navigate = useNavigate();
  usePageTitle(details.title);

  // A former slug keeps working; the address shows the one in use.
  useEffect(() => {
    if (details.slug !== slug) void navigate({ to: '.', params: { slug: details.slug }, replace: true });
  }, [details.slug, slug, navigate]);

  const readOnly = whyReadOnly(details);
  const noPublish = whyNoPublish(details);
  const publish = useCallback(() => setPublishing(true), []);

  useShortcut(
    { keys: 'mod+enter', description: 'Publish', group: 'Prompt' },
    publish,
    noPublish === null && !publishing,
  );
  useShortcut({ keys: 'mod+s', description: 'Save the draft', group: 'Prompt' }, () => void session.autosave.flush());
  useTabShortcuts(details.slug);

  const value = useMemo<PromptContextValue>(
    () => ({ slug, details, session, readOnly, noPublish, publish, own }),
    [slug, details, session, readOnly, noPublish, publish, own],
  );

  return (
    <PromptProvider value={value}>
      <div className={classes.page}>
        <PromptHeader />
        <NewsNotice own={versions} busy={busy} />
        <DraftConflict />
        {left && !readOnly && (
          <BackupNotice
            backup={left}
            onUse={() => {
              session.replace(left.body);
              hideBackup();
            }}
            onDrop={dropBackup}
          />
        )}
        <Outlet />
      </div>
      <PublishSheet opened={publishing} onClose={() => setPublishing(false)} />
      <LeaveGuard />
    </PromptProvider>
  );
}

const tabPaths = ['/prompts/$slug', '/prompts/$slug/history', '/prompts/$slug/use', '/prompts/$slug/settings'] as const;
const tabNames = ['Edit', 'History', 'Use it', 'Settings'];

function useTabShortcuts(slug: string) {
  const navigate = useNavigate();
  const go = (index: number) => void navigate({ to: tabPaths[index]!, params: { slug } });
  const describe = (index: number) => ({
    keys: String(index + 1),
    description: `Open ${tabNames[index]}`,
    group: 'Prompt',
  });
  useShortcut(describe(0), () => go(0));
  useShortcut(describe(1), () => go(1));
  useShortcut(describe(2), () => go(2));
  useShortcut(describe(3), () => go(3));
}

function whyReadOnly(details: PromptDetails): string | null {
  if (details.deleted_at) return 'This prompt is in the bin. Bring it back to edit it.';
  if (details.archived) return 'Archived prompts are read-only. Unarchive it in Settings to edit it.';
  if (!details.can.edit)
    return 'You can read this prompt. To change it you need the editor role: ask an admin of the workspace.';
  return null;
}

function whyNoPublish(details: PromptDetails): string | null {
  const reason = whyReadOnly(details);
  if (reason) return reason;
  return details.can.publish
    ? null
    : 'Your role cannot publish. Ask an admin of the workspace; your draft is saved for them.';
}

/** The shape of the page while its prompt is on the way. */
function LoadingPage() {
  return (
    <div className={classes.page} aria-busy="true">
      <div className={classes.skeletonHead}>
        <Link to="/prompts" className={classes.crumb}>
          Prompts
        </Link>
        <Skeleton height={28} width="min(24rem, 70%)" mt={6} />
        <Skeleton height={16} width="min(16rem, 50%)" mt={10} />
        <Skeleton height={20} width="min(20rem, 80%)" mt={22} mb={10} />
      </div>
      <div className={classes.skeletonBody}>
        <Skeleton height={320} />
        <div className={classes.skeletonSide}>
          <Skeleton height={150} />
          <Skeleton height={150} />
        </div>
      </div>
      <h1 className={classes.hidden}>Prompt</h1>
      <span className={classes.hidden} role="status">
        Loading the prompt
      </span>
    </div>
  );
}
