import { IconAlertTriangle, IconCircleCheckFilled, IconCircleDashed, IconLoader2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { isArriving, promptClientsQuery } from '~/api/clients';
import type { Clients } from '~/api/types';
import classes from './Reach.module.css';
import { type ReachState, reachState, reachWords } from './reach';

const icons: Record<ReachState, typeof IconLoader2> = {
  none: IconCircleDashed,
  way: IconLoader2,
  behind: IconAlertTriangle,
  done: IconCircleCheckFilled,
};

/** Who has what a label points at, in one line that keeps itself current. */
export function Reach({ clients, movedAt }: { clients: Clients; movedAt: string | null }) {
  const { counts } = clients;
  const state = reachState(counts, isArriving(clients, movedAt));
  const Icon = icons[state];
  return (
    <span className={classes.reach} data-reach={state}>
      <Icon size={14} aria-hidden />
      {reachWords(counts)}
    </span>
  );
}

interface Props {
  slug: string;
  label: string;
  /** When the label came to point where it does. */
  movedAt: string | null;
}

/** The counts alone, which are cheap to ask for. */
export function usePromptReach({ slug, label, movedAt }: Props): Clients | undefined {
  return useQuery(promptClientsQuery(slug, label, movedAt, 0)).data;
}

/** What the message after a publish ends with. */
export function PublishReach(props: Props) {
  const clients = usePromptReach(props);
  if (!clients) return <span className={classes.note}>Asking who has it…</span>;
  if (clients.counts.total > 0) return <Reach clients={clients} movedAt={props.movedAt} />;
  return <span className={classes.note}>No running SDK reads it yet; calls over HTTP get it from now on.</span>;
}
