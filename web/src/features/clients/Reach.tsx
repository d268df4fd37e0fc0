import { IconAlertTriangle, IconCircleCheckFilled, IconCircleDashed, IconLoader2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { promptClientsQuery } from '~/api/clients';
import type { ClientCounts } from '~/api/types';
import classes from './Reach.module.css';
import { type ReachState, reachState, reachWords } from './reach';

const icons: Record<ReachState, typeof IconLoader2> = {
  none: IconCircleDashed,
  way: IconLoader2,
  silent: IconAlertTriangle,
  done: IconCircleCheckFilled,
};

/** Who has what a label points at, in one line that keeps itself current. */
export function Reach({ counts }: { counts: ClientCounts }) {
  const state = reachState(counts);
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
export function usePromptReach({ slug, label, movedAt }: Props): ClientCounts | undefined {
  return useQuery(promptClientsQuery(slug, label, movedAt, 0)).data?.counts;
}

/** What the message after a publish ends with. */
export function PublishReach(props: Props) {
  const counts = usePromptReach(props);
  if (!counts) return <span className={classes.note}>Asking who has it…</span>;
  if (counts.total > 0) return <Reach counts={counts} />;
  return <span className={classes.note}>No running SDK reads it yet; calls over HTTP get it from now on.</span>;
}
