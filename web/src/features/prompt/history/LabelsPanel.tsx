import { ActionIcon, Menu, Button, NativeSelect, Tooltip } from '@mantine/core';
import { IconLock, IconPlus, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { labelsQuery, useRole } from '~/api/account';
import type { PromptLabel, Version } from '~/api/types';
import { notifyError, RelativeTime } from '~/ui';
import { usePromptActions } from '../actions';
import { usePrompt } from '../PromptContext';
import { promptLabelsQuery } from '../queries';
import classes from './History.module.css';

/** Which label points at which version; moved here, with undo. */
export function LabelsPanel({ versions }: { versions: Version[] }) {
  const { slug, noPublish } = usePrompt();
  const { data: labels = [] } = useQuery(promptLabelsQuery(slug));
  const { data: all = [] } = useQuery(labelsQuery);
  const actions = usePromptActions();
  const isAdmin = useRole('admin');
  const own = labels.filter((l) => l.label !== 'latest');
  const free = all.filter(
    (l) => l.name !== 'latest' && !own.some((o) => o.label === l.name) && (isAdmin || !l.protected),
  );
  const run = (action: () => Promise<unknown>) => void action().catch((error: unknown) => notifyError(error));

  return (
    <section className={classes.labels} aria-labelledby="labels-title">
      <header className={classes.labelsHead}>
        <h2 id="labels-title">Labels</h2>
        {noPublish === null && versions[0] && (
          <Menu>
            <Menu.Target>
              <Button size="compact-xs" variant="subtle" leftSection={<IconPlus size={14} aria-hidden />}>
                Add
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {free.map((label) => (
                <Menu.Item
                  key={label.name}
                  onClick={() => run(() => actions.moveLabelWithUndo(label.name, versions[0]!.number))}
                >
                  {label.name} → v{versions[0]!.number}
                </Menu.Item>
              ))}
              {free.length === 0 && <Menu.Label>Every label is on this prompt</Menu.Label>}
              <Menu.Divider />
              <Menu.Item component={Link} to="/labels">
                Manage labels
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </header>
      {own.length === 0 ? (
        <p className={classes.note}>None. Publish it and production points at it.</p>
      ) : (
        <ul className={classes.labelList}>
          {own.map((label) => (
            <LabelRow
              key={label.label}
              label={label}
              versions={versions}
              locked={noPublish !== null || (label.protected && !isAdmin)}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

function LabelRow({ label, versions, locked }: { label: PromptLabel; versions: Version[]; locked: boolean }) {
  const actions = usePromptActions();
  const run = (action: () => Promise<unknown>) => void action().catch((error: unknown) => notifyError(error));
  const numbers = versions.map((v) => v.number);
  if (!numbers.includes(label.version)) numbers.push(label.version);
  return (
    <li className={classes.label}>
      <span className={classes.labelName}>
        {label.label}
        {label.protected && (
          <Tooltip label="Protected: only admins move it">
            <span role="img" aria-label="Protected">
              <IconLock size={13} aria-hidden />
            </span>
          </Tooltip>
        )}
      </span>
      {locked ? (
        <strong className={classes.labelVersion}>v{label.version}</strong>
      ) : (
        <>
          <NativeSelect
            size="xs"
            aria-label={`Version at ${label.label}`}
            value={String(label.version)}
            data={numbers.map((n) => ({ value: String(n), label: `v${n}` }))}
            onChange={(event) => {
              const version = Number(event.currentTarget.value);
              run(() => actions.moveLabelWithUndo(label.label, version));
            }}
          />
          <Tooltip label={`Remove ${label.label}`}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={`Remove ${label.label}`}
              onClick={() => run(() => actions.removeLabelWithUndo(label.label))}
            >
              <IconX size={15} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </>
      )}
      <span className={classes.labelMeta}>
        {label.moved_by.name}, <RelativeTime time={label.moved_at} />
      </span>
    </li>
  );
}
