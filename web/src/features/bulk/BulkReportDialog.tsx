import { Button, Modal } from '@mantine/core';
import { IconAlertCircle, IconCheck, IconMinus } from '@tabler/icons-react';
import type { BulkItem, ListedPrompt } from '~/api/types';
import classes from './bulk.module.css';
import type { Report } from './use-bulk';
import { itemWords, reportTitle } from './words';

interface Props {
  report: Report;
  onClose: () => void;
  /** Moves those to the bin that clients or other prompts still use. */
  onForce: (prompts: ListedPrompt[]) => void;
}

const icons = { done: IconCheck, unchanged: IconMinus, failed: IconAlertCircle };
const order = { failed: 0, unchanged: 1, done: 2 };

/** How it went with each of many prompts: those that were refused first, with the reason. */
export default function BulkReportDialog({ report: { action, what, prompts, outcome }, onClose, onForce }: Props) {
  const byId = new Map(prompts.map((prompt) => [prompt.id, prompt]));
  const items = [...outcome.results].sort((a, b) => order[a.status] - order[b.status]);
  const inUse = outcome.results
    .filter((item) => item.error?.code === 'IN_USE')
    .flatMap((item) => byId.get(item.prompt) ?? []);
  return (
    <Modal opened onClose={onClose} size="lg" title={reportTitle(outcome)}>
      <p className={classes.summary}>
        {[
          outcome.done > 0 && `${outcome.done.toLocaleString()} done`,
          outcome.unchanged > 0 && `${outcome.unchanged.toLocaleString()} unchanged`,
          `${outcome.failed.toLocaleString()} refused`,
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
      <ul className={classes.items} aria-label="How it went with each prompt" tabIndex={0}>
        {items.map((item) => (
          <ReportItem key={item.prompt} item={item} title={byId.get(item.prompt)?.title} what={what} />
        ))}
      </ul>
      <div className={classes.buttons}>
        {action.action === 'delete' && inUse.length > 0 && (
          <Button color="red" variant="light" onClick={() => onForce(inUse)}>
            {inUse.length === 1 ? 'Move it to the bin anyway' : `Move these ${inUse.length} to the bin anyway`}
          </Button>
        )}
        <Button variant="default" onClick={onClose} data-autofocus>
          Close
        </Button>
      </div>
    </Modal>
  );
}

function ReportItem({ item, title, what }: { item: BulkItem; title: string | undefined; what: string }) {
  const Icon = icons[item.status];
  return (
    <li className={classes.item} data-status={item.status}>
      <Icon size={16} aria-hidden />
      <div className={classes.itemWords}>
        <span className={classes.itemTitle}>{title ?? item.slug ?? item.prompt}</span>
        <span className={classes.quiet}>{itemWords(item, what)}</span>
      </div>
    </li>
  );
}
