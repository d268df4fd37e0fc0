import { Button, NativeSelect, Skeleton, Textarea, TextInput } from '@mantine/core';
import { IconLock, IconRocket } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { labelsQuery } from '~/api/account';
import { promptClientsQuery } from '~/api/clients';
import { ApiError } from '~/api/client';
import type { VersionConflict } from '~/api/types';
import { PublishReach } from '~/features/clients/Reach';
import { explain, Kbd, notifyReach, notifyUndo, RelativeTime, useShortcut } from '~/ui';
import { usePromptActions } from '../actions';
import { contractQuery } from '../contract-query';
import { DiffView } from '../diff/DiffView';
import { bodyOfVersion } from '../model/body';
import { breaksCallers, callerImpact } from '../model/impact';
import { usePrompt } from '../PromptContext';
import { diffQuery } from '../queries';
import { Impact } from './Impact';
import classes from './PublishSheet.module.css';
import { StaleBase } from './StaleBase';

interface Props {
  from: 'draft' | number;
  onClose: () => void;
}

export function PublishForm({ from, onClose }: Props) {
  const { details, session, slug } = usePrompt();
  const actions = usePromptActions();
  const [summary, setSummary] = useState<string | null>(null);
  const [comment, setComment] = useState('');
  const [label, setLabel] = useState('production');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiError | Error | null>(null);
  const [conflict, setConflict] = useState<VersionConflict | null>(null);

  const { live_version: live } = details;
  const diff = useQuery({ ...diffQuery(slug, from, live?.number ?? 0, session.revision ?? 0), enabled: live !== null });
  const body = useMemo(() => session.current(), [session]);
  const now = useQuery(contractQuery(body));
  const before = useQuery(contractQuery(live ? bodyOfVersion(live) : null));
  const notices =
    now.data && (before.data || !live)
      ? callerImpact(live && before.data ? { ...live, variables: before.data.variables } : null, {
          ...body,
          variables: now.data.variables,
          unused: now.data.unused,
        })
      : null;
  const errors = now.data?.problems.filter((p) => p.code === 'TEMPLATE_ERROR') ?? [];

  const newest = details.version?.number ?? null;
  const stale =
    conflict ??
    (from === 'draft' && session.base !== null && newest !== null && newest > session.base
      ? staleFrom(session.base, details)
      : null);
  const production = label === 'production';

  async function publish() {
    if (busy || errors.length > 0 || stale) return;
    setBusy(true);
    setProblem(null);
    try {
      const done = await actions.publish({
        from,
        ...(!production && { label }),
        ...(session.base !== null && from === 'draft' && { base_version: session.base }),
        ...(session.revision !== null && from === 'draft' && { draft_revision: session.revision }),
        ...(comment.trim() && { comment: comment.trim() }),
        ...(from === 'draft' && summary?.trim() && { change_summary: summary.trim() }),
      });
      onClose();
      announce(done.version.number, done.previous_version, done.prompt.live?.since ?? null);
    } catch (error) {
      if (error instanceof ApiError && error.code === 'VERSION_CONFLICT') {
        setConflict(error.details as unknown as VersionConflict);
        void actions.refresh();
      } else {
        setProblem(error as Error);
      }
    } finally {
      setBusy(false);
    }
  }

  function announce(version: number, previous: number | null, at: string | null) {
    const reach = <PublishReach slug={slug} label={label} movedAt={production ? at : new Date().toISOString()} />;
    if (!production) return notifyReach(`v${version} is at ${label}.`, reach);
    if (previous === null) return notifyReach(`v${version} is live.`, reach);
    notifyUndo({
      message: `v${version} is live.`,
      more: reach,
      undo: () => actions.moveLabel('production', previous),
      label: `Back to v${previous}`,
    });
  }

  useShortcut({ keys: 'mod+enter', description: 'Publish now', group: 'Prompt' }, () => void publish());

  if (stale) return <StaleBase conflict={stale} onSettled={() => setConflict(null)} onClose={onClose} />;
  return (
    <div className={classes.form}>
      <p className={classes.lead}>
        {live ? (
          <>
            {typeof from === 'number' ? `v${from}` : 'Your draft'} replaces v{live.number}, live since{' '}
            {details.live && <RelativeTime time={details.live.since} />}.<Affected slug={slug} />
          </>
        ) : (
          'This is the first time it goes live. Callers who ask for it get it from then on.'
        )}
      </p>

      {errors.length > 0 && (
        <div className={classes.problem} role="alert">
          <strong>The text has a mistake, so it cannot go live yet:</strong>
          <ul>
            {errors.map((e, i) => (
              <li key={i}>
                {e.line > 0 ? `Line ${e.line}: ` : ''}
                {e.message}
              </li>
            ))}
          </ul>
        </div>
      )}

      <section aria-labelledby="publish-impact">
        <h3 id="publish-impact">What callers will notice</h3>
        {notices ? (
          <Impact notices={notices} first={live === null} />
        ) : now.error ? (
          <p className={classes.note}>{explain(now.error).text}</p>
        ) : (
          <Skeleton height={20} width="70%" />
        )}
      </section>

      {live && (
        <section aria-labelledby="publish-diff">
          <h3 id="publish-diff">What changes</h3>
          {diff.data ? (
            <DiffView diff={diff.data} layout="inline" />
          ) : diff.error ? (
            <p className={classes.note}>{explain(diff.error).text}</p>
          ) : (
            <Skeleton height={160} />
          )}
        </section>
      )}

      {from === 'draft' && (
        <TextInput
          label="What changed"
          description="One line for the history"
          placeholder="Describe the change"
          maxLength={500}
          value={summary ?? diff.data?.summary ?? ''}
          onChange={(event) => setSummary(event.currentTarget.value)}
        />
      )}
      <Textarea
        label="Why (optional)"
        description="A note for your colleagues, kept with this publish"
        autosize
        minRows={1}
        maxLength={1000}
        value={comment}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      <LabelPicker value={label} onChange={setLabel} />

      {problem && <Refused error={problem} />}
      <div className={classes.foot}>
        <Button variant="default" onClick={onClose}>
          Not yet
        </Button>
        <Button
          color={notices && breaksCallers(notices) && production ? 'red' : undefined}
          loading={busy}
          disabled={errors.length > 0}
          leftSection={<IconRocket size={16} aria-hidden />}
          onClick={() => void publish()}
          data-autofocus
        >
          {production ? 'Publish now' : `Publish to ${label}`}
        </Button>
        <span className={classes.hint}>
          <Kbd keys="mod+enter" />
        </span>
      </div>
    </div>
  );
}

/** How many running programs will have it in a moment. */
function Affected({ slug }: { slug: string }) {
  const { data } = useQuery(promptClientsQuery(slug, 'production', null, 0));
  const total = data?.counts.total ?? 0;
  if (total === 0) return null;
  return ` ${total === 1 ? 'One running client has' : `${total.toLocaleString()} running clients have`} it in memory and get the new text at once.`;
}

function staleFrom(base: number, details: ReturnType<typeof usePrompt>['details']): VersionConflict | null {
  const { version } = details;
  if (!version) return null;
  return {
    base_version: base,
    current_version: version.number,
    changed_by: version.created_by,
    changed_at: version.created_at,
    change_summary: version.change_summary,
  };
}

/** Shown only where there is a choice. */
function LabelPicker({ value, onChange }: { value: string; onChange: (label: string) => void }) {
  const { data: labels = [] } = useQuery(labelsQuery);
  const chosen = labels.find((l) => l.name === value);
  const others = labels.filter((l) => l.name !== 'production' && l.name !== 'latest');
  if (others.length === 0 && !chosen?.protected) return null;
  return (
    <div>
      <NativeSelect
        label="Where to"
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        data={[
          { value: 'production', label: 'production – what callers get by default' },
          ...others.map((l) => ({ value: l.name, label: l.description ? `${l.name} – ${l.description}` : l.name })),
        ]}
      />
      {chosen?.protected && (
        <p className={classes.note}>
          <IconLock size={13} aria-hidden /> {chosen.name} is protected: only admins can publish to it.
        </p>
      )}
    </div>
  );
}

function Refused({ error }: { error: Error }) {
  const { title, text } = explain(error);
  const blocked = error instanceof ApiError && error.code === 'PUBLISH_BLOCKED';
  const reasons = error instanceof ApiError ? Object.values(error.fieldErrors()) : [];
  return (
    <div className={classes.problem} role="alert">
      <strong>{blocked ? 'This needs an admin' : title}</strong>
      <div>{blocked ? `${error.message} Your draft is saved; an admin can publish it from here.` : text}</div>
      {reasons.length > 0 && (
        <ul>
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
      {error instanceof ApiError && error.requestId && (
        <div className={classes.note}>
          Reference <code>{error.requestId}</code>
        </div>
      )}
    </div>
  );
}
