import { Button, Menu, NativeSelect, SegmentedControl, Skeleton, Tooltip } from '@mantine/core';
import { IconArrowBackUp, IconDots, IconPencil, IconRestore } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { Version } from '~/api/types';
import { ErrorState, notifyError, notifyUndo, RelativeTime, StatusPill } from '~/ui';
import { usePromptActions } from '../actions';
import { DiffView } from '../diff/DiffView';
import { bodyOfVersion } from '../model/body';
import { usePrompt } from '../PromptContext';
import { diffQuery, versionQuery } from '../queries';
import classes from './History.module.css';
import type { HistorySearch } from './search';
import { VersionText } from './VersionText';

interface Props {
  number: number;
  versions: Version[];
  search: HistorySearch;
}

type View = 'inline' | 'split' | 'text';

/** One version: what changed in it, its text, and what can be done with it. */
export function VersionPane({ number, versions, search }: Props) {
  const { slug, details } = usePrompt();
  const navigate = useNavigate();
  const version = versions.find((v) => v.number === number);
  const [reading, setReading] = useState(false);
  const against = search.against ?? parentOf(number, version, versions);
  const view: View = reading || against === null ? 'text' : (search.view ?? 'inline');

  const go = (change: Partial<HistorySearch>) =>
    void navigate({
      to: '/prompts/$slug/history',
      params: { slug: details.slug },
      search: { version: number, against: search.against, view: search.view, ...change },
      resetScroll: false,
      replace: true,
    });

  function show(next: View) {
    setReading(next === 'text');
    if (next !== 'text') go({ view: next === 'split' ? 'split' : undefined });
  }

  // Where the timeline stands above, what was chosen in it is out of sight.
  const pane = useRef<HTMLElement>(null);
  const chosen = search.version !== undefined;
  useEffect(() => {
    if (chosen && window.matchMedia('(max-width: 60em)').matches) pane.current?.scrollIntoView({ block: 'start' });
  }, [chosen, number]);

  const live = details.live?.version === number;
  return (
    <section ref={pane} className={classes.pane} aria-label={`Version ${number}`}>
      <header className={classes.paneHead}>
        <div className={classes.paneTitle}>
          <h2>v{number}</h2>
          {live && <StatusPill status="live" />}
          {version && (
            <span className={classes.meta}>
              {version.created_by.name}, <RelativeTime time={version.created_at} />
            </span>
          )}
        </div>
        <Actions number={number} live={live} />
        {version?.change_summary && <p className={classes.paneSummary}>{version.change_summary}</p>}
      </header>
      <div className={classes.paneBar}>
        <SegmentedControl
          size="xs"
          aria-label="Show"
          value={view}
          onChange={(value) => show(value as View)}
          data={[
            { value: 'inline', label: 'Changes', disabled: against === null },
            { value: 'split', label: 'Side by side', disabled: against === null },
            { value: 'text', label: 'Text' },
          ]}
        />
        {view !== 'text' && against !== null && (
          <label className={classes.against}>
            compared with
            <NativeSelect
              size="xs"
              value={String(against)}
              onChange={(event) => go({ against: Number(event.currentTarget.value) })}
              data={versions
                .filter((v) => v.number !== number)
                .map((v) => ({
                  value: String(v.number),
                  label: `v${v.number}${details.live?.version === v.number ? ' (live)' : ''}`,
                }))}
            />
          </label>
        )}
      </div>
      {view === 'text' || against === null ? (
        <TextOf slug={slug} number={number} />
      ) : (
        <Comparison slug={slug} number={number} against={against} layout={view} />
      )}
    </section>
  );
}

function parentOf(number: number, version: Version | undefined, versions: Version[]): number | null {
  if (typeof version?.parent === 'number') return version.parent;
  return versions.find((v) => v.number < number)?.number ?? null;
}

function Comparison({
  slug,
  number,
  against,
  layout,
}: {
  slug: string;
  number: number;
  against: number;
  layout: 'inline' | 'split';
}) {
  const { data, error, refetch } = useQuery(diffQuery(slug, number, against));
  if (error) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton height={220} />;
  return <DiffView diff={data} layout={layout} />;
}

function TextOf({ slug, number }: { slug: string; number: number }) {
  const { details } = usePrompt();
  const { data, error, refetch } = useQuery(versionQuery(slug, number, details.version?.number ?? number));
  if (error) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton height={220} />;
  return <VersionText version={data} />;
}

function Actions({ number, live }: { number: number; live: boolean }) {
  const { slug, details, session, readOnly, noPublish } = usePrompt();
  const actions = usePromptActions();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const { data: written } = useQuery(versionQuery(slug, number, details.version?.number ?? number));
  const older = details.live !== null && number < details.live.version;

  async function run(action: () => Promise<unknown>) {
    setBusy(true);
    try {
      await action();
    } catch (error) {
      notifyError(error);
    } finally {
      setBusy(false);
    }
  }

  function editFromHere() {
    if (!written) return;
    const before = session.current();
    session.replace(bodyOfVersion(written));
    void navigate({ to: '/prompts/$slug', params: { slug: details.slug } });
    notifyUndo({ message: `Your draft is now the text of v${number}`, undo: () => session.replace(before) });
  }

  const rollBack = (
    <Button
      size="xs"
      variant={older ? 'filled' : 'default'}
      leftSection={<IconArrowBackUp size={15} aria-hidden />}
      loading={busy}
      disabled={noPublish !== null}
      onClick={() => void run(() => actions.rollBack(number))}
    >
      {older ? `Make v${number} live again` : `Make v${number} live`}
    </Button>
  );
  return (
    <div className={classes.paneActions}>
      {!live &&
        (noPublish ? (
          <Tooltip label={noPublish} maw={260}>
            <span>{rollBack}</span>
          </Tooltip>
        ) : (
          rollBack
        ))}
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPencil size={15} aria-hidden />}
        disabled={readOnly !== null || !written}
        onClick={editFromHere}
      >
        Edit from here
      </Button>
      {!live && (
        <Menu>
          <Menu.Target>
            <Button size="xs" variant="default" px={8} aria-label={`More for v${number}`}>
              <IconDots size={16} aria-hidden />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              leftSection={<IconRestore size={16} aria-hidden />}
              disabled={noPublish !== null}
              onClick={() => void run(() => actions.restore(number))}
            >
              Restore as a new version
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </div>
  );
}
