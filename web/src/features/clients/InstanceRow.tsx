import { Tooltip } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconClockPause } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { ClientInstance } from '~/api/types';
import { RelativeTime } from '~/ui';
import classes from './Instances.module.css';
import { sdkWords, shortInstance } from './reach';

const states = {
  current: { Icon: IconCircleCheck, words: 'Up to date' },
  behind: { Icon: IconAlertTriangle, words: 'Behind' },
  silent: { Icon: IconClockPause, words: 'Not heard from' },
};

function stateOf({ current, silent }: ClientInstance): keyof typeof states {
  if (silent) return 'silent';
  return current ? 'current' : 'behind';
}

/** One running program: who it is, whether it has the latest, and when it said so. */
export function InstanceRow({ instance, serves }: { instance: ClientInstance; serves: ReactNode }) {
  const state = stateOf(instance);
  const { Icon, words } = states[state];
  return (
    <tr data-instance={instance.instance} data-state={state}>
      <td className={classes.who}>
        <Tooltip label={instance.instance}>
          <code>{shortInstance(instance.instance)}</code>
        </Tooltip>
        <span className={classes.quiet}>{sdkWords(instance.sdk)}</span>
      </td>
      <td data-name="State">
        <span className={classes.state} data-state={state}>
          <Icon size={14} aria-hidden />
          {words}
        </span>
      </td>
      <td data-name="Serves">{serves}</td>
      <td data-name="API key">{instance.key?.name ?? <span className={classes.quiet}>No longer there</span>}</td>
      <td data-name="Kept current by">
        {instance.stream ? 'Stream' : 'Polling'}
        <span className={classes.quiet}> · revision {instance.revision.toLocaleString()}</span>
      </td>
      <td data-name="Last heard from">
        <RelativeTime time={instance.last_seen} />
      </td>
    </tr>
  );
}

/** The table around such rows. */
export function Instances({ label, children }: { label: string; children: ReactNode }) {
  return (
    <table className={classes.table} aria-label={label}>
      <thead>
        <tr>
          <th scope="col">Client</th>
          <th scope="col">State</th>
          <th scope="col">Serves</th>
          <th scope="col">API key</th>
          <th scope="col">Kept current by</th>
          <th scope="col">Last heard from</th>
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}
